using System.IO.Compression;
using System.Text;
using System.Text.Json.Nodes;

namespace OpenEuroLLM.Cli.Tests;

public sealed class TokenizerReportTests(SmallRun run) : IDisposable
{
    // The same three sentences, lines shuffled as in a real parallel set.
    private const string Parallel =
        "en\tThe river is long.\nga\tTá an abhainn fada.\nmt\tIx-xmara hija twila.\nka\tმდინარე გრძელია.\nmt\tGħandi tliet kotba.\nen\tI have three books.\n" +
        "ga\tTá trí leabhar agam.\nka\tმე მაქვს სამი წიგნი.\nka\tგამარჯობა!\nga\tDia duit!\nen\tGood day!\nmt\tBonġu!\n";

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private string Table() => _folder.Write("parallel.tsv", Parallel);

    private JsonObject Json(params ReadOnlySpan<string> arguments) =>
        JsonNode.Parse(Assert.Single(Oellm.Succeeds(["tokenizer", "report", "--tokenizer", run.In("tokenizer"), "--json", .. arguments]).Output.TrimEnd().Split('\n')))!.AsObject();

    [Fact]
    public void Every_language_is_a_row_with_the_official_ones_first()
    {
        var report = Json("--input", Table(), "--parallel");
        var rows = report["languages"]!.AsArray();
        string[] codes = [.. rows.Select(row => row!["language"]!.GetValue<string>())];
        Assert.Equal(25, rows.Count);
        Assert.Equal(codes[..24].Order(StringComparer.Ordinal), codes[..24]);
        Assert.Equal("ka", codes[24]);
        Assert.All(rows.Take(24), row => Assert.True(row!["official"]!.GetValue<bool>()));
        Assert.Equal(0, rows[0]!["texts"]!.GetValue<int>());
        Assert.Null(rows[0]!["tokensPerWord"]);
    }

    [Fact]
    public void Figures_are_those_of_encoding_the_texts()
    {
        var report = Json("--input", Table(), "--parallel");
        var tokens = new Dictionary<string, int>();
        foreach (string line in Parallel.TrimEnd('\n').Split('\n'))
        {
            string[] parts = line.Split('\t');
            string ids = Oellm.Succeeds("tokenizer", "encode", "--tokenizer", run.In("tokenizer"), _folder.Write("line.txt", parts[1] + "\n")).Output;
            tokens[parts[0]] = tokens.GetValueOrDefault(parts[0]) + ids.Split((char[])[' ', '\n'], StringSplitOptions.RemoveEmptyEntries).Length;
        }
        foreach (var (language, count) in tokens)
        {
            var row = report["languages"]!.AsArray().Single(row => row!["language"]!.GetValue<string>() == language)!;
            string[] texts = [.. Parallel.Split('\n').Where(line => line.StartsWith(language, StringComparison.Ordinal)).Select(line => line[3..])];
            int bytes = texts.Sum(Encoding.UTF8.GetByteCount);
            Assert.Equal((3, bytes, texts.Sum(text => text.Length), count), (row["texts"]!.GetValue<int>(), row["bytes"]!.GetValue<int>(), row["characters"]!.GetValue<int>(), row["tokens"]!.GetValue<int>()));
            Assert.Equal((double)count / tokens["en"], row["parity"]!.GetValue<double>(), 6);
            Assert.Equal((double)bytes / count, row["bytesPerToken"]!.GetValue<double>(), 6);
            Assert.Equal(0, row["changedTexts"]!.GetValue<int>());
        }
        var spread = report["spread"]!["official"]!["tokens"]!;
        int[] official = [.. new[] { tokens["en"], tokens["ga"], tokens["mt"] }.Order()];
        Assert.Equal(official.Average(), spread["mean"]!.GetValue<double>(), 5);
        Assert.Equal((official[1], official[2]), (spread["median"]!.GetValue<double>(), spread["worst"]!.GetValue<double>()));
        Assert.Equal("ka", report["spread"]!["all"]!["tokens"]!["worstLanguage"]!.GetValue<string>());
    }

    [Fact]
    public void The_same_figures_come_from_any_form_of_file_and_any_number_of_workers()
    {
        using (var packed = new GZipStream(File.Create(_folder.At("packed.tsv.gz")), CompressionLevel.Fastest)) packed.Write(Encoding.UTF8.GetBytes(Parallel));
        string documents = string.Concat(Parallel.TrimEnd('\n').Split('\n').Select((line, i) =>
            new JsonObject { ["id"] = $"{i}", ["text"] = line[3..], ["lang"] = line[..2], ["source"] = "made", ["license"] = "none" }.ToJsonString() + "\n"));
        string expected = Json("--input", Table(), "--parallel", "--workers", "1").ToJsonString();
        Assert.Equal(expected, Json("--input", _folder.At("packed.tsv.gz"), "--parallel", "--workers", "3").ToJsonString());
        Assert.Equal(expected, Json("--input", _folder.Write("documents.jsonl", documents), "--parallel", "--workers", "7").ToJsonString());
    }

