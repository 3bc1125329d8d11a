using OpenEuroLLM.Core;

namespace OpenEuroLLM.Corpus.Building;

/// <summary>What a language gives to the training text.</summary>
/// <param name="Language">Its code.</param>
/// <param name="Available">The tokens it has.</param>
/// <param name="Tokens">The tokens that are taken.</param>
internal sealed record LanguageMix(string Language, long Available, long Tokens)
{
    /// <summary>How often every document comes.</summary>
    public long WholePasses => Available == 0 ? 0 : Tokens / Available;

    /// <summary>Tokens of the documents that come once more; below <see cref="Available"/>.</summary>
    public long LastPassTokens => Available == 0 ? 0 : Tokens % Available;

    /// <summary>The share of the language's tokens that come once more.</summary>
    public double LastPassShare => Available == 0 ? 0 : (double)LastPassTokens / Available;
}

/// <summary>How many tokens of each language are taken: whole numbers that add up, the same on every machine and in whatever order the languages are given.</summary>
/// <param name="Languages">In order of their codes; those that get nothing are among them.</param>
/// <param name="Missing">Tokens that were asked for and that no language could give.</param>
internal sealed record MixingPlan(IReadOnlyList<LanguageMix> Languages, long Missing)
{
    private const double WeightUnit = 1L << 50;

    /// <summary>Plans a mix.</summary>
    /// <param name="available">The tokens each language has.</param>
    /// <param name="mixing">The settings.</param>
    /// <exception cref="UserErrorException">The settings contradict each other, or name languages that are not kept.</exception>
    public static MixingPlan Of(IReadOnlyDictionary<string, long> available, Mixing mixing)
    {
        mixing.Check([.. available.Keys]);
        string[] codes = [.. available.Keys.Order(StringComparer.Ordinal)];
        var tokens = new long[codes.Length];
        var caps = new long[codes.Length];
        long missing = 0, left = mixing.Tokens ?? long.MaxValue;
        var shared = new List<int>();
        for (int i = 0; i < codes.Length; i++)
        {
            ArgumentOutOfRangeException.ThrowIfNegative(available[codes[i]]);
            caps[i] = Cap(available[codes[i]], mixing.MostPasses);
            if (mixing.Budgets?.TryGetValue(codes[i], out long budget) == true)
            {
                tokens[i] = Math.Min(budget, caps[i]);
                missing = Add(missing, budget - tokens[i]);
                left -= mixing.Tokens is null ? 0 : budget;   // what a named language lacks is not given to others: they were not asked for it
            }
            else if (caps[i] > 0 && mixing.Weights?.ContainsKey(codes[i]) != false) shared.Add(i);
        }

        if (mixing.Tokens is null)
        {
            left = 0;
            foreach (int i in shared) left = Add(left, available[codes[i]]);
        }
        UInt128[] weights = Weights(shared.ConvertAll(i => available[codes[i]]), shared.ConvertAll(i => codes[i]), mixing);
        long[] filled = Fill(left, weights, [.. shared.Select(i => caps[i])]);
        for (int i = 0; i < filled.Length; i++) tokens[shared[i]] = filled[i];
        missing = Add(missing, left - filled.Sum());
        return new MixingPlan([.. codes.Select((code, i) => new LanguageMix(code, available[code], tokens[i]))], missing);
    }

    /// <summary>Divides a number in proportion to weights, none above its cap; what those cannot take goes to the others by their weights. Parts are rounded down, and
    /// the units then left go to the greatest remainders, the first of equals.</summary>
    internal static long[] Fill(long total, IReadOnlyList<UInt128> weights, IReadOnlyList<long> caps)
    {
        var parts = new long[weights.Count];
        var open = Enumerable.Range(0, weights.Count).Where(i => weights[i] > 0).ToList();
        long left = total;
        while (open.Count > 0)
        {
            UInt128 sum = 0;
            foreach (int i in open) sum += weights[i];
            // All that are full at this level are closed at once: the level of the others only rises by it.
            long before = left;
            int closed = open.RemoveAll(i =>
            {
                if ((UInt128)(ulong)before * weights[i] < (UInt128)(ulong)caps[i] * sum) return false;
                parts[i] = caps[i];
                left -= caps[i];
                return true;
            });
            if (closed > 0) continue;
            foreach (int i in open) parts[i] = (long)((UInt128)(ulong)before * weights[i] / sum);
            foreach (int i in open) left -= parts[i];
            foreach (int i in open.OrderByDescending(i => (UInt128)(ulong)before * weights[i] % sum).ThenBy(i => i).Take((int)left)) parts[i]++;
            return parts;
        }
        return parts;
    }

    private static UInt128[] Weights(List<long> available, List<string> codes, Mixing mixing)
    {
        // Tokens themselves are the exact weights, so that taking all of everything gives whole passes and no crumbs.
        if (mixing.Weights is null && mixing.Temperature is null or 1.0) return [.. available.Select(tokens => (UInt128)(ulong)tokens)];
        double[] shares = [.. available.Select((tokens, i) => mixing.Weights?[codes[i]] ?? Numerics.Pow(tokens, 1 / mixing.Temperature!.Value))];
        double most = shares.DefaultIfEmpty().Max();
        return [.. shares.Select(share => (UInt128)Math.Max(1, Math.Round(share / most * WeightUnit)))];
    }

    private static long Cap(long available, double passes)
    {
        decimal cap = decimal.Floor(available * (decimal)passes);
        return cap >= long.MaxValue ? long.MaxValue : (long)cap;
    }

    private static long Add(long a, long b) => a > long.MaxValue - b ? long.MaxValue : a + b;
}
