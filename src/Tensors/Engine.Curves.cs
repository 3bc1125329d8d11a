namespace OpenEuroLLM.Tensors;

/// <summary>Curves: activations without a gate. On the way back gradients take the place of the values they belong to.</summary>
public sealed unsafe partial class Engine
{
    /// <summary>gelu(x).</summary>
    /// <param name="x">(rows, hidden); used by this operation only.</param>
    /// <param name="form">Which GELU.</param>
    public Tensor Gelu(Tensor x, GeluForm form)
    {
        var y = Take(x.Rows, x.Columns);
        backend.Gelu(Data(x), x.Shape.Count, form, Data(y));
        if (Recording) RecordCurve(Operation.Gelu, x, y).Form = form;
        return y;
    }

    /// <summary>max(x, 0)². Source: arXiv:2109.08668.</summary>
    /// <param name="x">(rows, hidden); used by this operation only.</param>
    public Tensor SquaredRelu(Tensor x)
    {
        var y = Take(x.Rows, x.Columns);
        backend.SquaredRelu(Data(x), x.Shape.Count, Data(y));
        if (Recording) RecordCurve(Operation.SquaredRelu, x, y);
        return y;
    }

    /// <summary>xIELU, as Apertus uses it: p · x² + beta · x above zero, n · (e^min(x, epsilon) − 1 − x) + beta · x up to zero, where
    /// p = softplus(alphaPositive) and n = beta + softplus(alphaNegative) are learned. Source: arXiv:2411.13010.</summary>
    /// <param name="x">(rows, hidden); used by this operation only.</param>
    /// <param name="alphaPositive">One number, as stored, before softplus; <c>act_fn.alpha_p</c>.</param>
    /// <param name="alphaNegative">As <paramref name="alphaPositive"/>; <c>act_fn.alpha_n</c>.</param>
    /// <param name="beta">Slope at zero; 0.5 in Apertus.</param>
    /// <param name="epsilon">Largest exponent below zero, at most 0; −1e-6 in Apertus.</param>
    public Tensor XIelu(Tensor x, Weight alphaPositive, Weight alphaNegative, double beta, double epsilon)
    {
        ExpectVector(x, alphaPositive, 1);
        ExpectVector(x, alphaNegative, 1);
        if (!double.IsFinite(beta) || !(epsilon <= 0))
            throw new ArgumentException(FormattableString.Invariant($"xIELU: beta is {beta} and epsilon {epsilon}; expected a number, and one up to 0"));
        var y = Take(x.Rows, x.Columns);
        backend.XIelu(Data(x), x.Shape.Count, alphaPositive, alphaNegative, (float)beta, (float)epsilon, Data(y));
        if (Recording)
        {
            ExpectTrainable(alphaPositive);
            ExpectTrainable(alphaNegative);
            ref var entry = ref RecordCurve(Operation.XIelu, x, y);
            (entry.Weight, entry.Second, entry.Factor, entry.Epsilon) = (alphaPositive, alphaNegative, (float)beta, (float)epsilon);
        }
        return y;
    }

    private ref TapeEntry RecordCurve(Operation operation, Tensor x, Tensor y)
    {
        ref var entry = ref tape.Add(operation);
        (entry.A, entry.Output) = (x.Slot, y.Slot);
        return ref entry;
    }

    private void BackCurve(in TapeEntry entry, float* dy)
    {
        var (x, count) = ((nint)Needed(entry.A), slots[entry.A].Count);
        var dx = InPlace(entry.A);
        if (entry.Operation == Operation.Gelu) backend.GeluGradient((float*)x, dy, count, entry.Form, dx);
        else if (entry.Operation == Operation.SquaredRelu) backend.SquaredReluGradient((float*)x, dy, count, dx);
        else backend.XIeluGradient((float*)x, dy, count, entry.Weight!, entry.Second!, entry.Factor, entry.Epsilon, dx);
    }

    /// <summary>Refuses a cap without meaning.</summary>
    internal static void CheckSoftCap(double? softCap)
    {
        if (softCap is { } cap && (!(cap > 0) || !double.IsFinite(cap)))
            throw new ArgumentException(FormattableString.Invariant($"the soft cap is {cap}; expected a number above 0"));
    }
}
