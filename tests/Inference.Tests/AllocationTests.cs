using System.Threading.Channels;
using OpenEuroLLM.Core;
using OpenEuroLLM.Models;
using OpenEuroLLM.Models.Llama;
using OpenEuroLLM.Tensors;
using OpenEuroLLM.Tokenizers;

namespace OpenEuroLLM.Inference.Tests;

/// <summary>Counts the bytes that the whole process allocates, so no other test may run beside it.</summary>
[CollectionDefinition(nameof(Alone), DisableParallelization = true)]
public sealed class Alone;

[Collection(nameof(Alone))]
public sealed class AllocationTests : IDisposable
{
    private const int Tokens = 140;
    private const int Window = 10;

    /// <summary>An event that is handed out is on the heap; one that nobody else sees may be made on the stack.</summary>
    private static GenerationEvent.Token? s_one;

    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(0, 1, false)]
    [InlineData(0.8, 1, false)]
    [InlineData(0.8, 1.2, false)]
    [InlineData(0.8, 1.2, true)]
    public async Task A_decoded_token_allocates_nothing_but_the_event_that_is_handed_out(double temperature, double repetitionPenalty, bool guesses)
    {
        var tokenizer = _folder.Tokenizer;
        int silent = tokenizer.TokenId(SpecialTokens.User)!.Value; // it has no text
        var tensors = new Engine(2);
        var llama = LanguageModel.Create(new LlamaConfig(Layers: 2, Width: 48, Heads: 4, KeyValueHeads: 2, HeadDimension: 12, Hidden: 96,
            VocabularySize: tokenizer.VocabularySize, ContextLength: 200), seed: 3, tensors);
        using var model = new Steered(new LanguageModelAdapter(tensors, llama, 8), silent);
        using var scheduler = new Scheduler(model, tokenizer, new HashSet<int>(), new EngineLimits(), SystemClock.Instance);
        var sampling = new Sampling(temperature, TopP: 0.9, TopK: 50, RepetitionPenalty: repetitionPenalty, Seed: 1, MinP: 0.01, TypicalP: 0.95, PresencePenalty: 0.1, FrequencyPenalty: 0.01);
        var counts = new Counts();
        scheduler.Enqueue(new Job(new ValidatedRequest([1, 2, 3, 4, 5], sampling, Tokens, [], 1, 0, null) { Speculation = guesses ? new Speculation(4) : null }, counts, TestContext.Current.CancellationToken));
        await counts.Done.Task.WaitAsync(TestContext.Current.CancellationToken);

        // The runner's own threads may allocate meanwhile, so one quiet window is enough: a token that allocates does so in every window.
        long least = Enumerable.Range(0, Tokens / Window - 3).Min(i => counts.Bytes[20 + (i + 1) * Window] - counts.Bytes[20 + i * Window]);
        long before = GC.GetAllocatedBytesForCurrentThread();
        s_one = new GenerationEvent.Token(0, silent);
        long size = GC.GetAllocatedBytesForCurrentThread() - before;
        Assert.Equal(silent, s_one.Id);
        Assert.Equal(Window * size, least);
    }

    /// <summary>A real model whose logits are shifted towards one token.</summary>
    private sealed class Steered(ICausalModel inner, int favourite) : ICausalModel
    {
        public int VocabularySize => inner.VocabularySize;
        public int ContextLength => inner.ContextLength;
        public int Width => inner.Width;
        public int PageTokens => inner.PageTokens;
        public int TotalPages => inner.TotalPages;
        public int FreePages => inner.FreePages;
        public StepCosts Costs => inner.Costs;

        public string WeightsSha256() => inner.WeightsSha256();

        public string Fingerprint() => inner.Fingerprint();

        public ICachedSequence? TryBegin(int tokens, ReadOnlySpan<PrefixHash> prefix) => inner.TryBegin(tokens, prefix);

        public void Step(ReadOnlySpan<int> tokens, ReadOnlySpan<BatchPart> parts, ReadOnlySpan<int> rows, Span<float> logits)
        {
            inner.Step(tokens, parts, rows, logits);
            for (int row = 0; row < rows.Length; row++) logits[row * VocabularySize + favourite] += 1000;
        }

        public void Losses(ReadOnlySpan<int> tokens, ReadOnlySpan<int> lengths, ReadOnlySpan<int> targets, Span<float> losses) =>
            inner.Losses(tokens, lengths, targets, losses);

        public ReadOnlySpan<float> Hidden(ReadOnlySpan<int> tokens, ReadOnlySpan<int> lengths) => inner.Hidden(tokens, lengths);

        public void Dispose() => inner.Dispose();
    }

    /// <summary>Notes what the process has allocated when a token arrives.</summary>
    private sealed class Counts : ChannelWriter<GenerationEvent>
    {
        private int _tokens;

        public long[] Bytes { get; } = new long[Tokens];

        public TaskCompletionSource Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public override bool TryWrite(GenerationEvent item)
        {
            if (item is GenerationEvent.Token) Bytes[_tokens++] = GC.GetTotalAllocatedBytes(precise: true);
            else Assert.IsType<GenerationEvent.Finished>(item);
            return true;
        }

        public override bool TryComplete(Exception? error = null) => error is null ? Done.TrySetResult() : Done.TrySetException(error);

        public override ValueTask<bool> WaitToWriteAsync(CancellationToken cancellationToken = default) => ValueTask.FromResult(true);
    }
}
