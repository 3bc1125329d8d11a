using System.Runtime.Intrinsics;

namespace OpenEuroLLM.Tensors.Kernels;

/// <summary>Root-mean-square norm of each row: y = x / √(mean(x²) + ε) · gain. Source: arXiv:1910.07467, equation 4.</summary>
internal static unsafe class RmsNorm
{
    /// <summary>One row; returns 1 / √(mean(x²) + ε), which the backward pass needs.</summary>
    public static float Forward(float* x, float* gain, int width, float epsilon, float* y)
    {
        var inverse = (float)(1 / Math.Sqrt(Lanes.Dot(x, x, width) / (double)width + epsilon));
        var factor = Vector256.Create(inverse);
        var i = 0;
        for (; i + 8 <= width; i += 8) (Vector256.Load(x + i) * factor * Vector256.Load(gain + i)).Store(y + i);
        for (; i < width; i++) y[i] = x[i] * inverse * gain[i];
        return inverse;
    }

    /// <summary>One row: dx = inverse · (dy·gain) − x · inverse³ / width · Σ(dy·gain·x), added to or stored in <paramref name="dx"/>.</summary>
    /// <param name="scratch"><paramref name="width"/> numbers.</param>
    public static void Backward(float* x, float* gain, float* dy, int width, float inverse, float* dx, bool resume, float* scratch)
    {
        var i = 0;
        for (; i + 8 <= width; i += 8) (Vector256.Load(dy + i) * Vector256.Load(gain + i)).Store(scratch + i);
        for (; i < width; i++) scratch[i] = dy[i] * gain[i];
        var slope = (float)(-Lanes.Dot(scratch, x, width) * (double)inverse * inverse * inverse / width);
        var (factor, along) = (Vector256.Create(inverse), Vector256.Create(slope));
        i = 0;
        for (; i + 8 <= width; i += 8)
        {
            var d = Vector256.FusedMultiplyAdd(Vector256.Load(x + i), along, Vector256.Load(scratch + i) * factor);
            (resume ? Vector256.Load(dx + i) + d : d).Store(dx + i);
        }
        for (; i < width; i++)
        {
            var d = float.FusedMultiplyAdd(x[i], slope, scratch[i] * inverse);
            dx[i] = resume ? dx[i] + d : d;
        }
    }
}

/// <summary>SwiGLU: y = gate · sigmoid(gate) · up. Source: arXiv:2002.05202.</summary>
internal static unsafe class SwiGlu
{
    public static void Forward(float* gate, float* up, float* y, long count)
    {
        for (var i = 0L; i < count; i += 8)
        {
            if (count - i < 8)
            {
                var buffer = stackalloc float[2 * Lanes.Width];
                Lanes.Tail(gate + i, (int)(count - i), buffer);
                Lanes.Tail(up + i, (int)(count - i), buffer + Lanes.Width);
                Value(Vector256.Load(buffer), Vector256.Load(buffer + Lanes.Width)).Store(buffer);
                for (var j = 0; j < count - i; j++) y[i + j] = buffer[j];
                return;
            }
            Value(Vector256.Load(gate + i), Vector256.Load(up + i)).Store(y + i);
        }
    }

    /// <summary>Gradients of gate and up; they may take the place of <paramref name="gate"/> and <paramref name="up"/>.</summary>
    public static void Backward(float* gate, float* up, float* dy, float* gateGradient, float* upGradient, long count)
    {
        for (var i = 0L; i < count; i += 8)
        {
            if (count - i < 8)
            {
                var left = (int)(count - i);
                var buffer = stackalloc float[3 * Lanes.Width];
                Lanes.Tail(gate + i, left, buffer);
                Lanes.Tail(up + i, left, buffer + Lanes.Width);
                Lanes.Tail(dy + i, left, buffer + 2 * Lanes.Width);
                Slopes(Vector256.Load(buffer), Vector256.Load(buffer + Lanes.Width), Vector256.Load(buffer + 2 * Lanes.Width), out var dg, out var du);
                dg.Store(buffer);
                du.Store(buffer + Lanes.Width);
                for (var j = 0; j < left; j++) (gateGradient[i + j], upGradient[i + j]) = (buffer[j], buffer[Lanes.Width + j]);
                return;
            }
            Slopes(Vector256.Load(gate + i), Vector256.Load(up + i), Vector256.Load(dy + i), out var a, out var b);
            a.Store(gateGradient + i);
            b.Store(upGradient + i);
        }
    }

