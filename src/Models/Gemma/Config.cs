using System.Text.Json.Nodes;
using OpenEuroLLM.Core;
using OpenEuroLLM.Tensors;

namespace OpenEuroLLM.Models.Gemma;

/// <summary>Shape of a Gemma 2 or Gemma 3 decoder; of a Gemma 3 that also sees, its part for text.</summary>
public sealed record GemmaConfig : ModelConfig
{
    /// <inheritdoc/>
    public override ModelFamily Family => GemmaFamily.Instance;

    /// <summary>The generation: <c>gemma2</c>, or <c>gemma3</c>, which norms each head of queries and keys.</summary>
    public string Kind { get; init; } = GemmaFamily.Gemma3;

    /// <summary>In local layers a token sees so many tokens, itself and those before it; null: all, and local layers differ in their positions only.</summary>
    public int? Window { get; init; }

    /// <summary>For each layer whether it is a local one.</summary>
    public IReadOnlyList<bool> LocalLayers { get; init; } = [];

    /// <summary>How positions turn queries and keys in local layers.</summary>
    public RotarySettings LocalRotary { get; init; } = new();

    /// <summary>Scores of attention are divided by its root: <c>query_pre_attn_scalar</c>.</summary>
    public double QueryScalar { get; init; } = 256;

    /// <summary>Scores s of attention become cap · tanh(s / cap); null: they stay.</summary>
    public double? AttentionSoftCap { get; init; }

    /// <summary>The same for logits.</summary>
    public double? LogitSoftCap { get; init; }

    internal bool HasHeadNorms => Kind == GemmaFamily.Gemma3;

    internal override void Check(string where)
    {
        base.Check(where);
        if (!TiedHead) throw new UserErrorException($"{where}: the head is not tied to the embedding; this version reads Gemma models with a tied head only.");
        if (LocalLayers.Count != Layers) throw new UserErrorException($"{where}: {LocalLayers.Count} layers are said to be local or global; expected {Layers}.");
        try
        {
            LocalRotary.Check(HeadDimension);
        }
        catch (ArgumentException exception)
        {
            throw new UserErrorException($"{where}: local layers: {exception.Message}.", exception);
        }
    }

    private protected override IEnumerable<WeightShape> ListWeights() => GemmaWeights.Shapes(this);

    internal override LanguageModel Join(ModelWeights weights, Engine engine) => new GemmaModel(this, weights, engine);
}

/// <summary>Gemma 2 and Gemma 3.</summary>
internal sealed class GemmaFamily : ModelFamily
{
    public const string Gemma2 = "gemma2", Gemma3 = "gemma3";

    private const string Gemma3Text = "gemma3_text", Activation = "gelu_pytorch_tanh", LocalBase = "rope_local_base_freq";

    private static readonly string[] SeeingParts = ["vision_tower.", "multi_modal_projector.", "model.vision_tower.", "model.multi_modal_projector."];

    public static GemmaFamily Instance { get; } = new();

    public override string Name => "Gemma";

    public override IReadOnlyList<string> ModelTypes => [Gemma2, Gemma3Text, Gemma3];

    public override IReadOnlyList<string> GgufArchitectures => [Gemma2, Gemma3];

    public override IReadOnlyList<string> Kinds => [Gemma2, Gemma3];

    /// <summary>Folders of a Gemma 3 that also sees name the part for text otherwise, older and newer ones.</summary>
    internal override IReadOnlyList<string> Aliases(string name) => [$"language_model.{name}", name.Replace("model.", "model.language_model.", StringComparison.Ordinal)];

    /// <summary>The part that sees is passed over: text is computed without it.</summary>
    internal override bool Ignores(string name) =>
        base.Ignores(name) || name == "language_model.lm_head.weight" || SeeingParts.Any(part => name.StartsWith(part, StringComparison.Ordinal));

    private protected override ModelConfig Natural(string kind, ModelSizes sizes)
    {
        var local = Locals(sizes.Layers, Period(kind));
        return kind == Gemma2
            ? Base(kind, local) with { Window = 4096, QueryScalar = sizes.HeadDimension, AttentionSoftCap = 50, LogitSoftCap = 30 }
            : Base(kind, local) with { Window = 512, QueryScalar = sizes.HeadDimension };
    }

