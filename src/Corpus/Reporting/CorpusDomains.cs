using System.Buffers.Text;
using System.Text;
using System.Text.Unicode;
using OpenEuroLLM.Core;

namespace OpenEuroLLM.Corpus.Reporting;

/// <summary>What a host gave to a language.</summary>
/// <param name="Host">Its name.</param>
/// <param name="Documents">Training documents.</param>
/// <param name="Bytes">Their text, in bytes.</param>
public sealed record DomainAccount(string Host, long Documents, long Bytes);

/// <summary>The hosts of a language's training documents.</summary>
/// <param name="Language">Language code.</param>
/// <param name="Hosts">How many there are.</param>
/// <param name="Documents">Training documents with an address.</param>
/// <param name="Bytes">Their text, in bytes.</param>
/// <param name="Largest">Those that gave most bytes, falling.</param>
public sealed record LanguageDomains(string Language, long Hosts, long Documents, long Bytes, IReadOnlyList<DomainAccount> Largest);

/// <summary>Reads <c>domains.tsv</c> in memory that does not depend on how many hosts there are.</summary>
public static class CorpusDomains
{
    /// <summary>The file's name in its folder: language, host, documents and bytes, parted by tabs, a host of a language a line.</summary>
    public const string FileName = CorpusStage.DomainsFile;

    private const int MostLanguages = 10_000;

    /// <summary>The hosts of each language, in ordinal order of the languages, or null when the folder has none.</summary>
    /// <param name="files">The file system.</param>
    /// <param name="folder">The corpus folder.</param>
    /// <param name="most">How many hosts of a language are named.</param>
    /// <exception cref="UserErrorException">A line is something else; the message says which.</exception>
    public static IReadOnlyList<LanguageDomains>? Read(IFileSystem files, string folder, int most)
    {
        ArgumentNullException.ThrowIfNull(files);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(most);
        var languages = new SortedDictionary<string, Largest>(StringComparer.Ordinal);
        byte[] lastLanguage = [];
        Largest? last = null;
        bool found = FolderLines.Read(files, Path.Combine(folder, FileName), "language, host, documents and bytes parted by tabs", line =>
        {
            ReadOnlySpan<byte> text = line.Span;
            if (!Utf8.IsValid(text)) throw new FormatException("text that is not valid UTF-8");
            Span<Range> fields = stackalloc Range[5];
            if (Fields(text, fields) != 4) throw new FormatException("not four fields");
            ReadOnlySpan<byte> language = text[fields[0]], host = text[fields[1]];
            if (language.IsEmpty || host.IsEmpty) throw new FormatException("an empty field");
            if (last is null || !language.SequenceEqual(lastLanguage))
            {
                lastLanguage = language.ToArray();
                string code = Encoding.UTF8.GetString(language);
                if (!languages.TryGetValue(code, out last))
                {
                    if (languages.Count == MostLanguages) throw new FormatException(FormattableString.Invariant($"more than {MostLanguages} languages"));
                    languages[code] = last = new Largest(most);
                }
            }
            last.Add(host, Whole(text[fields[2]]), Whole(text[fields[3]]));
        });
        return found ? [.. languages.Select(language => language.Value.ToAccount(language.Key))] : null;
    }

    private static int Fields(ReadOnlySpan<byte> line, Span<Range> fields)
    {
        int count = 0;
        foreach (Range field in line.Split((byte)'\t'))
        {
            fields[count++] = field;
            if (count == fields.Length) break;
        }
        return count;
    }

    private static long Whole(ReadOnlySpan<byte> digits) =>
        Utf8Parser.TryParse(digits, out long number, out int used) && used == digits.Length && number >= 0 && char.IsAsciiDigit((char)digits[0])
            ? number
            : throw new FormatException("a number that is none");

    /// <summary>The hosts with most bytes; of equal ones those whose names come first.</summary>
    private sealed class Largest(int most)
    {
        private static readonly Comparer<(long Bytes, string Host)> LeastFirst = Comparer<(long Bytes, string Host)>.Create((one, other) =>
            one.Bytes != other.Bytes ? one.Bytes.CompareTo(other.Bytes) : string.CompareOrdinal(other.Host, one.Host));

        private readonly PriorityQueue<DomainAccount, (long Bytes, string Host)> _kept = new(LeastFirst);
        private byte[] _lastHost = [];
        private int _lastLength;
        private long _hosts, _documents, _bytes;

        public void Add(ReadOnlySpan<byte> host, long documents, long bytes)
        {
            if (host.SequenceEqual(_lastHost.AsSpan(0, _lastLength))) throw new FormatException("a host that was named before");
            if (_lastHost.Length < host.Length) _lastHost = new byte[host.Length * 2];
            host.CopyTo(_lastHost);
            _lastLength = host.Length;
            _hosts++;
            _documents += documents;
            _bytes += bytes;
            if (_kept.Count == most && bytes < _kept.Peek().Bytes) return;
            string name = Encoding.UTF8.GetString(host);
            _kept.Enqueue(new DomainAccount(name, documents, bytes), (bytes, name));
            if (_kept.Count > most) _kept.Dequeue();
        }

        public LanguageDomains ToAccount(string language) => new(
            language, _hosts, _documents, _bytes,
            [.. _kept.UnorderedItems.Select(item => item.Element).OrderByDescending(domain => domain.Bytes).ThenBy(domain => domain.Host, StringComparer.Ordinal)]);
    }
}
