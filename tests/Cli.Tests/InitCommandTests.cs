using System.Text.Json.Nodes;
using OpenEuroLLM.Formats;

namespace OpenEuroLLM.Cli.Tests;

public sealed class InitCommandTests : IDisposable
{
    private static readonly string[] Shape = ["--layers", "2", "--width", "256", "--heads", "4", "--key-value-heads", "2", "--hidden", "320", "--vocabulary-size", "600", "--context-length", "128"];

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Writes_a_file_with_a_whole_vocabulary()
    {
        string path = _folder.At("random.gguf");
        var said = JsonNode.Parse(Oellm.Succeeds(["init", .. Shape, "--quantize", "q4_k", "--out", path, "--json"]).Output)!;
        Assert.Equal(path, (string?)said["out"]);
        Assert.Equal(new FileInfo(path).Length, (long)said["bytes"]!);
        Assert.Equal((14, 2, 5), ((int)said["types"]!["Q4_K"]!, (int)said["types"]!["Q5_0"]!, (int)said["types"]!["F32"]!));
        Assert.Contains("rows of 320 numbers are no multiple of 256: Q5_0 instead of Q4_K (2 weights)", (string?)said["notes"]![0], StringComparison.Ordinal);
        using var file = GgufFile.Open(path);
        var tokens = Assert.IsType<string[]>(file.Value("tokenizer.ggml.tokens")!.Content);
        Assert.Equal(600, tokens.Distinct().Count());
        Assert.Equal(600, Assert.IsType<int[]>(file.Value("tokenizer.ggml.token_type")!.Content).Length);
        Assert.Equal("gpt2", file.Text("tokenizer.ggml.model"));
        Assert.Equal("<|begin_of_text|>", tokens[file.Integer("tokenizer.ggml.bos_token_id", 0, 599)]);
        Assert.Equal((14L, "random"), (file.Value("general.file_type")!.Integer, file.Text("general.name")));
    }

    [Fact]
    public void The_same_seed_gives_the_same_file_with_any_number_of_threads()
    {
        foreach (var (name, seed, threads) in new[] { ("a", "7", "1"), ("b", "7", "3"), ("c", "8", "3") })
            Oellm.Succeeds(["init", .. Shape, "--seed", seed, "--threads", threads, "--quantize", "q4_0", "--out", _folder.At(name + ".gguf")]);
        // The name in the metadata is that of the file; what follows it is equal.
        byte[] Data(string name) => File.ReadAllBytes(_folder.At(name + ".gguf"))[20_000..];
        Assert.Equal(Data("a"), Data("b"));
        Assert.NotEqual(Data("a"), Data("c"));
    }

    [Fact]
    public void Writes_a_folder_that_generates()
    {
        string path = _folder.At("random");
        Oellm.Succeeds(["init", .. Shape, "--tied", "--quantize", "f16", "--out", path]);
        Assert.Contains("everything matches", Oellm.Succeeds("verify", path).Output, StringComparison.Ordinal);
        var said = JsonNode.Parse(Oellm.Succeeds("generate", "--model", path, "--prompt", "Ahoj", "--max-tokens", "4", "--temperature", "0", "--json").Output)!;
        Assert.InRange((int)said["completionTokens"]!, 1, 4);
    }

    [Theory]
    [InlineData("--heads", "3", "--heads is 3; expected a number that divides --width, 256")]
    [InlineData("--key-value-heads", "3", "--key-value-heads is 3; expected a number that divides --heads, 4.")]
    [InlineData("--layers", "0", "--layers is 0; expected 1 to 4096.")]
    [InlineData("--vocabulary-size", "262", "--vocabulary-size is 262; expected 263 to 16777216.")]
    [InlineData("--quantize", "q9_1", "type 'q9_1' is unknown")]
    public void Sizes_that_make_no_model_are_refused(string option, string value, string message)
    {
        string[] arguments = [.. Shape, "--quantize", "f32"];
        arguments[Array.IndexOf(arguments, option) + 1] = value;
        Oellm.Refuses(["init", .. arguments, "--out", _folder.At("x.gguf")], message);
        Assert.Empty(Directory.GetFileSystemEntries(_folder.Root));
    }

    [Fact]
    public void A_model_that_the_disk_cannot_hold_is_refused_before_anything_is_written()
    {
        string[] huge = ["init", "--layers", "4096", "--width", "1048576", "--heads", "4096", "--hidden", "4194304", "--vocabulary-size", "300"];
        Oellm.Refuses([.. huge, "--out", _folder.At("x.gguf")], "x.gguf: the weights need ");
        Oellm.Refuses([.. huge, "--out", _folder.At("x")], "x: the weights need ", "the disk has ");
        Assert.Empty(Directory.GetFileSystemEntries(_folder.Root));
    }

    [Fact]
    public void What_is_there_is_replaced_only_when_asked()
    {
        string path = _folder.Write("random.gguf", "mine");
        Oellm.Refuses(["init", .. Shape, "--out", path], "exists already; choose another name, remove it, or say --force.");
        Assert.Equal("mine", File.ReadAllText(path));
        Oellm.Succeeds(["init", .. Shape, "--out", path, "--force"]);
        Assert.True(new FileInfo(path).Length > 1_000_000);
        Oellm.Refuses(["init", .. Shape, "--quantize", "q8_0", "--out", _folder.At("folder")], "type 'q8_0' has no place in a model folder; expected f32, f16 or bf16.");
    }

    [Fact]
    public async Task Interrupted_it_leaves_nothing_and_promises_nothing()
    {
        await using var output = new StringWriter();
        await using var error = new StringWriter();
        int code = await Program.RunAsync(["init", .. Shape, "--out", _folder.At("x.gguf")], output, error, new CancellationToken(canceled: true));
        Assert.Equal(130, code);
        Assert.EndsWith($"oellm: interrupted; nothing is left half-written.{error.NewLine}", error.ToString(), StringComparison.Ordinal);
        Assert.Empty(Directory.GetFileSystemEntries(_folder.Root));
    }
}
