using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using OpenEuroLLM.Core;
using OpenEuroLLM.Formats;

namespace OpenEuroLLM.Models;

/// <summary><c>config.json</c> of a model folder: settings with their ranges, and those that all families share.</summary>
/// <param name="json">The object.</param>
/// <param name="where">The file, for messages.</param>
/// <param name="family">Name of the family, for messages.</param>
internal sealed class ConfigJson(JsonObject json, string where, string family)
{
    /// <summary>The object itself.</summary>
    public JsonObject Json => json;

    /// <summary>The file, for messages.</summary>
    public string Where => where;

    /// <summary>A value, or null where the key is missing or null.</summary>
    public static JsonNode? Find(JsonObject? json, string key) => json is not null && json.TryGetPropertyValue(key, out var value) ? value : null;

    /// <inheritdoc cref="Find(JsonObject?, string)"/>
    public JsonNode? Find(string key) => Find(json, key);

    /// <summary>The same with a section of the object in its place, such as <c>text_config</c>; null where it is missing.</summary>
    public ConfigJson? Section(string key) => Find(key) is JsonObject inner ? new ConfigJson(inner, where, family) : null;

    /// <summary>A whole number.</summary>
    /// <param name="key">The key.</param>
    /// <param name="least">Smallest value expected.</param>
    /// <param name="most">Largest value expected.</param>
    /// <param name="absent">What a missing key means; null when it may not be missing.</param>
    /// <exception cref="UserErrorException">It is missing, no whole number, or out of range.</exception>
    public int Integer(string key, int least, int most, int? absent = null)
    {
        var value = Find(key);
        if (value is null && absent is { } given) return given;
        if (value is JsonValue number && number.GetValueKind() == JsonValueKind.Number && number.TryGetValue(out int found) && found >= least && found <= most) return found;
        throw new UserErrorException($"{where}: {key} is {Shown(value)}; expected a whole number from {least} to {most}.");
    }

    /// <summary>A finite number above 0.</summary>
    /// <inheritdoc cref="Integer"/>
    public double Number(string key, double? absent = null) =>
        OptionalNumber(key) ?? absent ?? throw new UserErrorException($"{where}: {key} is missing; expected a number above 0.");

    /// <summary>A finite number above 0, or null where the key is missing.</summary>
    /// <exception cref="UserErrorException">It is no such number.</exception>
    public double? OptionalNumber(string key)
    {
        var value = Find(key);
        if (value is null) return null;
        if (value.GetValueKind() == JsonValueKind.Number
            && double.TryParse(value.ToJsonString(), CultureInfo.InvariantCulture, out var found) && found > 0 && double.IsFinite(found)) return found;
        throw new UserErrorException($"{where}: {key} is {Shown(value)}; expected a number above 0.");
    }

    /// <summary>True or false.</summary>
    /// <exception cref="UserErrorException">It is neither.</exception>
    public bool Flag(string key, bool absent) => Find(key) switch
    {
        null => absent,
        JsonValue value when value.TryGetValue(out bool found) => found,
        var other => throw new UserErrorException($"{where}: {key} is {Shown(other)}; expected true or false."),
    };

    /// <summary>A text, or null where the key is missing.</summary>
    /// <exception cref="UserErrorException">It is no text.</exception>
    public string? Text(string key) => Find(key) switch
    {
        null => null,
        JsonValue value when value.TryGetValue(out string? found) => found,
        var other => throw new UserErrorException($"{where}: {key} is {Shown(other)}; expected a text."),
    };

    /// <summary>A list, or null where the key is missing.</summary>
    /// <exception cref="UserErrorException">It is no list.</exception>
    public JsonArray? List(string key) => Find(key) switch
    {
        null => null,
        JsonArray found => found,
        var other => throw new UserErrorException($"{where}: {key} is {Shown(other)}; expected a list."),
    };

    /// <summary>Refuses a setting that asks for what the family does not do here; a missing one is taken as expected.</summary>
    /// <exception cref="UserErrorException">It has another value.</exception>
    public void Require(string key, string expected)
    {
        if (Find(key) is { } value && (value is JsonValue text && text.TryGetValue(out string? found) ? found : value.ToJsonString()) != expected) throw Refused(key, Shown(value).Trim('"'), expected);
    }

    /// <summary>Which layers attend to a window: listed as <c>sliding_attention</c> and <c>full_attention</c> in <c>layer_types</c>.</summary>
    /// <param name="layers">Layers of the model.</param>
    /// <param name="absent">Whether a layer does, where the list is missing.</param>
    /// <exception cref="UserErrorException">The list has another length, or other kinds of layers.</exception>
    public IReadOnlyList<bool> WindowLayers(int layers, Func<int, bool> absent)
    {
        const string key = "layer_types";
        if (List(key) is not { } list) return [.. Enumerable.Range(0, layers).Select(absent)];
        if (list.Count != layers) throw new UserErrorException($"{where}: {key} has {list.Count} entries; expected one for each of {layers} layers.");
        return [.. list.Select(item => item?.ToString() switch
        {
            "sliding_attention" => true,
            "full_attention" => false,
            _ => throw Refused(key, Shown(item).Trim('"'), "sliding_attention and full_attention"),
        })];
    }

    /// <summary>The list that <see cref="WindowLayers"/> reads.</summary>
    public static JsonArray LayerTypes(IEnumerable<bool> windows) => new([.. windows.Select(window => (JsonNode)(window ? "sliding_attention" : "full_attention"))]);

