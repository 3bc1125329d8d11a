using OpenEuroLLM.Core;

namespace OpenEuroLLM.Training;

/// <summary>The learning rate of each step, as a share of its peak: a function of the step alone.</summary>
public static class Schedule
{
    /// <summary>Share of the peak rate at <paramref name="step"/>, 0 to 1.</summary>
    /// <param name="kind">Form of the curve.</param>
    /// <param name="step">Step, from 0.</param>
    /// <param name="steps">Steps of the whole run.</param>
    /// <param name="warmupShare">Share of the steps with a linear rise.</param>
    /// <param name="decayShare">Share of the steps with the final fall.</param>
    public static double At(ScheduleKind kind, long step, long steps, double warmupShare, double decayShare)
    {
        var warmup = Math.Floor(steps * warmupShare);
        if (step < warmup) return (step + 1) / warmup;
        if (kind == ScheduleKind.Cosine)
        {
            var share = (step - warmup) / Math.Max(1, steps - warmup);
            return 0.1 + 0.9 * 0.5 * (1 + Numerics.Cos(Math.PI * share));
        }
        var decay = Math.Floor(steps * decayShare);
        var left = steps - step;
        return left > decay ? 1 : left / (decay + 1);
    }
}
