using System.Globalization;
using System.Text.Json.Nodes;
using OpenEuroLLM.Core;
using OpenEuroLLM.Tensors;

namespace OpenEuroLLM.Models.Apertus;

/// <summary>Shape of an Apertus decoder.</summary>
public sealed record ApertusConfig : ModelConfig
{
    /// <inheritdoc/>
    public override ModelFamily Family => ApertusFamily.Instance;

    private protected override IEnumerable<WeightShape> ListWeights() => ApertusWeights.Shapes(this);

    internal override LanguageModel Join(ModelWeights weights, Engine engine) => new ApertusModel(this, weights, engine);
}

/// <summary>Apertus.</summary>
internal sealed class ApertusFamily : ModelFamily
{
    /// <summary>xIELU's slope at zero and its largest exponent below zero, which are not learned.</summary>
    public const float Beta = 0.5f, Epsilon = -1e-6f;

    private const string Kind = "apertus";

    private static readonly (string Name, string Key, float Value)[] Fixed = [("beta", "xielu.beta", Beta), ("eps", "xielu.eps", Epsilon)];

    public static ApertusFamily Instance { get; } = new();

    public override string Name => "Apertus";

    public override IReadOnlyList<string> ModelTypes => [Kind];

    public override IReadOnlyList<string> GgufArchitectures => [Kind];

    public override ModelHabits HabitsOf(string kind) => new(IsGated: false);

    private protected override ModelConfig Natural(string kind, ModelSizes sizes) => new ApertusConfig { Rotary = new RotarySettings(500_000) };

    internal override IReadOnlyDictionary<string, float> Constants(ModelConfig config) => Enumerable.Range(0, config.Layers)
        .SelectMany(layer => Fixed.Select(number => (Name: string.Create(CultureInfo.InvariantCulture, $"model.layers.{layer}.mlp.act_fn.{number.Name}"), number.Value)))
        .ToDictionary(number => number.Name, number => number.Value, StringComparer.Ordinal);

    internal override ModelConfig Parse(ConfigJson json)
    {
        json.Require("hidden_act", "xielu");
        json.Require("attention_bias", "false");
        json.Require("mlp_bias", "false");
        json.Require("qk_norm", "true");
        json.Require("post_norm", "false");
        return json.Decoder(new ApertusConfig { Rotary = new RotarySettings(12_000_000) }) with { NormEpsilon = json.Number("rms_norm_eps", 1e-5) };
    }

    internal override ModelConfig Parse(GgufMetadata metadata)
    {
        var config = metadata.Decoder(new ApertusConfig());
        foreach (var (_, key, expected) in Fixed)
        {
            foreach (var found in GgufMetadata.NumberOfEachLayer(metadata.File, key, config.Layers))
            {
                // What half precision makes of it is the same number.
                if (!(Math.Abs(found - expected) <= 1e-2 * Math.Abs(expected)))
                    throw new UserErrorException(FormattableString.Invariant($"{metadata.File.Path}: {key} is {found}; this version reads {Name} models with {expected} only."));
            }
        }
        return config;
    }

    internal override JsonObject Write(ModelConfig config, string type)
    {
        var json = ConfigJson.Describe(config, Kind, "ApertusForCausalLM", type);
        json["attention_bias"] = false;
        json["hidden_act"] = "xielu";
        json["mlp_bias"] = false;
        json["post_norm"] = false;
        json["qk_norm"] = true;
        return json;
    }

    internal override void Write(ModelConfig config, GgufDescription metadata)
    {
        metadata.Decoder(config, Kind);
        GgufRotary.Describe(config.Rotary, config.HeadDimension, metadata);
        foreach (var (_, key, value) in Fixed) metadata.AddBare(key, Enumerable.Repeat(value, config.Layers).ToArray());
    }
}
