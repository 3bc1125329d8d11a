using OpenEuroLLM.Core;

namespace OpenEuroLLM.Tokenizers;

/// <summary>The derivative of the logarithm of the gamma function.</summary>
internal static class Digamma
{
    /// <summary>ψ(x) for x above 0: ψ(x) = ψ(x + 1) - 1/x up to where the asymptotic series is exact to the last place or two.</summary>
    public static double Of(double x)
    {
        double sum = 0;
        for (; x < 8; x++)
            sum -= 1 / x;
        double square = 1 / (x * x);
        double series = square * (1.0 / 12 - square * (1.0 / 120 - square * (1.0 / 252 - square * (1.0 / 240 - square * (1.0 / 132 - square * (691.0 / 32760 - square / 12))))));
        return sum + Numerics.Log(x) - 0.5 / x - series;
    }
}
