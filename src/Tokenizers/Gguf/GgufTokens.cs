using OpenEuroLLM.Core;
using OpenEuroLLM.Formats;

namespace OpenEuroLLM.Tokenizers;

/// <summary>The metadata of a GGUF file that hold a vocabulary (<c>tokenizer.ggml.*</c>), with the checks that all kinds share.</summary>
internal sealed class GgufTokens
{
    public const string Prefix = "tokenizer.ggml.";

    private readonly GgufFile _file;

    /// <exception cref="UserErrorException">There are none, or they contradict each other.</exception>
    public GgufTokens(GgufFile file)
    {
        _file = file;
        Texts = Items<string>("tokens");
        if (Texts.Length is 0 or > MostTokens)
            throw Refuse($"tokens has {Texts.Length} items; expected 1 to {MostTokens}");
        Types = Items<int>("token_type");
        if (Types.Length != Texts.Length)
            throw Refuse($"token_type has {Types.Length} items and tokens {Texts.Length}; expected as many");
    }

    private const int MostTokens = 1 << 24;

    public string Where => _file.Path;

    /// <summary>The tokens by id, as they stand in the file.</summary>
    public string[] Texts { get; }

    /// <summary>What each is for; see <see cref="GgufTokenType"/>.</summary>
    public int[] Types { get; }

    /// <summary>What a token is called when its id has none.</summary>
    public static string Hole(int id) => $"[PAD{id}]";

    /// <summary>Whether an id has no token.</summary>
    public bool IsHole(int id) => Types[id] == GgufTokenType.Unused && Texts[id] == Hole(id);

    public string Required(string key) => _file.Text(Prefix + key) ?? throw Refuse($"{key} is missing; expected text");

    public T[] Items<T>(string key) =>
        _file.Value(Prefix + key)?.Content as T[] ?? throw Refuse($"{key} is {_file.Value(Prefix + key)?.ToString() ?? "missing"}; expected an array of {typeof(T).Name}");

    public bool Has(string key) => _file.Value(Prefix + key) is not null;

    public bool Flag(string key, bool absent) => _file.Value(Prefix + key) switch
    {
        null => absent,
        { Content: bool given } => given,
        var other => throw Refuse($"{key} is {other}; expected true or false"),
    };

    /// <summary>The id of a named token, or null.</summary>
    public int? Id(string key) => Has(key) ? _file.Integer(Prefix + key, 0, Texts.Length - 1) : null;

    /// <summary>What other programs put around a text.</summary>
    /// <param name="addsBegin">Whether a file that does not say it means the token before the text.</param>
    /// <param name="addsEnd">The same for the token behind it.</param>
    public IPostProcessor? Surroundings(bool addsBegin, bool addsEnd)
    {
        int? begin = Flag("add_bos_token", addsBegin) ? Id("bos_token_id") : null;
        int? end = Flag("add_eos_token", addsEnd) ? Id("eos_token_id") : null;
        if (begin is null && end is null)
            return null;
        TemplatePiece[] Around(int sequence) =>
        [
            .. begin is int first ? [new TemplatePiece(Texts[first], 0, sequence)] : Array.Empty<TemplatePiece>(),
            new TemplatePiece(null, sequence, sequence),
            .. end is int last ? [new TemplatePiece(Texts[last], 0, sequence)] : Array.Empty<TemplatePiece>(),
        ];
        var special = new[] { begin, end }.OfType<int>().Distinct().Select(id => new TemplateToken(Texts[id], [id], [Texts[id]]));
        return new TemplateProcessing(Around(0), [.. Around(0), .. Around(1)], [.. special]);
    }

    public UserErrorException Refuse(string what) => new($"{_file.Path}: {Prefix}{what}.");
}

/// <summary>The numbers of token types in GGUF files; those of SentencePiece.</summary>
internal static class GgufTokenType
{
    public const int Normal = 1, Control = 3, UserDefined = 4, Unused = 5, Byte = 6;
}
