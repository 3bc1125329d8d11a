using System.Text.Json.Nodes;
using OpenEuroLLM.Core;
using OpenEuroLLM.Tensors;

namespace OpenEuroLLM.Models.Pharia;

/// <summary>Shape of a Pharia-1 decoder.</summary>
public sealed record PhariaConfig : ModelConfig
{
    /// <inheritdoc/>
    public override ModelFamily Family => PhariaFamily.Instance;

    /// <summary>Queries, keys, values and the product after attention have a bias, as in Pharia-1-LLM-7B.</summary>
    public bool AttentionBias { get; init; } = true;

    /// <summary>Both products of the feed-forward part have a bias, as in Pharia-1-LLM-7B.</summary>
    public bool MlpBias { get; init; } = true;

    private protected override IEnumerable<WeightShape> ListWeights() => PhariaWeights.Shapes(this);

    internal override LanguageModel Join(ModelWeights weights, Engine engine) => new PhariaModel(this, weights, engine);
}

/// <summary>Pharia-1.</summary>
internal sealed class PhariaFamily : ModelFamily
{
    private const string Kind = "pharia-v1";

    /// <summary>Of every norm; no setting names it.</summary>
    private const double Epsilon = 1e-5;

    public static PhariaFamily Instance { get; } = new();

    public override string Name => "Pharia";

    public override IReadOnlyList<string> ModelTypes => [Kind];

    /// <summary>None: llama.cpp has no such architecture.</summary>
    public override IReadOnlyList<string> GgufArchitectures => [];

    public override ModelHabits HabitsOf(string kind) => new(IsGated: false);

    private protected override ModelConfig Natural(string kind, ModelSizes sizes) => new PhariaConfig { Rotary = new RotarySettings(1_000_000, Pairing: RotaryPairing.Interleaved) };

    internal override ModelConfig Parse(ConfigJson json)
    {
        json.Require("hidden_act", "gelu");
        json.Require("rope_scaling", "null");
        var config = json.Decoder(new PhariaConfig
        {
            AttentionBias = json.Flag("attention_bias", true),
            MlpBias = json.Flag("mlp_bias", true),
            Rotary = new RotarySettings(1_000_000),
        });
        return config with { NormEpsilon = Epsilon, Rotary = config.Rotary with { Pairing = RotaryPairing.Interleaved } };
    }

    internal override ModelConfig Parse(GgufMetadata metadata) =>
        throw metadata.Refused("general.architecture", metadata.Architecture, "a folder"); // never: no architecture is listed

    internal override JsonObject Write(ModelConfig config, string type)
    {
        var pharia = (PhariaConfig)config;
        var json = ConfigJson.Describe(config, Kind, "PhariaForCausalLM", type);
        json.Remove("rms_norm_eps");
        json["attention_bias"] = pharia.AttentionBias;
        json["hidden_act"] = "gelu";
        json["mlp_bias"] = pharia.MlpBias;
        return json;
    }

    internal override void Write(ModelConfig config, GgufDescription metadata) =>
        throw new UserErrorException("GGUF has no architecture for Pharia models, so nothing could read the file; keep the model as a folder.");
}