    internal override ModelConfig Parse(ConfigJson file)
    {
        var kind = file.Text("model_type") == Gemma2 ? Gemma2 : Gemma3;
        var json = Text(file);
        json.Require("hidden_activation", Activation);
        if (json.Find("hidden_activation") is null) json.Require("hidden_act", Activation);
        json.Require("attention_bias", "false");
        json.Require("use_bidirectional_attention", "false");
        var layers = json.Integer("num_hidden_layers", 1, 4096, 26);
        var period = kind == Gemma2 ? 2 : json.Integer("sliding_window_pattern", 1, 4096, json.Integer("_sliding_window_pattern", 1, 4096, Period(kind)));
        var noWindow = json.Json.ContainsKey("sliding_window") && json.Find("sliding_window") is null;
        var config = Base(kind, json.WindowLayers(layers, layer => IsLocal(layer, period))) with
        {
            Heads = 8,
            KeyValueHeads = 4,
            HeadDimension = 256,
            VocabularySize = kind == Gemma2 ? 256_000 : 262_208,
            ContextLength = kind == Gemma2 ? 8192 : 131_072,
            Window = noWindow ? null : json.Integer("sliding_window", 1, 1 << 24, 4096),
            QueryScalar = json.Number("query_pre_attn_scalar", 256),
            AttentionSoftCap = Cap("attn_logit_softcapping", 50),
            LogitSoftCap = Cap("final_logit_softcapping", 30),
        };
        config = WithPositions(json.Decoder(config), json);
        return config with
        {
            BeginOfTextId = json.Json.ContainsKey("bos_token_id") ? config.BeginOfTextId : 2,
            EndIds = json.Json.ContainsKey("eos_token_id") ? config.EndIds : [1],
            PaddingId = json.Json.ContainsKey("pad_token_id") ? config.PaddingId : 0,
        };

        // What Gemma 2 leaves out has a value, what it says to be null has none.
        double? Cap(string key, double absent) => json.OptionalNumber(key) ?? (kind == Gemma2 && !json.Json.ContainsKey(key) ? absent : null);
    }

    internal override ModelConfig Parse(GgufMetadata metadata)
    {
        var kind = metadata.Architecture;
        var layers = metadata.Integer("block_count", 1, 4096);
        var window = metadata.Integer("attention.sliding_window", 0, 1 << 24, kind == Gemma2 ? 4096 : 0);
        var period = metadata.Integer("attention.sliding_window_pattern", 1, 4096, Period(kind));
        var config = metadata.Decoder(Base(kind, window == 0 ? [.. Enumerable.Repeat(false, layers)] : Locals(layers, period)) with
        {
            Window = window == 0 ? null : window,
            AttentionSoftCap = metadata.OptionalNumber("attn_logit_softcapping") ?? (kind == Gemma2 ? 50 : null),
            LogitSoftCap = metadata.OptionalNumber("final_logit_softcapping") ?? (kind == Gemma2 ? 30 : null),
        });
        if (!config.TiedHead) throw metadata.Refused("output.weight", "there", "a tied head");
        return config with
        {
            QueryScalar = GgufQueryScalar(config),
            LocalRotary = kind == Gemma2 ? config.Rotary : new RotarySettings(metadata.Number("rope.freq_base_swa", 10_000)),
        };
    }

    internal override JsonObject Write(ModelConfig config, string type)
    {
        var gemma = (GemmaConfig)config;
        var json = ConfigJson.Describe(config, gemma.HasHeadNorms ? Gemma3Text : Gemma2, gemma.HasHeadNorms ? "Gemma3ForCausalLM" : "Gemma2ForCausalLM", type);
        json["attention_bias"] = false;
        json["attn_logit_softcapping"] = gemma.AttentionSoftCap;
        json["final_logit_softcapping"] = gemma.LogitSoftCap;
        json["hidden_activation"] = Activation;
        json["layer_types"] = ConfigJson.LayerTypes(gemma.LocalLayers);
        json["query_pre_attn_scalar"] = gemma.QueryScalar;
        json["sliding_window"] = gemma.Window;
        if (!gemma.HasHeadNorms) return json;
        if (PeriodOf(gemma) is { } period) json["sliding_window_pattern"] = period;
        // Older readers have the bases beside each other, newer ones a section for each kind of layer.
        json[LocalBase] = gemma.LocalRotary.Theta;
        var local = new JsonObject();
        RotaryJson.Write(gemma.LocalRotary, local);
        json["rope_parameters"] = new JsonObject
        {
            [RotaryJson.FullAttention] = json["rope_parameters"]!.DeepClone(),
            [RotaryJson.SlidingAttention] = local["rope_parameters"]!.DeepClone(),
        };
        return json;
    }

