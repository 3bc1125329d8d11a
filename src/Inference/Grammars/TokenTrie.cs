using System.Text;
using System.Text.Unicode;
using OpenEuroLLM.Tokenizers;

namespace OpenEuroLLM.Inference.Grammars;

/// <summary>The tokens of a vocabulary by their bytes, as a tree in the order of a walk: what begins the same is looked at once.</summary>
/// <remarks>A control token is no text; here it is four bytes that no text has, so that grammars can speak of it (<see cref="BytesOfControl"/>).</remarks>
internal sealed class TokenTrie
{
    /// <summary>The first byte of a control token.</summary>
    public const byte Control = 0xFF;

    /// <summary>Tokens that are plain contents of strings count by their characters up to here.</summary>
    public const int MostContent = 32;

    private readonly byte[][] _bytes;
    private readonly ulong[][] _content;
    private StringTokens? _strings;

    /// <param name="tokens">The bytes of each id; empty where the token is no text.</param>
    public TokenTrie(byte[][] tokens)
    {
        _bytes = tokens;
        Tree = new ByteTree([.. Enumerable.Range(0, tokens.Length).Where(id => tokens[id].Length > 0).Select(id => (tokens[id], id))]);
        int[] lengths = [.. tokens.Select(ContentLength)];
        CountContent(lengths);
        _content = new ulong[MostContent + 1][];
        for (int most = 0; most <= MostContent; most++)
        {
            _content[most] = most == 0 ? new ulong[Words] : [.. _content[most - 1]];
            for (int id = 0; id < lengths.Length; id++)
                if (lengths[id] == most && most > 0) _content[most][id >> 6] |= 1UL << id;
        }
    }

    public ByteTree Tree { get; }

    public int VocabularySize => _bytes.Length;

    /// <summary>How tokens go on inside of strings; computed when it is asked for.</summary>
    public StringTokens Strings => _strings ??= new StringTokens(_bytes);

    /// <summary>How many words a mask has.</summary>
    public int Words => (_bytes.Length + 63) / 64;

    public ReadOnlySpan<byte> BytesOf(int id) => id < _bytes.Length ? _bytes[id] : [];

    /// <summary>The tokens that are plain contents of strings with at most so many characters, a bit each.</summary>
    public ReadOnlySpan<ulong> Content(int characters) => _content[characters];

    /// <summary>How grammars write a control token.</summary>
    public static byte[] BytesOfControl(int id) => [Control, (byte)(id >> 14 & 0x7F), (byte)(id >> 7 & 0x7F), (byte)(id & 0x7F)];

    /// <summary>How grammars write a mark: as text, or as the control token that it is.</summary>
    public static byte[] BytesOfMark(Tokenizer tokenizer, string mark) =>
        tokenizer.TokenId(mark) is int id && tokenizer.IsSpecial(id) ? BytesOfControl(id) : Encoding.UTF8.GetBytes(mark);

    /// <exception cref="RequestException">The tokenizer's tokens are not simply put together, so no grammar can be kept.</exception>
    public static TokenTrie Of(Tokenizer tokenizer)
    {
        var bytes = new byte[tokenizer.VocabularySize][];
        for (int id = 0; id < bytes.Length; id++)
            bytes[id] = !tokenizer.Contains(id) ? [] : tokenizer.IsSpecial(id) ? BytesOfControl(id) : WithoutControl(tokenizer.TokenBytes(id));
        var texts = Enumerable.Range(0, bytes.Length).Where(id => bytes[id].Length > 0 && Utf8.IsValid(bytes[id])).ToList();
        int first = texts.FirstOrDefault(id => bytes[id].AsSpan().SequenceEqual("{"u8), -1);
        foreach (int id in texts.Where((_, i) => i % Math.Max(1, texts.Count / 512) == 0))
        {
            if (first >= 0 && tokenizer.DecodeBytes([first, id]).AsSpan().SequenceEqual([.. bytes[first], .. bytes[id]])) continue;
            throw new RequestException("grammar", "the model's tokenizer changes text between its tokens, so the form of an answer cannot be guaranteed; " +
                "expected tokens that are simply put together. Use another model, or ask for the form in the prompt.");
        }

        var trie = new TokenTrie(bytes);
        _ = trie.Strings; // here and not on the worker
        return trie;
    }

    // A vocabulary may have a token for every byte, and no text has this one: it must not look like the beginning of a control token.
    private static byte[] WithoutControl(byte[] token) => token.AsSpan().Contains(Control) ? [] : token;

    // Characters of a token that can stand inside of a string as it is; a very large number where it cannot.
    private static int ContentLength(byte[] token)
    {
        if (token.Length == 0 || !Utf8.IsValid(token)) return int.MaxValue;
        int characters = 0;
        foreach (byte value in token)
        {
            if (value is < 0x20 or (byte)'"' or (byte)'\\') return int.MaxValue;
            if ((value & 0xC0) != 0x80) characters++;
        }

        return characters;
    }

    private void CountContent(int[] lengths)
    {
        var nodes = Tree.Nodes;
        for (int at = nodes.Length - 1; at >= 0; at--)
        {
            var node = nodes[at];
            int content = 0;
            for (int i = node.IdsStart; i < node.IdsEnd; i++) content = Math.Max(content, lengths[Tree.Ids[i]]);
            for (int child = at + 1; child < node.End; child = nodes[child].End) content = Math.Max(content, nodes[child].Content);
            nodes[at] = node with { Content = content };
        }
    }
}
