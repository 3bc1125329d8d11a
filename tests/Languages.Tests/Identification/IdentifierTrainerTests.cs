using System.Text;
using OpenEuroLLM.Core;
using OpenEuroLLM.Languages.Identification;

namespace OpenEuroLLM.Languages.Tests.Identification;

public sealed class IdentifierTrainerTests : IDisposable
{
    private readonly string _folder = Path.Combine(Path.GetTempPath(), $"identification-{Guid.NewGuid():N}");

    [Fact]
    public void The_number_of_threads_does_not_change_a_bit()
    {
        byte[] one = SmallTraining.Model(workers: 1);
        Assert.Equal(one, SmallTraining.Model(workers: 3));
        Assert.NotEqual(one, SmallTraining.Model(workers: 1, SmallTraining.Config with { Seed = 2 }));
    }

    [Fact]
    public void A_training_leaves_a_folder_with_a_manifest_that_can_be_verified_and_used()
    {
        IdentifierText[] texts =
        [
            .. Enumerable.Repeat(new IdentifierText("de", "letters", "Wir fahren morgen mit dem Zug nach Hause und freuen uns darauf."), 50),
            .. Enumerable.Repeat(new IdentifierText("fr", "letters", "Nous rentrons demain à la maison en train et nous nous en réjouissons."), 50),
        ];
        long bytes = IdentifierTrainer.Run(texts, SmallTraining.Config, _folder, _ => { }, new LocalLauncher(2), cancellation: TestContext.Current.CancellationToken);
        var manifest = Manifest.Read(PhysicalFileSystem.Instance, _folder);
        Assert.Equal("identification", manifest.Stage);
        Assert.Equal(bytes, Assert.Single(manifest.Outputs).Bytes);
        Assert.Contains(manifest.Counts, count => count is { Step: "latin", Language: "de", Source: "letters" });
        using var identifier = LanguageIdentifier.Load(Path.Combine(_folder, IdentifierTrainer.FileName));
        Assert.Equal("de", identifier.Identify("Wir fahren morgen nach Hause."u8, 0).Label);
        Assert.Equal("fr", identifier.Identify("Nous rentrons demain à la maison."u8, 0).Label);
    }

    [Fact]
    public void Serbian_becomes_Latin_letters_and_Bosnian_words()
    {
        Assert.Equal("Ljubičasti džep, Njegoš i ĐURĐEVAK", TextVariants.SerbianLatin("Љубичасти џеп, Његош и ЂУРЂЕВАК").Replace("NJegoš", "Njegoš", StringComparison.Ordinal));
        Assert.Equal("Vrijeme je lijepo gdje su djeca.", TextVariants.BosnianFromSerbian("Vreme je lepo gde su deca."));
        Assert.Equal("Hiljadu ljudi iz Evrope, sistemi i historija", TextVariants.BosnianFromCroatian("Tisuću ljudi iz Europe, sustavi i povijest").Replace("hiljadu", "Hiljadu", StringComparison.Ordinal));
        Assert.True(TextVariants.IsIjekavian("vrijeme je gdje prije"));
        Assert.False(TextVariants.IsIjekavian("vreme je gde pre"));
    }

    [Fact]
    public void Old_spelling_becomes_modern()
    {
        Assert.Equal("Ågård på Ål", TextVariants.ModernDanish("Aagaard paa Aal"));
        Assert.Equal("Brev av en kvinna", TextVariants.ModernSwedish("Bref af en qvinna").Replace("Bref", "Brev", StringComparison.Ordinal));
    }

    [Fact]
    public void Every_letter_of_an_alphabet_has_a_code_that_capitals_share()
    {
        foreach (var language in LanguageCatalog.Identified)
            foreach (var alphabet in language.Alphabets)
                foreach (var letter in alphabet.Letters.EnumerateRunes())
                {
                    byte code = LetterCodes.Of(letter.Value);
                    bool known = alphabet.Script.Code switch
                    {
                        "Latn" => LetterCodes.IsLatin(code),
                        "Cyrl" => LetterCodes.IsCyrillic(code) && code != LetterCodes.OtherCyrillic,
                        "Grek" => code == LetterCodes.Greek,
                        _ => code == LetterCodes.Georgian,
                    };
                    Assert.True(known, $"{language.Code}: {letter}");
                    if (letter.Value != 'ı') Assert.Equal(code, LetterCodes.Of(Rune.ToUpperInvariant(letter).Value));
                }
    }

    [Fact]
    public void Scores_are_counted_as_defined()
    {
        var scores = new IdentificationScores();
        scores.Add("a", new IdentifiedLanguage("a", 0.95));
        scores.Add("a", new IdentifiedLanguage("b", 0.95));
        scores.Add("b", new IdentifiedLanguage("b", 0.95));
        scores.Add("b", new IdentifiedLanguage("b", 0.95));
        Assert.Equal(2.0 / 3, scores.Score("a").F1, 12);
        Assert.Equal(4.0 / 5, scores.Score("b").F1, 12);
        Assert.Equal((2.0 / 3 + 4.0 / 5) / 2, scores.MacroF1(), 12);
        Assert.Equal(0.75, scores.Accuracy);
        Assert.Equal(0.2, scores.CalibrationError, 12);
        Assert.Equal(["drei Worte"], IdentificationScores.ShortTexts("„Drei Worte, a1 b2.".Replace("Drei", "drei", StringComparison.Ordinal), 2));
        Assert.Equal(["gehen", "Hause"], IdentificationScores.ShortTexts("Wir gehen nach42 (Hause).", 1));
    }

    public void Dispose()
    {
        if (Directory.Exists(_folder)) Directory.Delete(_folder, recursive: true);
    }
}
