using System.Globalization;
using System.Text;
using OpenEuroLLM.Core;

namespace OpenEuroLLM.Languages.Tests;

public sealed class LanguageCatalogTests
{
    public static TheoryData<string> Codes => [.. LanguageCatalog.All.Select(language => language.Code)];

    [Fact]
    public void There_are_36_languages_and_Norwegian_has_two_codes()
    {
        string[] Of(LanguageStatus status) => [.. LanguageCatalog.All.Where(language => language.Status == status).Select(language => language.Code)];
        Assert.Equal(["bg", "cs", "da", "de", "el", "en", "es", "et", "fi", "fr", "ga", "hr", "hu", "it", "lt", "lv", "mt", "nl", "pl", "pt", "ro", "sk", "sl", "sv"], Of(LanguageStatus.Official));
        Assert.Equal(["ca", "eu", "gl"], Of(LanguageStatus.CoOfficial));
        Assert.Equal(["bs", "ka", "mk", "sq", "sr", "tr", "uk"], Of(LanguageStatus.Candidate));
        Assert.Equal(["is", "nb", "nn"], Of(LanguageStatus.Nordic));
        Assert.Equal(36, LanguageCatalog.All.Select(language => language.Code is "nb" or "nn" ? "no" : language.Code).Distinct().Count());
        Assert.Equal(24, LanguageCatalog.Official.Count);
    }

    [Fact]
    public void Identification_knows_two_languages_more_which_are_no_targets()
    {
        Assert.Equal(["cy", "lb"], LanguageCatalog.Identified.Except(LanguageCatalog.All).Select(language => language.Code));
        Assert.All(["cy", "lb"], code => Assert.Null(LanguageCatalog.TryFind(code)));
    }

    [Fact]
    public void Word_lists_are_in_small_letters_of_their_language_and_say_nothing_twice()
    {
        foreach (var language in LanguageCatalog.Identified)
        {
            Assert.True(language.StopWords.Count >= 40, $"{language.Code}: {language.StopWords.Count} stop words");
            foreach (var list in new[] { language.StopWords, language.Words })
            {
                Assert.Equal(list.Distinct(), list);
                Assert.All(list, word =>
                {
                    Assert.True(word.IsNormalized(NormalizationForm.FormC));
                    Assert.Equal(word.ToLowerInvariant(), word);
                    Assert.True(word.EnumerateRunes().Where(Rune.IsLetter).All(language.IsInScript), $"{language.Code}: {word}");
                });
            }
        }
    }

    [Theory, MemberData(nameof(Codes))]
    public void The_data_of_a_language_are_sound(string code)
    {
        var language = LanguageCatalog.Find(code);
        Assert.Equal((2, 3), (language.Iso6391.Length, language.Iso6393.Length));
        Assert.NotEmpty(language.NativeName);
        Assert.NotEmpty(language.Countries);
        Assert.Equal(language.Alphabets.Select(alphabet => $"{code}-{alphabet.Script.Code}"), language.Tags);
        foreach (string known in language.Aliases.Concat([language.Iso6391, language.Iso6393, .. language.Tags, code.ToUpperInvariant(), code + "_XX"]))
            Assert.Same(language, LanguageCatalog.Find(known));
        foreach (var alphabet in language.Alphabets)
        {
            Assert.Equal(string.Concat(alphabet.Letters.Order()), alphabet.Letters);
            Assert.Equal(string.Concat(alphabet.Letters.Distinct()), alphabet.Letters);
            Assert.All(alphabet.Letters.EnumerateRunes(), letter =>
            {
                Assert.True(Rune.IsLower(letter) || alphabet.Script.Code == "Geor", $"{letter} is not a lower-case letter");
                Assert.True(alphabet.Script.Contains(letter), $"{letter} is not {alphabet.Script.Name}");
            });
        }
    }

    [Theory, MemberData(nameof(Codes))]
    public void The_examples_of_a_language_are_in_its_letters(string code)
    {
        var language = LanguageCatalog.Find(code);
        Assert.True(language.Examples.Count >= 3 * language.Alphabets.Count);
        Assert.All(language.Examples, example =>
        {
            Assert.True(example.IsNormalized(NormalizationForm.FormC));
            Assert.Equal(1.0, language.ScriptShare(example));
            Assert.Contains(language.Alphabets, alphabet => example.Where(char.IsLetter).All(letter =>
                alphabet.Letters.Contains(code == "tr" && letter == 'I' ? 'ı' : char.ToLower(letter, CultureInfo.InvariantCulture))));
        });
        Assert.All(language.Alphabets, alphabet => Assert.True(language.Examples.Count(example => alphabet.Script.Contains(example.EnumerateRunes().First(Rune.IsLetter))) >= 3));
    }

