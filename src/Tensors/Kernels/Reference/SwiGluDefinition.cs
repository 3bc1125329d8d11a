using OpenEuroLLM.Core;

namespace OpenEuroLLM.Tensors.Kernels.Reference;

/// <summary>y = gate · sigmoid(gate) · up. Source: arXiv:2002.05202.</summary>
internal static class SwiGluDefinition
{
    public static double[] Forward(double[] gate, double[] up) => [.. gate.Zip(up, (g, u) => g * Sigmoid(g) * u)];

    public static (double[] Gate, double[] Up) Backward(double[] gate, double[] up, double[] dy)
    {
        var (dGate, dUp) = (new double[gate.Length], new double[up.Length]);
        for (var i = 0; i < gate.Length; i++)
        {
            var s = Sigmoid(gate[i]);
            dGate[i] = dy[i] * up[i] * (s + gate[i] * s * (1 - s));
            dUp[i] = dy[i] * gate[i] * s;
        }
        return (dGate, dUp);
    }

    private static double Sigmoid(double x) => 1 / (1 + Numerics.Exp(-x));
}
