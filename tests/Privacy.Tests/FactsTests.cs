using OpenEuroLLM.Privacy.Rules;

namespace OpenEuroLLM.Privacy.Tests;

/// <summary>Every value of the project's list of identifiers (<c>Facts/values.tsv</c>) is judged as the list says.</summary>
public sealed class FactsTests
{
    public static IEnumerable<TheoryDataRow<string, string, bool>> Values() => File.ReadLines(Path.Combine(AppContext.BaseDirectory, "Facts", "values.tsv"))
        .Where(line => line[0] != '#').Select(line => line.Split('\t')).Select(parts => new TheoryDataRow<string, string, bool>(parts[0], parts[1], parts[2] == "valid"));

    [Theory, MemberData(nameof(Values))]
    public void A_value_is_found_after_its_word_of_context_where_it_is_valid(string rule, string value, bool valid)
    {
        string language = LanguageOf(rule), word = ContextOf(rule);
        string text = $"{word}: {value}.";
        PersonalDataFinding? found = PersonalDataScanner.BuiltIn.Scan(text, language).FirstOrDefault(finding => finding.Rule == rule);
        if (!valid)
        {
            Assert.Null(found);
            return;
        }
        Assert.NotNull(found);
        Assert.Equal(value, text.Substring(found.Start, found.Length));
    }

    [Theory, MemberData(nameof(Values))]
    public void A_valid_value_of_tier_A_or_B_is_found_in_a_text_of_its_language_without_such_a_word(string rule, string value, bool valid)
    {
        NumberForm? form = RuleBook.BuiltIn.Forms.FirstOrDefault(form => form.Rule.Name == rule && form.Pattern.Length == Symbols(value).Length && form.Accepts(Symbols(value), value.Contains('-') ? '-' : '\0'));
        if (rule is not ("iban" or "card")) Assert.Equal(valid, form is not null);
        bool alone = rule is "iban" or "card" || form is { Tier: PersonalDataTier.A or PersonalDataTier.B };
        IReadOnlyList<PersonalDataFinding> found = PersonalDataScanner.BuiltIn.Scan($"… {value} …", LanguageOf(rule));
        Assert.Equal(valid && alone, found.Any(finding => finding.Rule == rule));
    }

    [Fact]
    public void Every_rule_with_a_check_has_valid_and_invalid_values()
    {
        ILookup<string, bool> values = Values().ToLookup(row => row.Data.Item1, row => row.Data.Item3);
        foreach (string rule in RuleBook.BuiltIn.Forms.Where(form => form.Rule.HasCheck).Select(form => form.Rule.Name).Distinct())
        {
            Assert.Contains(true, values[rule]);
            Assert.Contains(false, values[rule]);
        }
    }

    private static string Symbols(string value) => value.Replace("-", "", StringComparison.Ordinal);

    private static string LanguageOf(string rule)
    {
        string country = rule.StartsWith("vat-", StringComparison.Ordinal) ? rule[4..] : rule[..2];
        return country switch { "at" => "de-AT", "be" => "fr-BE", "lu" => "fr-LU", "cy" => "el-CY", "cz" => "cs", "dk" => "da", "ee" => "et", "ie" => "ga", "se" => "sv", "si" => "sl", "ib" or "ca" => "en", _ => country };
    }

    private static string ContextOf(string rule) => rule switch { "iban" => "IBAN", "card" => "credit card", _ => RuleFilesReader.FirstWord(rule) };
}