    private static Vector256<float> Value(Vector256<float> gate, Vector256<float> up) => gate * Lanes.Sigmoid(gate) * up;

    private static void Slopes(Vector256<float> gate, Vector256<float> up, Vector256<float> dy, out Vector256<float> dGate, out Vector256<float> dUp)
    {
        var s = Lanes.Sigmoid(gate);
        dUp = dy * gate * s;
        dGate = dy * up * s * Vector256.FusedMultiplyAdd(gate, Vector256<float>.One - s, Vector256<float>.One);
    }
}

/// <summary>Softmax cross-entropy of one row of logits.</summary>
internal static unsafe class CrossEntropy
{
    /// <summary>−log softmax(logits)[target], in nats.</summary>
    public static float Loss(float* logits, int count, int target) => LogSumExp(logits, count, null) - logits[target];

    /// <summary>The loss, with the logits replaced by its gradient times <paramref name="scale"/>.</summary>
    public static float LossAndGradient(float* logits, int count, int target, float scale)
    {
        var atTarget = logits[target];
        var total = LogSumExp(logits, count, logits, out var sum, out _);
        var factor = Vector256.Create(scale / sum);
        var i = 0;
        for (; i + 8 <= count; i += 8) (Vector256.Load(logits + i) * factor).Store(logits + i);
        for (; i < count; i++) logits[i] *= factor.ToScalar();
        logits[target] -= scale;
        return total - atTarget;
    }

    /// <summary>As <see cref="LossAndGradient"/>, of logits that <see cref="SoftCap"/> has bent: the gradient is that of the logits before.</summary>
    public static float CappedLossAndGradient(float* logits, int count, int target, float scale, float cap)
    {
        var atTarget = logits[target];
        var total = LogSumExp(logits, count, null, out var sum, out var maximum);
        var (factor, shift, divisor) = (Vector256.Create(scale / sum), Vector256.Create(maximum), Vector256.Create(cap));
        var buffer = stackalloc float[Lanes.Width];
        for (var i = 0; i < count; i += 8)
        {
            var rest = Math.Min(8, count - i);
            var place = logits + i;
            if (rest < 8)
            {
                Lanes.Tail(place, rest, buffer);
                place = buffer;
            }
            var value = Vector256.Load(place);
            (Lanes.Exp(value - shift) * factor * Bend(value / divisor)).Store(place);
            for (var j = 0; j < rest && rest < 8; j++) logits[i + j] = buffer[j];
        }
        logits[target] = (Lanes.Exp(atTarget - maximum) * factor.ToScalar() - scale) * Bend(Vector256.Create(atTarget / cap)).ToScalar();
        return total - atTarget;

        static Vector256<float> Bend(Vector256<float> tanh) => Vector256.FusedMultiplyAdd(-tanh, tanh, Vector256<float>.One);
    }

    public static float LogSumExp(float* logits, int count, float* exponentials) => LogSumExp(logits, count, exponentials, out _, out _);

