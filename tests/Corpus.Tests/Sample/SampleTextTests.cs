using System.Text;
using OpenEuroLLM.Core;
using OpenEuroLLM.Corpus.Sample;

namespace OpenEuroLLM.Corpus.Tests.Sample;

public sealed class SampleTextTests
{
    public static TheoryData<string> Languages => [.. SampleText.Languages];

    [Theory, MemberData(nameof(Languages))]
    public void Every_language_of_the_sample_keeps_all_rules(string language)
    {
        SampleText text = SampleText.Load(language);
        Assert.Equal(["capital", "currency", "number", "next"], text.Relations.Select(relation => relation.Name));
        Assert.Equal(82, text.Relations.Sum(relation => relation.Facts.Count));
    }

    [Fact]
    public void The_sample_has_all_official_languages() => Assert.Equal(CorpusLanguages.Official, SampleText.Languages);

    [Fact]
    public void A_language_that_is_not_there_is_refused_with_those_that_are()
    {
        var error = Assert.Throws<UserErrorException>(() => SampleText.Load("tlh"));
        Assert.Contains("'tlh'", error.Message, StringComparison.Ordinal);
        Assert.Contains("en", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("\"language\": \"en\"", "\"language\": \"fr\"", "language is 'fr'; expected 'en'")]
    [InlineData("The capital of {subject} is {object}.", "The capital of {subject} is Rome.", "relations.capital.wordings[0] has 0 object forms")]
    [InlineData("The capital of {subject} is {object}.", "{object} is the capital of {subject}.", "relations.capital.wordings[0] has no subject before its object")]
    [InlineData("The capital of {subject} is {object}.", "The capital of {subject.loc} is {object}.", "names the form 'subject.loc', which AT lacks")]
    [InlineData("The capital of {subject} is {object}.", "The capital of {subject is {object}.", "the braces do not pair")]
    [InlineData("The capital of {subject} is {object}.", "The capital of {subject} is {object}", "does not end as a sentence")]
    [InlineData("\"object\": \"Vienna\"", "\"object\": \"Brussels\"", "AT and BE share the form object 'Brussels'")]
    [InlineData("\"object\": \"Vienna\"", "\"objects\": \"Vienna\"", "relations.capital.facts.AT.object is missing")]
    [InlineData("\"object\": \"Vienna\"", "\"object\": \"Vienna \"", "relations.capital.facts.AT.object has needless spaces")]
    [InlineData("\"object\": \"Vienna\"", "\"object\": \"Viennа\"", "mixes two scripts in one word")]
    [InlineData("\"object\": \"Icelandic króna\"", "\"object\": \"Icelandic kro\u0301na\"", "relations.currency.facts.IS.object is not in Unicode's composed form")]
    [InlineData("\"LU\": { \"subject\"", "\"LX\": { \"subject\"", "relations.capital.facts.LU is missing")]
    [InlineData("\"text\": \"What is the capital of {subject}?\"", "\"text\": \"What is {object}?\"", "names the form 'object'; expected subject")]
    [InlineData("\"answer\": \"{object}\"", "\"answer\": \"It is {object}\"", "relations.capital.question.answer is 'It is {object}'")]
    [InlineData("{a} borders {b}.", "{a} borders {a}.", "neighbours.wordings[0] must name one form of a and one of b")]
    [InlineData("[ \"Hello!\", \"Hello, how can I help you?\" ]", "[ \"Hello!\" ]", "dialogues[0] is not a pair")]
    [InlineData("\"Grass is green.\"", "\"The sky is blue.\"", "colours[1] stands twice")]
    [InlineData("\"dates\": [", "\"days\": [], \"dates\": [", "days is unknown")]
    public void A_mistake_in_a_file_is_named_by_its_place(string right, string wrong, string expected)
    {
        string english = Encoding.UTF8.GetString(SampleText.Bytes("en"));
        int at = english.IndexOf(right, StringComparison.Ordinal);
        Assert.True(at >= 0, $"the English file no longer has {right}");
        string broken = english[..at] + wrong + english[(at + right.Length)..];
        var error = Assert.Throws<UserErrorException>(() => SampleTextReader.Read(Encoding.UTF8.GetBytes(broken), "sample/en.json", "en"));
        Assert.StartsWith("sample/en.json: ", error.Message, StringComparison.Ordinal);
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
    }

    [Fact]
    public void A_file_that_is_no_json_is_refused()
    {
        var error = Assert.Throws<UserErrorException>(() => SampleTextReader.Read("{"u8.ToArray(), "sample/en.json", "en"));
        Assert.StartsWith("sample/en.json is not JSON", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("élan", "Élan")]
    [InlineData("софия е град.", "София е град.")]
    [InlineData("„jeden“", "„Jeden“")]
    [InlineData("7 is seven", "7 is seven")]
    [InlineData("istanbul", "Istanbul")]
    public void The_first_letter_is_upper_cased_whatever_the_culture(string sentence, string expected)
    {
        var before = System.Globalization.CultureInfo.CurrentCulture;
        try
        {
            System.Globalization.CultureInfo.CurrentCulture = new System.Globalization.CultureInfo("tr-TR");
            Assert.Equal(expected, SampleTemplate.Capitalise(sentence));
        }
        finally
        {
            System.Globalization.CultureInfo.CurrentCulture = before;
        }
    }

    [Fact]
    public void Borders_join_countries_of_the_list_and_stand_once()
    {
        Assert.All(SampleKeys.Borders, border => Assert.True(SampleKeys.Neighbours.Contains(border.A) && SampleKeys.Neighbours.Contains(border.B)));
        Assert.Distinct(SampleKeys.Borders.Select(border => string.CompareOrdinal(border.A, border.B) < 0 ? border : (border.B, border.A)));
        Assert.All(SampleKeys.Neighbours, country => Assert.Contains(SampleKeys.Borders, border => border.A == country || border.B == country));
    }
}
