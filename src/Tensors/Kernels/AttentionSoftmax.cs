using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace OpenEuroLLM.Tensors.Kernels;

/// <summary>Which keys of a block a row sees: those from <paramref name="First"/> up to, not including, <paramref name="End"/>.</summary>
internal readonly record struct VisibleKeys(int First, int End)
{
    public bool None => First >= End;

    /// <summary>The keys of a block that begins at position <paramref name="block"/>, seen from <paramref name="position"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static VisibleKeys Of(int position, int block, int keysInBlock, int window) =>
        new(Math.Max(0, position - window + 1 - block), Math.Min(keysInBlock, position + 1 - block));
}

/// <summary>The steps of attention that are not products, a row of a block of 64 keys at a time. Masked keys weigh exactly +0.</summary>
/// <remarks>A row's sum goes by lanes of 16 and the fixed tree of <see cref="Lanes"/>, in 512-bit registers as in 256-bit ones.</remarks>
internal static unsafe class AttentionSoftmax
{
    private const int Width = Lanes.Width;

    /// <summary>Largest of the visible scores; −∞ when there are none.</summary>
    public static float Largest(float* scores, VisibleKeys keys, bool wide)
    {
        if (keys.None) return float.NegativeInfinity;
        var from = keys.First / Width * Width;
        if (wide)
        {
            var largest = Vector512.Create(float.NegativeInfinity);
            if (from == keys.First && keys.End % Width == 0)
            {
                for (var j = from; j < keys.End; j += Width) largest = WideLanes.Max(Vector512.Load(scores + j), largest);
                return WideLanes.Max(largest);
            }
            for (var j = from; j < keys.End; j += Width)
                largest = WideLanes.Max(Vector512.ConditionalSelect(Mask512(j, keys), Vector512.Load(scores + j), Vector512.Create(float.NegativeInfinity)), largest);
            return WideLanes.Max(largest);
        }
        var most = Vector256.Create(float.NegativeInfinity);
        for (var j = from; j < keys.End; j += 8)
            most = Vector256.Max(most, Vector256.ConditionalSelect(Mask256(j, keys), Vector256.Load(scores + j), Vector256.Create(float.NegativeInfinity)));
        return Lanes.Max(most);
    }

    /// <summary>Scores become weights e^(score · scale − maximum), all 64 of them; returns their sum.</summary>
    public static float Weigh(float* scores, VisibleKeys keys, float scale, float maximum, bool wide)
    {
        if (wide) return Weigh512(scores, keys, scale, maximum);
        var (factor, shift) = (Vector256.Create(scale), Vector256.Create(maximum));
        var low = Vector256<float>.Zero;
        var high = Vector256<float>.Zero;
        for (var j = 0; j < Attention.BlockKeys; j += Width)
        {
            var (a, b) = (Vector256<float>.Zero, Vector256<float>.Zero);
            if (j + Width > keys.First && j < keys.End)
            {
                a = Lanes.Exp(Vector256.Load(scores + j) * factor - shift) & Mask256(j, keys);
                b = Lanes.Exp(Vector256.Load(scores + j + 8) * factor - shift) & Mask256(j + 8, keys);
                low += a;
                high += b;
            }
            a.Store(scores + j);
            b.Store(scores + j + 8);
        }
        return Lanes.Sum(low, high);
    }

    /// <summary>Scores become weights e^(score · scale − logarithm), and products dO·V gradients of the scores, all 64 of them.</summary>
    /// <param name="logarithm">Of the row's sum of exponentials.</param>
    /// <param name="offset">Σ dO·O of the row.</param>
    public static void Slopes(float* weights, float* slopes, VisibleKeys keys, float scale, float logarithm, float offset, bool wide)
    {
        if (wide)
        {
            var (factor5, logarithm5, offset5) = (Vector512.Create(scale), Vector512.Create(logarithm), Vector512.Create(offset));
            if (keys.First == 0 && keys.End == Attention.BlockKeys)
            {
                for (var j = 0; j < Attention.BlockKeys; j += Width)
                {
                    var w = WideLanes.Exp(Vector512.Load(weights + j) * factor5 - logarithm5);
                    w.Store(weights + j);
                    (w * (Vector512.Load(slopes + j) - offset5) * factor5).Store(slopes + j);
                }
                return;
            }
            for (var j = 0; j < Attention.BlockKeys; j += Width)
            {
                var mask = Mask512(j, keys);
                var w = WideLanes.Exp(Vector512.Load(weights + j) * factor5 - logarithm5);
                (w & mask).Store(weights + j);
                (w * (Vector512.Load(slopes + j) - offset5) * factor5 & mask).Store(slopes + j);
            }
            return;
        }
        var (factor, logarithms, offsets) = (Vector256.Create(scale), Vector256.Create(logarithm), Vector256.Create(offset));
        for (var j = 0; j < Attention.BlockKeys; j += 8)
        {
            var mask = Mask256(j, keys);
            var w = Lanes.Exp(Vector256.Load(weights + j) * factor - logarithms);
            (w & mask).Store(weights + j);
            (w * (Vector256.Load(slopes + j) - offsets) * factor & mask).Store(slopes + j);
        }
    }

    /// <summary>Visible scores become capped scores, which need no scale any more.</summary>
    public static void Cap(float* scores, VisibleKeys keys, SoftCap cap)
    {
        if (keys.None) return;
        var from = keys.First / 8 * 8;
        Pointwise<SoftCap>.Forward(cap, scores + from, scores + from, (keys.End - from + 7) / 8 * 8);
    }

