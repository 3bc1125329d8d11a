namespace OpenEuroLLM.Tensors;

/// <summary>What an attention layer computes. It is always causal and never crosses the border of a sequence.</summary>
/// <param name="Heads">Query heads, a multiple of <paramref name="KeyValueHeads"/>.</param>
/// <param name="KeyValueHeads">Key/value heads; query head h uses key/value head h / (Heads / KeyValueHeads).</param>
/// <param name="Rotary">How queries and keys are turned by their positions; null: not at all.</param>
/// <param name="Window">A token sees so many tokens, itself and those before it; at least 1. Null: all of its sequence so far.</param>
/// <param name="Scale">Factor of the scores before the softmax, above 0; null: 1 / √(head dimension).</param>
/// <param name="SoftCap">Scaled scores s become SoftCap · tanh(s / SoftCap) before they are masked, as in Gemma 2; above 0. Null: they stay.</param>
public readonly record struct AttentionSettings(int Heads, int KeyValueHeads, RotarySettings? Rotary, int? Window = null, double? Scale = null, double? SoftCap = null)
{
    /// <summary>Refuses what has no meaning, or does not fit the tensors.</summary>
    internal int Check(Tensor queries, Tensor keys, Tensor values, SequenceLayout layout)
    {
        var dimension = Heads < 1 ? 0 : queries.Columns / Heads;
        if (KeyValueHeads < 1 || dimension == 0 || queries.Columns != Heads * dimension || keys.Columns != KeyValueHeads * dimension
            || keys.Shape != values.Shape || Heads % KeyValueHeads != 0 || queries.Rows != keys.Rows)
            throw new ArgumentException($"attention: queries {queries.Shape}, keys {keys.Shape}, values {values.Shape} do not fit {Heads} heads over {KeyValueHeads}");
        if (dimension > Kernels.Attention.MaximumHeadDimension)
            throw new ArgumentException(FormattableString.Invariant($"attention: heads have {dimension} numbers; expected at most {Kernels.Attention.MaximumHeadDimension}"));
        if (layout.Rows != queries.Rows) throw new ArgumentException($"attention: the layout has {layout.Rows} rows, the queries {queries.Rows}");
        if (Window < 1) throw new ArgumentException(FormattableString.Invariant($"attention: the window is {Window}; expected at least 1"));
        if (Scale is { } scale && (!(scale > 0) || !double.IsFinite(scale)))
            throw new ArgumentException(FormattableString.Invariant($"attention: the scale is {scale}; expected a number above 0"));
        Engine.CheckSoftCap(SoftCap);
        Rotary?.Check(dimension);
        return dimension;
    }
}
