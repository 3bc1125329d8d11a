using System.Text.Json.Nodes;
using OpenEuroLLM.Privacy.Rules;

namespace OpenEuroLLM.Privacy.Tests;

/// <summary>How well each language's sentences are judged, by itself: <c>Gold/LANG.jsonl</c>.</summary>
public sealed class GoldTests(ITestOutputHelper output)
{
    private const double LeastRecallOfChecked = 0.98, LeastRecallOfOthers = 0.95, LeastPrecision = 0.97;

    private static readonly HashSet<string> Checked = [.. RuleBook.BuiltIn.Forms.Where(form => form.Rule.HasCheck).Select(form => form.Rule.Type.ToString()), "Iban", "Card"];

    public static IEnumerable<TheoryDataRow<string>> Languages() => Directory.GetFiles(Path.Combine(AppContext.BaseDirectory, "Gold"), "*.jsonl")
        .Select(file => Path.GetFileNameWithoutExtension(file)).Order(StringComparer.Ordinal).Select(language => new TheoryDataRow<string>(language));

    [Theory, MemberData(nameof(Languages))]
    public void A_language_keeps_the_bounds_of_recall_and_precision(string language)
    {
        var found = new Dictionary<bool, int> { [true] = 0, [false] = 0 };
        var wanted = new Dictionary<bool, int> { [true] = 0, [false] = 0 };
        int wrong = 0, negatives = 0;
        foreach (string line in File.ReadLines(Path.Combine(AppContext.BaseDirectory, "Gold", language + ".jsonl")))
        {
            JsonNode gold = JsonNode.Parse(line)!;
            string text = (string)gold["text"]!;
            HashSet<(int, int, string)> spans = [.. gold["spans"]!.AsArray().Select(span => ((int)span!["start"]!, (int)span["length"]!, (string)span["type"]!))];
            HashSet<(int, int, string)> hits = [.. PersonalDataScanner.BuiltIn.Scan(text, language).Select(finding => (finding.Start, finding.Length, finding.Type.ToString()))];
            negatives += gold["negatives"]!.AsArray().Count;
            foreach (var span in spans)
            {
                wanted[Checked.Contains(span.Item3)]++;
                if (hits.Contains(span)) found[Checked.Contains(span.Item3)]++;
                else output.WriteLine($"missed {span.Item3} '{text.Substring(span.Item1, span.Item2)}' in: {text}");
            }
            foreach (var hit in hits.Where(hit => !spans.Contains(hit)))
            {
                wrong++;
                output.WriteLine($"wrong {hit.Item3} '{text.Substring(hit.Item1, hit.Item2)}' in: {text}");
            }
        }
        int right = found[true] + found[false], positives = wanted[true] + wanted[false];
        output.WriteLine(FormattableString.Invariant($"{language}\t{positives}\t{negatives}\t{(double)found[true] / wanted[true]:0.000}\t{(double)found[false] / wanted[false]:0.000}\t{(double)right / (right + wrong):0.000}"));
        Assert.True(positives >= 40 && negatives >= 40, $"{positives} positives and {negatives} negatives");
        Assert.True(found[true] >= LeastRecallOfChecked * wanted[true], $"{found[true]} of {wanted[true]} with check digits found");
        Assert.True(found[false] >= LeastRecallOfOthers * wanted[false], $"{found[false]} of {wanted[false]} others found");
        Assert.True(right >= LeastPrecision * (right + wrong), $"{wrong} wrong beside {right} right");
    }
}
