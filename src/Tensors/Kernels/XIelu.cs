using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace OpenEuroLLM.Tensors.Kernels;

/// <summary>xIELU: positive · x² + beta · x above zero, negative · (e^min(x, epsilon) − 1 − x) + beta · x up to zero. Source: arXiv:2411.13010.</summary>
/// <remarks>The activation is the integral of its slope: 2 · positive · x + beta above zero, negative · (e^x − 1) + beta below. That is the slope taken
/// here, epsilon included; beside it, the bound in the value is a constant of size epsilon just below zero.</remarks>
internal readonly struct XIelu(float positive, float negative, float beta, float epsilon) : ICurve
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector256<float> Value(Vector256<float> x)
    {
        var linear = x * Vector256.Create(beta);
        return Vector256.ConditionalSelect(Vector256.GreaterThan(x, Vector256<float>.Zero),
            Vector256.FusedMultiplyAdd(x * Vector256.Create(positive), x, linear),
            Vector256.FusedMultiplyAdd(Below(x) - x, Vector256.Create(negative), linear));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Slope(Vector256<float> x, out Vector256<float> value, out Vector256<float> slope)
    {
        value = Value(x);
        slope = Slope(x, Below(x));
    }

    /// <summary>Gradient of x, which may take the place of <paramref name="x"/>, and what the elements pass back to the two factors: element i
    /// goes to lane i mod 16, then the fixed tree.</summary>
    public unsafe void Backward(float* x, float* dy, float* dx, long count, out double positiveSlope, out double negativeSlope)
    {
        var (lowAbove, highAbove) = (Vector256<float>.Zero, Vector256<float>.Zero);
        var (lowBelow, highBelow) = (Vector256<float>.Zero, Vector256<float>.Zero);
        var i = 0L;
        for (; i + Lanes.Width <= count; i += Lanes.Width)
        {
            Back(Vector256.Load(x + i), Vector256.Load(dy + i), ref lowAbove, ref lowBelow).Store(dx + i);
            Back(Vector256.Load(x + i + 8), Vector256.Load(dy + i + 8), ref highAbove, ref highBelow).Store(dx + i + 8);
        }
        if (i < count)
        {
            var buffer = stackalloc float[2 * Lanes.Width];
            var left = (int)(count - i);
            Lanes.Tail(x + i, left, buffer);
            Lanes.Tail(dy + i, left, buffer + Lanes.Width);
            Back(Vector256.Load(buffer), Vector256.Load(buffer + Lanes.Width), ref lowAbove, ref lowBelow).Store(buffer);
            Back(Vector256.Load(buffer + 8), Vector256.Load(buffer + Lanes.Width + 8), ref highAbove, ref highBelow).Store(buffer + 8);
            for (var j = 0; j < left; j++) dx[i + j] = buffer[j];
        }
        positiveSlope = Lanes.Sum(lowAbove, highAbove);
        negativeSlope = Lanes.Sum(lowBelow, highBelow);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private Vector256<float> Back(Vector256<float> x, Vector256<float> dy, ref Vector256<float> above, ref Vector256<float> below)
    {
        var e = Below(x);
        var isAbove = Vector256.GreaterThan(x, Vector256<float>.Zero);
        above = Vector256.FusedMultiplyAdd(dy & isAbove, x * x, above);
        below = Vector256.FusedMultiplyAdd(Vector256.AndNot(dy, isAbove), e - x, below);
        return dy * Slope(x, e);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private Vector256<float> Slope(Vector256<float> x, Vector256<float> below) =>
        Vector256.ConditionalSelect(Vector256.GreaterThan(x, Vector256<float>.Zero),
            Vector256.FusedMultiplyAdd(x, Vector256.Create(2 * positive), Vector256.Create(beta)),
            Vector256.FusedMultiplyAdd(below, Vector256.Create(negative), Vector256.Create(beta)));

    /// <summary>e^min(x, epsilon) − 1; not-a-number stays.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private Vector256<float> Below(Vector256<float> x) =>
        Lanes.ExpMinusOne(Vector256.ConditionalSelect(Vector256.GreaterThan(x, Vector256.Create(epsilon)), Vector256.Create(epsilon), x));
}
