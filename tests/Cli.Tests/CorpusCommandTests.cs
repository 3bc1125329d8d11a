using System.IO.Compression;
using System.Text;
using System.Text.Json.Nodes;

namespace OpenEuroLLM.Cli.Tests;

public sealed class CorpusCommandTests(SmallRun run) : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private static byte[] Documents(int count) => Encoding.UTF8.GetBytes(string.Concat(Enumerable.Range(0, count).Select(number =>
        $$"""{"id":"d{{number}}","text":"The weather in town number {{number}} is fine, and {{number * 7919 % 1000}} people went out for a walk to the river.","lang":"en","source":"test","license":"CC0-1.0"}""" + "\n")));

    private static byte[] Packed(byte[] content)
    {
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Optimal)) gzip.Write(content);
        return packed.ToArray();
    }

    private string[] Build(string source, params string[] more) => ["corpus", "build", Recipe(), $"corpus.source={source}", "--out", _folder.At("corpus"), .. more];

    private string Recipe() => _folder.Write("recipe.jsonc", "{ \"corpus\": { \"languages\": [\"en\"] } }");

    [Fact]
    public void The_report_tells_what_became_of_each_language_s_documents()
    {
        string table = Oellm.Succeeds("corpus", "report", run.In("corpus")).Output;
        string[] rows = table.TrimEnd().Split('\n');
        Assert.Equal(["language", "en", "ga", "mt", "all"], rows.Take(5).Select(row => row.Split(' ')[0]));
        var json = Oellm.Succeeds("corpus", "report", run.In("corpus"), "--json").Output.TrimEnd().Split('\n').Select(line => JsonNode.Parse(line)!).Where(line => (string?)line["kind"] == "language").ToList();
        Assert.Equal(["en", "ga", "mt"], json.Select(row => (string)row["language"]!));
        Assert.All(json, row => Assert.Equal(File.ReadLines(run.In("corpus", "train", $"{row["language"]}-00000.jsonl")).LongCount(), (long)row["train"]!));
        Oellm.Refuses(["corpus", "report", run.In("tokens")], "'tokens'", "expected a corpus folder");
        Oellm.Refuses(["corpus", "report", _folder.Root], _folder.Root);
    }

    [Fact]
    public void Builds_from_packed_lines_and_tokenizes()
    {
        _folder.Write("texts/a.jsonl.gz", Packed(Documents(200)));
        Assert.Contains("\nen ", Oellm.Succeeds(Build(_folder.At("texts"))).Output, StringComparison.Ordinal);
        string tokens = Oellm.Succeeds("corpus", "tokenize", _folder.At("corpus"), "--tokenizer", run.In("tokenizer"), "--out", _folder.At("tokens"), "--json").Output;
        Assert.True((long)JsonNode.Parse(tokens)!["trainTokens"]! > 1000);
        Oellm.Succeeds("verify", _folder.At("corpus"));
    }

    [Fact]
    public void A_source_that_is_not_there_or_holds_no_text_is_named()
    {
        Oellm.Refuses(Build(_folder.At("nowhere")), "corpus.source", _folder.At("nowhere"), "expected");
        Directory.CreateDirectory(_folder.At("empty"));
        Oellm.Refuses(Build(_folder.At("empty")), "corpus.source", _folder.At("empty"), "expected files named .jsonl, .ndjson, .warc");
    }

    [Fact]
    public void A_packed_file_that_is_cut_short_or_damaged_is_named()
    {
        byte[] whole = Packed(Documents(2000));
        string file = _folder.Write("texts/a.jsonl.gz", whole[..(whole.Length / 2)]);
        Oellm.Refuses(Build(_folder.At("texts")), file, "damaged or cut short");
        byte[] damaged = [.. whole];
        damaged[damaged.Length / 2] ^= 1;
        _folder.Write("texts/a.jsonl.gz", damaged);
        Oellm.Refuses(Build(_folder.At("texts")), file, "damaged or cut short");
        _folder.Write("texts/a.jsonl.gz", whole[..^4]);
        Oellm.Refuses(Build(_folder.At("texts")), file, "damaged or cut short", "fetch it again");
        Assert.False(File.Exists(_folder.At("corpus", "manifest.json")));
    }

    [Fact]
    public void A_line_that_is_no_document_is_named_with_its_number()
    {
        string file = _folder.Write("texts/a.jsonl", [.. Documents(3), .. "{\"id\": 4}\n"u8]);
        Oellm.Refuses(Build(_folder.At("texts")), $"{file}:4");
    }

    [Fact]
    public void A_folder_of_something_else_is_not_overwritten()
    {
        _folder.Write("texts/a.jsonl", Documents(50));
        string mine = _folder.Write("corpus/mine.txt", "x");
        Oellm.Refuses(Build(_folder.At("texts")), _folder.At("corpus"));
        Assert.Equal("x", File.ReadAllText(mine));
    }

    [Fact]
    public void The_plan_of_a_build_says_how_likely_near_duplicates_are_joined()
    {
        string recipe = _folder.Write("recipe.jsonc", """{ "corpus": { "steps": [ { "step": "exact-duplicates" }, { "step": "length", "minCharacters": 7 }, { "step": "near-duplicates", "bands": 20 } ] } }""");
        string[] lines = Oellm.Succeeds(["corpus", "build", recipe, "--plan", "--json"]).Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(["exact-duplicates", "length", "near-duplicates"], lines.Select(line => (string?)JsonNode.Parse(line)!["step"]));
        Assert.Equal("""{"step":"exact-duplicates","joins":[]}""", lines[0]);
        Assert.Equal((20, 8), ((int)JsonNode.Parse(lines[2])!["bands"]!, (int)JsonNode.Parse(lines[2])!["rowsPerBand"]!));
        var joins = JsonNode.Parse(lines[2])!["joins"]!.AsArray();
        Assert.Equal(1.0, (double)joins[^1]!["jaccard"]!);
        Assert.InRange((double)joins.Single(row => (double)row!["jaccard"]! == 0.8)!["probability"]!, 0.9, 0.99);   // 20 bands find fewer pairs than 32
        string[] shown = Oellm.Succeeds(["corpus", "build", recipe, "--plan"]).Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Contains(shown, line => line.StartsWith("    similarity 0.80: joined with probability 0.9", StringComparison.Ordinal));
        // What is printed of a step can stand in a recipe, and means the same there.
        string again = _folder.Write("again.jsonc", $"{{ \"corpus\": {{ \"steps\": [ {string.Join(", ", shown.Where(line => line.StartsWith('{')))} ] }} }}");
        Assert.Equal(shown, Oellm.Succeeds(["corpus", "build", again, "--plan"]).Output.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.Equal(["again.jsonc", "recipe.jsonc"], Directory.GetFileSystemEntries(_folder.Root).Select(Path.GetFileName).Order(StringComparer.Ordinal));
    }
}
