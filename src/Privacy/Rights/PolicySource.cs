using System.Collections.Concurrent;
using OpenEuroLLM.Core;

namespace OpenEuroLLM.Privacy.Rights;

/// <summary>Where the policies of sites are looked up. May be used by several threads.</summary>
public abstract class PolicySource
{
    /// <summary>What is known of a site.</summary>
    /// <param name="host">As <see cref="WebAddress.Host"/>.</param>
    internal abstract SitePolicy Find(string host);
}

/// <summary>Policies in memory, such as those of one archive.</summary>
public sealed class PoliciesInMemory : PolicySource
{
    private const long MostBytes = 1L << 30;

    private readonly Dictionary<string, List<SiteFile>> _files = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, SitePolicy> _read = new(StringComparer.Ordinal);
    private long _bytes;

    /// <summary>Number of fetches.</summary>
    public int Count { get; private set; }

    /// <summary>Adds a fetch; not while verdicts are given.</summary>
    /// <exception cref="UserErrorException">There are too many for the memory; a store has no such limit.</exception>
    public void Add(SiteFile file)
    {
        ArgumentNullException.ThrowIfNull(file);
        _bytes += file.Size;
        if (_bytes > MostBytes) throw new UserErrorException("the site policies take more than 1 GB; make a store of them with 'oellm corpus policies' and give it with --policies.");
        if (!_files.TryGetValue(file.Host, out List<SiteFile>? files)) _files[file.Host] = files = [];
        files.Add(file);
        Count++;
        _read.TryRemove(file.Host, out _);
    }

    internal override SitePolicy Find(string host) =>
        _read.TryGetValue(host, out SitePolicy? known) ? known : _files.TryGetValue(host, out List<SiteFile>? files) ? _read.GetOrAdd(host, SitePolicy.Of(files)) : SitePolicy.Unknown;
}
