using System.Text;
using OpenEuroLLM.Core;

namespace OpenEuroLLM.Tokenizers;

/// <summary>Turns text into token ids and back. Immutable and safe for many threads.</summary>
/// <remarks>A byte-level tokenizer keeps any bytes. Of the other kinds, normalization may have its way with the text, and each byte that is no part of
/// valid UTF-8 is read as U+FFFD.</remarks>
public sealed class Tokenizer
{
    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private readonly TokenizerPipeline _pipeline;
    private readonly BpeModel? _bytePairs;
    private readonly IDecoder _decoder;
    private readonly byte[]?[] _texts;      // of each id, as the vocabulary has it
    private readonly byte[]?[]? _bytes;     // of each id, where tokens are simply put together
    private readonly bool[] _special, _isAdded;
    private readonly Dictionary<string, int> _addedIds;
    private readonly Lazy<ByteTrie> _idsByText;

    internal Tokenizer(TokenizerParts parts, byte[]? configuration = null)
    {
        (Parts, Configuration) = (parts, configuration);
        _pipeline = parts.BuildPipeline(out _bytePairs);
        _decoder = parts.Decoder ?? new SpacedDecoder();
        VocabularySize = Math.Max(parts.Model.Tokens.Count, parts.Added.Select(token => token.Id + 1).DefaultIfEmpty().Max());
        _texts = new byte[]?[VocabularySize];
        _special = new bool[VocabularySize];
        _isAdded = new bool[VocabularySize];
        _bytes = _decoder is ByteLevelDecoder ? new byte[]?[VocabularySize] : null;
        for (int id = 0; id < parts.Model.Tokens.Count; id++)
        {
            _texts[id] = parts.Model.Tokens[id];
            if (_bytes is not null && _texts[id] is { } text)
                _bytes[id] = _decoder.Inside(text);
        }
        foreach (var token in parts.Added)
        {
            // Its bytes are its content, whatever that would mean in the byte alphabet.
            _texts[token.Id] = Encoding.UTF8.GetBytes(token.Content);
            if (_bytes is not null)
                _bytes[token.Id] = _texts[token.Id];
            (_special[token.Id], _isAdded[token.Id]) = (token.Special, true);
        }
        _addedIds = parts.Added.ToDictionary(token => token.Content, token => token.Id, StringComparer.Ordinal);
        _idsByText = new Lazy<ByteTrie>(() => new ByteTrie(_texts.Select((text, id) => (Text: _bytes is null ? text : _bytes[id], id))
            .Where(token => token.Text is not null).Select(token => (token.Text!, token.id))));

    }

    internal Tokenizer(BpeModel model, IReadOnlyList<AddedToken> added, TokenizerSurroundings surroundings)
        : this(new TokenizerParts(BpeSettings.Of(model), added, null, TokenizerParts.ByteLevelSteps, surroundings.PostProcessor, new ByteLevelDecoder()), surroundings.Configuration)
    {
    }

    /// <summary>The highest id plus one; special tokens are counted.</summary>
    public int VocabularySize { get; }

    /// <summary>The control tokens of a chat by name.</summary>
    /// <exception cref="UserErrorException">The tokenizer lacks one of them.</exception>
    public ChatTokens Chat => field ??= new ChatTokens(
        Required(SpecialTokens.BeginOfText), Required(SpecialTokens.EndOfText), Required(SpecialTokens.System), Required(SpecialTokens.User),
        Required(SpecialTokens.Assistant), Required(SpecialTokens.EndOfTurn), Required(SpecialTokens.Padding));

    /// <summary>The model of the fast way.</summary>
    /// <exception cref="UserErrorException">The tokenizer is of another kind.</exception>
    internal BpeModel Model => _bytePairs ?? throw new UserErrorException("The tokenizer is no byte-level pair encoding with a well-known split pattern; expected one. Use a tokenizer trained here.");

    /// <summary>Whether tokens are byte strings that are put together without any rule.</summary>
    internal bool IsByteLevel => _bytes is not null;

    internal TokenizerParts Parts { get; }

    internal IReadOnlyList<AddedToken> Added => Parts.Added;

    /// <summary>The bytes of <c>tokenizer_config.json</c>, kept as they were read; null writes this project's own.</summary>
    internal byte[]? Configuration { get; }

