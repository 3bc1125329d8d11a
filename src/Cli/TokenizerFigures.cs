using OpenEuroLLM.Languages;
using OpenEuroLLM.Tokenizers;

namespace OpenEuroLLM.Cli;

/// <summary>One tokenizer in a report: what it made of every language.</summary>
/// <param name="Path">As it was given.</param>
/// <param name="Name">Short, and different from the names of the others.</param>
/// <param name="VocabularySize">Tokens it has.</param>
/// <param name="VocabularyUsed">Tokens that occurred in any language.</param>
/// <param name="Judged">Whether bounds hold for it.</param>
/// <param name="Languages">A row each: the official languages, those of the project, others by code.</param>
internal sealed record TokenizerFigures(string Path, string Name, int VocabularySize, int VocabularyUsed, bool Judged, IReadOnlyList<LanguageFigures> Languages)
{
    public IEnumerable<LanguageFigures> Official => Languages.Where(row => row.Official);
}

/// <summary>The row of a language.</summary>
/// <param name="Code">Its code.</param>
/// <param name="Official">Whether it is one of the 24.</param>
/// <param name="Counts">What was counted; null where there was no text of it.</param>
/// <param name="Parity">Tokens over the tokens of the same sentences in English; null where the texts are not parallel.</param>
/// <param name="VocabularyShare">Different tokens that occurred over all there are; null where there was no text.</param>
internal sealed record LanguageFigures(string Code, bool Official, LanguageMeasure? Counts, double? Parity, double? VocabularyShare)
{
    public string Name => LanguageCatalog.TryFind(Code) is Language language && language.Code == Code ? $"{language.Name} ({Code})" : Code;

    /// <summary>The languages of a report, in the order of its rows: official ones even where there was no text.</summary>
    public static List<string> Order(IEnumerable<string> found)
    {
        var known = LanguageCatalog.All.Select(language => language.Code).ToList();
        var all = found.ToHashSet(StringComparer.Ordinal);
        return
        [
            .. LanguageCatalog.Official.Select(language => language.Code), .. known.Skip(LanguageCatalog.Official.Count).Where(all.Contains),
            .. all.Except(known).Order(StringComparer.Ordinal),
        ];
    }
}

/// <summary>A ratio that a report shows for every language.</summary>
/// <param name="Name">As <c>--gate</c> takes it.</param>
/// <param name="Title">As a heading.</param>
/// <param name="Meaning">One sentence.</param>
/// <param name="LowerIsBetter">Which end is good: a bound is the most when true, else the least.</param>
/// <param name="Show">How a value is written.</param>
/// <param name="Of">The value of a row; null where there is none.</param>
internal sealed record TokenizerRatio(string Name, string Title, string Meaning, bool LowerIsBetter, Func<double, string> Show, Func<LanguageFigures, double?> Of)
{
    public static IReadOnlyList<TokenizerRatio> All { get; } =
    [
        new("parity", "Parity against English", "Tokens over the tokens of the same sentences in English: 1 is what English pays, lower is better.", true, Fixed(3), row => row.Parity),
        new("tokens-per-word", "Tokens per word", "Tokens that hold a part of a word, on average; words are runs of letters, marks and numbers. 1 is the least, lower is better.", true, Fixed(3),
            row => row.Counts?.TokensPerWord),
        new("bytes-per-token", "Bytes per token", "Bytes of UTF-8 that a token holds on average; higher is better within a script, scripts differ in bytes per letter.", false, Fixed(3),
            row => row.Counts?.BytesPerToken),
        new("characters-per-token", "Characters per token", "Code points that a token holds on average; higher is better.", false, Fixed(3), row => row.Counts?.CharactersPerToken),
        new("whole-words", "Words kept whole", "Share of the words that lie in one token; higher is better.", false, Percent, row => row.Counts?.WholeWordShare),
        new("vocabulary-use", "Vocabulary use", "Share of the vocabulary that occurred at all in texts of the language; it grows with the amount of text.", false, Percent, row => row.VocabularyShare),
        new("unknown", "Unknown tokens", "Share of tokens that stand for nothing the vocabulary knows; 0 is best.", true, Percent, row => row.Counts?.UnknownShare),
        new("changed-texts", "Texts that change", "Texts that decoding does not give back byte for byte; 0 is best.", true, Fixed(0), row => row.Counts?.ChangedTexts),
    ];

    public static TokenizerRatio Named(string name) => All.First(ratio => ratio.Name == name);

    public static Func<double, string> Fixed(int places)
    {
        string format = FormattableString.Invariant($"F{places}");
        return value => value.ToString(format, System.Globalization.CultureInfo.InvariantCulture);
    }

    public static string Percent(double value) => FormattableString.Invariant($"{value * 100:0.00} %");
}

/// <summary>How far the languages lie apart.</summary>
/// <param name="Mean">Of the languages, each counting the same.</param>
/// <param name="Median">Half of the languages are better.</param>
/// <param name="Worst">The worst value.</param>
/// <param name="WorstLanguage">Whose it is; of several the first row.</param>
internal sealed record Spread(double Mean, double Median, double Worst, string WorstLanguage)
{
    /// <summary>The worst value over the median.</summary>
    public double WorstToMedian => Median > 0 ? Worst / Median : Worst > 0 ? double.PositiveInfinity : 1;

    /// <summary>The spread of rows, or null when none has a value.</summary>
    public static Spread? Of(IEnumerable<LanguageFigures> rows, Func<LanguageFigures, double?> value, bool lowerIsBetter)
    {
        var values = rows.Select(row => (row.Code, Value: value(row))).Where(row => row.Value is not null).Select(row => (row.Code, Value: row.Value!.Value)).ToList();
        if (values.Count == 0) return null;
        double[] sorted = [.. values.Select(row => row.Value).Order()];
        double worst = lowerIsBetter ? sorted[^1] : sorted[0];
        double median = sorted.Length % 2 == 1 ? sorted[sorted.Length / 2] : (sorted[(sorted.Length / 2) - 1] + sorted[sorted.Length / 2]) / 2;
        return new Spread(values.Average(row => row.Value), median, worst, values.First(row => row.Value == worst).Code);
    }
}
