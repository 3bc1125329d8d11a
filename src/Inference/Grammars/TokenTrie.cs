using OpenEuroLLM.Tokenizers;

namespace OpenEuroLLM.Inference.Grammars;

/// <summary>The tokens of a vocabulary by their bytes, as a tree in the order of a walk: what begins the same is looked at once.</summary>
internal sealed class TokenTrie
{
    private readonly byte[][] _bytes;

    /// <param name="tokens">The bytes of each id; empty where the token is no text.</param>
    public TokenTrie(byte[][] tokens)
    {
        _bytes = tokens;
        int[] order = [.. Enumerable.Range(0, tokens.Length).Where(id => tokens[id].Length > 0)];
        Array.Sort(order, (a, b) => tokens[a].AsSpan().SequenceCompareTo(tokens[b]) is var byBytes and not 0 ? byBytes : a.CompareTo(b));
        var nodes = new List<Node>();
        var ids = new List<int>();
        var path = new List<int>(); // nodes from the first byte to the last of the token before
        byte[] before = [];
        foreach (int id in order)
        {
            byte[] token = tokens[id];
            int common = token.AsSpan().CommonPrefixLength(before);
            Close(common);
            for (int i = common; i < token.Length; i++)
            {
                path.Add(nodes.Count);
                nodes.Add(new Node(token[i], 0, ids.Count, ids.Count));
            }

            ids.Add(id);
            int last = path[^1];
            nodes[last] = nodes[last] with { IdsEnd = ids.Count };
            before = token;
        }

        Close(0);
        (Nodes, Ids) = ([.. nodes], [.. ids]);

        void Close(int depth)
        {
            for (int i = depth; i < path.Count; i++) nodes[path[i]] = nodes[path[i]] with { End = nodes.Count };
            path.RemoveRange(depth, path.Count - depth);
        }
    }

    /// <summary>A byte behind those of its parent; children follow at once, up to <see cref="End"/>; the tokens that end here are <see cref="TokenTrie.Ids"/>
    /// from <see cref="IdsStart"/> to <see cref="IdsEnd"/>.</summary>
    public readonly record struct Node(byte Value, int End, int IdsStart, int IdsEnd);

    public Node[] Nodes { get; }

    public int[] Ids { get; }

    public int VocabularySize => _bytes.Length;

    public ReadOnlySpan<byte> BytesOf(int id) => id < _bytes.Length ? _bytes[id] : [];

    /// <exception cref="RequestException">The tokenizer's tokens are not simply put together, so no grammar can be kept.</exception>
    public static TokenTrie Of(Tokenizer tokenizer)
    {
        var bytes = new byte[tokenizer.VocabularySize][];
        for (int id = 0; id < bytes.Length; id++)
            bytes[id] = tokenizer.Contains(id) && !tokenizer.IsSpecial(id) ? tokenizer.TokenBytes(id) : [];
        var texts = Enumerable.Range(0, bytes.Length).Where(id => bytes[id].Length > 0 && System.Text.Unicode.Utf8.IsValid(bytes[id])).ToList();
        int first = texts.FirstOrDefault(id => bytes[id].AsSpan().SequenceEqual("{"u8), -1);
        foreach (int id in texts.Where((_, i) => i % Math.Max(1, texts.Count / 512) == 0))
        {
            if (first >= 0 && tokenizer.DecodeBytes([first, id]).AsSpan().SequenceEqual([.. bytes[first], .. bytes[id]])) continue;
            throw new RequestException("grammar", "the model's tokenizer changes text between its tokens, so the form of an answer cannot be guaranteed; " +
                "expected tokens that are simply put together. Use another model, or ask for the form in the prompt.");
        }

        return new TokenTrie(bytes);
    }
}
