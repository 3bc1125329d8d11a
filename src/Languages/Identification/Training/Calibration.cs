using System.Numerics;
using OpenEuroLLM.Core;
using Numerics = OpenEuroLLM.Core.Numerics;

namespace OpenEuroLLM.Languages.Identification;

/// <summary>Fits the temperatures that make confidence honest: for each length of text the divisor of the logits with the least cross-entropy on windows
/// that were not trained on.</summary>
internal static class Calibration
{
    private const int LeastWindows = 200;
    private const double Least = 0.3, Step = 1.08;
    private const int Steps = 40;

    public static float[] Fit(TableTrainer trainer, IReadOnlyList<TrainingClass> classes, bool cyrillic, IdentifierConfig config)
    {
        var losses = new double[IdentificationModel.TemperatureCount, Steps];
        var windows = new int[IdentificationModel.TemperatureCount];
        var features = new WindowFeatures(cyrillic, config, new CounterRandom((ulong)config.Seed, 0));
        Span<float> logits = stackalloc float[trainer.Width];
        int each = Math.Max(100, config.Windows / 20);
        for (int label = 0; label < classes.Count; label++)
        {
            for (int index = 0; index < each; index++)
            {
                int count = trainer.Score(classes[label].HeldOutWindow((ulong)index), features, logits);
                if (count == 0) continue;
                int length = Math.Min(BitOperations.Log2((uint)count), IdentificationModel.TemperatureCount - 1);
                windows[length]++;
                for (int step = 0; step < Steps; step++) losses[length, step] += classes[label].Share * Loss(logits[..classes.Count], label, 1 / Temperature(step));
            }
        }

        return Temperatures(losses, windows);
    }

    private static double Temperature(int step) => Least * Numerics.Pow(Step, step);

    private static double Loss(ReadOnlySpan<float> logits, int label, double factor)
    {
        double greatest = double.NegativeInfinity, total = 0;
        foreach (float logit in logits) greatest = Math.Max(greatest, logit);
        foreach (float logit in logits) total += Numerics.Exp((logit - greatest) * factor);
        return Numerics.Log(total) - (logits[label] - greatest) * factor;
    }

    // A length with too few windows has the temperature of the nearest shorter one, the shortest that of the nearest longer one.
    private static float[] Temperatures(double[,] losses, int[] windows)
    {
        var temperatures = new float[windows.Length];
        for (int length = 0; length < windows.Length; length++)
        {
            if (windows[length] < LeastWindows) continue;
            int best = 0;
            for (int step = 1; step < Steps; step++)
                if (losses[length, step] < losses[length, best]) best = step;
            temperatures[length] = (float)Temperature(best);
        }

        for (int length = 1; length < temperatures.Length; length++) if (temperatures[length] == 0) temperatures[length] = temperatures[length - 1];
        for (int length = temperatures.Length - 2; length >= 0; length--) if (temperatures[length] == 0) temperatures[length] = temperatures[length + 1];
        for (int length = 0; length < temperatures.Length; length++) if (temperatures[length] == 0) temperatures[length] = 1;
        return temperatures;
    }
}
