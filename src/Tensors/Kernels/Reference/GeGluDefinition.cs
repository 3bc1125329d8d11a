using OpenEuroLLM.Core;

namespace OpenEuroLLM.Tensors.Kernels.Reference;

/// <summary>y = gelu(gate) · up. Source: arXiv:2002.05202; GELU: arXiv:1606.08415.</summary>
internal static class GeGluDefinition
{
    public static double[] Forward(double[] gate, double[] up, GeluForm form) => [.. gate.Zip(up, (g, u) => g * Share(g, form) * u)];

    public static (double[] Gate, double[] Up) Backward(double[] gate, double[] up, double[] dy, GeluForm form)
    {
        var (dGate, dUp) = (new double[gate.Length], new double[up.Length]);
        for (var i = 0; i < gate.Length; i++)
        {
            dUp[i] = dy[i] * gate[i] * Share(gate[i], form);
            dGate[i] = dy[i] * up[i] * (Share(gate[i], form) + gate[i] * ShareSlope(gate[i], form));
        }
        return (dGate, dUp);
    }

    /// <summary>What GELU multiplies x with: the normal distribution, or its approximation.</summary>
    private static double Share(double x, GeluForm form) => form == GeluForm.Exact ? Distribution(x) : 0.5 * (1 + Numerics.Tanh(Inner(x)));

    private static double ShareSlope(double x, GeluForm form)
    {
        if (form == GeluForm.Exact) return Numerics.Exp(-x * x / 2) / Math.Sqrt(2 * Math.PI);
        var tanh = Numerics.Tanh(Inner(x));
        return 0.5 * (1 - tanh * tanh) * Math.Sqrt(2 / Math.PI) * (1 + 3 * 0.044715 * x * x);
    }

    private static double Inner(double x) => Math.Sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x);

    /// <summary>Φ(x) = ½ + φ(x) · (x + x³/3 + x⁵/15 + ...); from 6 on by the continued fraction of its tail.</summary>
    private static double Distribution(double x)
    {
        var bell = Numerics.Exp(-x * x / 2) / Math.Sqrt(2 * Math.PI);
        if (Math.Abs(x) > 6)
        {
            var fraction = Math.Abs(x);
            for (var n = 60; n >= 1; n--) fraction = Math.Abs(x) + n / fraction;
            return x > 0 ? 1 - bell / fraction : bell / fraction;
        }
        double term = x, sum = x;
        for (var n = 3; Math.Abs(term) > 1e-18 * Math.Abs(sum); n += 2)
        {
            term *= x * x / n;
            sum += term;
        }
        return 0.5 + bell * sum;
    }
}
