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
        var wrong = Differences(Path.Combine(TemplateFiles.Folder, "Families"), family, TemplateFiles.Json("Families/conversations.json"), out _);
        Assert.True(wrong.Count == 0, string.Join('\n', wrong));
    }

    [Fact]
    public void Published_templates_that_lie_beside_the_repository_render_as_the_reference_does()
    {
        // Nobody's template text is committed: bench/peers/templates.py says how to compare with those that one has.
        string? folder = Environment.GetEnvironmentVariable("OELLM_PUBLISHED_TEMPLATES");
        Assert.SkipWhen(folder is null, "needs a folder of published templates in OELLM_PUBLISHED_TEMPLATES");
        var conversations = TemplateFiles.Json("Families/conversations.json");
        List<string> wrong = [], refused = [];
        int templates = 0, renderings = 0, errors = 0;
        foreach (string file in Directory.EnumerateFiles(folder!, "*.jinja").Order(StringComparer.Ordinal))
        {
            templates++;
            try
            {
                wrong.AddRange(Differences(folder!, Path.GetFileNameWithoutExtension(file), conversations, out var same));
                (renderings, errors) = (renderings + same.Renderings, errors + same.Errors);
            }
            catch (TemplateException error)
            {
                string reason = $"{Path.GetFileName(file)}: refused at line {error.Line}: {error.Reason}";
                (error.Reason.Contains("is not supported", StringComparison.Ordinal) ? refused : wrong).Add(reason);
            }
        }
        TestContext.Current.TestOutputHelper!.WriteLine($"{templates} templates, {refused.Count} of them refused at load: {renderings} renderings are the reference's, {errors} conversations are refused by both, {wrong.Count} differ.\n{string.Join('\n', refused)}");
        Assert.True(renderings > 0, $"{folder} has no *.jinja that renders as *.jsonl beside it");
        Assert.True(wrong.Count == 0, string.Join('\n', wrong));
    }

    private static List<string> Differences(string folder, string family, JsonElement conversations, out (int Renderings, int Errors) same)
    {
        var template = new Template(File.ReadAllText(Path.Combine(folder, family + ".jinja")));
        var wrong = new List<string>();
        same = default;
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
                (actual, why) = (null, $"an error in line {error.Line}: {error.Message}");
            }
            if (actual != expected) wrong.Add($"{family}, {line.GetProperty("case")}\n    expected {expected ?? "an error"}\n    found    {actual ?? why}");
            else if (actual is null) same.Errors++;
            else same.Renderings++;
        }
        return wrong;
    }
}
