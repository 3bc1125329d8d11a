using System.Globalization;
using OpenEuroLLM.Core;
using OpenEuroLLM.Formats;

namespace OpenEuroLLM.Models;

/// <summary>The metadata of a GGUF file under its architecture's prefix, and what all families share.</summary>
/// <param name="file">The file.</param>
/// <param name="architecture">Its architecture, which the keys begin with.</param>
/// <param name="family">Name of the family, for messages.</param>
internal sealed class GgufMetadata(GgufFile file, string architecture, string family)
{
    /// <summary>Rows of the table of tokens; every architecture has it under this name.</summary>
    private const string Table = "token_embd.weight";

    private const string HeadName = "output.weight";

    /// <summary>The file.</summary>
    public GgufFile File => file;

    /// <summary>The architecture.</summary>
    public string Architecture => architecture;

    /// <summary>The whole key: the architecture, a dot, and what comes after.</summary>
    public string Key(string key) => $"{architecture}.{key}";

    /// <summary>A whole number; see <see cref="GgufFile.Integer"/>.</summary>
    public int Integer(string key, int least, int most, int? absent = null) => file.Integer(Key(key), least, most, absent);

    /// <summary>A number above 0, as the shortest decimal that its single-precision form stands for: 1e-5, not 9.99999974e-6.</summary>
    /// <inheritdoc cref="GgufFile.Number"/>
    public double Number(string key, double? absent = null) => Shortest(file.Number(Key(key), absent));

    /// <summary>A number above 0, or null where the key is missing.</summary>
    /// <exception cref="UserErrorException">It is no such number.</exception>
    public double? OptionalNumber(string key) => file.Value(Key(key)) is null ? null : Number(key);

    /// <summary>A text, or null where the key is missing.</summary>
    public string? Text(string key) => file.Text(Key(key));

    /// <summary>The error for a setting that asks for what the family does not do here.</summary>
    public UserErrorException Refused(string key, string found, string expected) =>
        new($"{file.Path}: {Key(key)} is {found}; this version reads {family} models with {expected} only.");

    /// <summary>Reads what all families share.</summary>
    /// <param name="config">Has the family's own settings already.</param>
    /// <param name="norm">Key of the norms' epsilon.</param>
    /// <param name="turnsPart">Whether the family may turn a part of a head only, and may have LongRoPE.</param>
    public T Decoder<T>(T config, string norm = "attention.layer_norm_rms_epsilon", bool turnsPart = false) where T : ModelConfig
    {
        if (Integer("expert_count", 0, int.MaxValue, 0) is > 0 and var experts)
            throw Refused("expert_count", experts.ToString(CultureInfo.InvariantCulture), "no experts");
        var width = Integer("embedding_length", 2, 1 << 20);
        var heads = Integer("attention.head_count", 1, 1 << 14);
        var keyValueHeads = Integer("attention.head_count_kv", 1, heads, heads);
        if (heads % keyValueHeads != 0)
            throw new UserErrorException($"{file.Path}: {Key("attention.head_count")} is {heads}; expected a multiple of {Key("attention.head_count_kv")}, {keyValueHeads}.");
        var dimension = Integer("attention.key_length", 2, 512, Math.Max(2, width / heads));
        if (Integer("attention.value_length", 1, 1 << 20, dimension) is var values && values != dimension)
            throw Refused("attention.value_length", values.ToString(CultureInfo.InvariantCulture), $"the length of a key, {dimension},");
        var vocabulary = VocabularySize(width);
        var context = Integer("context_length", 1, 1 << 24);
        return (T)(config with
        {
            Layers = Integer("block_count", 1, 4096),
            Width = width,
            Heads = heads,
            KeyValueHeads = keyValueHeads,
            HeadDimension = dimension,
            Hidden = Integer("feed_forward_length", 1, 1 << 22),
            VocabularySize = vocabulary,
            ContextLength = context,
            NormEpsilon = Number(norm, 1e-5),
            Rotary = GgufRotary.Read(this, dimension, context, turnsPart),
            TiedHead = file.Find(HeadName) is null,
            BeginOfTextId = Token("bos_token_id"),
            EndIds = [.. new[] { Token("eos_token_id"), Token("eot_token_id") }.OfType<int>().Distinct()],
            PaddingId = Token("padding_token_id"),
        });

        int? Token(string name)
        {
            var key = $"tokenizer.ggml.{name}";
            return file.Value(key) is null ? null : file.Integer(key, 0, vocabulary - 1);
        }
    }

    /// <summary>A number for each layer: an array, or one number for all.</summary>
    /// <param name="file">The file.</param>
    /// <param name="key">The whole key.</param>
    /// <param name="layers">Layers of the model.</param>
    /// <exception cref="UserErrorException">It is missing, has another length, or a number that is not finite.</exception>
    public static float[] NumberOfEachLayer(GgufFile file, string key, int layers)
    {
        var value = file.Value(key);
        var numbers = value?.Content switch
        {
            float one => [.. Enumerable.Repeat(one, layers)],
            float[] all when all.Length == layers => all,
            _ => throw new UserErrorException($"{file.Path}: {key} is {value?.ToString() ?? "missing"}; expected a number for each of {layers} layers."),
        };
        if (numbers.All(float.IsFinite)) return numbers;
        throw new UserErrorException($"{file.Path}: {key} has a number that is not finite; the file is damaged.");
    }

    private int VocabularySize(int width)
    {
        var table = file.Tensor(Table);
        if (table.Shape.Count != 2 || table.Shape[1] != width || table.Shape[0] is < 1 or > 1 << 24)
            throw new UserErrorException($"{file.Path}: tensor '{table.Name}' has shape {table.ShapeText}; {Key("embedding_length")} expects [tokens, {width}].");
        var tokens = (int)table.Shape[0];
        var said = Integer("vocab_size", 1, 1 << 24, tokens);
        if (said != tokens)
            throw new UserErrorException($"{file.Path}: {Key("vocab_size")} is {said}, and tensor '{table.Name}' has {tokens} rows; expected them to agree.");
        return tokens;
    }

    /// <summary>The shortest decimal that a number in single precision stands for; any other number as it is.</summary>
    internal static double Shortest(double value) => (float)value == value && (float)value is var single
        ? double.Parse(single.ToString("R", CultureInfo.InvariantCulture), CultureInfo.InvariantCulture) : value;
}
