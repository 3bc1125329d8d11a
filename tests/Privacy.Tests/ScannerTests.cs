using System.Text;
using OpenEuroLLM.Core;

namespace OpenEuroLLM.Privacy.Tests;

public sealed class ScannerTests
{
    private static PersonalDataScanner Scanner => PersonalDataScanner.BuiltIn;

    [Theory]
    [InlineData("IBAN DE89 3704 0044 0532 0130 00 bitte", "DE89 3704 0044 0532 0130 00")]
    [InlineData("Steuer-ID 36\u200B574\u200B261\u200B809", "36\u200B574\u200B261\u200B809")]
    [InlineData("Steuer-ID ３６５７４２６１８０９", "３６５７４２６１８０９")]
    [InlineData("Steuer-ID ٣٦٥٧٤٢٦١٨٠٩", "٣٦٥٧٤٢٦١٨٠٩")]
    [InlineData("Steuer-ID 36\u00A0574\u202F261\u2009809", "36\u00A0574\u202F261\u2009809")]
    [InlineData("Rechnung ΑΤU13585627", "ΑΤU13585627")]   // the first two letters are Greek
    [InlineData("Steuer-ID 36574261809²", "36574261809")]
    public void A_number_is_found_however_it_is_written(string text, string number)
    {
        PersonalDataFinding found = Assert.Single(Scanner.Scan(text, "de"));
        Assert.Equal(number, text.Substring(found.Start, found.Length));
    }

    [Theory]
    [InlineData("Teil X36574261809")]
    [InlineData("36574261809é")]
    [InlineData("1.36574261809")]
    [InlineData("36574261809,50 Euro")]
    [InlineData("€ 36574261809")]
    [InlineData("https://shop.eu/p/36574261809")]
    public void A_number_within_something_longer_is_none(string text) => Assert.Empty(Scanner.Scan(text, "de"));

    [Fact]
    public void Work_grows_with_the_text_only()
    {
        foreach (Func<int, string> make in (Func<int, string>[])[
            size => new string('7', size), size => string.Concat(Enumerable.Repeat("12 ", size / 3)), size => string.Concat(Enumerable.Repeat("1\u200B", size / 2)),
            size => string.Concat(Enumerable.Repeat("a@", size / 2)), size => string.Concat(Enumerable.Repeat("tel 0", size / 5)), size => string.Concat(Enumerable.Repeat("2001:", size / 5)),
            size => string.Concat(Enumerable.Repeat("1\u0301", size / 2)), size => string.Concat(Enumerable.Repeat("+4", size / 2)), size => string.Concat(Enumerable.Repeat("A1 ", size / 3))])
        {
            long small = Scanner.StepsOf(make(100_000), "de"), large = Scanner.StepsOf(make(400_000), "de");
            Assert.InRange(large, 0, 4 * small + 5_000);
            Assert.InRange(large, 0, 400_000L * 400);
        }
    }

    [Fact]
    public void Any_text_is_scanned_and_findings_are_in_order_within_it()
    {
        string alphabet = "0123456789 -./+()@:AΑАzé²\u200B\u0301３٣\uD835\uDFCE\uD83D€%tel. IBAN DE";
        for (ulong round = 0; round < 2_000; round++)
        {
            var random = new CounterRandom(7, round);
            var text = new StringBuilder();
            for (ulong i = 0; i < random.Below(1000, 300); i++) text.Append(random.Below(i, 10) == 0 ? (char)random.Below(i + 5000, 0x10000) : alphabet[(int)random.Below(i + 9000, (uint)alphabet.Length)]);
            string scanned = text.ToString();
            int end = 0;
            foreach (PersonalDataFinding found in Scanner.Scan(scanned, "de"))
            {
                Assert.True(found.Start >= end && found.Length > 0);
                end = found.Start + found.Length;
            }
            Assert.True(end <= scanned.Length);
        }
    }

    [Fact]
    public void Masking_names_the_type_and_leaves_the_rest()
    {
        MaskedText masked = new PersonalDataMasker(new PersonalDataPolicy()).Apply("Mail an anna@lindenpost.de, Konto DE89370400440532013000.", "de");
        Assert.Equal("Mail an ⟦EMAIL⟧, Konto ⟦IBAN⟧.", masked.Text);
        Assert.Equal(2, masked.Findings.Count);
    }

    [Fact]
    public void Surrogates_are_valid_of_the_same_rule_and_the_same_for_the_same_under_one_key()
    {
        var masker = new PersonalDataMasker(new PersonalDataPolicy(PersonalDataMode.Surrogate, Key: "a key of many characters"));
        string first = masker.Apply("Steuer-ID 36 574 261 809", "de").Text!, second = masker.Apply("Steuer-ID 36574261809.", "de").Text!;
        Assert.NotEqual("Steuer-ID 36 574 261 809", first);
        Assert.Equal(first.Replace(" ", "", StringComparison.Ordinal), second.Replace(" ", "", StringComparison.Ordinal).TrimEnd('.'));
        Assert.Equal("de-steuer-id", Assert.Single(Scanner.Scan(first, "de")).Rule);
        Assert.NotEqual(first, new PersonalDataMasker(new PersonalDataPolicy(PersonalDataMode.Surrogate, Key: "another key of many")).Apply("Steuer-ID 36 574 261 809", "de").Text);
    }

    [Theory, MemberData(nameof(FactsTests.Values), MemberType = typeof(FactsTests))]
    public void A_surrogate_of_every_valid_value_passes_the_rule(string rule, string value, bool valid)
    {
        if (!valid || rule is "iban" or "card") return;
        var finding = new PersonalDataFinding(PersonalDataType.NationalId, null, PersonalDataTier.A, 0, value.Length, rule, 1);
        string made = new Masking.SurrogateMaker("a key of many characters", "").For(finding, value);
        Assert.NotEqual(value, made);
        Assert.Contains(Rules.RuleBook.BuiltIn.Forms, form => form.Rule.Name == rule && form.Pattern.Length == made.Replace("-", "", StringComparison.Ordinal).Length
            && form.Accepts(made.Replace("-", "", StringComparison.Ordinal), '-'));
    }

    [Fact]
    public void Surrogates_without_a_key_are_refused() =>
        Assert.Contains("no key", Assert.Throws<UserErrorException>(() => new PersonalDataMasker(new PersonalDataPolicy(PersonalDataMode.Surrogate))).Message, StringComparison.Ordinal);

    [Fact]
    public void A_policy_may_drop_the_text() =>
        Assert.Null(new PersonalDataMasker(new PersonalDataPolicy(PersonalDataMode.Drop)).Apply("anna@lindenpost.de", "de").Text);
}
