using System.IO.Compression;
using System.Text;
using System.Text.Json.Nodes;

namespace OpenEuroLLM.Cli.Tests;

public sealed class IdentifyCommandTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    [Fact]
    public void Each_line_gets_a_code_and_a_confidence()
    {
        string file = Write("lines.txt", "Jede Sprache in Europa hat ihre eigene Geschichte.\nΚάθε γλώσσα έχει τη δική της ιστορία.\n\n1234 5678\n");
        string[] lines = Oellm.Succeeds("identify", file).Output.TrimEnd('\n').Split('\n');
        Assert.Equal(["de", "el", "und", "zxx"], lines.Select(line => line.Split('\t')[0]));
        Assert.All(lines, line => Assert.Matches(@"^[a-z]{2,3}\t[01]\.\d{4}$", line));
    }

    [Fact]
    public void A_packed_file_that_is_cut_short_is_refused_and_not_taken_for_a_shorter_one()
    {
        string path = Path.Combine(Path.GetTempPath(), $"{Guid.NewGuid():N}.txt.gz");
        try
        {
            using (var gzip = new System.IO.Compression.GZipStream(File.Create(path), System.IO.Compression.CompressionLevel.Optimal))
                for (int i = 0; i < 500; i++) gzip.Write(System.Text.Encoding.UTF8.GetBytes($"Dobrý den, to je řádek {i * 7919}.\n"));
            Assert.Equal(500, Oellm.Succeeds("identify", path).Output.TrimEnd('\n').Split('\n').Length);
            File.WriteAllBytes(path, File.ReadAllBytes(path)[..^30]);
            Oellm.Refuses(["identify", path], "damaged or cut short");
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Fact]
    public void Standard_input_is_read_without_a_file()
    {
        var outcome = Oellm.Process(["identify"], "Každý jazyk v Evropě má své vlastní dějiny.\n");
        Assert.StartsWith("cs\t", outcome.Output);
        Assert.Equal(0, outcome.Code);
    }

    [Fact]
    public void Answers_for_machines_name_the_runner_ups()
    {
        var answer = JsonNode.Parse(Oellm.Succeeds("identify", "--json", "--top", "3", Write("a.txt", "Hvor kommer du fra?\n")).Output)!;
        Assert.Equal(3, answer["languages"]!.AsArray().Count);
        Assert.Equal((string?)answer["language"], (string?)answer["languages"]![0]!["language"]);
    }

    [Fact]
    public void A_document_gets_one_answer_and_its_parts_theirs()
    {
        string file = Write("mixed.txt", "Die Regierung hat gestern neue Regeln für den Verkehr beschlossen.\nHallitus hyväksyi eilen uudet liikennesäännöt, ja monet ovat niistä iloisia.\n");
        Assert.Single(Oellm.Succeeds("identify", "--document", file).Output.TrimEnd('\n').Split('\n'));
        string[] parts = Oellm.Succeeds("identify", "--segments", file).Output.TrimEnd('\n').Split('\n');
        Assert.Equal(["de", "fi"], parts.Select(part => part.Split('\t')[2]));
        Assert.Equal(parts[0].Split('\t')[1], parts[1].Split('\t')[0]);
    }

    [Fact]
    public void A_line_of_many_megabytes_and_broken_bytes_are_answered()
    {
        string path = _folder.At("long.txt");
        using (var file = File.Create(path))
        {
            byte[] piece = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat("Chaque langue a sa propre histoire. ", 3_000)));
            for (int i = 0; i < 300; i++) file.Write(piece);
            file.Write("\n\xFF\xFE\x80\nMelyik nyelven beszélsz otthon a családoddal?"u8);
        }

        string[] lines = Oellm.Succeeds("identify", path).Output.TrimEnd('\n').Split('\n');
        Assert.Equal(["fr", "hu"], [lines[0].Split('\t')[0], lines[2].Split('\t')[0]]);
        Assert.Equal(3, lines.Length);
    }

    [Fact]
    public void Training_makes_a_model_that_is_used_and_measured()
    {
        string texts = Write("texts.jsonl", string.Concat(Enumerable.Range(0, 40).Select(i =>
            $"{{\"id\":\"{i}\",\"text\":\"{(i % 2 == 0 ? "Wir fahren morgen mit dem Zug nach Hause." : "Nous rentrons demain à la maison en train.")}\",\"lang\":\"{(i % 2 == 0 ? "de" : "fr")}\",\"source\":\"s\",\"license\":\"l\"}}\n")));
        string own = Write("uk.txt", "Кожна мова має свою історію.\n"), model = _folder.At("model");
        var made = JsonNode.Parse(Oellm.Succeeds("identify", "train", "windows=150", "passes=1", "latinBuckets=200", "cyrillicBuckets=50", "--input", texts, own, "--out", model, "--json").Output)!;
        Assert.Equal(new FileInfo(Path.Combine(model, "identification.bin")).Length, (long)made["bytes"]!);
        Assert.StartsWith("de\t", Oellm.Succeeds("identify", "--model", model, "--threshold", "0", Write("one.txt", "Wir fahren nach Hause.\n")).Output);
        Oellm.Succeeds("verify", model);

        string gold = _folder.At("gold.tsv.gz");
        using (var writer = new StreamWriter(new GZipStream(File.Create(gold), CompressionLevel.Fastest)))
            writer.Write("\uFEFFde\tWir fahren morgen nach Hause.\nfr\tNous rentrons demain à la maison.\n");
        var scores = JsonNode.Parse(Oellm.Succeeds("identify", "evaluate", "--model", model, "--gold", gold, "--json").Output)!;
        Assert.Equal(1.0, (double)scores["macroF1"]!);
        Assert.Equal(1.0, (double)scores["labels"]!["de"]!["f1"]!);
        Assert.Contains("macro-F1, all labels", Oellm.Succeeds("identify", "evaluate", "--model", model, "--gold", gold).Output);
        Oellm.Refuses(["identify", "train", "--input", texts, "--out", model], "exists already");
        string mari = Write("chm.txt", "Тыште шуко калык ила.\n");
        Assert.Contains("1 texts have labels that are no language of the catalogue (chm)", Oellm.Succeeds("identify", "train", "windows=150", "passes=1", "latinBuckets=200", "cyrillicBuckets=50", "--input", texts, own, mari, "--out", _folder.At("again")).Error);
    }

    [Fact]
    public void Mistakes_are_explained()
    {
        string text = Write("t.txt", "a\n");
        Oellm.Refuses(["identify", "--top", "0", text], "--top is 0; expected 1 to 48");
        Oellm.Refuses(["identify", "--threshold", "2", text], "--threshold is 2; expected 0 to 1");
        Oellm.Refuses(["identify", _folder.At("absent.txt")], "absent.txt");
        Oellm.Refuses(["identify", "--model", text, text], "t.txt: has 2 bytes; expected an identification model");
        Oellm.Refuses(["identify", "train", "passes=0", "--input", text, "--out", _folder.At("m")], "passes is 0; expected 1 to 100");
        Oellm.Refuses(["identify", "train", "pases=1", "--input", text, "--out", _folder.At("m")], "did you mean 'passes'");
        Oellm.Refuses(["identify", "evaluate", "--gold", text], "t.txt:1: does not begin with a label and a tab");
        Oellm.Refuses(["identify", text, "--treshold", "0.5"], "option '--treshold' of 'oellm identify' is unknown; did you mean '--threshold'?");
        Oellm.Refuses(["identify", text, "--segmnts=yes"], "did you mean '--segments'?");
        Oellm.Refuses(["identify", _folder.Root], "is a folder; expected a file");
        Oellm.Refuses(["identify", Path.Combine(text, "b.txt")], "t.txt: is a file; expected a folder");
    }

    public void Dispose() => _folder.Dispose();

    private string Write(string name, string content) => _folder.Write(name, content);
}
