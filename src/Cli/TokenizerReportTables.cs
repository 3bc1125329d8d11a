using OpenEuroLLM.Transparency;

namespace OpenEuroLLM.Cli;

/// <summary>The tables and charts of a report on tokenizers.</summary>
internal sealed class TokenizerReportTables(IReadOnlyList<TokenizerFigures> all, bool parallel, IReadOnlyList<TokenizerGate> gates)
{
    private const string Absent = "–";
    private static readonly string[] Charted = ["parity", "tokens-per-word", "bytes-per-token", "whole-words", "vocabulary-use"];

    /// <summary>What is summed up over the languages: its key in JSON, the value of a row, and which end is better.</summary>
    public static IEnumerable<(string Key, Func<LanguageFigures, double?> Value, bool LowerIsBetter)> Spreads(bool parallel)
    {
        if (parallel)
        {
            yield return ("tokens", row => row.Counts?.Tokens, true);
            yield return ("parity", row => row.Parity, true);
        }
        yield return ("tokensPerWord", row => row.Counts?.TokensPerWord, true);
        yield return ("bytesPerToken", row => row.Counts?.BytesPerToken, false);
        yield return ("wholeWordShare", row => row.Counts?.WholeWordShare, false);
    }

    /// <summary>The report in a terminal.</summary>
    public IEnumerable<string> ToLines()
    {
        foreach (var figures in all)
        {
            var table = Details(figures);
            yield return table.Caption;
            foreach (string line in table.ToLines()) yield return line;
            yield return "";
        }
        var summary = Summary();
        yield return summary.Caption;
        foreach (string line in summary.ToLines()) yield return line;
    }

    /// <summary>The report as a page.</summary>
    public Comparison ToComparison()
    {
        var rows = all[0].Languages;
        var official = rows.Where(row => row.Official).Select(row => row.Name).ToList();
        var others = rows.Where(row => !row.Official).Select(row => row.Name).ToList();
        var groups = new List<LanguageGroup> { new("Official languages", official) };
        if (others.Count > 0) groups.Add(new LanguageGroup("Other languages", others));
        var measures = TokenizerRatio.All.Where(ratio => Charted.Contains(ratio.Name) && (parallel || ratio.Name != "parity")).Select(ratio => new ComparedMeasure(
            ratio.Title, ratio.Meaning, [.. rows.Select((_, row) => (IReadOnlyList<double?>)[.. all.Select(figures => ratio.Of(figures.Languages[row]))])], ratio.Show,
            gates.FirstOrDefault(gate => gate.Name == ratio.Name && gate.Language is null)?.Bound ?? (ratio.Name == "parity" ? 1 : null))).ToList();
        long texts = rows.Sum(row => row.Counts?.Texts ?? 0), bytes = rows.Sum(row => row.Counts?.Bytes ?? 0);
        string introduction = FormattableString.Invariant($"{texts:N0} texts with {bytes / 1e6:0.00} MB in {rows.Count(row => row.Counts is not null)} languages")
            + (parallel ? ", the same sentences in every language." : ".") + (all.Count == 1 ? "" : FormattableString.Invariant($" {all.Count} tokenizers beside each other."))
            + (gates.Count == 0 ? "" : $" Bounds: {string.Join("; ", gates.Select(Bound))}.");
        var broken = all.Where(figures => figures.Judged).SelectMany(figures => TokenizerGate.Broken(gates, figures)).ToList();
        List<Table> summary = [Summary()];
        if (broken.Count > 0)
            summary.Insert(0, new Table("Bounds that are broken", ["Tokenizer", "Language", "Bound", "Value"],
                [.. broken.Select(each => (IReadOnlyList<string>)[each.Figures.Name, each.Language, Bound(each.Gate), each.Value is double value ? each.Show(value) : "no text"])]));
        return new Comparison(all.Count == 1 ? $"Tokenizer report: {all[0].Name}" : "Tokenizer report", introduction, [.. all.Select(figures => figures.Name)], groups, measures, summary,
            [.. all.Select(Details)]);
    }

    private static string Bound(TokenizerGate gate) =>
        FormattableString.Invariant($"{(gate.Language is null ? "" : gate.Language + ": ")}{gate.Name} at {(gate.Name == TokenizerGate.MaxToMedian || TokenizerRatio.Named(gate.Name).LowerIsBetter ? "most" : "least")} {gate.Bound}");

    private Table Summary()
    {
        var rows = new List<IReadOnlyList<string>>();
        foreach (var (key, value, lowerIsBetter) in Spreads(parallel))
        {
            Func<double, string> show = key == "tokens" ? TokenizerRatio.Fixed(0) : key == "wholeWordShare" ? TokenizerRatio.Percent : TokenizerRatio.Fixed(3);
            foreach (string among in (string[])["official", "all"])
            {
                foreach (var figures in all)
                {
                    if (Spread.Of(among == "all" ? figures.Languages : figures.Official, value, lowerIsBetter) is Spread spread)
                        rows.Add([key, among, figures.Name, show(spread.Mean), show(spread.Median), show(spread.Worst), spread.WorstLanguage, TokenizerRatio.Fixed(3)(spread.WorstToMedian)]);
                }
            }
        }
        return new Table("Over the languages, each counting the same", ["measure", "languages", "tokenizer", "mean", "median", "worst", "whose", "worst/median"], rows);
    }

    private Table Details(TokenizerFigures figures)
    {
        var shown = TokenizerRatio.All.Where(ratio => parallel || ratio.Name != "parity").ToList();
        return new Table(
            FormattableString.Invariant($"{figures.Name}: {figures.VocabularySize} tokens, {figures.VocabularyUsed} of them used"),
            ["language", "texts", "bytes", "tokens", .. shown.Select(ratio => ratio.Name)],
            [.. figures.Languages.Select(row => (IReadOnlyList<string>)[
                row.Code, Whole(row.Counts?.Texts), Whole(row.Counts?.Bytes), Whole(row.Counts?.Tokens), .. shown.Select(ratio => ratio.Of(row) is double value ? ratio.Show(value) : Absent)])]);
    }

    private static string Whole(long? count) => count is long number ? FormattableString.Invariant($"{number}") : Absent;
}
