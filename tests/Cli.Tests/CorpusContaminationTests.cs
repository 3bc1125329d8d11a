using System.Text.Json.Nodes;

namespace OpenEuroLLM.Cli.Tests;

public sealed class CorpusContaminationTests : IDisposable
{
    private const string Question = "Koľko dní trvala cesta z dolnej osady na horskú chatu, keď sneh zasypal oba mosty?";
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private string Write(string name, string content)
    {
        File.WriteAllText(_folder.At(name), content);
        return _folder.At(name);
    }

    [Fact]
    public void Items_in_texts_are_told_by_task_and_language()
    {
        string tasks = Write("trips.jsonl", $$"""{"id":"q1","question":"{{Question}}"}""" + "\n" + """{"id":"q2","question":"Prečo?"}""" + "\n");
        string text = Write("sk-letter.txt", $"Milý priateľ, pýtal si sa:\n\n{Question.ToUpperInvariant().Replace(",", " –", StringComparison.Ordinal)}\nPäť dní.");
        JsonNode task = JsonNode.Parse(Oellm.Succeeds("corpus", "contamination", text, "--tasks", tasks, "--json").Output)!;
        Assert.Equal(("trips", 2, 1, 1, 1), ((string)task["task"]!, (int)task["items"]!, (int)task["notCheckable"]!, (int)task["found"]!, (int)task["documents"]!["sk"]!));
        Assert.Equal("q1", (string)task["examples"]![0]!["item"]!);
        string shown = Oellm.Succeeds("corpus", "contamination", text, "--tasks", tasks).Output;
        Assert.Contains("sk:1", shown, StringComparison.Ordinal);
        Assert.Contains("100.0%", shown, StringComparison.Ordinal);
        Assert.Equal(0, (int)JsonNode.Parse(Oellm.Succeeds("corpus", "contamination", Write("sk-other.txt", "Päť dní."), "--tasks", tasks, "--json").Output)!["found"]!);
    }

    [Fact]
    public void Mistakes_are_told_in_one_line()
    {
        string text = Write("sk-letter.txt", "Päť dní."), bad = Write("bad.jsonl", "{\"text\":\"x\"}\n{");
        Oellm.Refuses(["corpus", "contamination", text, "--tasks", bad], "bad.jsonl:2:");
        Oellm.Refuses(["corpus", "contamination", text, "--tasks", _folder.At("absent.jsonl")], "absent.jsonl: not found");
        Oellm.Refuses(["corpus", "contamination", text, "--tasks", text, "--ngram", "3"], "--ngram is 3");
        Oellm.Refuses(["corpus", "contamination", text, "--tasks", text, "--share", "2"], "--share is 2");
    }
}