    [Fact]
    public void The_table_names_the_worst_language_of_every_measure()
    {
        var outcome = Oellm.Succeeds("tokenizer", "report", "--tokenizer", run.In("tokenizer"), "--beside", _folder.Copy(run.In("tokenizer"), "other"), "--input", Table(), "--parallel");
        string[] lines = outcome.Output.Split('\n');
        Assert.Contains(lines, line => line.StartsWith("tokenizer: 1024 tokens, ", StringComparison.Ordinal));
        Assert.Contains(lines, line => line.StartsWith("other: 1024 tokens, ", StringComparison.Ordinal));
        Assert.Equal(2, lines.Count(line => line.StartsWith("mt ", StringComparison.Ordinal)));
        Assert.Matches(@"parity +all +tokenizer .* ka ", outcome.Output);
        Assert.Contains("no text of bg cs da de", outcome.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void The_page_is_written_beside_the_table()
    {
        Oellm.Succeeds("tokenizer", "report", "--tokenizer", run.In("tokenizer"), "--input", Table(), "--parallel", "--html", _folder.At("report.html"));
        string page = File.ReadAllText(_folder.At("report.html"));
        Assert.Contains("Parity against English", page, StringComparison.Ordinal);
        Assert.Equal(5, page.Split("<svg ").Length - 1);
        Assert.Contains("Maltese (mt)", page, StringComparison.Ordinal);
        Oellm.Succeeds("tokenizer", "report", "--tokenizer", run.In("tokenizer"), "--input", Table(), "--html", _folder.At("other.html"));
        Assert.DoesNotContain("Parity against English", File.ReadAllText(_folder.At("other.html")), StringComparison.Ordinal);
    }

    [Fact]
    public void A_broken_bound_has_an_exit_code_of_its_own_and_names_language_value_and_bound()
    {
        string[] report = ["tokenizer", "report", "--tokenizer", run.In("tokenizer"), "--input", Table(), "--parallel", "--gate"];
        Assert.Equal(0, Oellm.Run([.. report, "parity=100", "tokens-per-word=1000", "bytes-per-token=0.1", "max-to-median=50", "unknown=0", "changed-texts=0"]).Code);
        var broken = Oellm.Run([.. report, "parity=1.5", "--json"]);
        Assert.Equal(3, broken.Code);
        Assert.Matches(@"gate +tokenizer: ka: parity is \d+\.\d{3}; the bound is at most 1\.5\.", broken.Error);
        var found = JsonNode.Parse(broken.Output)!["broken"]!.AsArray();
        Assert.Contains(found, gate => gate!["language"]!.GetValue<string>() == "ka" && gate["value"]!.GetValue<double>() > 1.5 && gate["bound"]!.GetValue<double>() == 1.5);
        // A language of its own bound is free of the general one, and what is only shown beside is not judged.
        Assert.DoesNotContain(": ka: ", Oellm.Run([.. report, "parity=1.5", "ka:parity=50"]).Error, StringComparison.Ordinal);
        var beside = Oellm.Run("tokenizer", "report", "--tokenizer", _folder.Copy(run.In("tokenizer"), "other"), "--beside", run.In("tokenizer"), "--input", Table(), "--gate", "bytes-per-token=50");
        Assert.Equal(3, beside.Code);
        Assert.Contains("other: en: bytes-per-token is ", beside.Error, StringComparison.Ordinal);
        Assert.Contains("at least 50", beside.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("gate        tokenizer", beside.Error, StringComparison.Ordinal);
        // A bound for a language that the input does not have cannot be held, and is not passed over.
        var missing = Oellm.Run([.. report, "fi:parity=2"]);
        Assert.Equal(3, missing.Code);
        Assert.Contains("fi: there is no text of it", missing.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Wrong_input_is_named()
    {
        string[] report = ["tokenizer", "report", "--tokenizer", run.In("tokenizer"), "--input"];
        Oellm.Refuses([.. report, _folder.Write("empty.txt", "")], "no text");
        Oellm.Refuses([.. report, _folder.Write("a.tsv", "en\tGood.\nno tab here\n")], "a.tsv:2", "a tab");
        Oellm.Refuses([.. report, _folder.Write("b.tsv", "en\tGood.\nmt\tTajjeb.\nmt\tTajba.\n"), "--parallel"], "mt has 2 texts and en 1");
        Oellm.Refuses([.. report, _folder.Write("c.tsv", "mt\tTajjeb.\n"), "--parallel"], "no English text");
        Oellm.Refuses([.. report, _folder.At("a.tsv"), "--gate", "parity=2"], "--parallel");
        Oellm.Refuses([.. report, _folder.At("a.tsv"), "--gate", "fertility=2"], "'fertility' is unknown", "tokens-per-word");
        Oellm.Refuses([.. report, _folder.At("a.tsv"), "--gate", "tokens-per-word=few"], "'few' is no bound");
        Oellm.Refuses([.. report, _folder.At("a.tsv"), "--gate", "tokens-per-word"], "is no bound");
        Oellm.Refuses([.. report, _folder.At("a.tsv"), "--gate", "unknown=0", "--gate", "unknown=1"], "given twice");
        Oellm.Refuses([.. report, _folder.At("a.tsv"), "--workers", "0"], "--workers is 0");
        Oellm.Refuses([.. report, _folder.At("nowhere.tsv")], "nowhere.tsv", "is not there");
        Oellm.Refuses(["tokenizer", "report", "--tokenizer", run.In("tokenizer"), run.In("tokenizer"), "--input", _folder.At("b.tsv")], "named twice");
        Oellm.Refuses([.. report, _folder.At("b.tsv"), "--html", _folder.At("no", "where.html")], "where.html");
    }

    [Fact]
    public void Broken_bytes_are_measured_and_counted()
    {
        _folder.Write("bytes.tsv", [.. "en\ta"u8, 0xFF, 0xC3, .. "b\n"u8]);
        var row = Json("--input", _folder.At("bytes.tsv"))["languages"]!.AsArray().Single(row => row!["language"]!.GetValue<string>() == "en")!;
        Assert.Equal((4, 4, 2, 0), (row["bytes"]!.GetValue<int>(), row["characters"]!.GetValue<int>(), row["words"]!.GetValue<int>(), row["changedTexts"]!.GetValue<int>()));
    }
}
