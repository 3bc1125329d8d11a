using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace OpenEuroLLM.Tensors.Kernels;

/// <summary>Gated units: y = curve(gate) · up, element by element. Source: arXiv:2002.05202.</summary>
internal static unsafe class Gated<T> where T : struct, ICurve
{
    private const int Step = 8;

    public static void Forward(float* gate, float* up, float* y, long count)
    {
        var i = 0L;
        for (; i + Step <= count; i += Step) (default(T).Value(Vector256.Load(gate + i)) * Vector256.Load(up + i)).Store(y + i);
        if (i == count) return;
        var buffer = stackalloc float[2 * Lanes.Width];
        var left = (int)(count - i);
        Lanes.Tail(gate + i, left, buffer);
        Lanes.Tail(up + i, left, buffer + Lanes.Width);
        (default(T).Value(Vector256.Load(buffer)) * Vector256.Load(buffer + Lanes.Width)).Store(buffer);
        for (var j = 0; j < left; j++) y[i + j] = buffer[j];
    }

    /// <summary>Gradients of gate and up; they may take the place of <paramref name="gate"/> and <paramref name="up"/>.</summary>
    public static void Backward(float* gate, float* up, float* dy, float* gateGradient, float* upGradient, long count)
    {
        var i = 0L;
        for (; i + Step <= count; i += Step)
        {
            Slopes(Vector256.Load(gate + i), Vector256.Load(up + i), Vector256.Load(dy + i), out var dGate, out var dUp);
            dGate.Store(gateGradient + i);
            dUp.Store(upGradient + i);
        }
        if (i == count) return;
        var buffer = stackalloc float[3 * Lanes.Width];
        var left = (int)(count - i);
        Lanes.Tail(gate + i, left, buffer);
        Lanes.Tail(up + i, left, buffer + Lanes.Width);
        Lanes.Tail(dy + i, left, buffer + 2 * Lanes.Width);
        Slopes(Vector256.Load(buffer), Vector256.Load(buffer + Lanes.Width), Vector256.Load(buffer + 2 * Lanes.Width), out var a, out var b);
        a.Store(buffer);
        b.Store(buffer + Lanes.Width);
        for (var j = 0; j < left; j++) (gateGradient[i + j], upGradient[i + j]) = (buffer[j], buffer[Lanes.Width + j]);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Slopes(Vector256<float> gate, Vector256<float> up, Vector256<float> dy, out Vector256<float> dGate, out Vector256<float> dUp)
    {
        default(T).Slope(gate, out var value, out var slope);
        dUp = dy * value;
        dGate = dy * up * slope;
    }
}

/// <summary>GELU by its definition: x · Φ(x), Φ the normal distribution. Source: arXiv:1606.08415.</summary>
internal readonly struct GeluExact : ICurve
{
    // From here on e^(−x²/2) is +0.
    private const float Largest = 14;
    private const float InverseRootOfTwoPi = 0.39894228f;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector256<float> Value(Vector256<float> x) => x * Distribution(x, out _);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Slope(Vector256<float> x, out Vector256<float> value, out Vector256<float> slope)
    {
        var share = Distribution(x, out var bell);
        value = x * share;
        slope = Vector256.FusedMultiplyAdd(Curve.Bounded(x, Largest), bell * Vector256.Create(InverseRootOfTwoPi), share);
    }

    /// <summary>Φ(x) = (1 + erf(x / √2)) / 2, within 4e-7 of its own size on both sides, and e^(−x²/2).</summary>
    /// <remarks>For a = |x|, Φ(−a) = e^(−a²/2) · t · q(t) with t = 1 / (1 + a/4): the factor beside the bell curve is smooth in t. q
    /// interpolates it at the Chebyshev points of 0 ≤ a ≤ 14, with a relative error of 1.2e-7.</remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Distribution(Vector256<float> x, out Vector256<float> bell)
    {
        var a = Curve.Bounded(Vector256.Abs(x), Largest);
        // a² in two parts: what rounding the large one loses would be a hundred units in the last place of its exponential.
        var square = a * a;
        var lost = Vector256.FusedMultiplyAdd(a, a, -square);
        var half = Vector256.Create(0.5f);
        var exponential = Lanes.Exp(-(square * half));
        bell = Vector256.FusedMultiplyAdd(exponential, -(lost * half), exponential);
        var t = Vector256<float>.One / Vector256.FusedMultiplyAdd(a, Vector256.Create(0.25f), Vector256<float>.One);
        var q = Vector256.Create(0.0287847351282835f);
        q = Vector256.FusedMultiplyAdd(q, t, Vector256.Create(-0.1675080955028534f));
        q = Vector256.FusedMultiplyAdd(q, t, Vector256.Create(0.32608163356781006f));
        q = Vector256.FusedMultiplyAdd(q, t, Vector256.Create(-0.23955337703227997f));
        q = Vector256.FusedMultiplyAdd(q, t, Vector256.Create(0.22472243010997772f));
        q = Vector256.FusedMultiplyAdd(q, t, Vector256.Create(0.0233047753572464f));
        q = Vector256.FusedMultiplyAdd(q, t, Vector256.Create(0.10616829991340637f));
        q = Vector256.FusedMultiplyAdd(q, t, Vector256.Create(0.09818277508020401f));
        q = Vector256.FusedMultiplyAdd(q, t, Vector256.Create(0.09981681406497955f));
        var tail = bell * t * q;
        return Vector256.ConditionalSelect(Vector256.GreaterThan(x, Vector256<float>.Zero), Vector256<float>.One - tail, tail);
    }
}

/// <summary>GELU's usual approximation: x/2 · (1 + tanh(√(2/π) · (x + 0.044715·x³))). Source: arXiv:1606.08415.</summary>
/// <remarks>(1 + tanh z) / 2 is the sigmoid of 2z, which keeps its digits where the sum would cancel.</remarks>
internal readonly struct GeluTanh : ICurve
{
    private const float Largest = 12; // beyond it the sigmoid is 0 or 1
    private const float Scale = 1.5957691f; // 2·√(2/π)
    private const float Cubic = 0.044715f;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector256<float> Value(Vector256<float> x)
    {
        var near = Curve.Bounded(x, Largest);
        return x * Lanes.Sigmoid(Inner(near, near * near));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Slope(Vector256<float> x, out Vector256<float> value, out Vector256<float> slope)
    {
        var near = Curve.Bounded(x, Largest);
        var square = near * near;
        var share = Lanes.Sigmoid(Inner(near, square));
        var steep = Vector256.FusedMultiplyAdd(square, Vector256.Create(3 * Cubic), Vector256<float>.One) * Vector256.Create(Scale);
        value = x * share;
        slope = Vector256.FusedMultiplyAdd(near * steep, share * (Vector256<float>.One - share), share);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Inner(Vector256<float> x, Vector256<float> square) =>
        x * Vector256.FusedMultiplyAdd(square, Vector256.Create(Cubic), Vector256<float>.One) * Vector256.Create(Scale);
}

internal static class Curve
{
    /// <summary>x within ±<paramref name="most"/>; not-a-number stays.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Bounded(Vector256<float> x, float most)
    {
        x = Vector256.ConditionalSelect(Vector256.GreaterThan(x, Vector256.Create(most)), Vector256.Create(most), x);
        return Vector256.ConditionalSelect(Vector256.LessThan(x, Vector256.Create(-most)), Vector256.Create(-most), x);
    }
}
