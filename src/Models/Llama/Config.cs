using System.Text.Json.Nodes;
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

    private protected override IEnumerable<WeightShape> ListWeights() => LlamaWeights.Shapes(this);

    internal override LanguageModel Join(ModelWeights weights, Engine engine) => new LlamaModel(this, weights, engine);
}

/// <summary>Llama and what is built like it.</summary>
internal sealed class LlamaFamily : ModelFamily
{
    private const string Kind = "llama";

    public static LlamaFamily Instance { get; } = new();

    public override string Name => "Llama";

    public override IReadOnlyList<string> ModelTypes => [Kind];

    public override IReadOnlyList<string> GgufArchitectures => [Kind];

    internal override ModelConfig Parse(ConfigJson json)
    {
        json.Require("hidden_act", "silu");
        json.Require("attention_bias", "false");
        json.Require("mlp_bias", "false");
        return json.Decoder(new LlamaConfig());
    }

    internal override ModelConfig Parse(GgufMetadata metadata) => metadata.Decoder(new LlamaConfig());

    internal override JsonObject Write(ModelConfig config, string type)
    {
        var json = ConfigJson.Describe(config, Kind, "LlamaForCausalLM", type);
        json["attention_bias"] = false;
        json["hidden_act"] = "silu";
        json["mlp_bias"] = false;
        return json;
    }

    internal override void Write(ModelConfig config, GgufDescription metadata)
    {
        metadata.Decoder(config, Kind);
        GgufRotary.Describe(config.Rotary, config.HeadDimension, metadata);
    }
}
