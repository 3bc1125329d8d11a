using System.Text;
using OpenEuroLLM.Core;

namespace OpenEuroLLM.Privacy.Rights;

/// <summary>A file of domains, one a line: <c>example.org</c> means the domain with everything below it, <c>=www.example.org</c> that host alone, <c>.example.org</c> or
/// <c>*.example.org</c> what lies below it alone. An address means its host. What follows after a blank is a note; <c>#</c> begins a comment.</summary>
public sealed class DomainList
{
    private const long LongestFile = 512L << 20;
    private const int LongestLine = 4096;

    private readonly Dictionary<string, string?> _domains = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string?> _hosts = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string?> _below = new(StringComparer.Ordinal);

    private DomainList(string path) => Path = path;

    /// <summary>The file.</summary>
    public string Path { get; }

    /// <summary>Number of entries.</summary>
    public int Count => _domains.Count + _hosts.Count + _below.Count;

    /// <summary>Reads a file.</summary>
    /// <exception cref="UserErrorException">It cannot be read, or a line is no domain; the message names the line.</exception>
    public static DomainList Load(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        try
        {
            if (new FileInfo(path).Length > LongestFile) throw new UserErrorException($"{path}: has more than {LongestFile} bytes; expected a list of domains, one a line.");
            using var reader = new StreamReader(path, new UTF8Encoding(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true));
            return Read(reader, path);
        }
        catch (DecoderFallbackException error)
        {
            throw new UserErrorException($"{path}: is not UTF-8 text; expected a list of domains, one a line.", error);
        }
        catch (Exception error) when (StorageFailure.Is(error))
        {
            throw StorageFailure.Explain(error, path);
        }
    }

    /// <summary>Reads a list.</summary>
    /// <param name="reader">The lines.</param>
    /// <param name="path">Its name in errors and signals.</param>
    public static DomainList Read(TextReader reader, string path)
    {
        ArgumentNullException.ThrowIfNull(reader);
        var list = new DomainList(path);
        for (int number = 1; reader.ReadLine() is { } line; number++)
        {
            if (line.Length > LongestLine) throw new UserErrorException(FormattableString.Invariant($"{path}:{number}: the line has {line.Length} characters; expected a domain, and a note of at most {LongestLine}."));
            int comment = line.IndexOf('#', StringComparison.Ordinal);
            string[] parts = (comment < 0 ? line : line[..comment]).Split((char[])[' ', '\t'], 2, StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
            if (parts.Length > 0) list.Add(parts[0], parts.Length > 1 ? parts[1] : null, FormattableString.Invariant($"{path}:{number}"));
        }
        return list;
    }

    /// <summary>The entry that a host falls under, with its note; null when none does.</summary>
    public (string Entry, string? Note)? Find(string domain)
    {
        if (_hosts.TryGetValue(domain, out string? note)) return ("=" + domain, note);
        var domains = _domains.GetAlternateLookup<ReadOnlySpan<char>>();
        var below = _below.GetAlternateLookup<ReadOnlySpan<char>>();
        ReadOnlySpan<char> rest = domain;
        while (true)
        {
            if (domains.TryGetValue(rest, out string? entry, out note)) return (entry, note);
            int dot = rest.IndexOf('.');
            if (dot < 0) return null;
            rest = rest[(dot + 1)..];
            if (below.TryGetValue(rest, out entry, out note)) return ("." + entry, note);
        }
    }

    private void Add(string entry, string? note, string where)
    {
        if (WebAddress.Parse(entry) is { } address)
        {
            _domains.TryAdd(address.Domain, note);
            return;
        }
        Dictionary<string, string?> kind = entry[0] == '=' ? _hosts : entry[0] == '.' || entry.StartsWith("*.", StringComparison.Ordinal) ? _below : _domains;
        string name = kind == _domains ? entry : entry[(entry[0] == '*' ? 2 : 1)..];
        if (WebAddress.NormalizeHost(name) is not { } host || host.Contains(':', StringComparison.Ordinal))
            throw new UserErrorException($"{where}: '{entry}' is no domain; expected example.org, =host.example.org, .example.org or an address.");
        kind.TryAdd(host, note);
    }
}
