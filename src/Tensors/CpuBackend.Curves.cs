using System.Runtime.InteropServices;
using OpenEuroLLM.Core;
using OpenEuroLLM.Tensors.Kernels;

namespace OpenEuroLLM.Tensors;

/// <summary>Curves, element by element.</summary>
internal sealed unsafe partial class CpuBackend
{
    public void Gelu(float* x, long count, GeluForm form, float* y)
    {
        if (form == GeluForm.Exact) Bend(default(GeluExact), x, null, count, y);
        else Bend(default(GeluTanh), x, null, count, y);
    }

    public void GeluGradient(float* x, float* dy, long count, GeluForm form, float* dx)
    {
        if (form == GeluForm.Exact) Bend(default(GeluExact), x, dy, count, dx);
        else Bend(default(GeluTanh), x, dy, count, dx);
    }

    public void SquaredRelu(float* x, long count, float* y) => Bend(default(Kernels.SquaredRelu), x, null, count, y);

    public void SquaredReluGradient(float* x, float* dy, long count, float* dx) => Bend(default(Kernels.SquaredRelu), x, dy, count, dx);

    public void XIelu(float* x, long count, Weight positive, Weight negative, float beta, float epsilon, float* y) =>
        Bend(Curve(positive, negative, beta, epsilon), x, null, count, y);

    public void XIeluGradient(float* x, float* dy, long count, Weight positive, Weight negative, float beta, float epsilon, float* dx)
    {
        var chunks = Chunks(count);
        RequireSums(2L * chunks);
        team.Run(new XIeluGradientWork(Curve(positive, negative, beta, epsilon), (nint)x, (nint)dy, (nint)dx, (nint)sums, count), chunks);
        var (ofPositive, ofNegative) = (0.0, 0.0);
        for (var i = 0; i < chunks; i++) (ofPositive, ofNegative) = (ofPositive + sums[2 * i], ofNegative + sums[2 * i + 1]);
        positive.GradientData[0] += (float)(ofPositive * SoftplusSlope(positive.Data[0]));
        negative.GradientData[0] += (float)(ofNegative * SoftplusSlope(negative.Data[0]));
    }

    public void Cap(float* x, long count, float softCap) => Bend(new SoftCap(softCap), x, null, count, x);

    private void Bend<T>(T curve, float* x, float* dy, long count, float* target) where T : unmanaged, ICurve =>
        team.Run(new CurveWork<T>(curve, (nint)x, (nint)dy, (nint)target, count), Chunks(count));

    private void RequireSums(long count)
    {
        if (count <= sumCount) return;
        NativeMemory.Free(sums);
        sums = (double*)NativeMemory.Alloc((nuint)count, sizeof(double));
        sumCount = count;
    }

    private static Kernels.XIelu Curve(Weight positive, Weight negative, float beta, float epsilon) =>
        new((float)Softplus(positive.Data[0]), (float)(beta + Softplus(negative.Data[0])), beta, epsilon);

    /// <summary>ln(1 + e^x), without overflow above and without losing digits below.</summary>
    private static double Softplus(double x)
    {
        var small = Numerics.Exp(-Math.Abs(x));
        return Math.Max(x, 0) + (small < 1e-8 ? small : Numerics.Log(1 + small));
    }

    private static double SoftplusSlope(double x) => 1 / (1 + Numerics.Exp(-x));

    private readonly record struct CurveWork<T>(T Curve, nint X, nint Dy, nint Target, long Count) : IWork where T : unmanaged, ICurve
    {
        public void Execute(int item, int thread)
        {
            var (first, count) = Chunk(item, Count);
            if (Dy == 0) Pointwise<T>.Forward(Curve, (float*)X + first, (float*)Target + first, count);
            else Pointwise<T>.Backward(Curve, (float*)X + first, (float*)Dy + first, (float*)Target + first, count);
        }
    }

    private readonly record struct XIeluGradientWork(Kernels.XIelu Curve, nint X, nint Dy, nint Dx, nint Sums, long Count) : IWork
    {
        public void Execute(int item, int thread)
        {
            var (first, count) = Chunk(item, Count);
            var sums = (double*)Sums + 2 * item;
            Curve.Backward((float*)X + first, (float*)Dy + first, (float*)Dx + first, count, out sums[0], out sums[1]);
        }
    }
}
