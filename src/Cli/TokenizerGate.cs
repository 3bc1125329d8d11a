using System.Globalization;
using OpenEuroLLM.Core;

namespace OpenEuroLLM.Cli;

/// <summary>A bound that no language may break: <c>tokens-per-word=2.5</c>, or <c>mt:tokens-per-word=3</c> for one language, which then has no other of that name.</summary>
/// <param name="Language">The one language it holds for; null for all that have no bound of their own.</param>
/// <param name="Name">A <see cref="TokenizerRatio"/>, or <see cref="MaxToMedian"/>.</param>
/// <param name="Bound">The most, or where more is better the least.</param>
internal sealed record TokenizerGate(string? Language, string Name, double Bound)
{
    /// <summary>Bounds the most tokens that an official language needs by their median over the official languages.</summary>
    public const string MaxToMedian = "max-to-median";

    public static IReadOnlyList<string> Names { get; } = [.. TokenizerRatio.All.Select(ratio => ratio.Name), MaxToMedian];

    private static bool NeedsParallel(string name) => name is "parity" or MaxToMedian;

    /// <summary>Reads one value of <c>--gate</c>.</summary>
    public static TokenizerGate Parse(string text, bool parallel)
    {
        int sign = text.IndexOf('=', StringComparison.Ordinal);
        string left = sign < 0 ? text : text[..sign];
        int colon = left.IndexOf(':', StringComparison.Ordinal);
        string? language = colon < 0 ? null : left[..colon];
        string name = left[(colon + 1)..];
        if (!Names.Contains(name)) throw new UserErrorException($"--gate '{text}': '{name}' is unknown{SuggestedName.Hint(name, Names)}");
        if (sign < 0 || !double.TryParse(text[(sign + 1)..], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double bound) || !double.IsFinite(bound))
            throw new UserErrorException($"--gate '{text}': '{(sign < 0 ? "" : text[(sign + 1)..])}' is no bound; expected a number from 0, as in {name}=2.5.");
        if (NeedsParallel(name) && !parallel)
            throw new UserErrorException($"--gate '{text}': {name} compares the same sentences in several languages; expected --parallel with such an input.");
        if (language is not null && name == MaxToMedian) throw new UserErrorException($"--gate '{text}': {name} is about all official languages together; leave out '{language}:'.");
        return new TokenizerGate(language is null ? null : TokenizerReportInput.Canonical(language), name, bound);
    }

    /// <summary>The bounds that one tokenizer breaks, a sentence each.</summary>
    public static IEnumerable<BrokenGate> Broken(IReadOnlyList<TokenizerGate> gates, TokenizerFigures figures)
    {
        foreach (var gate in gates)
        {
            if (gate.Name == MaxToMedian)
            {
                if (Spread.Of(figures.Official, row => row.Counts?.Tokens, lowerIsBetter: true) is Spread spread && spread.WorstToMedian > gate.Bound)
                    yield return new BrokenGate(figures, gate, spread.WorstLanguage, spread.WorstToMedian, TokenizerRatio.Fixed(3));
                continue;
            }
            var ratio = TokenizerRatio.Named(gate.Name);
            var own = gates.Where(other => other.Name == gate.Name && other.Language is not null).Select(other => other.Language).ToHashSet();
            if (gate.Language is string only && !figures.Languages.Any(row => row.Code == only && row.Counts is not null))
                yield return new BrokenGate(figures, gate, only, null, ratio.Show);
            foreach (var row in figures.Languages.Where(row => gate.Language is null ? !own.Contains(row.Code) : row.Code == gate.Language))
                if (ratio.Of(row) is double value && (ratio.LowerIsBetter ? value > gate.Bound : value < gate.Bound))
                    yield return new BrokenGate(figures, gate, row.Code, value, ratio.Show);
        }
    }
}

/// <summary>A language that breaks a bound; without a value because there was no text of it.</summary>
internal sealed record BrokenGate(TokenizerFigures Figures, TokenizerGate Gate, string Language, double? Value, Func<double, string> Show)
{
    /// <summary>Language, value and bound in one line.</summary>
    public override string ToString()
    {
        string bound = Gate.Bound.ToString(CultureInfo.InvariantCulture);
        if (Value is not double value) return $"{Figures.Name}: {Language}: there is no text of it to hold {Gate.Name} against {bound}.";
        bool most = Gate.Name == TokenizerGate.MaxToMedian || TokenizerRatio.Named(Gate.Name).LowerIsBetter;
        string found = Show == TokenizerRatio.Percent ? $"{Show(value)} ({value.ToString("0.####", CultureInfo.InvariantCulture)})" : Show(value);
        return $"{Figures.Name}: {Language}: {Gate.Name} is {found}; the bound is at {(most ? "most" : "least")} {bound}.";
    }
}
