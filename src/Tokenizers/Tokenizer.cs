using System.Text;
using OpenEuroLLM.Core;

namespace OpenEuroLLM.Tokenizers;

/// <summary>Turns text into token ids and back, without loss for any bytes. Immutable and safe for many threads.</summary>
public sealed class Tokenizer
{
    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private readonly BpeModel _model;
    private readonly AddedTokens _added;
    private readonly TokenizerSurroundings _surroundings;
    private readonly byte[]?[] _bytes;
    private readonly bool[] _special;
    private readonly Dictionary<string, int> _addedIds;

    internal Tokenizer(BpeModel model, IReadOnlyList<AddedToken> added, TokenizerSurroundings surroundings)
    {
        _model = model;
        _added = new AddedTokens(added);
        _surroundings = surroundings;
        VocabularySize = Math.Max(model.Tokens.Count, added.Select(token => token.Id + 1).DefaultIfEmpty().Max());
        _bytes = new byte[]?[VocabularySize];
        _special = new bool[VocabularySize];
        for (int id = 0; id < model.Tokens.Count; id++)
            _bytes[id] = model.Tokens[id];
        foreach (var token in added)
        {
            _bytes[token.Id] = Encoding.UTF8.GetBytes(token.Content);
            _special[token.Id] = token.Special;
        }
        _addedIds = added.ToDictionary(token => token.Content, token => token.Id, StringComparer.Ordinal);
    }

    /// <summary>The highest id plus one; special tokens are counted.</summary>
    public int VocabularySize { get; }

    /// <summary>The control tokens of a chat by name.</summary>
    /// <exception cref="UserErrorException">The tokenizer lacks one of them.</exception>
    public ChatTokens Chat => field ??= new ChatTokens(
        Required(SpecialTokens.BeginOfText), Required(SpecialTokens.EndOfText), Required(SpecialTokens.System), Required(SpecialTokens.User),
        Required(SpecialTokens.Assistant), Required(SpecialTokens.EndOfTurn), Required(SpecialTokens.Padding));

    internal BpeModel Model => _model;

    internal IReadOnlyList<AddedToken> Added => _added.All;

    internal TokenizerSurroundings Surroundings => _surroundings;

    /// <summary>Reads a tokenizer.</summary>
    /// <param name="path">A <c>tokenizer.json</c>, or the folder that holds it.</param>
    /// <exception cref="UserErrorException">The file is missing, malformed, or names a component that is not known here.</exception>
    public static Tokenizer Load(string path) => TokenizerFolder.Load(path);

    /// <summary>Writes <c>tokenizer.json</c> and <c>tokenizer_config.json</c> into an existing folder; equal tokenizers give equal bytes.</summary>
    /// <exception cref="UserErrorException">The folder cannot be written.</exception>
    public void Save(string folder) => TokenizerFolder.Save(this, folder);

    /// <summary>Appends the tokens of a text. No beginning or end is added: a post-processor in the file is for other programs.</summary>
    /// <param name="utf8">The text; bytes that are no valid UTF-8 are encoded as they are.</param>
    /// <param name="ids">Receives the tokens.</param>
    /// <param name="allowSpecial">Whether a control token that is written out in the text becomes that token. Never for text that someone else wrote.</param>
    public void Encode(ReadOnlySpan<byte> utf8, List<int> ids, bool allowSpecial = false)
    {
        ArgumentNullException.ThrowIfNull(ids);
        while (allowSpecial && _added.Find(utf8) is (int id, int start, int length))
        {
            _model.Encode(utf8[..start], ids);
            ids.Add(id);
            utf8 = utf8[(start + length)..];
        }
        _model.Encode(utf8, ids);
    }

    /// <summary>The tokens of a text; see <see cref="Encode(ReadOnlySpan{byte}, List{int}, bool)"/>.</summary>
    /// <exception cref="UserErrorException">The text holds half a surrogate pair, which is no character and has no UTF-8.</exception>
    public int[] Encode(string text, bool allowSpecial = false)
    {
        ArgumentNullException.ThrowIfNull(text);
        byte[] utf8;
        try
        {
            utf8 = Strict.GetBytes(text);
        }
        catch (EncoderFallbackException error)
        {
            throw new UserErrorException($"The text holds half a surrogate pair (U+{(int)error.CharUnknown:X4}) at position {error.Index}; expected whole characters.", error);
        }
        var ids = new List<int>(utf8.Length / 3);
        Encode(utf8, ids, allowSpecial);
        return [.. ids];
    }

    /// <summary>The bytes of tokens, exactly as they were encoded.</summary>
    /// <param name="ids">The tokens.</param>
    /// <param name="skipSpecial">Whether control tokens are left out.</param>
    /// <exception cref="UserErrorException">An id is not in the vocabulary.</exception>
    public byte[] DecodeBytes(ReadOnlySpan<int> ids, bool skipSpecial = true)
    {
        int length = 0;
        foreach (int id in ids)
            length += BytesOf(id, skipSpecial).Length;
        byte[] bytes = new byte[length];
        int position = 0;
        foreach (int id in ids)
        {
            var token = BytesOf(id, skipSpecial);
            token.CopyTo(bytes.AsSpan(position));
            position += token.Length;
        }
        return bytes;
    }

    /// <summary>The text of tokens; what is no valid UTF-8 becomes U+FFFD.</summary>
    /// <inheritdoc cref="DecodeBytes"/>
    public string Decode(ReadOnlySpan<int> ids, bool skipSpecial = true) => Encoding.UTF8.GetString(DecodeBytes(ids, skipSpecial));

    /// <summary>The id of an added token, or of the token with exactly this text; null when there is none.</summary>
    public int? TokenId(string content) =>
        _addedIds.TryGetValue(content, out int id) ? id : _model.Find(Encoding.UTF8.GetBytes(content));

    /// <summary>Whether an id is a control token.</summary>
    /// <exception cref="UserErrorException">The id is not in the vocabulary.</exception>
    public bool IsSpecial(int id) => _special[Known(id)];

    /// <summary>The bytes of one token; of a control token its written form.</summary>
    /// <exception cref="UserErrorException">The id is not in the vocabulary.</exception>
    public byte[] TokenBytes(int id) => BytesOf(id, skipSpecial: false).ToArray();

    internal ReadOnlySpan<byte> BytesOf(int id, bool skipSpecial) => skipSpecial && _special[Known(id)] ? [] : _bytes[Known(id)];

    private int Known(int id) =>
        (uint)id < (uint)_bytes.Length && _bytes[id] is not null ? id
            : throw new UserErrorException($"Token {id} is not in the vocabulary; expected 0 to {VocabularySize - 1}. Was it made with another tokenizer?");

    private int Required(string content) =>
        _addedIds.TryGetValue(content, out int id) ? id
            : throw new UserErrorException($"The tokenizer has no token '{content}'; expected the control tokens {string.Join(' ', SpecialTokens.All)}. Use a tokenizer trained here.");
}
