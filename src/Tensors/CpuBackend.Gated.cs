using System.Runtime.InteropServices;
using OpenEuroLLM.Tensors.Kernels;

namespace OpenEuroLLM.Tensors;

/// <summary>Gated units, and gains stored as their distance from one.</summary>
internal sealed unsafe partial class CpuBackend
{
    private float* gains;
    private int gainCount;

    public void GeGlu(float* gate, float* up, long count, GeluForm form, float* y) => Gate(gate, up, null, count, form, y, null);

    public void GeGluGradient(float* gate, float* up, float* dy, long count, GeluForm form, float* dGate, float* dUp) =>
        Gate(gate, up, dy, count, form, dGate, dUp);

    private void Gate(float* gate, float* up, float* dy, long count, GeluForm form, float* first, float* second)
    {
        if (form == GeluForm.Exact) team.Run(new GatedWork<GeluExact>((nint)gate, (nint)up, (nint)dy, (nint)first, (nint)second, count), Chunks(count));
        else team.Run(new GatedWork<GeluTanh>((nint)gate, (nint)up, (nint)dy, (nint)first, (nint)second, count), Chunks(count));
    }

    /// <summary>The factors of a norm: the gain itself, or 1 + gain, each rounded once.</summary>
    private float* Factors(Weight gain, bool gainPlusOne)
    {
        if (!gainPlusOne) return gain.Data;
        if (gainCount < gain.Columns)
        {
            NativeMemory.Free(gains);
            gains = (float*)NativeMemory.Alloc((nuint)gain.Columns, sizeof(float));
            gainCount = gain.Columns;
        }
        for (var i = 0; i < gain.Columns; i++) gains[i] = 1 + gain.Data[i];
        return gains;
    }

    private readonly record struct GatedWork<T>(nint Gate, nint Up, nint Dy, nint First, nint Second, long Count) : IWork where T : struct, ICurve
    {
        public void Execute(int item, int thread)
        {
            var (first, count) = Chunk(item, Count);
            if (Dy == 0) Gated<T>.Forward((float*)Gate + first, (float*)Up + first, (float*)First + first, count);
            else Gated<T>.Backward((float*)Gate + first, (float*)Up + first, (float*)Dy + first, (float*)First + first, (float*)Second + first, count);
        }
    }
}
