using OpenEuroLLM.Core;

namespace OpenEuroLLM.Tensors.Kernels.Reference;

/// <summary>x · Φ(x), or its approximation by tanh. Source: arXiv:1606.08415.</summary>
internal static class GeluDefinition
{
    public static double Value(double x, GeluForm form) => x * Share(x, form);

    public static double Slope(double x, GeluForm form) => Share(x, form) + x * ShareSlope(x, form);

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

/// <summary>max(x, 0)². Source: arXiv:2109.08668.</summary>
internal static class SquaredReluDefinition
{
    public static double Value(double x) => x > 0 ? x * x : 0;

    public static double Slope(double x) => x > 0 ? 2 * x : 0;
}

/// <summary>xIELU with factors that softplus keeps above 0 and above beta. Source: arXiv:2411.13010.</summary>
internal sealed record XIeluDefinition(double AlphaPositive, double AlphaNegative, double Beta, double Epsilon)
{
    private double Positive => Softplus(AlphaPositive);

    private double Negative => Beta + Softplus(AlphaNegative);

    public double Value(double x) => x > 0
        ? Positive * x * x + Beta * x
        : Negative * (Numerics.Exp(Math.Min(x, Epsilon)) - 1 - x) + Beta * x;

    public double Slope(double x) => x > 0
        ? 2 * Positive * x + Beta
        : Negative * (Numerics.Exp(Math.Min(x, Epsilon)) - 1) + Beta;

    /// <summary>Gradients of x and of both alphas.</summary>
    public (double[] X, double AlphaPositive, double AlphaNegative) Backward(double[] x, double[] dy)
    {
        var (positive, negative) = (0.0, 0.0);
        for (var i = 0; i < x.Length; i++)
        {
            if (x[i] > 0) positive += dy[i] * x[i] * x[i];
            else negative += dy[i] * (Numerics.Exp(Math.Min(x[i], Epsilon)) - 1 - x[i]);
        }
        return ([.. x.Zip(dy, (value, slope) => slope * Slope(value))], positive * Sigmoid(AlphaPositive), negative * Sigmoid(AlphaNegative));
    }

    /// <summary>ln(1 + e^x); what rounding the sum loses is made good by the quotient.</summary>
    private static double Softplus(double x)
    {
        var y = Numerics.Exp(x);
        return 1 + y == 1 ? y : y * Numerics.Log(1 + y) / (1 + y - 1);
    }

    private static double Sigmoid(double x) => 1 / (1 + Numerics.Exp(-x));
}

/// <summary>cap · tanh(x / cap). Source: arXiv:2408.00118.</summary>
internal static class SoftCapDefinition
{
    public static double Value(double x, double? cap) => cap is { } most ? most * Numerics.Tanh(x / most) : x;

    public static double Slope(double x, double? cap)
    {
        if (cap is not { } most) return 1;
        var tanh = Numerics.Tanh(x / most);
        return 1 - tanh * tanh;
    }
}
