using System.Text.Json.Nodes;

namespace OpenEuroLLM.Cli.Tests;

public sealed class EmbedCommandTests(SmallRun run) : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Each_line_of_text_is_one_line_of_json()
    {
        string file = _folder.Write("texts.txt", "The Danube flows to the Black Sea.\nTá an aimsir go maith.\n");
        var vectors = Lines(Oellm.Succeeds("embed", "--model", run.Model, file).Output);
        Assert.Equal(2, vectors.Length);
        Assert.All(vectors, vector => Assert.Equal(1, vector.AsArray().Sum(value => (double)value! * (double)value!), 1e-4));
        var objects = Lines(Oellm.Succeeds("embed", "--model", run.Model, "--pooling", "last", "--no-normalize", "--json", file).Output);
        Assert.Equal([1, 2], objects.Select(line => (int)line["line"]!));
        Assert.All(objects, line => Assert.Equal((file, vectors[0].AsArray().Count), ((string)line["file"]!, line["embedding"]!.AsArray().Count)));
        Assert.True((int)objects[0]["tokens"]! > 5);
        Assert.NotEqual(vectors[0].ToJsonString(), objects[0]["embedding"]!.ToJsonString());
    }

    [Fact]
    public void What_cannot_be_embedded_is_named_with_its_line()
    {
        Oellm.Refuses(["embed", "--model", run.Model, _folder.At("absent.txt")], "absent.txt: there is no such file");
        string longer = _folder.Write("long.txt", "short\n" + string.Concat(Enumerable.Repeat("word ", 900)) + "\n");
        Oellm.Refuses(["embed", "--model", run.Model, longer], "long.txt: line 2: the text has ", "the model's context holds 256");
        Oellm.Refuses(["embed", "--model", run.Model, _folder.Write("bytes.txt", [(byte)'a', 10, 0xFF, 10])], "bytes.txt: line 2 is no UTF-8");
        Oellm.Refuses(["embed", "--model", run.Model, "--pooling", "sum", longer], "--pooling is 'sum'");
    }

    private static JsonNode[] Lines(string output) => [.. output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonNode.Parse(line)!)];
}