    /// <summary>As <see cref="Slopes"/>, for scores that are capped; the gradients are those of the scores before.</summary>
    public static void CappedSlopes(float* weights, float* slopes, VisibleKeys keys, SoftCap cap, float logarithm, float offset)
    {
        var (logarithms, offsets) = (Vector256.Create(logarithm), Vector256.Create(offset));
        for (var j = 0; j < Attention.BlockKeys; j += 8)
        {
            var mask = Mask256(j, keys);
            cap.Slope(Vector256.Load(weights + j), out var score, out var slope);
            var w = Lanes.Exp(score - logarithms);
            (w & mask).Store(weights + j);
            (w * (Vector256.Load(slopes + j) - offsets) * slope & mask).Store(slopes + j);
        }
    }

    /// <summary>Brings maxima and sums of 8 rows to what this block adds: the new maxima, and the factors that what was gathered before is to be multiplied by.</summary>
    /// <param name="largest">In: largest score of each row in this block.</param>
    /// <param name="maxima">Running maxima.</param>
    /// <param name="factors">Out.</param>
    public static void Rescale(float* largest, float scale, float* maxima, float* factors)
    {
        var before = Vector256.Load(maxima);
        var score = Vector256.Load(largest) * Vector256.Create(scale);
        var maximum = Vector256.ConditionalSelect(Vector256.GreaterThan(before, score), before, score);
        var unseen = Vector256.Equals(maximum, Vector256.Create(float.NegativeInfinity)); // no key at all so far
        Vector256.ConditionalSelect(unseen, Vector256<float>.One, Lanes.Exp(before - maximum)).Store(factors);
        maximum.Store(maxima);
    }

    /// <summary>Maxima of 8 rows become logarithms of their sums of exponentials.</summary>
    public static void Finish(float* maxima, float* sums)
    {
        var sum = Vector256.Load(sums);
        var logarithm = Vector256.Narrow(Log(Vector256.WidenLower(sum)), Log(Vector256.WidenUpper(sum)));
        (Vector256.Load(maxima) + logarithm).Store(maxima);
    }

    /// <summary>Natural logarithm of numbers from 1 on, step by step as <c>Numerics.Log</c> takes it.</summary>
    private static Vector256<double> Log(Vector256<double> x)
    {
        var bits = x.AsInt64();
        var mantissa = (bits & Vector256.Create(0xFFFFFFFFFFFFF) | Vector256.Create(0x3FF0000000000000)).AsDouble();
        var exponent = Vector256.ConvertToDouble(Vector256.ShiftRightLogical(bits, 52) - Vector256.Create(1023L));
        var large = Vector256.GreaterThan(mantissa, Vector256.Create(1.4142135623730951));
        mantissa = Vector256.ConditionalSelect(large, mantissa * 0.5, mantissa);
        exponent = Vector256.ConditionalSelect(large, exponent + Vector256<double>.One, exponent);
        var f = mantissa - Vector256<double>.One;
        var s = f / (Vector256.Create(2.0) + f);
        var z = s * s;
        var halfSquare = Vector256.Create(0.5) * f * f;
        var r = Vector256<double>.Zero;
        for (var n = 25; n >= 3; n -= 2) r = Vector256.FusedMultiplyAdd(r, z, Vector256.Create(2.0 / n));
        r *= z;
        var result = exponent * Vector256.Create(0.693147180369123816490) - (halfSquare - (s * (halfSquare + r) + exponent * Vector256.Create(1.90821492927058770002e-10)) - f);
        return Vector256.ConditionalSelect(Vector256.Equals(x, x), result, x);
    }

    private static float Weigh512(float* scores, VisibleKeys keys, float scale, float maximum)
    {
        var (factor, shift) = (Vector512.Create(scale), Vector512.Create(maximum));
        if (keys.First == 0 && keys.End == Attention.BlockKeys)
        {
            var a = WideLanes.Exp(Vector512.Load(scores) * factor - shift);
            var b = WideLanes.Exp(Vector512.Load(scores + 16) * factor - shift);
            var c = WideLanes.Exp(Vector512.Load(scores + 32) * factor - shift);
            var d = WideLanes.Exp(Vector512.Load(scores + 48) * factor - shift);
            a.Store(scores);
            b.Store(scores + 16);
            c.Store(scores + 32);
            d.Store(scores + 48);
            return WideLanes.Sum(a + b + c + d);
        }
        var sum = Vector512<float>.Zero;
        for (var j = 0; j < Attention.BlockKeys; j += Width)
        {
            var weights = Vector512<float>.Zero;
            if (j + Width > keys.First && j < keys.End)
            {
                weights = WideLanes.Exp(Vector512.Load(scores + j) * factor - shift) & Mask512(j, keys);
                sum += weights;
            }
            weights.Store(scores + j);
        }
        return WideLanes.Sum(sum);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Mask512(int first, VisibleKeys keys)
    {
        var index = Vector512<int>.Indices + Vector512.Create(first);
        return (Vector512.GreaterThanOrEqual(index, Vector512.Create(keys.First)) & Vector512.LessThan(index, Vector512.Create(keys.End))).AsSingle();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Mask256(int first, VisibleKeys keys)
    {
        var index = Vector256<int>.Indices + Vector256.Create(first);
        return (Vector256.GreaterThanOrEqual(index, Vector256.Create(keys.First)) & Vector256.LessThan(index, Vector256.Create(keys.End))).AsSingle();
    }
}
