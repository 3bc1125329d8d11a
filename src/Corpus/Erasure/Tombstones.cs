using System.Buffers;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using OpenEuroLLM.Core;
using OpenEuroLLM.Corpus.Deduplication;
using OpenEuroLLM.Corpus.Readers;

namespace OpenEuroLLM.Corpus.Erasure;

/// <summary>What must never be learned from again: keyed hashes of identifiers, addresses and texts, one a line of a file that only grows. The key lies beside it in a file of its own
/// (<see cref="KeyFileOf"/>): without it the list tells nobody who asked to be forgotten, not even by trying.</summary>
/// <remarks>In memory an entry is 16 bytes and what the set needs around them. May be read from many threads.</remarks>
internal sealed class Tombstones
{
    /// <summary>Name of the list where nobody chooses another.</summary>
    public const string FileName = "tombstones.jsonl";

    private const string Format = "oellm-tombstones-1";
    private const int LongestLine = 1024;
    private static readonly string[] KindNames = ["id", "source-and-id", "url", "text"];

    private readonly string _path;
    private readonly IFileSystem _files;
    private readonly KeyedHash _hash;
    private readonly HashSet<UInt128> _entries = [];
    private readonly bool[] _has = new bool[KindNames.Length];

    private Tombstones(string path, IFileSystem files, byte[] secret) => (_path, _files, _hash) = (path, files, new KeyedHash(secret));

    /// <summary>Where the key of a list lies.</summary>
    public static string KeyFileOf(string path) => path + ".key";

    /// <summary>Number of entries.</summary>
    public int Count => _entries.Count;

    /// <summary>Opens a list to honour it.</summary>
    /// <exception cref="UserErrorException">The list or its key is missing or damaged.</exception>
    public static Tombstones Open(string path, IFileSystem files)
    {
        if (!files.FileExists(path)) throw new UserErrorException($"{path}: not found; expected the tombstones that 'oellm corpus forget' leaves.");
        var tombstones = new Tombstones(path, files, ReadSecret(path, files));
        tombstones.Load();
        return tombstones;
    }