    /// <summary>The error for a setting that asks for what the family does not do here.</summary>
    public UserErrorException Refused(string key, string found, string expected) =>
        new($"{where}: {key} is {found}; this version reads {family} models with {expected} only.");

    /// <summary>Reads what nearly all families share, under the names that nearly all use.</summary>
    /// <param name="config">Has the family's own settings already, and the defaults of those that a file may leave out.</param>
    /// <param name="turnsPart">Whether the family may turn a part of a head only, and may have LongRoPE.</param>
    public T Decoder<T>(T config, bool turnsPart = false) where T : ModelConfig
    {
        var width = Integer("hidden_size", 2, 1 << 20);
        var heads = Integer("num_attention_heads", 1, 1 << 14, Known(config.Heads));
        var keyValueHeads = Integer("num_key_value_heads", 1, heads, Known(config.KeyValueHeads) ?? heads);
        if (heads % keyValueHeads != 0)
            throw new UserErrorException($"{where}: num_attention_heads is {heads}; expected a multiple of num_key_value_heads, {keyValueHeads}.");
        if (Find("head_dim") is null && Known(config.HeadDimension) is null && width % heads != 0)
            throw new UserErrorException($"{where}: hidden_size is {width}; expected a multiple of num_attention_heads, {heads}, where head_dim is missing.");
        var dimension = Integer("head_dim", 2, 512, Known(config.HeadDimension) ?? Math.Max(2, width / heads));
        var context = Integer("max_position_embeddings", 1, 1 << 24, Known(config.ContextLength) ?? 2048);
        return Tokens((T)(config with
        {
            Layers = Integer("num_hidden_layers", 1, 4096),
            Width = width,
            Heads = heads,
            KeyValueHeads = keyValueHeads,
            HeadDimension = dimension,
            Hidden = Integer("intermediate_size", 1, 1 << 22),
            ContextLength = context,
            NormEpsilon = Number("rms_norm_eps", 1e-6),
            Rotary = RotaryJson.Parse(this, config.Rotary.Theta, turnsPart ? dimension : null, context),
            TiedHead = Flag("tie_word_embeddings", config.TiedHead),
        }));
    }

    /// <summary>Reads the vocabulary's size and the tokens with a meaning.</summary>
    public T Tokens<T>(T config) where T : ModelConfig
    {
        var vocabulary = Integer("vocab_size", 1, 1 << 24, Known(config.VocabularySize));
        return (T)(config with
        {
            VocabularySize = vocabulary,
            BeginOfTextId = Token("bos_token_id", Find("bos_token_id"), vocabulary),
            EndIds = Find("eos_token_id") switch
            {
                null => [],
                JsonArray list => [.. list.Select(item => Token("eos_token_id", item, vocabulary)).OfType<int>()],
                var one => Token("eos_token_id", one, vocabulary) is { } end ? [end] : [],
            },
            // Nothing is filled up here, and files have −1 or the vocabulary's size where there is none.
            PaddingId = Token("pad_token_id", Find("pad_token_id"), int.MaxValue, least: -1) is { } padding && padding >= 0 && padding < vocabulary ? padding : null,
        });
    }

    /// <summary>Writes what nearly all families share.</summary>
    /// <param name="config">Settings.</param>
    /// <param name="modelType">Value of <c>model_type</c>.</param>
    /// <param name="architecture">Hugging Face's class.</param>
    /// <param name="type">Storage type of the weights.</param>
    /// <param name="lists">Both lists of LongRoPE, for models that have it.</param>
    public static JsonObject Describe(ModelConfig config, string modelType, string architecture, string type, LongRopeDivisors? lists = null)
    {
        var json = new JsonObject
        {
            ["architectures"] = new JsonArray(architecture),
            ["bos_token_id"] = config.BeginOfTextId,
            ["dtype"] = type,
            ["eos_token_id"] = new JsonArray([.. config.EndIds.Select(id => (JsonNode)id)]),
            ["head_dim"] = config.HeadDimension,
            ["hidden_size"] = config.Width,
            ["initializer_range"] = 0.02,
            ["intermediate_size"] = config.Hidden,
            ["max_position_embeddings"] = config.ContextLength,
            ["model_type"] = modelType,
            ["num_attention_heads"] = config.Heads,
            ["num_hidden_layers"] = config.Layers,
            ["num_key_value_heads"] = config.KeyValueHeads,
            ["pad_token_id"] = config.PaddingId,
            ["rms_norm_eps"] = config.NormEpsilon,
            ["tie_word_embeddings"] = config.TiedHead,
            ["torch_dtype"] = type,
            ["vocab_size"] = config.VocabularySize,
        };
        RotaryJson.Write(config.Rotary, json, config.HeadDimension, lists);
        return json;
    }

    /// <summary>A size that a family knows where the file leaves it out.</summary>
    private static int? Known(int size) => size == 0 ? null : size;

    private int? Token(string key, JsonNode? value, int vocabulary, int least = 0)
    {
        if (value is null) return null;
        if (value is JsonValue number && number.GetValueKind() == JsonValueKind.Number && number.TryGetValue(out int id) && id >= least && id < vocabulary) return id;
        throw new UserErrorException($"{where}: {key} is {Shown(value)}; expected the id of a token, from {least} to {vocabulary - 1}.");
    }

    private static string Shown(JsonNode? value)
    {
        // JSON writes letters beyond ASCII as numbers; a person reads them as they are.
        if (value is JsonValue text && text.TryGetValue(out string? found)) return $"\"{GgufFile.Shown(found)}\"";
        return value is null ? "missing" : GgufFile.Shown(value.ToJsonString());
    }
}
