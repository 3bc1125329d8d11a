using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace OpenEuroLLM.Cli.Tests;

public sealed partial class QuickstartCommandTests(SmallRun run) : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Ends_with_one_json_object_of_exactly_the_promised_fields()
    {
        Assert.Equal(0, run.Made.Code);
        var result = JsonNode.Parse(run.Made.Output)!.AsObject();
        Assert.Equal(["languages", "model", "peakMemoryBytes", "report", "seconds"], Names(result));
        Assert.True((double)result["seconds"]! > 0);
        Assert.InRange((long)result["peakMemoryBytes"]!, 1_000_000, 3_000_000_000);
        Assert.Equal(Path.Combine(run.MadeIn, "model"), (string)result["model"]!);
        Assert.Equal(Path.Combine(run.MadeIn, "report.md"), (string)result["report"]!);
        var languages = result["languages"]!.AsObject();
        Assert.Equal(["en", "ga", "mt"], Names(languages));
        foreach (var (_, scores) in languages)
        {
            Assert.Equal(["bitsPerByte", "chance", "generatedExact", "items", "seenAccuracy", "unseenAccuracy"], Names(scores!.AsObject()));
            Assert.InRange((double)scores["bitsPerByte"]!, 0.1, 8);
            Assert.InRange((double)scores["chance"]!, 0.01, 0.25);
            Assert.InRange((int)scores["items"]!, 20, 100_000);
            foreach (string share in (string[])["seenAccuracy", "unseenAccuracy", "generatedExact"]) Assert.InRange((double)scores[share]!, 0, 1);
        }
    }

    [Fact]
    public void The_overrides_are_the_settings_of_the_run()
    {
        var recipe = JsonNode.Parse(File.ReadAllText(run.In("recipe.jsonc")))!;
        Assert.Equal(1, (int)recipe["model"]!["layers"]!);
        Assert.Equal(8192, (long)recipe["training"]!["tokens"]!);
        Assert.Equal(1024, (int)JsonNode.Parse(File.ReadAllText(Path.Combine(run.Model, "config.json")))!["vocab_size"]!);
        Assert.Equal(16, (int)JsonNode.Parse(File.ReadAllText(run.In("training", "training.json")))!["steps"]!);
    }

    [Fact]
    public void The_report_runs_nothing_and_fetches_nothing()
    {
        string html = File.ReadAllText(run.In("report.html"));
        Assert.Contains("<svg", html, StringComparison.Ordinal);
        Assert.DoesNotContain("<script", html, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotMatch(Remote(), html);
        Assert.Contains("default-src 'none'", html, StringComparison.Ordinal);
        Assert.Contains("quickstart", html, StringComparison.Ordinal);
    }

    [Fact]
    public void The_same_command_again_leaves_a_finished_run_as_it_is()
    {
        var before = Snapshot();
        var again = Oellm.Run(["quickstart", .. SmallRun.Settings, "--out", run.Root, "--json"]);
        Assert.Equal(0, again.Code);
        Assert.Equal(JsonNode.Parse(run.Made.Output)!["languages"]!.ToJsonString(), JsonNode.Parse(again.Output)!["languages"]!.ToJsonString());
        Assert.Contains("finished already", again.Error, StringComparison.Ordinal);
        Assert.Equal(before, Snapshot());
    }

    [Fact]
    public void Other_settings_in_the_folder_of_a_finished_run_are_refused()
    {
        var before = Snapshot();
        Oellm.Refuses(["quickstart", .. SmallRun.Settings, "training.seed=2", "--out", run.Root], run.Root, "another recipe", "choose another --out");
        Assert.Equal(before, Snapshot());
    }

    [Fact]
    public void Without_json_it_ends_with_the_report_card_where_things_are_and_how_to_talk_to_the_model()
    {
        string output = Oellm.Succeeds(["quickstart", .. SmallRun.Settings, "--out", run.Root]).Output;
        foreach (string part in (string[])["language", "bits/byte", "seen", "unseen", "en ", "ga ", "mt ", run.In("model"), run.In("report.md"), "oellm verify", "oellm chat --model", "oellm serve --model"])
            Assert.Contains(part, output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Interrupted_it_ends_with_130_and_the_same_command_goes_on_to_the_same_weights()
    {
        string target = _folder.At("run");
        using var interrupt = new CancellationTokenSource();
        await using var output = new StringWriter();
        await using var error = new ListeningWriter(line =>
        {
            if (line.StartsWith("training    step 8/", StringComparison.Ordinal)) interrupt.Cancel();
        });
        int code = await Program.RunAsync(["quickstart", .. SmallRun.Settings, "--out", target, "--threads", "1"], output, error, interrupt.Token);
        Assert.Equal(130, code);
        Assert.Equal("oellm: interrupted; the same command goes on where it stopped.", error.Lines[^1]);
        Assert.Equal("", output.ToString());
        Assert.False(File.Exists(Path.Combine(target, "manifest.json")));
        Oellm.Refuses(["quickstart", .. SmallRun.Settings, "training.seed=2", "--out", target], "unfinished run of another recipe");
        var resumed = Oellm.Succeeds(["quickstart", .. SmallRun.Settings, "--out", target, "--threads", "1"]);
        Assert.Contains("resumed from step-0000008", resumed.Error, StringComparison.Ordinal);
        Assert.Equal(SmallRun.Results(run.Root), SmallRun.Results(target));
        Oellm.Succeeds("verify", target);
    }

    private Dictionary<string, (DateTime, long)> Snapshot() => Directory.GetFiles(run.Root, "*", SearchOption.AllDirectories)
        .ToDictionary(file => file, file => (File.GetLastWriteTimeUtc(file), new FileInfo(file).Length));

    private static IEnumerable<string> Names(JsonObject json) => json.Select(pair => pair.Key).Order(StringComparer.Ordinal);

    [GeneratedRegex(@"(src|srcset|href|action|poster|data)\s*=\s*[""']?(?!#)|@import|url\(\s*[""']?(?!#)|<(link|iframe|object|embed|base|form)\b|\son\w+\s*=", RegexOptions.IgnoreCase)]
    private static partial Regex Remote();
}
