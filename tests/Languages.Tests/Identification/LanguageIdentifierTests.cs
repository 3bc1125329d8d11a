using System.Text;
using OpenEuroLLM.Core;
using OpenEuroLLM.Languages.Identification;

namespace OpenEuroLLM.Languages.Tests.Identification;

public sealed class LanguageIdentifierTests : IDisposable
{
    private readonly LanguageIdentifier _identifier = LanguageIdentifier.BuiltIn();

    public static TheoryData<string> Codes => [.. LanguageCatalog.Identified.Select(language => language.Code)];

    [Fact]
    public void The_built_in_model_has_39_labels_and_one_for_no_language()
    {
        Assert.Equal(40, _identifier.Labels.Count);
        Assert.Equal(LanguageCatalog.Identified.Select(language => language.Code).Append("zxx").Order(StringComparer.Ordinal), _identifier.Labels);
        Assert.Equal(39, LanguageCatalog.Identified.Count);
    }

    [Theory, MemberData(nameof(Codes))]
    public void The_examples_of_every_language_are_recognized(string code)
    {
        var language = LanguageCatalog.Identified.Single(language => language.Code == code);
        var group = IdentificationScores.CloseGroups.FirstOrDefault(group => group.Contains(code)) ?? [code];
        int right = 0;
        foreach (string example in language.Examples)
        {
            // Some short sentences are the same in Bosnian, Croatian and Serbian, or nearly so in Danish and Norwegian.
            string answer = Label(example);
            Assert.Contains(answer, group.Concat(LanguageCatalog.Identified.Where(other => other.Examples.Contains(example)).Select(other => other.Code)));
            if (answer == code) right++;
        }

        Assert.True(group.Count > 1 || right == language.Examples.Count, $"{code}: {right} of {language.Examples.Count}");
    }

    [Theory]
    [InlineData("", "und")]
    [InlineData("   \n\t ", "und")]
    [InlineData("...!?", "und")]
    [InlineData("12.5 1,000 2024-01-01", "zxx")]
    [InlineData("public static int Add(int left, int right) { return left + right; }", "zxx")]
    [InlineData("for (var i = 0; i < items.length; i++) { console.log(items[i].id); }", "zxx")]
    [InlineData("<div class=\"row\"><span id=\"x1\"></span></div>", "zxx")]
    [InlineData("{\"id\": 17, \"name\": null, \"values\": [1, 2, 3]}", "zxx")]
    [InlineData("aGVsbG8gd29ybGQgdGhpcyBpcyBiYXNlNjQ0NTY3ODkwYWJjZGVm+/==", "zxx")]
    [InlineData("这是一个句子", "und")]
    [InlineData("هذه جملة باللغة العربية", "und")]
    [InlineData("זה משפט בעברית", "und")]
    public void What_is_no_known_language_is_not_given_one(string text, string label) => Assert.Equal(label, Label(text));

    [Fact]
    public void A_misread_text_is_no_language() =>
        Assert.Equal("zxx", Label(NonLanguageText.Misread("Größere Änderungen über die Straße müssen für später geprüft werden, weil schöne Bäume blühen.", cyrillic: false)));

    [Fact]
    public void Russian_is_not_taken_for_a_language_of_the_project()
    {
        var answer = _identifier.Identify(Encoding.UTF8.GetBytes("Это предложение написано на русском языке, и его не следует принимать за украинское."));
        Assert.Equal("und", answer.Label);
    }

    [Theory]
    [InlineData("Влада је јуче саопштила да ће порези остати исти.")]
    [InlineData("Vlada je juče saopštila da će porezi ostati isti, rekao je predsednik posle sednice.")]
    public void Serbian_is_known_in_both_scripts(string text) => Assert.Equal("sr", Label(text));

    [Fact]
    public void Capitals_and_combining_marks_change_nothing()
    {
        const string text = "Příliš žluťoučký kůň úpěl ďábelské ódy.";
        var plain = _identifier.Identify(Encoding.UTF8.GetBytes(text));
        Assert.Equal("cs", plain.Label);
        Assert.Equal(plain, _identifier.Identify(Encoding.UTF8.GetBytes(text.ToUpperInvariant())));
        Assert.Equal(plain, _identifier.Identify(Encoding.UTF8.GetBytes(text.Normalize(NormalizationForm.FormD))));
    }

    [Fact]
    public void Names_in_Latin_letters_do_not_hide_the_script_of_a_text() =>
        Assert.Equal("el", Label("Το νέο Microsoft Office Professional Plus κυκλοφορεί σήμερα στην αγορά"));

    [Fact]
    public void Runner_ups_come_in_order_and_all_probabilities_make_one()
    {
        var ranked = new IdentifiedLanguage[LanguageIdentifier.MostLabels];
        int count = _identifier.Rank("Hvor kommer du fra?"u8, ranked);
        Assert.True(count > 30);
        Assert.Equal(ranked.Take(count).OrderByDescending(answer => answer.Confidence), ranked.Take(count));
        Assert.Equal(1, ranked.Take(count).Sum(answer => answer.Confidence), 9);
        Assert.Equal(2, _identifier.Rank("Hvor kommer du fra?"u8, ranked.AsSpan(0, 2)));
        Assert.Equal(0, _identifier.Rank("Hvor"u8, []));
    }

    [Fact]
    public void A_threshold_turns_an_uncertain_answer_into_unknown()
    {
        var text = "Dobro jutro"u8;
        double confidence = _identifier.Identify(text, threshold: 0).Confidence;
        Assert.InRange(confidence, 0.01, 0.95);
        Assert.Equal(new IdentifiedLanguage("und", confidence), _identifier.Identify(text, threshold: 0.96));
    }

    [Fact]
    public void A_call_allocates_nothing()
    {
        byte[] text = Encoding.UTF8.GetBytes("Chaque langue a sa propre histoire. Всеки език има своя история.");
        var best = new IdentifiedLanguage[3];
        for (int i = 0; i < 10; i++) _identifier.Rank(text, best);
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 100; i++)
        {
            _identifier.Rank(text, best);
            _identifier.Identify(text);
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Fact]
    public void Any_bytes_are_answered()
    {
        var random = new CounterRandom(7, 0);
        for (ulong round = 0; round < 2_000; round++)
        {
            byte[] bytes = new byte[random.Below(round * 1000, 300)];
            for (int i = 0; i < bytes.Length; i++) bytes[i] = (byte)random.At(round * 1000 + 1 + (ulong)i);
            Assert.InRange(_identifier.Identify(bytes).Confidence, 0, 1);
            _identifier.Segment(bytes);
        }
    }

    [Fact]
    public void A_long_word_and_a_long_text_are_bounded()
    {
        byte[] word = new byte[1 << 20];
        word.AsSpan().Fill((byte)'a');
        Assert.InRange(_identifier.Identify(word).Confidence, 0, 1);
        byte[] text = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat("Jede Sprache in Europa hat ihre eigene Geschichte. ", 40_000)));
        Assert.Equal("de", _identifier.Identify(text).Label);
    }

    [Fact]
    public void Several_threads_may_use_one_identifier()
    {
        byte[] text = Encoding.UTF8.GetBytes("Kiekviena Europos kalba turi savo istoriją.");
        var expected = _identifier.Identify(text);
        new LocalLauncher(4).Run(64, _ => Assert.Equal(expected, _identifier.Identify(text)), TestContext.Current.CancellationToken);
    }

    public void Dispose() => _identifier.Dispose();

    private string Label(string text) => _identifier.Identify(Encoding.UTF8.GetBytes(text)).Label;
}
