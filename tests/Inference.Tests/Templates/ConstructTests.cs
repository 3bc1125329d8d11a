using System.Text;

namespace OpenEuroLLM.Inference.Tests;

public sealed class ConstructTests
{
    // What the reference does and this implementation refuses or does otherwise on purpose; each with its reason.
    private static readonly Dictionary<string, string> Others = new(StringComparer.Ordinal)
    {
        ["{{ map.keys() }}"] = "shown as a list: Python's views of a mapping are no lists",
        ["{{ map.values() }}"] = "as above",
        ["{{ map.items() }}"] = "as above",
        ["{{ none_map.items() }}"] = "as above",
    };

    [Fact]
    public void Every_construct_gives_what_the_reference_gives_byte_for_byte()
    {
        var variables = TemplateFiles.Json("variables.json");
        var wrong = new StringBuilder();
        int cases = 0;
        foreach (var line in TemplateFiles.Lines("constructs.jsonl"))
        {
            string template = line.GetProperty("template").GetString()!;
            string? expected = line.TryGetProperty("out", out var output) ? output.GetString() : null, actual, why = null;
            cases++;
            if (Others.ContainsKey(template)) continue;
            try
            {
                actual = new Template(template).Render(TemplateFiles.Variables(variables), TemplateFiles.Clock).Value;
            }
            catch (TemplateException error)
            {
                (actual, why) = (null, error.Message);
            }
            if (actual != expected) wrong.AppendLine(System.Globalization.CultureInfo.InvariantCulture, $"{template}\n    expected {expected ?? "an error"}\n    found    {actual ?? why}");
        }
        Assert.True(wrong.Length == 0, wrong.ToString());
        Assert.True(cases >= 600, $"{cases} cases");
    }
}
