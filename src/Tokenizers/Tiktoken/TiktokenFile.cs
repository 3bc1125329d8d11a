using System.Buffers;
using System.Buffers.Text;
using System.Globalization;
using System.Text;
using OpenEuroLLM.Core;

namespace OpenEuroLLM.Tokenizers;

/// <summary>Reads and writes rank files: a line for each token, its bytes in base 64 and its rank, which is its id.</summary>
internal static class TiktokenFile
{
    public const string Extension = ".tiktoken";

    private const int LongestTokenBytes = 256;
    private const int MostTokens = 1 << 20;
    private const int LongestLine = 400;

    /// <summary>Whether bytes begin as a rank file does.</summary>
    public static bool Looks(ReadOnlySpan<byte> file)
    {
        int end = file[..Math.Min(file.Length, LongestLine)].IndexOf((byte)'\n');
        return end > 0 && TryReadLine(file[..end].TrimEnd((byte)'\r'), out _, out _);
    }

    /// <summary>Reads a rank file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="encoding">The encoding it belongs to, such as <c>cl100k_base</c>; null where the name of the file tells it.</param>
    /// <exception cref="UserErrorException">The file is missing or malformed, or its encoding is unknown.</exception>
    public static Tokenizer Load(string path, string? encoding = null) => Parse(TokenizerFolder.Read(path), path, encoding);

    /// <summary>Reads the bytes of a rank file; see <see cref="Load"/>.</summary>
    public static Tokenizer Parse(ReadOnlySpan<byte> file, string path, string? encoding = null)
    {
        var (ids, lines) = ReadLines(file, path);
        string known = string.Join(", ", TiktokenEncoding.Known.Select(each => each.Name));
        var found = encoding is null
            ? TiktokenEncoding.Of(path, ids.Count) ?? throw new UserErrorException($"{path}: ranks do not say how text is split, and the name is of no known encoding; name the file after one: {known}.")
            : TiktokenEncoding.Find(encoding) ?? throw new UserErrorException($"The encoding '{encoding}' is unknown; known: {known}.");
        byte[]?[] tokens = InOrder(ids, lines, found, path);
        var merges = RankMerges.Derive(tokens, new TokenTable(tokens));
        var texts = tokens.Select(token => token is null ? null : Encoding.UTF8.GetBytes(ByteAlphabet.ToText(token))).ToArray();
        var steps = new PreTokenizerSequence(
        [
            new SplitPreTokenizer(new TextPattern(found.Regex, SplitPatterns.Compile(found.Regex, path)), SplitBehavior.Isolated, Invert: false),
            new ByteLevelPreTokenizer(AddPrefixSpace: false, TrimOffsets: true, UseRegex: false),
        ]);
        return new Tokenizer(new TokenizerParts(new BpeSettings(texts, merges, IgnoreMerges: true),
            [.. found.Special.Select(token => new AddedToken(token.Id, token.Content, Special: true))], PreTokenizer: steps, Decoder: new ByteLevelDecoder()));
    }

