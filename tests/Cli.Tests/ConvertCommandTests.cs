using System.Text.Json.Nodes;
using OpenEuroLLM.Formats;

namespace OpenEuroLLM.Cli.Tests;

public sealed class ConvertCommandTests : IDisposable
{
    private static readonly string BuiltIn = Path.Combine(AppContext.BaseDirectory, ModelPath.BuiltIn);

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_model_goes_to_a_file_and_back_without_a_change()
    {
        string file = _folder.At("nano.gguf"), back = _folder.At("back");
        var said = JsonNode.Parse(Oellm.Succeeds("convert", "--to", "gguf", "--out", file, "--json").Output)!;
        Assert.Equal(file, (string?)said["out"]);
        Assert.True((int)said["types"]!["BF16"]! > 0);
        Oellm.Succeeds("convert", "--model", file, "--to", "safetensors", "--quantize", "bf16", "--out", back);
        Assert.Equal(File.ReadAllBytes(Path.Combine(BuiltIn, "model.safetensors")), File.ReadAllBytes(Path.Combine(back, "model.safetensors")));
        Assert.Equal(File.ReadAllText(Path.Combine(BuiltIn, "chat_template.jinja")), File.ReadAllText(Path.Combine(back, "chat_template.jinja")));
        Assert.Contains("everything matches", Oellm.Succeeds("verify", back).Output, StringComparison.Ordinal);
        string[] generate = ["generate", "--prompt", "The capital of Austria is", "--max-tokens", "8", "--temperature", "0"];
        Assert.Equal(Oellm.Succeeds(generate).Output, Oellm.Succeeds([.. generate, "--model", back]).Output);
        Assert.Equal(Oellm.Succeeds(generate).Output, Oellm.Succeeds([.. generate, "--model", file]).Output);
    }

    [Theory, InlineData("q8_0", 7, 0.56), InlineData("q4_0", 2, 0.35), InlineData("f16", 1, 1.05), InlineData("q6_k", 18, 0.56)]
    public void A_smaller_type_gives_a_smaller_file(string type, long fileType, double share)
    {
        string path = _folder.At("small.gguf");
        Oellm.Succeeds("convert", "--to", "gguf", "--quantize", type, "--out", path);
        using var file = GgufFile.Open(path);
        Assert.Contains(file.Value("general.file_type")!.Integer, (long?[])[fileType, 7]); // widths that are no multiple of 256 fall back
        Assert.InRange(new FileInfo(path).Length, 1, share * new FileInfo(Path.Combine(BuiltIn, "model.safetensors")).Length + 1_000_000);
        Assert.Equal("dbrx", file.Text("tokenizer.ggml.pre"));   // the split of llama-bpe, but words that are tokens still go through the merges
        Assert.NotNull(file.Text("tokenizer.chat_template"));
        string again = _folder.At("again.gguf");
        Oellm.Succeeds("convert", "--model", path, "--to", "gguf", "--out", again);
        Assert.Equal(File.ReadAllBytes(path), File.ReadAllBytes(again));
    }

    [Fact]
    public void A_folder_goes_to_a_folder_of_another_type()
    {
        string half = _folder.At("half");
        Oellm.Succeeds("convert", "--to", "safetensors", "--quantize", "f16", "--out", half);
        Assert.Equal("float16", (string?)JsonNode.Parse(File.ReadAllText(Path.Combine(half, "config.json")))!["dtype"]);
        Assert.Equal(File.ReadAllBytes(Path.Combine(BuiltIn, "tokenizer.json")), File.ReadAllBytes(Path.Combine(half, "tokenizer.json")));
        Assert.NotEmpty(Oellm.Succeeds("generate", "--model", half, "--prompt", "Dobrý", "--max-tokens", "4").Output);
    }

    [Fact]
    public void Mistakes_are_said_in_one_line()
    {
        string quantized = _folder.At("q.gguf");
        Oellm.Succeeds("convert", "--to", "gguf", "--quantize", "q8_0", "--out", quantized);
        Oellm.Refuses(["convert", "--to", "onnx", "--out", _folder.At("x")], "--to is 'onnx'; expected gguf or safetensors.");
        Oellm.Refuses(["convert", "--to", "gguf", "--out", _folder.At("x")], "expected a file name that ends in .gguf.");
        Oellm.Refuses(["convert", "--to", "safetensors", "--out", _folder.At("x.gguf")], "expected the name of a folder");
        Oellm.Refuses(["convert", "--to", "gguf", "--out", quantized], "exists already; choose another name, remove it, or say --force.");
        Oellm.Refuses(["convert", "--model", quantized, "--to", "gguf", "--out", quantized, "--force"], "is the source itself");
        Oellm.Refuses(["convert", "--model", quantized, "--to", "safetensors", "--out", _folder.At("y")], "say --quantize f32, f16 or bf16");
        Oellm.Refuses(["convert", "--to", "safetensors", "--quantize", "q4_0", "--out", _folder.At("y")], "type 'q4_0' has no place in a model folder");
        Oellm.Refuses(["convert", "--model", _folder.At("nothing"), "--to", "gguf", "--out", _folder.At("z.gguf")], "not found; expected a model folder or a .gguf file.");
        Oellm.Refuses(["convert", "--model", _folder.Write("bad.gguf", "GGUF, but not really one, is it?"), "--to", "gguf", "--out", _folder.At("z.gguf")], "the version is");
        Assert.Equal(["bad.gguf", "q.gguf"], Directory.GetFileSystemEntries(_folder.Root).Select(Path.GetFileName).Order(StringComparer.Ordinal));
    }
}