    /// <summary>Opens a list to add to it; list and key are begun when they are not there.</summary>
    /// <exception cref="UserErrorException">The list or its key is damaged, or one of them is missing.</exception>
    public static Tombstones OpenOrBegin(string path, IFileSystem files)
    {
        if (files.FileExists(path)) return Open(path, files);
        string key = KeyFileOf(path);
        if (!files.FileExists(key))
        {
            files.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
            AppendOnlyFile.Add(files, key, Encoding.ASCII.GetBytes(Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(KeyedHash.SecretBytes)) + "\n"), secret: true);
        }
        return new Tombstones(path, files, ReadSecret(path, files));
    }

    /// <summary>Hash of the list as it is on the disk.</summary>
    public string Sha256() => _files.FileExists(_path) ? Manifest.HashFile(_files, _path) : Manifest.Hash([]);

    /// <summary>The entry of a key.</summary>
    public UInt128 EntryOf(KeyKind kind, string value) => _hash.Of(kind, value);

    /// <summary>Whether an entry is in the list.</summary>
    public bool Contains(UInt128 entry) => _entries.Contains(entry);

    /// <summary>Adds entries, all or none of them.</summary>
    public void Add(IReadOnlyList<(KeyKind Kind, UInt128 Entry)> entries)
    {
        (KeyKind Kind, UInt128 Entry)[] added = [.. entries.Where(entry => !_entries.Contains(entry.Entry)).DistinctBy(entry => entry.Entry)];
        if (added.Length == 0) return;
        var lines = new StringBuilder();
        if (!_files.FileExists(_path)) lines.Append(CultureInfo.InvariantCulture, $"{{\"format\":\"{Format}\",\"keyCheck\":\"{_hash.Check}\"}}\n");
        foreach ((KeyKind kind, UInt128 entry) in added) lines.Append(CultureInfo.InvariantCulture, $"{{\"kind\":\"{KindNames[(int)kind]}\",\"hmac\":\"{entry:x32}\"}}\n");
        AppendOnlyFile.Add(_files, _path, Encoding.ASCII.GetBytes(lines.ToString()));
        foreach ((KeyKind kind, UInt128 entry) in added) Take(kind, entry);
    }

    /// <summary>The entries under which a document may stand, of the kinds that are in the list.</summary>
    public IEnumerable<UInt128> EntriesOf(Document document)
    {
        foreach (UInt128 entry in EntriesOf(document.Source, document.Id, document.Url)) yield return entry;
        if (_has[(int)KeyKind.Text]) yield return EntryOf(KeyKind.Text, ForgottenKey.OfText(document.Text));
    }

    /// <summary>The entries under which a document may stand of which the text is not known.</summary>
    public IEnumerable<UInt128> EntriesOf(string source, string id, string? url)
    {
        if (_has[(int)KeyKind.Id]) yield return EntryOf(KeyKind.Id, id);
        if (_has[(int)KeyKind.SourceAndId]) yield return EntryOf(KeyKind.SourceAndId, ForgottenKey.OfSourceAndId(source, id));
        if (_has[(int)KeyKind.Url] && CanonicalUrl.Of(url) is { } canonical) yield return EntryOf(KeyKind.Url, canonical);
    }

    /// <summary>Whether a document is to be forgotten.</summary>
    public bool Has(Document document) => EntriesOf(document).Any(_entries.Contains);

    /// <summary>Whether a document of which the text is not known is to be forgotten.</summary>
    public bool Has(string source, string id, string? url) => EntriesOf(source, id, url).Any(_entries.Contains);

    /// <summary>Whether a text is to be forgotten.</summary>
    public bool HasText(string text) => _has[(int)KeyKind.Text] && _entries.Contains(EntryOf(KeyKind.Text, ForgottenKey.OfText(text)));

    private void Take(KeyKind kind, UInt128 entry)
    {
        _entries.Add(entry);
        _has[(int)kind] = true;
    }

    private void Load()
    {
        using Stream stream = _files.OpenRead(_path);
        var lines = new LineReader(stream, LongestLine);
        try
        {
            while (lines.TryRead(out ReadOnlyMemory<byte> line))
            {
                JsonObject root = JsonNode.Parse(line.Span) as JsonObject ?? throw new JsonException("no object");
                if (lines.Line == 1) CheckHeader(root);
                else Take((KeyKind)Array.IndexOf(KindNames, (string?)root["kind"]) is >= 0 and var kind ? kind : throw new FormatException("unknown kind"),
                    UInt128.Parse((string)root["hmac"]!, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture));
            }
        }
        catch (Exception error) when (error is JsonException or FormatException or InvalidOperationException or InvalidDataException or ArgumentNullException or OverflowException)
        {
            throw new UserErrorException(string.Create(CultureInfo.InvariantCulture, $"{_path}:{lines.Line}: is no tombstone; the file was changed or cut, bring it back from a copy."), error);
        }
        if (lines.Line == 0) throw new UserErrorException($"{_path}: is empty; expected tombstones, bring the file back from a copy.");
    }

    private void CheckHeader(JsonObject root)
    {
        if ((string?)root["format"] != Format) throw new FormatException("another format");
        if ((string?)root["keyCheck"] != _hash.Check)
            throw new UserErrorException($"{_path}: was written with another key than {KeyFileOf(_path)}; expected the two files that were made together.");
    }

    private static byte[] ReadSecret(string path, IFileSystem files)
    {
        string key = KeyFileOf(path);
        if (!files.FileExists(key)) throw new UserErrorException($"{key}: not found; without the key the tombstones say nothing, bring it back from a copy.");
        if (files.FileLength(key) <= LongestLine)
        {
            using var reader = new StreamReader(files.OpenRead(key), Encoding.ASCII);
            string text = reader.ReadToEnd().Trim();
            byte[] secret = new byte[KeyedHash.SecretBytes];
            if (Convert.FromHexString(text, secret, out int read, out int written) == OperationStatus.Done && written == secret.Length && read == text.Length) return secret;
        }
        throw new UserErrorException($"{key}: is no key of tombstones; expected {2 * KeyedHash.SecretBytes} hexadecimal digits, bring it back from a copy.");
    }
}