    internal override void Write(ModelConfig config, GgufDescription metadata)
    {
        var gemma = (GemmaConfig)config;
        Require(gemma.QueryScalar == GgufQueryScalar(gemma), FormattableString.Invariant($"divides scores of attention by the root of {gemma.QueryScalar}"),
            FormattableString.Invariant($"the root of {GgufQueryScalar(gemma)} for {gemma.Layers} layers"));
        Require(!gemma.HasHeadNorms || gemma is { AttentionSoftCap: null, LogitSoftCap: null }, "caps scores or logits", "no caps");
        Require(gemma.HasHeadNorms || gemma is { AttentionSoftCap: not null, LogitSoftCap: not null }, "caps scores or logits not", "both caps");
        Require(gemma.Window is not null || !gemma.LocalLayers.Contains(true), "has local layers without a window", "a window");
        Require(gemma.HasHeadNorms ? gemma.LocalRotary is { Scaling: RotaryScaling.None, Divisors.IsEmpty: true } : gemma.LocalRotary.Equals(gemma.Rotary),
            "turns its local layers in another way", "a base of their own");
        metadata.Decoder(config, gemma.Kind);
        if (gemma.Window is { } window)
        {
            var period = PeriodOf(gemma);
            Require(period is not null, "has its global layers in no even distance", "one in every so many layers");
            metadata.Add("attention.sliding_window", (uint)window);
            if (period != Period(gemma.Kind)) metadata.Add("attention.sliding_window_pattern", (uint)period!);
            if (gemma.HasHeadNorms) metadata.Add("rope.freq_base_swa", (float)gemma.LocalRotary.Theta);
        }
        if (gemma.AttentionSoftCap is { } scores) metadata.Add("attn_logit_softcapping", (float)scores);
        if (gemma.LogitSoftCap is { } logits) metadata.Add("final_logit_softcapping", (float)logits);
        GgufRotary.Describe(config.Rotary, config.HeadDimension, metadata);

        void Require(bool holds, string found, string expected)
        {
            if (!holds) throw new UserErrorException($"The model {found}; GGUF can say {expected} of {gemma.Kind} only. Keep the model as a folder.");
        }
    }

    private static GemmaConfig Base(string kind, IReadOnlyList<bool> local) => new()
    {
        Kind = kind,
        LocalLayers = local,
        NormEpsilon = 1e-6,
        TiedHead = true,
        Rotary = new RotarySettings(kind == Gemma2 ? 10_000 : 1_000_000),
    };

    /// <summary>The part for text of a model that also sees, with the tokens of the whole.</summary>
    private ConfigJson Text(ConfigJson file)
    {
        if (file.Text("model_type") != Gemma3) return file;
        if (file.Find("text_config") is not JsonObject text) throw new UserErrorException($"{file.Where}: text_config is missing; a {Gemma3} model has its settings there.");
        var whole = (JsonObject)text.DeepClone();
        foreach (var key in new[] { "bos_token_id", "eos_token_id", "pad_token_id" })
            if (file.Find(key) is { } value) whole[key] = value.DeepClone();
        return new ConfigJson(whole, file.Where, Name);
    }

    private static GemmaConfig WithPositions(GemmaConfig config, ConfigJson json)
    {
        if (!config.HasHeadNorms) return config with { LocalRotary = config.Rotary };
        var local = RotaryJson.IsByLayers(json) ? RotaryJson.Parse(json, 10_000, layers: RotaryJson.SlidingAttention) : new RotarySettings(json.Number(LocalBase, 10_000));
        return config with { LocalRotary = local };
    }

    /// <summary>One layer in so many is global.</summary>
    private static int Period(string kind) => kind == Gemma2 ? 2 : 6;

    private static bool IsLocal(int layer, int period) => (layer + 1) % period != 0;

    private static List<bool> Locals(int layers, int period) => [.. Enumerable.Range(0, layers).Select(layer => IsLocal(layer, period))];

    /// <summary>One layer in how many is global, the usual number where several would do; null: there is no such number.</summary>
    private static int? PeriodOf(GemmaConfig config)
    {
        var global = config.LocalLayers.Index().Where(layer => !layer.Item).Select(layer => layer.Index + 1).FirstOrDefault(config.Layers + 1);
        foreach (var period in new[] { Period(config.Kind), global })
            if (config.LocalLayers.SequenceEqual(Locals(config.Layers, period))) return period;
        return null;
    }

    /// <summary>GGUF does not say it: llama.cpp takes the length of a head, and for the number of layers that the models of 27B have, the width over the heads.</summary>
    private static double GgufQueryScalar(GemmaConfig config) =>
        config.Layers == (config.HasHeadNorms ? 62 : 46) ? config.Width / config.Heads : config.HeadDimension;
}