    /// <summary>Writes the ranks of a tokenizer; its control tokens and split pattern are not part of such a file.</summary>
    /// <exception cref="UserErrorException">Ranks would not mean the same as the tokenizer's merges.</exception>
    public static byte[] Write(Tokenizer tokenizer)
    {
        var model = tokenizer.Model;
        var special = tokenizer.Added.Select(token => token.Id).ToHashSet();
        var merges = RankMerges.Derive(model.Tokens, new TokenTable(model.Tokens));
        int longer = model.Tokens.Count(token => token is { Length: > 1 });
        bool isSame = merges.SequenceEqual(model.Merges) && (model.IgnoreMerges || merges.Count == longer);
        if (!isSame)
            throw new UserErrorException("The tokenizer cannot be written as ranks: its merges are not what the order of its tokens means. Keep tokenizer.json.");
        var buffer = new ArrayBufferWriter<byte>();
        for (int id = 0; id < model.Tokens.Count; id++)
        {
            if (model.Tokens[id] is { } bytes)
                buffer.Write(Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{Convert.ToBase64String(bytes)} {id}\n")));
            else if (!special.Contains(id))
                throw new UserErrorException(FormattableString.Invariant($"The tokenizer cannot be written as ranks: there is no token {id}. Keep tokenizer.json."));
        }
        return buffer.WrittenSpan.ToArray();
    }

    private static (Dictionary<int, byte[]> Ids, Dictionary<int, int> Lines) ReadLines(ReadOnlySpan<byte> file, string path)
    {
        var ids = new Dictionary<int, byte[]>();
        var lines = new Dictionary<int, int>();
        var texts = new Dictionary<string, int>(StringComparer.Ordinal);
        for (int number = 1; !file.IsEmpty; number++)
        {
            int end = file.IndexOf((byte)'\n');
            var line = (end < 0 ? file : file[..end]).TrimEnd((byte)'\r');
            file = end < 0 ? [] : file[(end + 1)..];
            if (line.IsEmpty)
                continue;
            if (!TryReadLine(line, out byte[] token, out int rank))
                throw new UserErrorException(FormattableString.Invariant($"{path}:{number}: is no rank; expected a token of at most {LongestTokenBytes} bytes in base 64, a space and its rank below {MostTokens}."));
            if (!ids.TryAdd(rank, token))
                throw new UserErrorException(FormattableString.Invariant($"{path}:{number}: rank {rank} stands in line {lines[rank]} too; expected each once."));
            lines.Add(rank, number);
            if (!texts.TryAdd(ByteAlphabet.ToText(token), number))
                throw new UserErrorException(FormattableString.Invariant($"{path}:{number}: the token stands in line {texts[ByteAlphabet.ToText(token)]} too; expected each once."));
        }
        return (ids, lines);
    }

    private static bool TryReadLine(ReadOnlySpan<byte> line, out byte[] token, out int rank)
    {
        (token, rank) = ([], 0);
        int space = line.IndexOf((byte)' ');
        if (space <= 0 || line.Length > LongestLine)
            return false;
        Span<byte> bytes = stackalloc byte[LongestLine];
        if (Base64.DecodeFromUtf8(line[..space], bytes, out int read, out int length) != OperationStatus.Done || read != space || length is 0 or > LongestTokenBytes)
            return false;
        var digits = line[(space + 1)..];
        if (!Utf8Parser.TryParse(digits, out rank, out int parsed) || parsed != digits.Length || digits[0] is < (byte)'0' or > (byte)'9' || rank >= MostTokens)
            return false;
        token = bytes[..length].ToArray();
        return true;
    }

    private static byte[]?[] InOrder(Dictionary<int, byte[]> ids, Dictionary<int, int> lines, TiktokenEncoding encoding, string path)
    {
        foreach (var (content, id) in encoding.Special)
            if (ids.ContainsKey(id))
                throw new UserErrorException(FormattableString.Invariant($"{path}:{lines[id]}: rank {id} is the control token '{content}' of {encoding.Name}; is the file of another encoding?"));
        var special = encoding.Special.Select(token => token.Id).ToHashSet();
        byte[]?[] tokens = new byte[]?[ids.Count == 0 ? 0 : ids.Keys.Max() + 1];
        for (int rank = 0; rank < tokens.Length; rank++)
        {
            if (ids.TryGetValue(rank, out byte[]? token))
                tokens[rank] = token;
            else if (!special.Contains(rank))
                throw new UserErrorException(FormattableString.Invariant($"{path}:{lines[ids.Keys.Where(known => known > rank).Min()]}: rank {rank} is missing; expected ranks without gaps."));
        }
        var bytes = ids.Values.Where(token => token.Length == 1).Select(token => token[0]).ToHashSet();
        for (int value = 0; value < 256; value++)
            if (!bytes.Contains((byte)value))
                throw new UserErrorException(FormattableString.Invariant($"{path}: byte {value} has no rank, so some texts could not be encoded; expected all 256."));
        return tokens;
    }
}
