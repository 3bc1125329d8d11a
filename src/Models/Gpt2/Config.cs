using System.Text.Json.Nodes;
using OpenEuroLLM.Core;
using OpenEuroLLM.Tensors;

namespace OpenEuroLLM.Models.Gpt2;

/// <summary>Shape of a GPT-2 decoder.</summary>
public sealed record Gpt2Config : ModelConfig
{
    /// <inheritdoc/>
    public override ModelFamily Family => Gpt2Family.Instance;

    internal override void Check(string where)
    {
        base.Check(where);
        if (KeyValueHeads != Heads || (long)Heads * HeadDimension != Width)
            throw new UserErrorException($"{where}: {Heads} heads of {HeadDimension} numbers over {KeyValueHeads} key/value heads; a GPT-2 of width {Width} has as many of one kind as of the other, and together they are as wide as it.");
    }

    private protected override IEnumerable<WeightShape> ListWeights() => Gpt2Weights.Shapes(this);

    internal override LanguageModel Join(ModelWeights weights, Engine engine) => new Gpt2Model(this, weights, engine);
}

/// <summary>GPT-2.</summary>
internal sealed class Gpt2Family : ModelFamily
{
    /// <summary>What names of weights begin with where a model was stored with its head, and not where it was stored without.</summary>
    public const string Prefix = "transformer.";

    private const string Kind = "gpt2", Norm = "attention.layer_norm_epsilon";

    public static Gpt2Family Instance { get; } = new();

    public override string Name => "GPT-2";

    public override IReadOnlyList<string> ModelTypes => [Kind];

    public override IReadOnlyList<string> GgufArchitectures => [Kind];

    public override ModelHabits HabitsOf(string kind) => new(IsGated: false, SharesKeys: false);

    internal override IReadOnlyList<string> Aliases(string name) => name.StartsWith(Prefix, StringComparison.Ordinal) ? [name[Prefix.Length..]] : [];

    /// <summary>Older files hold the causal mask of each layer.</summary>
    internal override bool Ignores(string name) => name.EndsWith(".attn.bias", StringComparison.Ordinal) || name.EndsWith(".attn.masked_bias", StringComparison.Ordinal);

    private protected override ModelConfig Natural(string kind, ModelSizes sizes) => new Gpt2Config { TiedHead = true };

    internal override ModelConfig Parse(ConfigJson json)
    {
        var activation = json.Text("activation_function");
        if (activation != "gelu_pytorch_tanh") json.Require("activation_function", "gelu_new"); // two names of one function
        json.Require("scale_attn_weights", "true");
        json.Require("scale_attn_by_inverse_layer_idx", "false");
        json.Require("add_cross_attention", "false");
        var (width, heads) = (json.Integer("n_embd", 2, 1 << 20, 768), json.Integer("n_head", 1, 1 << 14, 12));
        if (width % heads != 0) throw new UserErrorException($"{json.Where}: n_embd is {width}; expected a multiple of n_head, {heads}.");
        var config = json.Tokens(new Gpt2Config
        {
            Layers = json.Integer("n_layer", 1, 4096, 12),
            Width = width,
            Heads = heads,
            KeyValueHeads = heads,
            HeadDimension = width / heads,
            Hidden = json.Integer("n_inner", 1, 1 << 22, 4 * width),
            VocabularySize = 50_257,
            ContextLength = json.Integer("n_positions", 1, 1 << 24, json.Integer("n_ctx", 1, 1 << 24, 1024)),
            NormEpsilon = json.Number("layer_norm_epsilon", 1e-5),
            TiedHead = json.Flag("tie_word_embeddings", true),
        });
        return config with
        {
            BeginOfTextId = json.Json.ContainsKey("bos_token_id") ? config.BeginOfTextId : 50_256,
            EndIds = json.Json.ContainsKey("eos_token_id") ? config.EndIds : [50_256],
        };
    }

    internal override ModelConfig Parse(GgufMetadata metadata) => metadata.Decoder(new Gpt2Config(), Norm);

    internal override JsonObject Write(ModelConfig config, string type) => new()
    {
        ["activation_function"] = "gelu_new",
        ["architectures"] = new JsonArray("GPT2LMHeadModel"),
        ["bos_token_id"] = config.BeginOfTextId,
        ["dtype"] = type,
        ["eos_token_id"] = new JsonArray([.. config.EndIds.Select(id => (JsonNode)id)]),
        ["initializer_range"] = 0.02,
        ["layer_norm_epsilon"] = config.NormEpsilon,
        ["model_type"] = Kind,
        ["n_ctx"] = config.ContextLength,
        ["n_embd"] = config.Width,
        ["n_head"] = config.Heads,
        ["n_inner"] = config.Hidden,
        ["n_layer"] = config.Layers,
        ["n_positions"] = config.ContextLength,
        ["pad_token_id"] = config.PaddingId,
        ["scale_attn_by_inverse_layer_idx"] = false,
        ["scale_attn_weights"] = true,
        ["tie_word_embeddings"] = config.TiedHead,
        ["torch_dtype"] = type,
        ["vocab_size"] = config.VocabularySize,
    };

    internal override void Write(ModelConfig config, GgufDescription metadata) => metadata.Decoder(config, Kind, Norm);
}