    private static float LogSumExp(float* logits, int count, float* exponentials, out float sum, out float maximum)
    {
        var largest = Vector256.Create(float.NegativeInfinity);
        var i = 0;
        for (; i + 8 <= count; i += 8) largest = Vector256.Max(largest, Vector256.Load(logits + i));
        maximum = Lanes.Max(largest);
        for (; i < count; i++) maximum = Math.Max(maximum, logits[i]);
        var shift = Vector256.Create(maximum);
        var low = Vector256<float>.Zero;
        var high = Vector256<float>.Zero;
        var buffer = stackalloc float[Lanes.Width];
        for (i = 0; i < count; i += Lanes.Width)
        {
            var source = logits + i;
            if (count - i < Lanes.Width)
            {
                Lanes.Tail(source, count - i, buffer, float.NegativeInfinity);
                source = buffer;
            }
            var a = Lanes.Exp(Vector256.Load(source) - shift);
            var b = Lanes.Exp(Vector256.Load(source + 8) - shift);
            low += a;
            high += b;
            if (exponentials == null) continue;
            if (source == buffer)
            {
                a.Store(buffer);
                b.Store(buffer + 8);
                for (var j = 0; j < count - i; j++) exponentials[i + j] = buffer[j];
            }
            else
            {
                a.Store(exponentials + i);
                b.Store(exponentials + i + 8);
            }
        }
        sum = Lanes.Sum(low, high);
        return maximum + (float)Core.Numerics.Log(sum);
    }
}

/// <summary>AdamW with decoupled decay. Source: arXiv:1711.05101, algorithm 2.</summary>
/// <param name="LearningRate">Rate of this step.</param>
/// <param name="Beta1">Decay of the first moment.</param>
/// <param name="Beta2">Decay of the second moment.</param>
/// <param name="Epsilon">Added to the root of the second moment.</param>
/// <param name="Decay">Weight decay, times the learning rate.</param>
/// <param name="Correction1">1 − Beta1^step.</param>
/// <param name="Correction2">1 − Beta2^step.</param>
/// <param name="GradientScale">Factor of all gradients: clipping.</param>
public readonly record struct AdamWStep(float LearningRate, float Beta1, float Beta2, float Epsilon, float Decay,
    float Correction1, float Correction2, float GradientScale);

internal static unsafe class AdamW
{
    public static void Update(float* weights, float* gradient, float* first, float* second, long count, in AdamWStep step)
    {
        var (b1, b2) = (Vector256.Create(step.Beta1), Vector256.Create(step.Beta2));
        var (r1, r2) = (Vector256.Create(1 - step.Beta1), Vector256.Create(1 - step.Beta2));
        var (c1, c2) = (Vector256.Create(step.Correction1), Vector256.Create(step.Correction2));
        var (rate, epsilon) = (Vector256.Create(step.LearningRate), Vector256.Create(step.Epsilon));
        var (keep, scale) = (Vector256.Create(1 - step.LearningRate * step.Decay), Vector256.Create(step.GradientScale));
        var buffer = stackalloc float[4 * Lanes.Width];
        for (var i = 0L; i < count; i += 8)
        {
            var w = weights + i;
            var g = gradient + i;
            var m = first + i;
            var v = second + i;
            var rest = (int)Math.Min(8, count - i);
            if (rest < 8)
            {
                Lanes.Tail(w, rest, buffer);
                Lanes.Tail(g, rest, buffer + Lanes.Width);
                Lanes.Tail(m, rest, buffer + 2 * Lanes.Width);
                Lanes.Tail(v, rest, buffer + 3 * Lanes.Width);
                w = buffer;
                g = buffer + Lanes.Width;
                m = buffer + 2 * Lanes.Width;
                v = buffer + 3 * Lanes.Width;
            }
            var slope = Vector256.Load(g) * scale;
            var mean = Vector256.FusedMultiplyAdd(Vector256.Load(m), b1, slope * r1);
            var square = Vector256.FusedMultiplyAdd(Vector256.Load(v), b2, slope * slope * r2);
            mean.Store(m);
            square.Store(v);
            var update = rate * (mean / c1) / (Vector256.Sqrt(square / c2) + epsilon);
            (Vector256.Load(w) * keep - update).Store(w);
            if (rest == 8) continue;
            for (var j = 0; j < rest; j++)
            {
                weights[i + j] = w[j];
                first[i + j] = m[j];
                second[i + j] = v[j];
            }
        }
    }
}
