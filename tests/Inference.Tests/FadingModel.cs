using OpenEuroLLM.Core;

namespace OpenEuroLLM.Inference.Tests;

/// <summary>A small language model that is really computed: its state is a fading sum of token vectors, kept for each cached sequence.
/// So a logit depends on the whole history, and a row that lands in the wrong sequence or place changes the answer.</summary>
internal sealed class FadingModel : ICausalModel
{
    private const int Width = 8;
    private readonly float[] _input;
    private readonly float[] _output;
    private readonly object _gate = new();
    private int _freePages;

    public FadingModel(int vocabularySize, int contextLength = 64, int pages = 32, int pageTokens = 8)
    {
        (VocabularySize, ContextLength, TotalPages, PageTokens, _freePages) = (vocabularySize, contextLength, pages, pageTokens, pages);
        var random = new CounterRandom(1, 2);
        _input = [.. Enumerable.Range(0, vocabularySize * Width).Select(i => random.NormalAt((ulong)i))];
        _output = [.. Enumerable.Range(0, vocabularySize * Width).Select(i => random.NormalAt((ulong)(i + 1_000_000)))];
    }

    /// <summary>Called at the start of every forward call with its row counts per sequence.</summary>
    public Action<int[]>? OnStep { get; set; }

    /// <summary>Called at the start of every forward call with its tokens.</summary>
    public Action<int[]>? OnTokens { get; set; }

    /// <summary>Added to the logits of some tokens, to steer an answer.</summary>
    public Dictionary<int, float> Bias { get; } = [];

    public int VocabularySize { get; }
    public int ContextLength { get; }
    public string WeightsSha256 => new('a', 64);
    public int PageTokens { get; }
    public int TotalPages { get; }
    public int FreePages { get { lock (_gate) return _freePages; } }

    public ICachedSequence Begin(int tokens)
    {
        int pages = (tokens + PageTokens - 1) / PageTokens;
        lock (_gate)
        {
            if (pages > _freePages) throw new InvalidOperationException("no free page");
            _freePages -= pages;
        }

        return new Sequence(this, pages);
    }

    public void Step(ReadOnlySpan<int> tokens, ReadOnlySpan<BatchPart> parts, ReadOnlySpan<int> rows, Span<float> logits)
    {
        OnStep?.Invoke([.. parts.ToArray().Select(part => part.Rows)]);
        OnTokens?.Invoke(tokens.ToArray());
        int row = 0, asked = 0;
        foreach (var part in parts)
        {
            var sequence = (Sequence)part.Sequence;
            if (sequence.Length + part.Rows > sequence.Pages * PageTokens) throw new InvalidOperationException("the sequence has outgrown its pages");
            for (int end = row + part.Rows; row < end; row++)
            {
                Feed(sequence.State, tokens[row]);
                sequence.Length++;
                if (asked < rows.Length && rows[asked] == row) Logits(sequence.State, logits.Slice(asked++ * VocabularySize, VocabularySize));
            }
        }

        if (row != tokens.Length || asked != rows.Length) throw new InvalidOperationException("rows and parts do not agree");
    }

    public void Losses(ReadOnlySpan<int> tokens, ReadOnlySpan<int> lengths, ReadOnlySpan<int> targets, Span<float> losses)
    {
        var logits = new float[VocabularySize];
        int row = 0;
        foreach (int length in lengths)
        {
            if (length > ContextLength) throw new InvalidOperationException("a sequence is longer than the context");
            var state = new float[Width];
            for (int end = row + length; row < end; row++)
            {
                Feed(state, tokens[row]);
                losses[row] = 0;
                if (targets[row] < 0) continue;
                Logits(state, logits);
                double sum = 0;
                foreach (float logit in logits) sum += Numerics.Exp(logit);
                losses[row] = (float)(Numerics.Log(sum) - logits[targets[row]]);
            }
        }
    }

    public void Dispose() { }

    private void Feed(float[] state, int token)
    {
        for (int d = 0; d < Width; d++) state[d] = 0.5f * state[d] + _input[token * Width + d];
    }

    private void Logits(float[] state, Span<float> logits)
    {
        for (int id = 0; id < VocabularySize; id++)
        {
            float sum = Bias.GetValueOrDefault(id);
            for (int d = 0; d < Width; d++) sum += state[d] * _output[id * Width + d];
            logits[id] = sum;
        }
    }

    private sealed class Sequence(FadingModel owner, int pages) : ICachedSequence
    {
        private bool _disposed;

        public float[] State { get; } = new float[Width];
        public int Pages => pages;
        public int Length { get; set; }

        public void Dispose()
        {
            if (_disposed) return;
            _disposed = true;
            lock (owner._gate) owner._freePages += pages;
        }
    }
}
