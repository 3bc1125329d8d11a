using System.Globalization;
using System.Text;

namespace OpenEuroLLM.Tokenizers;

/// <summary>The tokens of a model by id and by text. Immutable.</summary>
internal sealed class Vocabulary
{
    private readonly IReadOnlyList<byte[]?> _tokens;

    /// <param name="tokens">The text of each token by id; null where the id is no token. Of equal ones the last is found.</param>
    public Vocabulary(IReadOnlyList<byte[]?> tokens)
    {
        _tokens = tokens;
        Trie = new ByteTrie(tokens.Select((text, id) => (Text: text, Id: id)).Where(token => token.Text is not null).Select(token => (token.Text!, token.Id)));
    }

    public ByteTrie Trie { get; }

    public int Size => _tokens.Count;

    public byte[]? TextOf(int id) => (uint)id < (uint)_tokens.Count ? _tokens[id] : null;

    public int? Find(ReadOnlySpan<byte> text) => Trie.Find(text) is var id and >= 0 ? id : null;

    /// <summary>The ids of <c>&lt;0x00&gt;</c> to <c>&lt;0xFF&gt;</c>; -1 where there is none.</summary>
    public int[] ByteTokens()
    {
        int[] ids = new int[256];
        for (int value = 0; value < 256; value++)
            ids[value] = Trie.Find(ByteTokenText((byte)value));
        return ids;
    }

    public static byte[] ByteTokenText(byte value) => Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"<0x{value:X2}>"));
}
