using System.Globalization;
using System.Text;
using System.Text.Json;

namespace OpenEuroLLM.Inference.Tests;

public sealed class FamilyTests
{
    private static readonly KeyValuePair<string, object?>[] ControlTokens =
    [
        new("bos_token", TemplateText.Trusted("<s>")), new("eos_token", TemplateText.Trusted("</s>")), new("unk_token", TemplateText.Trusted("<unk>")), new("pad_token", TemplateText.Trusted("<pad>")),
    ];

    public static TheoryData<string> Names => [.. Directory.EnumerateFiles(Path.Combine(TemplateFiles.Folder, "Families"), "*.jinja").Select(file => Path.GetFileNameWithoutExtension(file)!).Order(StringComparer.Ordinal)];

    [Theory, MemberData(nameof(Names))]
    public void A_family_renders_as_the_reference_does_byte_for_byte(string family)
    {
        Compare(Path.Combine(TemplateFiles.Folder, "Families"), family, TemplateFiles.Json("Families/conversations.json"));
    }

    [Fact]
    public void Published_templates_that_lie_beside_the_repository_render_as_the_reference_does()
    {
        // Nobody's template text is committed: bench/peers/templates.py says how to compare with those that one has.
        string? folder = Environment.GetEnvironmentVariable("OELLM_PUBLISHED_TEMPLATES");
        Assert.SkipWhen(folder is null, "needs a folder of published templates in OELLM_PUBLISHED_TEMPLATES");
        foreach (string file in Directory.EnumerateFiles(folder!, "*.jinja")) Compare(folder!, Path.GetFileNameWithoutExtension(file), TemplateFiles.Json("Families/conversations.json"));
    }

    private static void Compare(string folder, string family, JsonElement conversations)
    {
        var template = new Template(File.ReadAllText(Path.Combine(folder, family + ".jinja")));
        var wrong = new StringBuilder();
        foreach (var (line, conversation) in File.ReadLines(Path.Combine(folder, family + ".jsonl")).Select(line => JsonDocument.Parse(line).RootElement).Zip(conversations.EnumerateArray()))
        {
            string? expected = line.TryGetProperty("out", out var output) ? output.GetString() : null, actual, why = null;
            try
            {
                var variables = TemplateFiles.Variables(conversation.GetProperty("variables")).Concat(ControlTokens);
                actual = template.Render(variables, TemplateFiles.Clock).Value;
            }
            catch (TemplateException error)
            {
                (actual, why) = (null, error.Message);
            }
            if (actual != expected) wrong.AppendLine(CultureInfo.InvariantCulture, $"{family}, {line.GetProperty("case")}\n    expected {expected ?? "an error"}\n    found    {actual ?? why}");
        }
        Assert.True(wrong.Length == 0, wrong.ToString());
    }
}
