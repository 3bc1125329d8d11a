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

    public LanguageModelAdapter(Engine engine, LanguageModel model, int cachePages)
    {
        (_engine, _model, TotalPages) = (engine, model, cachePages);
        _cache = model.CreateCache(cachePages);
        WeightsSha256 = model.WeightsSha256();
    }

    public int VocabularySize => _model.VocabularySize;

    public int ContextLength => _model.ContextLength;

    public string WeightsSha256 { get; }

    public int PageTokens => KeyValueCache.PageTokens;

    public int TotalPages { get; }

    public int FreePages => _cache.FreePages;

    /// <summary>Shows the inputs of all products to an observer; null ends that.</summary>
    public void Observe(IProductObserver? observer) => _engine.Observer = observer;

    public ICachedSequence Begin(int tokens)
    {
        var sequence = _cache.Begin();
        sequence.Reserve(tokens);
        return new CachedSequence(sequence);
    }

    public void Step(ReadOnlySpan<int> tokens, ReadOnlySpan<BatchPart> parts, ReadOnlySpan<int> rows, Span<float> logits)
    {
        _engine.Reset();
        _layout.Clear();
        foreach (var part in parts) _layout.Add(part.Rows, ((CachedSequence)part.Sequence).Inner);
        var hidden = _model.Forward(tokens, _layout);
        if (rows.Length > 0) _model.Logits(hidden, rows, logits);
    }

    public void Losses(ReadOnlySpan<int> tokens, ReadOnlySpan<int> lengths, ReadOnlySpan<int> targets, Span<float> losses)
    {
        _engine.Reset();
        _layout.Clear();
        foreach (int length in lengths) _layout.Add(length);
        _model.TokenLosses(_model.Forward(tokens, _layout), targets, losses);
    }

    public void Dispose()
    {
        _cache.Dispose();
        _model.Dispose();
        _engine.Dispose();
    }

    private sealed class CachedSequence(KeyValueSequence inner) : ICachedSequence
    {
        public KeyValueSequence Inner { get; } = inner;

        public int Length => Inner.Length;

        public void Dispose() => Inner.Dispose();
    }
}
