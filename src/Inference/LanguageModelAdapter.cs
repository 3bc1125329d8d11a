using System.Runtime.InteropServices;
using System.Security.Cryptography;
using OpenEuroLLM.Models;
using OpenEuroLLM.Tensors;

namespace OpenEuroLLM.Inference;

/// <summary>A <see cref="LanguageModel"/> with its engine and key/value cache, seen as the scheduler needs it.</summary>
internal sealed class LanguageModelAdapter : ICausalModel
{
    private readonly Engine _engine;
    private readonly LanguageModel _model;
    private readonly KeyValueCache _cache;
    private readonly SequenceLayout _layout = new();

    // Hashing takes seconds and happens on a caller's thread; the weights must not go away under it.
    private readonly Lock _hashing = new();
    private bool _disposed;

    public LanguageModelAdapter(Engine engine, LanguageModel model, int cachePages)
    {
        (_engine, _model, TotalPages) = (engine, model, cachePages);
        _cache = model.CreateCache(cachePages);
        Costs = StepCosts.Of(model.Weights);
    }

    public int VocabularySize => _model.VocabularySize;

    public int ContextLength => _model.ContextLength;

    public int Width => _model.Config.Width;

    public int PageTokens => KeyValueCache.PageTokens;

    public int TotalPages { get; }

    public int FreePages => _cache.FreePages;

    public StepCosts Costs { get; }

    /// <summary>Shows the inputs of all products to an observer; null ends that.</summary>
    public void Observe(IProductObserver? observer) => _engine.Observer = observer;

    public string WeightsSha256()
    {
        lock (_hashing)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            return _model.WeightsSha256();
        }
    }

    public string Fingerprint()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var weight in _model.Weights)
        {
            var row = new float[weight.Columns];
            foreach (int place in (ReadOnlySpan<int>)[0, weight.Rows / 2, weight.Rows - 1])
            {
                weight.CopyRow(place, row);
                hash.AppendData(MemoryMarshal.AsBytes<float>(row));
            }
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset().AsSpan(0, 8));
    }

    public ICachedSequence? TryBegin(int tokens, ReadOnlySpan<PrefixHash> prefix)
    {
        var sequence = _cache.Begin();
        sequence.Adopt(prefix);
        if (sequence.TryReserve(tokens)) return new CachedSequence(sequence, tokens);
        sequence.Dispose();
        return null;
    }

    public void Step(ReadOnlySpan<int> tokens, ReadOnlySpan<BatchPart> parts, ReadOnlySpan<int> rows, Span<float> logits)
    {
        _engine.Reset();
        _layout.Clear();
        foreach (var part in parts) _layout.Add(part.Rows, ((CachedSequence)part.Sequence).Inner);
        var hidden = _model.Forward(tokens, _layout);
        if (rows.Length > 0) _model.Logits(hidden, rows, logits);
    }

    public void Losses(ReadOnlySpan<int> tokens, ReadOnlySpan<int> lengths, ReadOnlySpan<int> targets, Span<float> losses) =>
        _model.TokenLosses(Whole(tokens, lengths), targets, losses);

    public ReadOnlySpan<float> Hidden(ReadOnlySpan<int> tokens, ReadOnlySpan<int> lengths) => Whole(tokens, lengths).Values;

    public void Dispose()
    {
        lock (_hashing)
        {
            _disposed = true;
            _cache.Dispose();
            _model.Dispose();
            _engine.Dispose();
        }
    }

    private Tensor Whole(ReadOnlySpan<int> tokens, ReadOnlySpan<int> lengths)
    {
        _engine.Reset();
        _layout.Clear();
        foreach (int length in lengths) _layout.Add(length);
        return _model.Forward(tokens, _layout);
    }

    private sealed class CachedSequence(KeyValueSequence inner, int reserved) : ICachedSequence
    {
        public KeyValueSequence Inner { get; } = inner;

        public int Length => Inner.Length;

        public void Truncate(int length)
        {
            Inner.Truncate(length);
            Inner.Reserve(reserved); // takes back at once what was given back: no other sequence begins in between
        }

        public void Keep(int page, PrefixHash name) => Inner.Keep(page, name);

        public void Dispose() => Inner.Dispose();
    }
}
