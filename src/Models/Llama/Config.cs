using System.Text.Json.Nodes;
using OpenEuroLLM.Core;
using OpenEuroLLM.Tensors;

namespace OpenEuroLLM.Models.Llama;

/// <summary>Shape of a Llama-type decoder.</summary>
public sealed record LlamaConfig : ModelConfig
{
    /// <summary>A shape in one line; see the properties for the meaning.</summary>
    /// <param name="Layers">Decoder layers.</param>
    /// <param name="Width">Numbers of a token's state.</param>
    /// <param name="Heads">Query heads.</param>
    /// <param name="KeyValueHeads">Key/value heads; divides <paramref name="Heads"/>.</param>
    /// <param name="HeadDimension">Numbers of one head; even.</param>
    /// <param name="Hidden">Inner width of the feed-forward part.</param>
    /// <param name="VocabularySize">Tokens known, special ones included.</param>
    /// <param name="ContextLength">Longest sequence, in tokens.</param>
    /// <param name="TiedHead">The embedding serves as output head too.</param>
    public LlamaConfig(int Layers, int Width, int Heads, int KeyValueHeads, int HeadDimension, int Hidden, int VocabularySize, int ContextLength, bool TiedHead = true)
    {
        (this.Layers, this.Width, this.Heads, this.KeyValueHeads, this.HeadDimension, this.Hidden) = (Layers, Width, Heads, KeyValueHeads, HeadDimension, Hidden);
        (this.VocabularySize, this.ContextLength, this.TiedHead) = (VocabularySize, ContextLength, TiedHead);
    }

    internal LlamaConfig() { }

    /// <inheritdoc/>
    public override ModelFamily Family => LlamaFamily.Instance;

    /// <summary>Which of the kin it is: <c>llama</c>, <c>mistral</c> or <c>smollm3</c>, which decides how files spell its settings.</summary>
    public string Kind { get; init; } = LlamaFamily.Llama;

    /// <summary>Queries, keys, values and the product after attention have a bias.</summary>
    public bool AttentionBias { get; init; }

    /// <summary>The three products of the feed-forward part have a bias.</summary>
    public bool MlpBias { get; init; }

    /// <summary>A token sees so many tokens, itself and those before it, as in Mistral 7B; null: all.</summary>
    public int? Window { get; init; }

    /// <summary>Layers whose queries and keys are not turned by their positions, as in SmolLM3 (NoPE). Source: arXiv:2501.18795.</summary>
    public IReadOnlyList<int> UnturnedLayers { get; init; } = [];

    private protected override IEnumerable<WeightShape> ListWeights() => LlamaWeights.Shapes(this);

    internal override LanguageModel Join(ModelWeights weights, Engine engine) => new LlamaModel(this, weights, engine);
}

/// <summary>Llama and what is built like it: Llama 2 to 3.3, EuroLLM, Salamandra and ALIA, Viking, Teuken, TildeOpen under its own name;
/// Mistral, with a window; SmolLM3, with layers that know no positions.</summary>
internal sealed class LlamaFamily : ModelFamily
{
    public const string Llama = "llama", Mistral = "mistral", SmolLm3 = "smollm3";

    /// <summary>Every so many-th layer of SmolLM3 is unturned; GGUF knows no other number.</summary>
    private const int UnturnedInterval = 4;

    public static LlamaFamily Instance { get; } = new();

    public override string Name => "Llama";

    public override IReadOnlyList<string> ModelTypes => [Llama, Mistral, SmolLm3];

    public override IReadOnlyList<string> GgufArchitectures => [Llama, SmolLm3];

    private protected override ModelConfig Natural(string kind, ModelSizes sizes) => new LlamaConfig
    {
        Kind = kind,
        Window = kind == Mistral ? 4096 : null,
        UnturnedLayers = kind == SmolLm3 ? Unturned(sizes.Layers, UnturnedInterval) : [],
        Rotary = kind == SmolLm3 ? new RotarySettings(5_000_000) : new RotarySettings(),
        NormEpsilon = kind == SmolLm3 ? 1e-6 : 1e-5,
        TiedHead = kind == SmolLm3,
    };

