using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;

namespace OpenEuroLLM.Training;

/// <summary>How the learning rate runs over the steps.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<ScheduleKind>))]
public enum ScheduleKind
{
    /// <summary>Linear rise, constant, linear fall to zero at the end. Source: arXiv:2404.06395.</summary>
    [JsonStringEnumMemberName("warmup-stable-decay")] WarmupStableDecay,

    /// <summary>Linear rise, then half a cosine down to a tenth of the peak.</summary>
    [JsonStringEnumMemberName("cosine")] Cosine,
}

/// <summary>What a training step keeps in memory between the way there and the way back.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<Recomputation>))]
public enum Recomputation
{
    /// <summary>All results.</summary>
    [JsonStringEnumMemberName("none")] None,

    /// <summary>The input of each layer; the rest is computed again on the way back.</summary>
    [JsonStringEnumMemberName("layers")] Layers,
}

/// <summary>Shape of the model to be trained: the section <c>model</c> of a recipe. One dial, <paramref name="Layers"/>; what is left out follows from it.</summary>
/// <param name="Kind">Architecture, such as <c>llama</c>, <c>qwen3</c> or <c>gemma3</c>; its own settings are those of the published models.</param>
/// <param name="Layers">Decoder layers: the size dial.</param>
/// <param name="ContextLength">Longest sequence, in tokens.</param>
/// <param name="Width">Numbers of a token's state; absent: from the layers.</param>
/// <param name="Heads">Query heads; absent: from the width.</param>
/// <param name="KeyValueHeads">Key/value heads; absent: half the query heads.</param>
/// <param name="Hidden">Inner width of the feed-forward part; absent: from the width.</param>
/// <param name="TiedHead">The embedding serves as output head too.</param>
public sealed record ModelSettings(
    string Kind = "llama",
    [property: Range(1, 200)] int Layers = 4,
    [property: Range(16, 1_000_000)] int ContextLength = 256,
    [property: Range(8, 65_536)] int? Width = null,
    [property: Range(1, 1024)] int? Heads = null,
    [property: Range(1, 1024)] int? KeyValueHeads = null,
    [property: Range(8, 1_000_000)] int? Hidden = null,
    bool TiedHead = true);

/// <summary>How a model is trained: the section <c>training</c> of a recipe.</summary>
/// <param name="Tokens">Tokens to train on, repeats counted.</param>
/// <param name="Seed">Decides the first weights and the order of documents.</param>
/// <param name="BatchTokens">Tokens of one step; absent: from the layers.</param>
/// <param name="MicroBatchTokens">Tokens of one forward and backward pass; gradients of a batch's passes are added up.</param>
/// <param name="LearningRate">Peak rate of AdamW, per step; absent: from the width.</param>
/// <param name="Schedule">How the rate runs over the steps.</param>
/// <param name="WarmupShare">Share of the steps with a linear rise from zero.</param>
/// <param name="DecayShare">Share of the steps with the final fall (warm-up, stable, decay only).</param>
/// <param name="WeightDecay">Decoupled decay of matrices, times the learning rate.</param>
/// <param name="Beta1">Decay of AdamW's first moment.</param>
/// <param name="Beta2">Decay of AdamW's second moment.</param>
/// <param name="Epsilon">Added to the root of AdamW's second moment.</param>
/// <param name="ClipNorm">Gradients are scaled down to this global norm.</param>
/// <param name="CheckpointSteps">Steps between checkpoints; absent: a tenth of the run.</param>
/// <param name="KeepCheckpoints">Newest checkpoints that are kept during the run; the last one stays.</param>
/// <param name="EvaluateSteps">Steps between looks at the held-out text; absent: a tenth of the run.</param>
/// <param name="EvaluateTokens">Most held-out tokens of a language in such a look.</param>
/// <param name="Prompts">Texts that the model continues at each look, so that one sees it learn.</param>
/// <param name="Recompute">Memory against time: with <c>layers</c>, about one layer's results are held instead of all, for about a third more
/// arithmetic. The weights are the same bits, so a run may go on with another choice.</param>
public sealed record TrainingConfig(
    [property: Range(1, 1_000_000_000_000_000)] long Tokens = 1_200_000,
    ulong Seed = 1,
    [property: Range(16, 100_000_000)] int? BatchTokens = null,
    [property: Range(16, 1_000_000)] int MicroBatchTokens = 2048,
    [property: Range(1e-8, 1.0)] double? LearningRate = null,
    ScheduleKind Schedule = ScheduleKind.WarmupStableDecay,
    [property: Range(0.0, 1.0)] double WarmupShare = 0.03,
    [property: Range(0.0, 1.0)] double DecayShare = 0.4,
    [property: Range(0.0, 10.0)] double WeightDecay = 0.1,
    [property: Range(0.0, 0.99999)] double Beta1 = 0.9,
    [property: Range(0.0, 0.99999)] double Beta2 = 0.98,
    [property: Range(1e-20, 1.0)] double Epsilon = 1e-8,
    [property: Range(1e-6, 1e6)] double ClipNorm = 1,
    [property: Range(1, 100_000_000)] int? CheckpointSteps = null,
    [property: Range(1, 1000)] int KeepCheckpoints = 2,
    [property: Range(1, 100_000_000)] int? EvaluateSteps = null,
    [property: Range(64, 100_000_000)] int EvaluateTokens = 4096,
    IReadOnlyList<string>? Prompts = null,
    Recomputation Recompute = Recomputation.None)
{
    /// <summary>Texts that the model continues at each look.</summary>
    public IReadOnlyList<string> Prompts { get; init; } = Prompts ?? [];
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(TrainingConfig))]
internal sealed partial class TrainingJson : JsonSerializerContext;
