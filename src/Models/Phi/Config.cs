using System.Text.Json.Nodes;
using OpenEuroLLM.Tensors;

namespace OpenEuroLLM.Models.Phi;

/// <summary>Shape of a Phi-3, Phi-3.5, Phi-4 or Phi-4-mini decoder.</summary>
public sealed record PhiConfig : ModelConfig
{
    /// <inheritdoc/>
    public override ModelFamily Family => PhiFamily.Instance;

    /// <summary>A token sees so many tokens, itself and those before it; null: all.</summary>
    public int? Window { get; init; }

    /// <summary>Both lists of LongRoPE; null: the model has another scaling or none.</summary>
    public LongRopeDivisors? Divisors { get; init; }

    /// <summary>How positions turn queries and keys in the context that these settings name: see <see cref="LongRopeDivisors"/>.</summary>
    internal RotarySettings ServedRotary => Divisors is { } lists ? Rotary with { Divisors = lists.For(ContextLength, Rotary.OriginalContextLength) } : Rotary;

    private protected override IEnumerable<WeightShape> ListWeights() => PhiWeights.Shapes(this);

    internal override LanguageModel Join(ModelWeights weights, Engine engine) => new PhiModel(this, weights, engine);
}

/// <summary>Phi-3, Phi-3.5, Phi-4 and Phi-4-mini, dense.</summary>
internal sealed class PhiFamily : ModelFamily
{
    private const string Kind = "phi3", WindowKey = "attention.sliding_window";

    public static PhiFamily Instance { get; } = new();

    public override string Name => "Phi";

    public override IReadOnlyList<string> ModelTypes => [Kind];

    public override IReadOnlyList<string> GgufArchitectures => [Kind];

    private protected override ModelConfig Natural(string kind, ModelSizes sizes) => new PhiConfig();

    internal override ModelConfig Parse(ConfigJson json)
    {
        json.Require("hidden_act", "silu");
        json.Require("attention_bias", "false");
        var config = json.Decoder(new PhiConfig
        {
            Window = json.Find("sliding_window") is null ? null : json.Integer("sliding_window", 1, 1 << 24),
            Divisors = RotaryJson.Divisors(json),
        }, turnsPart: true);
        return config with { NormEpsilon = json.Number("rms_norm_eps", 1e-5) };
    }

    internal override ModelConfig Parse(GgufMetadata metadata)
    {
        var config = metadata.Decoder(new PhiConfig { Window = metadata.Integer(WindowKey, 0, 1 << 24, 0) is > 0 and var window ? window : null }, turnsPart: true);
        return config with { Divisors = GgufRotary.Divisors(metadata, config.Rotary.Dimensions ?? config.HeadDimension) };
    }

    internal override JsonObject Write(ModelConfig config, string type)
    {
        var phi = (PhiConfig)config;
        var json = ConfigJson.Describe(config, Kind, "Phi3ForCausalLM", type, phi.Divisors);
        json["attention_bias"] = false;
        json["hidden_act"] = "silu";
        // A reader that finds no original context takes 4096.
        json["original_max_position_embeddings"] = config.Rotary.Scaling == RotaryScaling.LongRope ? config.Rotary.OriginalContextLength : config.ContextLength;
        json["sliding_window"] = phi.Window;
        return json;
    }

    internal override void Write(ModelConfig config, GgufDescription metadata)
    {
        var phi = (PhiConfig)config;
        metadata.Decoder(config, Kind);
        // Without the key llama.cpp guesses a window from the model's sizes; 0 means that there is none.
        metadata.Add(WindowKey, (uint)(phi.Window ?? 0));
        GgufRotary.Describe(config.Rotary, config.HeadDimension, metadata, phi.Divisors);
    }
}