    internal override ModelConfig Parse(ConfigJson json)
    {
        json.Require("hidden_act", "silu");
        var kind = json.Text("model_type")!;
        if (kind == SmolLm3) json.Require("use_sliding_window", "false");
        return json.Decoder(new LlamaConfig
        {
            Kind = kind,
            AttentionBias = json.Flag("attention_bias", false),
            MlpBias = json.Flag("mlp_bias", false),
            // Files of the first Mistral may leave the window out, and mean 4096; later ones say null.
            Window = kind != Mistral || (json.Json.ContainsKey("sliding_window") && json.Find("sliding_window") is null) ? null : json.Integer("sliding_window", 1, 1 << 24, 4096),
            UnturnedLayers = kind == SmolLm3 ? Unturned(json) : [],
            Rotary = kind == SmolLm3 ? new RotarySettings(2_000_000) : new RotarySettings(),
            TiedHead = kind == SmolLm3,
        });
    }

    internal override ModelConfig Parse(GgufMetadata metadata) => metadata.Decoder(new LlamaConfig
    {
        Kind = metadata.Architecture,
        AttentionBias = metadata.File.Find("blk.0.attn_q.bias") is not null,
        MlpBias = metadata.File.Find("blk.0.ffn_gate.bias") is not null,
        Window = metadata.Integer("attention.sliding_window", 0, 1 << 24, 0) is > 0 and var window ? window : null,
        UnturnedLayers = metadata.Architecture == SmolLm3 ? Unturned(metadata.Integer("block_count", 1, 4096), UnturnedInterval) : [],
    });

    internal override JsonObject Write(ModelConfig config, string type)
    {
        var llama = (LlamaConfig)config;
        // What has a window is told by Mistral's files only.
        var kind = llama is { Window: not null, Kind: Llama } ? Mistral : llama.Kind;
        var json = ConfigJson.Describe(config, kind, kind switch { Mistral => "MistralForCausalLM", SmolLm3 => "SmolLM3ForCausalLM", _ => "LlamaForCausalLM" }, type);
        json["hidden_act"] = "silu";
        if (kind == Mistral) json["sliding_window"] = llama.Window;
        if (kind != Mistral || llama.AttentionBias) json["attention_bias"] = llama.AttentionBias;
        if (kind != Mistral || llama.MlpBias) json["mlp_bias"] = llama.MlpBias;
        if (kind != SmolLm3) return json;
        json["layer_types"] = ConfigJson.LayerTypes(Enumerable.Repeat(false, llama.Layers));
        json["no_rope_layers"] = new JsonArray([.. Enumerable.Range(0, llama.Layers).Select(layer => (JsonNode)(llama.UnturnedLayers.Contains(layer) ? 0 : 1))]);
        json["use_sliding_window"] = false;
        return json;
    }

    internal override void Write(ModelConfig config, GgufDescription metadata)
    {
        var llama = (LlamaConfig)config;
        var expected = llama.Kind == SmolLm3 ? Unturned(llama.Layers, UnturnedInterval) : [];
        if (!llama.UnturnedLayers.SequenceEqual(expected))
            throw new UserErrorException($"Layers {string.Join(", ", llama.UnturnedLayers)} of the model know no positions; GGUF can say that of every {UnturnedInterval}th layer of SmolLM3 only. Keep the model as a folder.");
        metadata.Decoder(config, llama.Kind == SmolLm3 ? SmolLm3 : Llama);
        if (llama.Window is { } window) metadata.Add("attention.sliding_window", (uint)window);
        GgufRotary.Describe(config.Rotary, config.HeadDimension, metadata);
    }

    private static List<int> Unturned(ConfigJson json)
    {
        const string key = "no_rope_layers";
        var layers = json.Integer("num_hidden_layers", 1, 4096);
        if (json.List(key) is not { } list) return Unturned(layers, json.Integer("no_rope_layer_interval", 1, 4096, UnturnedInterval));
        if (list.Count < layers) throw new UserErrorException($"{json.Where}: {key} has {list.Count} entries; expected one for each of {layers} layers.");
        var unturned = new List<int>();
        for (var layer = 0; layer < layers; layer++)
        {
            var turned = list[layer]?.ToJsonString();
            if (turned is not ("0" or "1")) throw json.Refused($"{key}[{layer}]", turned ?? "null", "0 and 1");
            if (turned == "0") unturned.Add(layer);
        }
        return unturned;
    }

    private static List<int> Unturned(int layers, int interval) => [.. Enumerable.Range(0, layers).Where(layer => (layer + 1) % interval == 0)];
}
