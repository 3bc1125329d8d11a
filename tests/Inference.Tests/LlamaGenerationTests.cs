using OpenEuroLLM.Core;
using OpenEuroLLM.Formats;
using OpenEuroLLM.Models;
using OpenEuroLLM.Models.Llama;
using OpenEuroLLM.Tensors;

namespace OpenEuroLLM.Inference.Tests;

/// <summary>The same promises with a real model: random weights, written to a folder and loaded from it.</summary>
public sealed class LlamaGenerationTests : IDisposable
{
    private readonly TestFolder _folder = new();

    public LlamaGenerationTests()
    {
        using var engine = new Engine(1);
        using var model = LanguageModel.Create(
            new LlamaConfig(Layers: 2, Width: 48, Heads: 4, KeyValueHeads: 2, HeadDimension: 12, Hidden: 96,
                VocabularySize: _folder.Tokenizer.VocabularySize, ContextLength: 160), seed: 3, engine);
        ModelFolder.Save(model, _folder.Path, SafetensorsType.BF16);
    }

    private static CancellationToken Ending => TestContext.Current.CancellationToken;

    private static async Task<int[]> Ids(InferenceEngine engine, GenerationRequest request)
    {
        var ids = new List<int>();
        await foreach (var happened in engine.Generate(request, Ending))
            if (happened is GenerationEvent.Token token) ids.Add(token.Id);
        return [.. ids];
    }

    private static GenerationRequest[] Requests =>
    [
        .. Enumerable.Range(0, 10).Select(i => new GenerationRequest(
            new GenerationInput.TextInput(string.Concat(Enumerable.Repeat("hello abc ", 1 + i * 2 % 11))), new Sampling(i % 3, Seed: (ulong)i), 10 + i)),
    ];

    [Fact]
    public async Task Answers_are_the_same_alone_in_company_and_with_more_threads()
    {
        var expected = new List<int[]>();
        using (var engine = InferenceEngine.Load(_folder.Path, threads: 1))
            foreach (var request in Requests) expected.Add(await Ids(engine, request));
        Assert.Contains(expected, ids => ids.Distinct().Count() > 5);

        foreach (var (threads, limits) in ((int, EngineLimits)[])[(2, new(BatchRows: 7, Sequences: 4)), (2, new()), (1, new(BatchRows: 70, Sequences: 10))])
        {
            using var engine = InferenceEngine.Load(_folder.Path, threads, limits);
            var together = await Task.WhenAll(Requests.Select(request => Task.Run(() => Ids(engine, request), Ending)));
            Assert.Equal(expected, together);
        }
    }

