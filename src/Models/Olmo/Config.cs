using System.Text.Json.Nodes;
using OpenEuroLLM.Core;
using OpenEuroLLM.Tensors;

namespace OpenEuroLLM.Models.Olmo;

/// <summary>Shape of an OLMo 2 or OLMo 3 decoder.</summary>
public sealed record OlmoConfig : ModelConfig
{
    /// <inheritdoc/>
    public override ModelFamily Family => OlmoFamily.Instance;

    /// <summary>In layers with a window a token sees so many tokens, itself and those before it; null: no layer has one (OLMo 2).</summary>
    public int? Window { get; init; }

    /// <summary>For each layer whether it has the window; all false where there is none.</summary>
    public IReadOnlyList<bool> WindowLayers { get; init; } = [];

    /// <summary>How positions turn queries and keys in layers with a window; scaling for longer contexts is in the other layers alone.</summary>
    public RotarySettings WindowRotary { get; init; } = new();

    internal override void Check(string where)
    {
        base.Check(where);
        if (WindowLayers.Count != Layers) throw new UserErrorException($"{where}: {WindowLayers.Count} layers are said to have a window or none; expected {Layers}.");
        try
        {
            WindowRotary.Check(HeadDimension);
        }
        catch (ArgumentException exception)
        {
            throw new UserErrorException($"{where}: layers with a window: {exception.Message}.", exception);
        }
    }

    private protected override IEnumerable<WeightShape> ListWeights() => OlmoWeights.Shapes(this);

    internal override LanguageModel Join(ModelWeights weights, Engine engine) => new OlmoModel(this, weights, engine);
}

/// <summary>OLMo 2, and OLMo 3 with its windows.</summary>
internal sealed class OlmoFamily : ModelFamily
{
    private const string Olmo2 = "olmo2", Olmo3 = "olmo3", WindowKey = "attention.sliding_window", PatternKey = "attention.sliding_window_pattern";

    /// <summary>Every so many-th layer of OLMo 3 has no window; llama.cpp knows no other number.</summary>
    private const int Period = 4;

    public static OlmoFamily Instance { get; } = new();

    public override string Name => "OLMo";

    public override IReadOnlyList<string> ModelTypes => [Olmo2, Olmo3];

    public override IReadOnlyList<string> GgufArchitectures => [Olmo2];

    private protected override ModelConfig Natural(string kind, ModelSizes sizes)
    {
        var rotary = new RotarySettings(500_000);
        return new OlmoConfig
        {
            NormEpsilon = 1e-6,
            Rotary = rotary,
            WindowRotary = rotary,
            Window = kind == Olmo3 ? 4096 : null,
            WindowLayers = Windows(sizes.Layers, kind == Olmo3),
        };
    }

    internal override ModelConfig Parse(ConfigJson json)
    {
        json.Require("hidden_act", "silu");
        json.Require("attention_bias", "false");
        var layers = json.Integer("num_hidden_layers", 1, 4096);
        var hasWindow = json.Text("model_type") == Olmo3;
        var windows = hasWindow ? json.WindowLayers(layers, HasWindow) : Windows(layers, false);
        var config = json.Decoder(new OlmoConfig
        {
            WindowLayers = windows,
            Window = windows.Contains(true) ? json.Integer("sliding_window", 1, 1 << 24, 4096) : null,
        });
        return config with
        {
            NormEpsilon = json.Number("rms_norm_eps", 1e-5),
            WindowRotary = RotaryJson.IsByLayers(json)
                ? RotaryJson.Parse(json, config.Rotary.Theta, contextLength: config.ContextLength, layers: RotaryJson.SlidingAttention)
                : new RotarySettings(config.Rotary.Theta),
        };
    }

    internal override ModelConfig Parse(GgufMetadata metadata)
    {
        var layers = metadata.Integer("block_count", 1, 4096);
        var window = metadata.Integer(WindowKey, 0, 1 << 24, 0);
        var config = metadata.Decoder(new OlmoConfig { WindowLayers = window == 0 ? Windows(layers, false) : Pattern(metadata, layers) });
        return config with
        {
            Window = config.WindowLayers.Contains(true) ? window : null,
            WindowRotary = new RotarySettings(metadata.Number("rope.freq_base_swa", config.Rotary.Theta)),
        };
    }

    internal override JsonObject Write(ModelConfig config, string type)
    {
        var olmo = (OlmoConfig)config;
        var json = ConfigJson.Describe(config, olmo.Window is null ? Olmo2 : Olmo3, olmo.Window is null ? "Olmo2ForCausalLM" : "Olmo3ForCausalLM", type);
        json["attention_bias"] = false;
        json["hidden_act"] = "silu";
        if (olmo.Window is null) return json;
        json["layer_types"] = ConfigJson.LayerTypes(olmo.WindowLayers);
        json["sliding_window"] = olmo.Window;
        if (IsPlain(olmo)) return json;
        // Only a section for each kind of layer can say that the others turn otherwise.
        var window = new JsonObject();
        RotaryJson.Write(olmo.WindowRotary, window);
        json["rope_parameters"] = new JsonObject
        {
            [RotaryJson.FullAttention] = json["rope_parameters"]!.DeepClone(),
            [RotaryJson.SlidingAttention] = window["rope_parameters"]!.DeepClone(),
        };
        return json;
    }

    internal override void Write(ModelConfig config, GgufDescription metadata)
    {
        var olmo = (OlmoConfig)config;
        metadata.Decoder(config, Olmo2);
        GgufRotary.Describe(config.Rotary, config.HeadDimension, metadata);
        if (olmo.Window is not { } window) return;
        if (!olmo.WindowLayers.SequenceEqual(Windows(olmo.Layers, true)))
            throw new UserErrorException($"The model's layers with a window are not all but every {Period}th; readers of GGUF take no others for {Olmo2}. Keep the model as a folder.");
        if (!IsPlain(olmo))
            throw new UserErrorException($"The model's layers with a window turn queries and keys by a base or a scaling of their own, which GGUF cannot say of {Olmo2}; keep the model as a folder.");
        metadata.Add(WindowKey, (uint)window);
        metadata.Add(PatternKey, olmo.WindowLayers.ToArray());
    }

    /// <summary>Whether layers with a window turn as the others did before they were scaled, which files mean where they say nothing.</summary>
    private static bool IsPlain(OlmoConfig config) => config.WindowRotary == new RotarySettings(config.Rotary.Theta);

    private static IReadOnlyList<bool> Pattern(GgufMetadata metadata, int layers)
    {
        var value = metadata.File.Value(metadata.Key(PatternKey));
        return value?.Content switch
        {
            null => Windows(layers, true),
            bool[] windows when windows.Length == layers => windows,
            _ => throw metadata.Refused(PatternKey, value.ToString(), $"a truth value for each of {layers} layers"),
        };
    }

    private static bool HasWindow(int layer) => (layer + 1) % Period != 0;

    private static List<bool> Windows(int layers, bool some) => [.. Enumerable.Range(0, layers).Select(layer => some && HasWindow(layer))];
}
