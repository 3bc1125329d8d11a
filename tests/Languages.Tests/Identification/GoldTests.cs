using System.IO.Compression;
using System.Text;
using OpenEuroLLM.Languages.Identification;

namespace OpenEuroLLM.Languages.Tests.Identification;

/// <summary>The figures on the development gold, which was not trained on. A change that costs more than a little fails here.</summary>
public sealed class GoldTests
{
    private static readonly string[] _hard = ["bs", "hr", "lb", "mk"];

    [Fact]
    public void The_figures_on_the_development_gold_are_reached()
    {
        Assert.SkipUnless(File.Exists(SharedData.Gold), "needs the development gold, ../shared/data/lid/dev.tsv.gz");
        using var identifier = LanguageIdentifier.BuiltIn();
        var (sentences, words, pairs) = (new IdentificationScores(), new IdentificationScores(), new IdentificationScores());
        using var reader = new StreamReader(new GZipStream(File.OpenRead(SharedData.Gold), CompressionMode.Decompress));
        for (int number = 0; reader.ReadLine() is string line; number++)
        {
            int tab = line.IndexOf('\t', StringComparison.Ordinal);
            (string label, string text) = (line[..tab], line[(tab + 1)..]);
            sentences.Add(label, identifier.Identify(Encoding.UTF8.GetBytes(text), threshold: 0));
            if (number % 8 != 0) continue;
            foreach (string word in IdentificationScores.ShortTexts(text, 1)) words.Add(label, identifier.Identify(Encoding.UTF8.GetBytes(word), threshold: 0));
            foreach (string pair in IdentificationScores.ShortTexts(text, 2)) pairs.Add(label, identifier.Identify(Encoding.UTF8.GetBytes(pair), threshold: 0));
        }

        Assert.Equal(39 * 1004, sentences.Texts);
        AssertAtLeast(0.965, sentences.MacroF1(), "macro-F1 of all labels");
        AssertAtLeast(0.975, sentences.MacroF1(label => LanguageCatalog.TryFind(label)?.Status == LanguageStatus.Official), "macro-F1 of the official languages");
        AssertAtLeast(0.985, sentences.MacroF1(label => !_hard.Contains(label)), "macro-F1 without bs, hr, lb, mk");
        AssertAtLeast(0.65, sentences.MacroF1(label => label is "bs" or "hr"), "mean F1 of bs and hr");
        AssertAtLeast(0.97, sentences.Score("mk").F1, "F1 of mk");
        AssertAtLeast(0.99, sentences.Score("lb").F1, "F1 of lb");
        AssertAtLeast(0.62, words.Accuracy, "accuracy on single words");
        AssertAtLeast(0.79, pairs.Accuracy, "accuracy on word pairs");
        AssertAtLeast(-0.03, -sentences.CalibrationError, "calibration (negative)");
    }

    private static void AssertAtLeast(double least, double value, string what) =>
        Assert.True(value >= least, FormattableString.Invariant($"{what} is {value:0.0000}; expected at least {least:0.0000}"));
}
