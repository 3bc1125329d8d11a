using OpenEuroLLM.Core;
using OpenEuroLLM.Tensors;

namespace OpenEuroLLM.Inference.Tests;

/// <summary>A small language model that is really computed: its state is a fading sum of token vectors, kept for each cached sequence.
/// So a logit depends on the whole history, and a row that lands in the wrong sequence or place changes the answer.</summary>
internal sealed class FadingModel : ICausalModel
{
    private const int StateWidth = 8;
    private readonly float[] _input;
    private readonly float[] _output;
    private readonly object _gate = new();
    private int _freePages;

    public FadingModel(int vocabularySize, int contextLength = 64, int pages = 32, int pageTokens = 8)
    {
        (VocabularySize, ContextLength, TotalPages, PageTokens, _freePages) = (vocabularySize, contextLength, pages, pageTokens, pages);
        var random = new CounterRandom(1, 2);
        _input = [.. Enumerable.Range(0, vocabularySize * StateWidth).Select(i => random.NormalAt((ulong)i))];
        _output = [.. Enumerable.Range(0, vocabularySize * StateWidth).Select(i => random.NormalAt((ulong)(i + 1_000_000)))];
    }

    /// <summary>Called at the start of every forward call with its row counts per sequence.</summary>
    public Action<int[]>? OnStep { get; set; }

    /// <summary>Called when a sequence gets its pages.</summary>
    public Action? OnBegin { get; set; }

    /// <summary>Called at the start of every forward call with its tokens.</summary>
    public Action<int[]>? OnTokens { get; set; }

    /// <summary>Added to the logits of some tokens, to steer an answer.</summary>
    public Dictionary<int, float> Bias { get; } = [];

    public int VocabularySize { get; }
    public int ContextLength { get; }
    public int Width => StateWidth;
    public int PageTokens { get; }
    public int TotalPages { get; }
    public int FreePages { get { lock (_gate) return _freePages; } }

    public StepCosts Costs => StepCosts.Bytes;

    public string WeightsSha256() => new('a', 64);

    public string Fingerprint() => new('a', 16);

    public ICachedSequence Begin(int tokens) => TryBegin(tokens, []) ?? throw new InvalidOperationException("no free page");

    /// <summary>Keeps nothing: sharing is tested with real models.</summary>
    public ICachedSequence? TryBegin(int tokens, ReadOnlySpan<PrefixHash> prefix)
    {
        int pages = (tokens + PageTokens - 1) / PageTokens;
        lock (_gate)
        {
            if (pages > _freePages) return null;
            _freePages -= pages;
        }

        OnBegin?.Invoke();
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
                Feed(sequence.Advance(), tokens[row]);
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
            var state = new float[StateWidth];
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

    public ReadOnlySpan<float> Hidden(ReadOnlySpan<int> tokens, ReadOnlySpan<int> lengths)
    {
        var hidden = new float[tokens.Length * StateWidth];
        int row = 0;
        foreach (int length in lengths)
        {
            var state = new float[StateWidth];
            for (int end = row + length; row < end; row++)
            {
                Feed(state, tokens[row]);
                state.CopyTo(hidden, row * StateWidth);
            }
        }

        return hidden;
    }

    public void Dispose() { }

    private void Feed(float[] state, int token)
    {
        for (int d = 0; d < StateWidth; d++) state[d] = 0.5f * state[d] + _input[token * StateWidth + d];
    }

    private void Logits(float[] state, Span<float> logits)
    {
        for (int id = 0; id < VocabularySize; id++)
        {
            float sum = Bias.GetValueOrDefault(id);
            for (int d = 0; d < StateWidth; d++) sum += state[d] * _output[id * StateWidth + d];
            logits[id] = sum;
        }
    }

    private sealed class Sequence(FadingModel owner, int pages) : ICachedSequence
    {
        private bool _disposed;

        private readonly List<float[]> _states = [];   // behind each token

        public float[] State => _states.Count == 0 ? new float[StateWidth] : _states[^1];
        public int Pages => pages;
        public int Length => _states.Count;

        public float[] Advance()
        {
            _states.Add([.. State]);
            return State;
        }

        public void Truncate(int length) => _states.RemoveRange(length, _states.Count - length);

        public void Keep(int page, PrefixHash name) { }

        public void Dispose()
        {
            if (_disposed) return;
            _disposed = true;
            lock (owner._gate) owner._freePages += pages;
        }
    }
}