    /// <summary>Reads a tokenizer.</summary>
    /// <param name="path">A <c>tokenizer.json</c>, a SentencePiece <c>.model</c>, a rank file (<c>cl100k_base.tiktoken</c>), or the folder that holds a <c>tokenizer.json</c> or else a <c>tokenizer.model</c>.</param>
    /// <exception cref="UserErrorException">The file is missing, malformed, or names a component that is not known here.</exception>
    public static Tokenizer Load(string path) => TokenizerFolder.Load(path);

    /// <summary>Writes <c>tokenizer.json</c> and <c>tokenizer_config.json</c> into an existing folder, of a SentencePiece model
    /// <c>tokenizer.model</c> too; equal tokenizers give equal bytes.</summary>
    /// <exception cref="UserErrorException">The folder cannot be written.</exception>
    public void Save(string folder) => TokenizerFolder.Save(this, folder);

    /// <summary>Appends the tokens of a text. No beginning or end is added, and nothing is cut off or filled up, whatever the file says about it: see
    /// <see cref="EncodeWithOffsets"/>.</summary>
    /// <param name="utf8">The text; bytes that are no valid UTF-8 are encoded as they are, or as U+FFFD by tokenizers that have no bytes.</param>
    /// <param name="ids">Receives the tokens.</param>
    /// <param name="allowSpecial">Whether a control token that is written out in the text becomes that token. Never for text that someone else wrote.
    /// Added tokens that are no control tokens are text, and always matched.</param>
    public void Encode(ReadOnlySpan<byte> utf8, List<int> ids, bool allowSpecial = false)
    {
        ArgumentNullException.ThrowIfNull(ids);
        _pipeline.Encode(utf8, ids, allowSpecial);
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

    /// <summary>Appends the tokens of a text with the bytes they stand for.</summary>
    /// <param name="utf8">The text.</param>
    /// <param name="tokens">Receives the tokens. A byte can belong to several, where one character became more than one, or to none.</param>
    /// <param name="allowSpecial">See <see cref="Encode(ReadOnlySpan{byte}, List{int}, bool)"/>.</param>
    /// <param name="addSpecial">Whether the control tokens that the tokenizer's post-processor puts around a text are added; they stand at no byte (0, 0).</param>
    public void EncodeWithOffsets(ReadOnlySpan<byte> utf8, List<EncodedToken> tokens, bool allowSpecial = false, bool addSpecial = false)
    {
        ArgumentNullException.ThrowIfNull(tokens);
        var sequence = EncodeSequence(utf8, 0, allowSpecial);
        tokens.AddRange(Place([sequence], addSpecial).Select(placed => placed.Token));
    }

    /// <summary>Appends the tokens of two texts as the post-processor joins them, and the segment of each.</summary>
    /// <param name="first">The first text.</param>
    /// <param name="second">The second text.</param>
    /// <param name="ids">Receives the tokens.</param>
    /// <param name="segments">Receives the number of each token's segment (<c>token_type_ids</c>).</param>
    /// <param name="allowSpecial">See <see cref="Encode(ReadOnlySpan{byte}, List{int}, bool)"/>.</param>
    /// <param name="addSpecial">See <see cref="EncodeWithOffsets"/>.</param>
    public void EncodePair(ReadOnlySpan<byte> first, ReadOnlySpan<byte> second, List<int> ids, List<int> segments, bool allowSpecial = false, bool addSpecial = true)
    {
        ArgumentNullException.ThrowIfNull(ids);
        ArgumentNullException.ThrowIfNull(segments);
        foreach (var placed in Place([EncodeSequence(first, 0, allowSpecial), EncodeSequence(second, 1, allowSpecial)], addSpecial))
        {
            ids.Add(placed.Token.Id);
            segments.Add(placed.TypeId);
        }
    }

    /// <summary>The bytes of a text made of tokens: of a byte-level tokenizer exactly as they were encoded, else the text as UTF-8.</summary>
    /// <param name="ids">The tokens.</param>
    /// <param name="skipSpecial">Whether control tokens are left out.</param>
    /// <exception cref="UserErrorException">An id is not in the vocabulary.</exception>
    public byte[] DecodeBytes(ReadOnlySpan<int> ids, bool skipSpecial = true)
    {
        var text = new DecodedText();
        var steps = _bytes is null ? BeginDecoding(text) : null;
        foreach (int id in ids)
        {
            if (steps is not null)
                PushTo(steps, id, skipSpecial);
            else if (!_special[Known(id)] || !skipSpecial)
                text.Write(_bytes![id]);
        }
        steps?.End();
        return text.Text.ToArray();
    }

    /// <summary>The text of tokens; what is no valid UTF-8 becomes U+FFFD.</summary>
    /// <inheritdoc cref="DecodeBytes"/>
    public string Decode(ReadOnlySpan<int> ids, bool skipSpecial = true) => Encoding.UTF8.GetString(DecodeBytes(ids, skipSpecial));

    /// <summary>The id of an added token, or of the token that stands in the vocabulary with exactly this text; null when there is none. Tokens of a
    /// byte-level tokenizer are found by the text they stand for.</summary>
    public int? TokenId(string content) =>
        _addedIds.TryGetValue(content, out int id) ? id : _idsByText.Value.Find(Encoding.UTF8.GetBytes(content)) is var found and >= 0 ? found : null;

    /// <summary>Whether an id has a token; vocabularies may have holes.</summary>
    public bool Contains(int id) => (uint)id < (uint)_texts.Length && _texts[id] is not null;

    /// <summary>Whether an id is a control token.</summary>
    /// <exception cref="UserErrorException">The id is not in the vocabulary.</exception>
    public bool IsSpecial(int id) => _special[Known(id)];

    /// <summary>The bytes that a token stands for inside a text; of a control token its written form. A byte token of another kind than byte-level is its byte, and
    /// what is dropped or added at the ends of a text is not looked at.</summary>
    /// <exception cref="UserErrorException">The id is not in the vocabulary.</exception>
    public byte[] TokenBytes(int id) => [.. _bytes is not null ? _bytes[Known(id)]! : _special[Known(id)] ? _texts[id]! : _decoder.Inside(_texts[id]!)];

    /// <summary>Begins a text that tokens are pushed to with <see cref="PushTo"/>.</summary>
    internal DecoderStream BeginDecoding(DecodedText text) => _decoder.Begin(text);

    internal void PushTo(DecoderStream steps, int id, bool skipSpecial)
    {
        if (_special[Known(id)] && skipSpecial)
            return;
        steps.Write(_texts[id]);
        steps.EndToken();
    }

    /// <summary>The bytes of a token where tokens are simply put together; null where there are steps between tokens and text.</summary>
    internal byte[]? DirectBytesOf(int id) => _bytes?[Known(id)];

    /// <summary>A token as it stands in the vocabulary.</summary>
    internal ReadOnlySpan<byte> TextOf(int id) => _texts[Known(id)];

    private List<PlacedToken> EncodeSequence(ReadOnlySpan<byte> utf8, int sequence, bool allowSpecial)
    {
        var tokens = new List<EncodedToken>();
        _pipeline.Encode(utf8, tokens, allowSpecial);
        foreach (bool addPrefixSpace in Parts.PostProcessor?.Trimmings ?? [])
        {
            byte[] source = utf8.ToArray();
            OffsetTrimming.Apply(tokens, token => _isAdded[token.Id] ? source[token.Start..token.End] : _texts[token.Id]!, addPrefixSpace);
        }
        return [.. tokens.Select(token => new PlacedToken(token, sequence, sequence))];
    }

    private IEnumerable<PlacedToken> Place(IReadOnlyList<IReadOnlyList<PlacedToken>> sequences, bool addSpecial) =>
        Parts.PostProcessor?.Process(sequences, addSpecial) ?? sequences.SelectMany(tokens => tokens);

    private int Known(int id) =>
        Contains(id) ? id
            : throw new UserErrorException($"Token {id} is not in the vocabulary; expected 0 to {VocabularySize - 1}. Was it made with another tokenizer?");

    private int Required(string content) =>
        _addedIds.TryGetValue(content, out int id) ? id
            : throw new UserErrorException($"The tokenizer has no token '{content}'; expected the control tokens {string.Join(' ', SpecialTokens.All)}. Use a tokenizer trained here.");
}