    [Fact]
    public void A_model_or_a_cache_that_does_not_fit_into_memory_is_refused_and_the_usual_cache_shrinks_to_one_context()
    {
        using var source = ModelSource.Open(_folder.Path);
        ModelMemory.RequireWeights(source);
        Assert.EndsWith("loading the weights needs about 0 MB of memory, 0 MB are available; use a smaller model, or one with fewer bits for each weight.",
            Assert.Throws<UserErrorException>(() => ModelMemory.RequireWeights(source, available: 1000)).Message, StringComparison.Ordinal);
        var config = ModelFolder.ReadConfig(_folder.Path);
        long page = KeyValueCache.BytesOf(config.Layers, config.KeyValueHeads, config.HeadDimension, 1);
        Assert.Equal(256, ModelMemory.CachePages(config, null, "m")); // eight contexts, which count as 2,048 tokens each
        Assert.Equal(128, ModelMemory.CachePages(config, null, "m", 255 * page));
        Assert.Equal(3, ModelMemory.CachePages(config, null, "m", 19 * page)); // the one of 160
        Assert.Equal(3, ModelMemory.CachePages(config, null, "m", 3 * page));
        Assert.Equal(16, ModelMemory.CachePages(config, 1000, "m", 16 * page));
        Assert.StartsWith("m: a key/value cache of 160 tokens needs about", Assert.Throws<UserErrorException>(() => ModelMemory.CachePages(config, null, "m", page)).Message, StringComparison.Ordinal);
        Assert.StartsWith("m: a key/value cache of 1000 tokens needs about", Assert.Throws<UserErrorException>(() => ModelMemory.CachePages(config, 1000, "m", 15 * page)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Greedy_generation_agrees_with_computing_the_whole_history_for_each_token()
    {
        var prompt = new List<int> { _folder.Tokenizer.Chat.BeginOfText };
        prompt.AddRange(_folder.Tokenizer.Encode(string.Concat(Enumerable.Repeat("world ", 15))));
        var history = new List<int>(prompt);
        using (var engine = new Engine(1))
        using (var model = LanguageModel.Load(_folder.Path, engine))
        {
            var logits = new float[model.VocabularySize];
            while (history.Count < prompt.Count + 20)
            {
                engine.Reset();
                var layout = new SequenceLayout();
                layout.Add(history.Count);
                model.Logits(model.Forward(history.ToArray(), layout), [history.Count - 1], logits);
                history.Add(logits.AsSpan().IndexOf(logits.Max()));
            }
        }

        using var inference = InferenceEngine.Load(_folder.Path, threads: 2);
        int[] found = await Ids(inference, new(new GenerationInput.Tokens(prompt), Sampling.Greedy, 20));
        Assert.Equal(history.Skip(prompt.Count).Take(found.Length), found);
        Assert.True(found.Length == 20 || found[^1] == _folder.Tokenizer.Chat.EndOfText || found[^1] == _folder.Tokenizer.Chat.EndOfTurn);
    }

    [Fact]
    public void Logits_have_the_same_bits_however_the_rows_are_split_and_whoever_shares_the_batch()
    {
        int[] tokens = [_folder.Tokenizer.Chat.BeginOfText, .. _folder.Tokenizer.Encode(string.Concat(Enumerable.Repeat("some abc text ", 6)))];
        int[] other = _folder.Tokenizer.Encode("another one entirely");
        var engine = new Engine(2);
        using var model = new LanguageModelAdapter(engine, LanguageModel.Load(_folder.Path, engine), cachePages: 64);
        var whole = new float[model.VocabularySize];
        using (var sequence = model.TryBegin(tokens.Length, [])!) model.Step(tokens, [new(sequence, tokens.Length)], [tokens.Length - 1], whole);

        foreach (int piece in (int[])[1, 5, 17])
        {
            using var sequence = model.TryBegin(tokens.Length, [])!;
            using var companion = model.TryBegin(tokens.Length * other.Length, [])!;
            var logits = new float[model.VocabularySize];
            for (int at = 0; at < tokens.Length; at += piece)
            {
                int[] rows = tokens[at..Math.Min(tokens.Length, at + piece)];
                model.Step([.. other, .. rows], [new(companion, other.Length), new(sequence, rows.Length)], [other.Length + rows.Length - 1], logits);
            }

            Assert.Equal(whole, logits);
            Assert.Equal(tokens.Length, sequence.Length);
        }

        Assert.Equal(model.TotalPages, model.FreePages);
    }

    [Fact]
    public void Scores_have_the_same_bits_however_texts_are_packed()
    {
        using var engine = InferenceEngine.Load(_folder.Path, threads: 2);
        string[] texts = [.. Enumerable.Range(0, 9).Select(i => string.Concat(Enumerable.Repeat($"text {i} ", 1 + i * 8)))];
        var together = new Scorer(engine).Score(texts, Ending);
        for (int i = 0; i < texts.Length; i++) Assert.Equal(together[i], new Scorer(engine, batchRows: 20).Score([texts[i]], Ending)[0]);
        Assert.True(together[8].Tokens > engine.Info.ContextLength);
        // A model that knows nothing needs about as many bits as the vocabulary is wide.
        Assert.All(together, score => Assert.InRange(-score.LogProbability / score.Tokens, 4.5, 7));
    }

    [Fact]
    public async Task Conversations_are_answered_and_the_info_is_the_models()
    {
        using var engine = InferenceEngine.Load(_folder.Path, threads: 1);
        Assert.Equal(("tiny", 160, true), (engine.Info.Name, engine.Info.ContextLength, engine.Info.CanChat));
        Assert.Equal(64, engine.Info.WeightsSha256.Length);
        var request = new GenerationRequest(new GenerationInput.Messages([new ChatMessage("user", "hello")]), MaxTokens: 6);
        Assert.Equal(await Ids(engine, request), await Ids(engine, request));
    }

    public void Dispose() => _folder.Dispose();
}
