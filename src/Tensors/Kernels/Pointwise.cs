using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace OpenEuroLLM.Tensors.Kernels;

/// <summary>A curve of one number, with its settings if it has any.</summary>
internal interface ICurve
{
    /// <summary>The curve's value.</summary>
    Vector256<float> Value(Vector256<float> x);

    /// <summary>The curve's value and slope.</summary>
    void Slope(Vector256<float> x, out Vector256<float> value, out Vector256<float> slope);
}

/// <summary>y = curve(x), element by element.</summary>
internal static unsafe class Pointwise<T> where T : struct, ICurve
{
    private const int Step = 8;

    /// <param name="y">May be <paramref name="x"/>.</param>
    public static void Forward(T curve, float* x, float* y, long count)
    {
        var i = 0L;
        for (; i + Step <= count; i += Step) curve.Value(Vector256.Load(x + i)).Store(y + i);
        if (i == count) return;
        var buffer = stackalloc float[Lanes.Width];
        var left = (int)(count - i);
        Lanes.Tail(x + i, left, buffer);
        curve.Value(Vector256.Load(buffer)).Store(buffer);
        for (var j = 0; j < left; j++) y[i + j] = buffer[j];
    }

    /// <summary>Gradient of x; it may take the place of <paramref name="x"/>.</summary>
    public static void Backward(T curve, float* x, float* dy, float* dx, long count)
    {
        var i = 0L;
        for (; i + Step <= count; i += Step)
        {
            curve.Slope(Vector256.Load(x + i), out _, out var slope);
            (Vector256.Load(dy + i) * slope).Store(dx + i);
        }
        if (i == count) return;
        var buffer = stackalloc float[2 * Lanes.Width];
        var left = (int)(count - i);
        Lanes.Tail(x + i, left, buffer);
        Lanes.Tail(dy + i, left, buffer + Lanes.Width);
        curve.Slope(Vector256.Load(buffer), out _, out var last);
        (Vector256.Load(buffer + Lanes.Width) * last).Store(buffer);
        for (var j = 0; j < left; j++) dx[i + j] = buffer[j];
    }
}

/// <summary>max(x, 0)². Source: arXiv:2109.08668.</summary>
internal readonly struct SquaredRelu : ICurve
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector256<float> Value(Vector256<float> x)
    {
        var r = Rectified(x);
        return r * r;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Slope(Vector256<float> x, out Vector256<float> value, out Vector256<float> slope)
    {
        var r = Rectified(x);
        (value, slope) = (r * r, r + r);
    }

    /// <summary>Not-a-number stays.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Rectified(Vector256<float> x) =>
        Vector256.ConditionalSelect(Vector256.LessThan(x, Vector256<float>.Zero), Vector256<float>.Zero, x);
}

/// <summary>cap · tanh(x · scale / cap): close to x · scale where that is small, and never beyond ±cap. Source: arXiv:2408.00118, section 2.</summary>
internal readonly struct SoftCap(float cap, float scale = 1) : ICurve
{
    private readonly float inner = scale / cap;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector256<float> Value(Vector256<float> x) => Lanes.Tanh(x * Vector256.Create(inner)) * Vector256.Create(cap);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Slope(Vector256<float> x, out Vector256<float> value, out Vector256<float> slope)
    {
        var tanh = Lanes.Tanh(x * Vector256.Create(inner));
        value = tanh * Vector256.Create(cap);
        slope = Vector256.FusedMultiplyAdd(-tanh, tanh, Vector256<float>.One) * Vector256.Create(scale);
    }
}
