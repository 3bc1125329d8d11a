using OpenEuroLLM.Core;
using OpenEuroLLM.Formats;
using OpenEuroLLM.Models;
using OpenEuroLLM.Models.Llama;
using OpenEuroLLM.Tensors;

namespace OpenEuroLLM.Inference.Tests;

/// <summary>A real model with random weights, written to a folder and loaded from it.</summary>
internal sealed class SmallLlama : IDisposable
{
    public const int Context = 400;

    public SmallLlama(int moreTokens = 0, int width = 48, int hidden = 96)
    {
        using var engine = new Engine(1);
        using var model = LanguageModel.Create(
            new LlamaConfig(Layers: 2, Width: width, Heads: 4, KeyValueHeads: 2, HeadDimension: width / 4, Hidden: hidden,
                VocabularySize: Folder.Tokenizer.VocabularySize + moreTokens, ContextLength: Context), seed: 3, engine);
        ModelFolder.Save(model, Folder.Path, SafetensorsType.F32);
    }

    public TestFolder Folder { get; } = new();

    public string Path => Folder.Path;

    public InferenceEngine Load(EngineLimits? limits = null, int threads = 1) => InferenceEngine.Load(Path, threads, limits);

    /// <summary>Tokens that depend on a number alone.</summary>
    public static int[] Tokens(int count, ulong seed, int kinds = 200)
    {
        var random = new CounterRandom(seed, 0);
        return [.. Enumerable.Range(0, count).Select(i => (int)(random.UniformAt((ulong)i) * kinds))];
    }

    public static GenerationRequest Request(int[] prompt, int maxTokens = 12, double temperature = 1, ulong seed = 1) =>
        new(new GenerationInput.Tokens(prompt), new Sampling(temperature, Seed: seed), maxTokens, IgnoreEnd: true);

    public static async Task<List<GenerationEvent>> Collect(InferenceEngine engine, GenerationRequest request)
    {
        var events = new List<GenerationEvent>();
        await foreach (var happened in engine.Generate(request, TestContext.Current.CancellationToken)) events.Add(happened);
        return events;
    }

    public static int[] Ids(IEnumerable<GenerationEvent> events) => [.. events.OfType<GenerationEvent.Token>().Select(token => token.Id)];

    public static Usage UsageOf(IEnumerable<GenerationEvent> events) => events.OfType<GenerationEvent.Finished>().Single().Usage;

    /// <summary>What was said, without how it was computed.</summary>
    public static string Said(IEnumerable<GenerationEvent> events) => string.Join('\n', events.Select(happened => happened switch
    {
        GenerationEvent.Token(_, var id, var likelihood) => $"{id} {Show(likelihood)}",
        GenerationEvent.PromptToken(_, var id, var likelihood) => $"prompt {id} {Show(likelihood)}",
        GenerationEvent.Finished finished => $"{finished.Reason} {finished.StopText} {finished.Usage.PromptTokens} {finished.Usage.CompletionTokens}",
        _ => "",
    })) + string.Concat(events.OfType<GenerationEvent.Text>().Select(text => text.Value));

    private static string Show(TokenLikelihood? likelihood) => likelihood is null ? "" : FormattableString.Invariant(
        $"{likelihood.LogProbability:R} {string.Join(' ', likelihood.Alternatives.Select(other => FormattableString.Invariant($"{other.Id}:{other.LogProbability:R}")))}");

    public void Dispose() => Folder.Dispose();
}
