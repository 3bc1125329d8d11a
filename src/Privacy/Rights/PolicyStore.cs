using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Text;
using Microsoft.Win32.SafeHandles;
using OpenEuroLLM.Core;

namespace OpenEuroLLM.Privacy.Rights;

/// <summary>Site policies on the disk. What is read is kept in memory up to a bound.</summary>
public sealed class PolicyStore : PolicySource, IDisposable
{
    /// <summary>Memory for policies that were read, in bytes, when nothing else is asked for.</summary>
    public const long DefaultCacheBytes = 256L << 20;

    private const int MostHostLines = 1024;
    private const long MostHostBytes = 64L << 20;
    private const int HeadBytes = 300;

    private static readonly byte[] HostField = "{\"host\":\""u8.ToArray();

    private readonly string _folder;
    private readonly SafeFileHandle _lines, _index;
    private readonly long _length;
    private readonly long _cacheBytes;
    private readonly Lock _gate = new();
    private volatile ConcurrentDictionary<string, SitePolicy> _young = NewCache(), _old = NewCache();
    private long _youngBytes;

    private PolicyStore(string folder, SafeFileHandle lines, SafeFileHandle index, long cacheBytes)
    {
        (_folder, _lines, _index, _cacheBytes) = (folder, lines, index, cacheBytes);
        _length = RandomAccess.GetLength(lines);
        Count = RandomAccess.GetLength(index) / sizeof(long);
    }

    /// <summary>Number of fetches.</summary>
    public long Count { get; }

    /// <summary>The manifest of the generation that counts: its hash stands for all that a store says.</summary>
    /// <exception cref="UserErrorException">There is no store.</exception>
    public static string ManifestOf(string store) => Path.Combine(FolderOf(store), Manifest.FileName);

    /// <summary>Opens a store.</summary>
    /// <param name="store">Its folder.</param>
    /// <param name="cacheBytes">Memory for policies that were read.</param>
    /// <exception cref="UserErrorException">There is none, or it cannot be read.</exception>
    public static PolicyStore Open(string store, long cacheBytes = DefaultCacheBytes)
    {
        ArgumentNullException.ThrowIfNull(store);
        try
        {
            PhysicalFileSystem files = PhysicalFileSystem.Instance;
            string folder = FolderOf(store);
            Manifest manifest = Manifest.Read(files, folder);
            string lines = Path.Combine(folder, PolicyStoreFiles.Lines), index = Path.Combine(folder, PolicyStoreFiles.Index);
            if (manifest.Stage != PolicyStoreFiles.Stage) throw new UserErrorException($"{store}: is the output of the stage '{manifest.Stage}'; expected a policy store.");
            SafeFileHandle opened = File.OpenHandle(lines);
            return new PolicyStore(folder, opened, File.OpenHandle(index), cacheBytes);
        }
        catch (Exception error) when (StorageFailure.Is(error))
        {
            throw StorageFailure.Explain(error, store);
        }
    }

    private static string FolderOf(string store) => PolicyStoreFiles.Current(PhysicalFileSystem.Instance, store)
        ?? throw new UserErrorException($"{store}: holds no policy store; expected a folder made by 'oellm corpus policies'.");

    /// <inheritdoc/>
    public void Dispose()
    {
        _lines.Dispose();
        _index.Dispose();
    }

    internal override SitePolicy Find(string host)
    {
        if (_young.TryGetValue(host, out SitePolicy? known)) return known;
        if (!_old.TryGetValue(host, out known)) known = Read(host);
        Keep(host, known);
        return known;
    }

    /// <summary>All fetches in their order.</summary>
    internal IEnumerable<SiteFile> All()
    {
        for (long line = 0; line < Count; line++) yield return Parse(line);
    }

    /// <summary>What was used since the last change of generations stays; what was not is forgotten at the next.</summary>
    private void Keep(string host, SitePolicy policy)
    {
        lock (_gate)
        {
            if (!_young.TryAdd(host, policy)) return;
            _youngBytes += policy.Size + 2 * host.Length + 100;
            if (_youngBytes <= _cacheBytes / 2) return;
            (_old, _young, _youngBytes) = (_young, NewCache(), 0);
        }
    }

    private SitePolicy Read(string host)
    {
        long first = 0, behind = Count;
        while (first < behind)
        {
            long middle = first + (behind - first) / 2;
            if (string.CompareOrdinal(HostOf(middle), host) < 0) first = middle + 1;
            else behind = middle;
        }
        var fetches = new List<SiteFile>();
        long bytes = 0;
        for (long line = first; line < Count && line - first < MostHostLines && bytes < MostHostBytes && HostOf(line) == host; line++)
        {
            SiteFile fetch = Parse(line);
            bytes += fetch.Size;
            fetches.Add(fetch);
        }
        return fetches.Count == 0 ? SitePolicy.Unknown : SitePolicy.Of(fetches);
    }

    private string HostOf(long line)
    {
        Span<byte> head = stackalloc byte[HeadBytes];
        (long start, _) = Place(line);
        head = head[..RandomAccess.Read(_lines, head, start)];
        int end = head.StartsWith(HostField) ? head[HostField.Length..].IndexOf((byte)'"') : -1;
        return end < 0 ? throw Damaged(line) : Encoding.UTF8.GetString(head.Slice(HostField.Length, end));
    }

    private SiteFile Parse(long line)
    {
        (long start, int length) = Place(line);
        byte[] text = new byte[length];
        try
        {
            return RandomAccess.Read(_lines, text, start) == length ? SiteFile.Parse(text) : throw Damaged(line);
        }
        catch (FormatException)
        {
            throw Damaged(line);
        }
    }

    private (long Start, int Length) Place(long line)
    {
        Span<byte> places = stackalloc byte[2 * sizeof(long)];
        int read = RandomAccess.Read(_index, places, line * sizeof(long));
        long start = BinaryPrimitives.ReadInt64LittleEndian(places), next = read == places.Length ? BinaryPrimitives.ReadInt64LittleEndian(places[sizeof(long)..]) : _length;
        long length = next - start - 1;
        return start >= 0 && next <= _length && length is > 0 and <= PolicyStoreFiles.MostLineBytes ? (start, (int)length) : throw Damaged(line);
    }

    private UserErrorException Damaged(long line) => new(FormattableString.Invariant($"{Path.Combine(_folder, PolicyStoreFiles.Lines)}: line {line + 1} is damaged; 'oellm verify' tells more, and 'oellm corpus policies' makes the store again."));

    private static ConcurrentDictionary<string, SitePolicy> NewCache() => new(StringComparer.Ordinal);
}
