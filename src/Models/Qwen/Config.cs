using System.Text.Json.Nodes;
using OpenEuroLLM.Core;
using OpenEuroLLM.Tensors;

namespace OpenEuroLLM.Models.Qwen;

/// <summary>Shape of a dense decoder of Qwen 2, 2.5 or 3.</summary>
public sealed record QwenConfig : ModelConfig
{
    /// <inheritdoc/>
    public override ModelFamily Family => QwenFamily.Instance;

    /// <summary>The generation: <c>qwen2</c> (Qwen 2 and 2.5) has biases on queries, keys and values; <c>qwen3</c> norms each head of queries and keys instead.</summary>
    public string Kind { get; init; } = QwenFamily.Qwen3;

    /// <summary>In layers of <see cref="WindowLayers"/> a token sees so many tokens, itself and those before it; null: there are no such layers.</summary>
    public int? Window { get; init; }

    /// <summary>Layers that attend to a window; none unless <see cref="Window"/> is given.</summary>
    public IReadOnlyList<int> WindowLayers { get; init; } = [];

    internal bool HasBias => Kind == QwenFamily.Qwen2;

    internal bool HasHeadNorms => Kind == QwenFamily.Qwen3;

    private protected override IEnumerable<WeightShape> ListWeights() => QwenWeights.Shapes(this);

    internal override LanguageModel Join(ModelWeights weights, Engine engine) => new QwenModel(this, weights, engine);
}

/// <summary>Qwen 2, 2.5 and 3, dense; OpenEuroLLM's Prelude is a Qwen 3 by its files.</summary>
internal sealed class QwenFamily : ModelFamily
{
    public const string Qwen2 = "qwen2", Qwen3 = "qwen3";

    public static QwenFamily Instance { get; } = new();

    public override string Name => "Qwen";

    public override IReadOnlyList<string> ModelTypes => [Qwen2, Qwen3];

    public override IReadOnlyList<string> GgufArchitectures => [Qwen2, Qwen3];

    private protected override ModelConfig Natural(string kind, ModelSizes sizes) => new QwenConfig { Kind = kind, NormEpsilon = 1e-6, Rotary = new RotarySettings(1_000_000) };

    internal override ModelConfig Parse(ConfigJson json)
    {
        json.Require("hidden_act", "silu");
        var kind = json.Text("model_type")!;
        // Qwen 2 has its biases whatever the file says; Qwen 3 would have one on the product after attention too.
        if (kind == Qwen3) json.Require("attention_bias", "false");
        var layers = json.Integer("num_hidden_layers", 1, 4096);
        int? window = json.Flag("use_sliding_window", false) && !(json.Json.ContainsKey("sliding_window") && json.Find("sliding_window") is null)
            ? json.Integer("sliding_window", 1, 1 << 24, 4096) : null;
        var first = window is null ? 0 : json.Integer("max_window_layers", 0, int.MaxValue, 28);
        return json.Decoder(new QwenConfig
        {
            Kind = kind,
            HeadDimension = kind == Qwen3 ? 128 : 0,
            Window = window,
            WindowLayers = window is null ? [] : [.. json.WindowLayers(layers, layer => layer >= first).Index().Where(layer => layer.Item).Select(layer => layer.Index)],
        });
    }

    internal override ModelConfig Parse(GgufMetadata metadata) => metadata.Decoder(new QwenConfig { Kind = metadata.Architecture });

    internal override JsonObject Write(ModelConfig config, string type)
    {
        var qwen = (QwenConfig)config;
        var json = ConfigJson.Describe(config, qwen.Kind, qwen.HasBias ? "Qwen2ForCausalLM" : "Qwen3ForCausalLM", type);
        json["hidden_act"] = "silu";
        if (qwen.HasHeadNorms) json["attention_bias"] = false;
        json["layer_types"] = ConfigJson.LayerTypes(Enumerable.Range(0, qwen.Layers).Select(layer => qwen.WindowLayers.Contains(layer)));
        json["max_window_layers"] = qwen.WindowLayers.Count == 0 ? qwen.Layers : qwen.WindowLayers[0];
        json["sliding_window"] = qwen.Window;
        json["use_sliding_window"] = qwen.Window is not null;
        return json;
    }

    internal override void Write(ModelConfig config, GgufDescription metadata)
    {
        var qwen = (QwenConfig)config;
        if (qwen.WindowLayers.Count > 0)
            throw new UserErrorException($"{qwen.WindowLayers.Count} layers of the model attend to a window of {qwen.Window} tokens (use_sliding_window), which GGUF cannot say of {qwen.Kind}; keep the model as a folder.");
        metadata.Decoder(config, qwen.Kind);
        GgufRotary.Describe(config.Rotary, config.HeadDimension, metadata);
    }
}
