using System.Globalization;
using System.Text;
using OpenEuroLLM.Core;
using OpenEuroLLM.Corpus.Deduplication;

namespace OpenEuroLLM.Corpus.Building;

/// <summary>Counts the documents and bytes of each host, in bounded memory: what is too much is set aside in sorted files and joined at the end.</summary>
/// <param name="files">The file system.</param>
/// <param name="folder">Where files are set aside.</param>
/// <param name="language">The language counted, which names the files.</param>
/// <param name="hostsInMemory">The most hosts held at a time.</param>
internal sealed class Domains(IFileSystem files, string folder, string language, int hostsInMemory = 100_000)
{
    private const int LongestHost = 253;

    private readonly List<string> _aside = [];
    private Dictionary<string, (long Documents, long Bytes)> _hosts = new(StringComparer.Ordinal);

    /// <summary>The host of an address, without <c>www.</c>; null of what is no address of the web.</summary>
    public static string? HostOf(string? url)
    {
        if (url is null || !Uri.TryCreate(url, UriKind.Absolute, out Uri? parsed) || parsed.Scheme is not ("http" or "https")) return null;
        string host = CanonicalUrl.Host(parsed);
        return host.Length is 0 or > LongestHost || host.AsSpan().ContainsAnyInRange('\0', ' ') ? null : host;
    }

    /// <summary>Counts a document.</summary>
    public void Add(string host, long bytes)
    {
        (long documents, long sum) = _hosts.GetValueOrDefault(host);
        _hosts[host] = (documents + 1, sum + bytes);
        if (_hosts.Count > hostsInMemory) SetAside();
    }

    /// <summary>Writes a line for each host, in ordinal order: language, host, documents, bytes, with tabs between.</summary>
    public void WriteTo(Stream stream)
    {
        if (_aside.Count == 0)
        {
            Write(stream, Sorted(_hosts));
            return;
        }
        SetAside();
        Write(stream, Joined([.. _aside.Select(Read)]));
        foreach (string path in _aside) files.Delete(path);
    }

    private void SetAside()
    {
        string path = Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"domains-{language}-{_aside.Count}.tsv"));
        using (Stream stream = files.CreateFile(path)) Write(stream, Sorted(_hosts));
        _aside.Add(path);
        _hosts = new(StringComparer.Ordinal);
    }

    private static IEnumerable<(string Host, long Documents, long Bytes)> Sorted(Dictionary<string, (long Documents, long Bytes)> hosts) =>
        hosts.OrderBy(host => host.Key, StringComparer.Ordinal).Select(host => (host.Key, host.Value.Documents, host.Value.Bytes));

    private void Write(Stream stream, IEnumerable<(string Host, long Documents, long Bytes)> hosts)
    {
        foreach ((string host, long documents, long bytes) in hosts)
            stream.Write(Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{language}\t{host}\t{documents}\t{bytes}\n")));
    }

    private IEnumerable<(string Host, long Documents, long Bytes)> Read(string path)
    {
        using var reader = new StreamReader(files.OpenRead(path), Encoding.UTF8);
        while (reader.ReadLine() is { } line)
        {
            string[] parts = line.Split('\t');
            yield return (parts[1], long.Parse(parts[2], CultureInfo.InvariantCulture), long.Parse(parts[3], CultureInfo.InvariantCulture));
        }
    }

    private static IEnumerable<(string Host, long Documents, long Bytes)> Joined(IReadOnlyList<IEnumerable<(string Host, long Documents, long Bytes)>> sorted)
    {
        var next = new PriorityQueue<IEnumerator<(string Host, long Documents, long Bytes)>, string>(StringComparer.Ordinal);
        foreach (IEnumerable<(string Host, long Documents, long Bytes)> hosts in sorted) Advance(hosts.GetEnumerator());
        (string Host, long Documents, long Bytes)? current = null;
        while (next.TryDequeue(out IEnumerator<(string Host, long Documents, long Bytes)>? hosts, out _))
        {
            (string host, long documents, long bytes) = hosts.Current;
            Advance(hosts);
            if (current is { } same && same.Host == host) current = (host, same.Documents + documents, same.Bytes + bytes);
            else
            {
                if (current is { } finished) yield return finished;
                current = (host, documents, bytes);
            }
        }
        if (current is { } last) yield return last;

        void Advance(IEnumerator<(string Host, long Documents, long Bytes)> hosts)
        {
            if (hosts.MoveNext()) next.Enqueue(hosts, hosts.Current.Host);
            else hosts.Dispose();
        }
    }
}