    [Fact]
    public void No_two_languages_share_their_third_example() =>
        Assert.Equal(LanguageCatalog.All.Count, LanguageCatalog.All.Select(language => language.Examples[2]).Distinct().Count());

    [Theory]
    [InlineData("no", "nb")]
    [InlineData("nor", "nb")]
    [InlineData("nob", "nb")]
    [InlineData("nno", "nn")]
    [InlineData("nn-NO", "nn")]
    [InlineData("ekk", "et")]
    [InlineData("lvs", "lv")]
    [InlineData("als", "sq")]
    [InlineData("sr-Latn-RS", "sr")]
    [InlineData("sr_Cyrl", "sr")]
    [InlineData("PT-br", "pt")]
    [InlineData("cze", "cs")]
    [InlineData("mol", "ro")]
    public void Codes_of_every_kind_lead_to_the_canonical_one(string code, string expected) => Assert.Equal(expected, LanguageCatalog.Find(code).Code);

    [Fact]
    public void A_tag_names_its_script()
    {
        Assert.Equal("Latn", LanguageCatalog.FindTag("sr-Latn").Script.Code);
        Assert.Equal("Cyrl", LanguageCatalog.FindTag("sr").Script.Code);
        Assert.Equal("language 'de-Cyrl': German is not written in 'Cyrl' here; expected de-Latn.", Assert.Throws<UserErrorException>(() => LanguageCatalog.Find("de-Cyrl")).Message);
    }

    [Theory]
    [InlineData("cz", "language 'cz' is unknown; did you mean 'cs' (Czech)?")]
    [InlineData("gr", "language 'gr' is unknown; did you mean 'el' (Greek)?")]
    [InlineData("ua", "did you mean 'uk' (Ukrainian)?")]
    [InlineData("Finnish", "did you mean 'fi' (Finnish)?")]
    [InlineData("čeština", "did you mean 'cs' (Czech)?")]
    [InlineData("germam", "did you mean 'de' (German)?")]
    [InlineData("sh", "is ambiguous: Serbo-Croatian covers bs, hr and sr")]
    [InlineData("zh", "is unknown; known: bg, bs, ca, cs")]
    [InlineData("", "is unknown; known: bg, bs, ca, cs")]
    public void An_unknown_code_is_refused_with_a_suggestion(string code, string message)
    {
        Assert.Contains(message, Assert.Throws<UserErrorException>(() => LanguageCatalog.Find(code)).Message);
        Assert.Null(LanguageCatalog.TryFind(code));
    }

    [Theory]
    [InlineData("cs", "Dobrý den", 1.0)]
    [InlineData("cs", "Добър ден", 0.0)]
    [InlineData("bg", "Добър abcd", 5.0 / 9)]
    [InlineData("el", "Καλημέρα", 1.0)]
    [InlineData("sr", "Добро jutro", 1.0)]
    [InlineData("ka", "დილა", 1.0)]
    [InlineData("de", "123 !?", 0.0)]
    [InlineData("de", "", 0.0)]
    [InlineData("de", "Grüße 😀 12", 1.0)]
    [InlineData("fr", "漢字 mot", 3.0 / 5)]
    public void The_script_share_counts_letters_only(string code, string text, double share) => Assert.Equal(share, LanguageCatalog.Find(code).ScriptShare(text), 12);

    [Fact]
    public void Scripts_do_not_overlap_and_hold_no_digits_blanks_or_ideographs()
    {
        for (int value = 0; value < 0x3000; value++)
        {
            if (!Rune.IsValid(value)) continue;
            Assert.True(LanguageCatalog.Scripts.Values.Count(script => script.Contains(new Rune(value))) <= 1, $"U+{value:X4}");
        }

        foreach (var script in LanguageCatalog.Scripts.Values)
        {
            Assert.Equal(script.Ranges.Order(StringComparer.Ordinal), script.Ranges);
            Assert.False(script.Contains(new Rune('1')) || script.Contains(new Rune(' ')) || script.Contains(new Rune(0x4E2D)));
        }
    }
}
