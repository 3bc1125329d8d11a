using System.Text.Json.Nodes;

namespace OpenEuroLLM.Cli.Tests;

public sealed class BenchCommandTests(SmallRun run) : IDisposable
{
    private static readonly string[] _small =
        ["--width", "32", "--layers", "1", "--heads", "2", "--hidden", "48", "--vocabulary-size", "300", "--batch", "2", "--context", "16", "--steps", "2"];

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Training_steps_are_a_share_of_the_machines_limit()
    {
        var result = JsonNode.Parse(Oellm.Succeeds(["bench", "train", .. _small, "--threads", "2", "--json"]).Output)!;
        Assert.True(Number(result, "tokensPerSecond") > 0);
        Assert.True(Number(result, "gflops") > 0);
        Assert.InRange(Number(result, "shareOfLimit"), 1e-6, 1.5);
        Assert.True(Number(result, "peakMemoryBytes") > 1e6);
        Assert.True(Number(result, "allocatedBytesPerStep") >= 0); // of the whole process, other tests included
        // 300 tokens known: a model that learned nothing has a loss of about ln 300.
        Assert.InRange(Number(result, "loss"), 4, 7);
    }

    [Fact]
    public void A_token_counts_six_operations_for_each_parameter_in_products_and_those_of_attention()
    {
        var result = JsonNode.Parse(Oellm.Succeeds(["bench", "train", .. _small, "--threads", "1", "--json"]).Output)!;
        const double products = 4 * 32 * 32 + 3 * 32 * 48 + 300 * 32;
        const double perToken = 6 * products + 12 * 1 * 32 * 16;
        Assert.Equal(perToken, Number(result, "gflops") * 1e9 / Number(result, "tokensPerSecond"), perToken * 1e-4);
    }

    [Fact]
    public void Grammars_are_measured_with_answers_that_they_take()
    {
        string[] arguments = ["bench", "grammar", "--tokenizer", run.Model, "--vocabulary-size", "1500", "--runs", "2"];
        JsonNode[] lines = [.. Oellm.Succeeds([.. arguments, "--json"]).Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonNode.Parse(line)!)];
        Assert.All(lines[..^1], line => Assert.True(Number(line, "states") > 10 && Number(line, "tokens") > 3 && Number(line, "laterMedianMicroseconds") > 0));
        Assert.Equal(1500, Number(lines[^1], "vocabularySize"));
        Assert.Equal(lines.Length + 2, Oellm.Succeeds(arguments).Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
    }

    [Fact]
    public void A_tokenizer_is_measured_and_every_document_comes_back()
    {
        string texts = _folder.At("de.txt");
        File.WriteAllText(texts, "Die Möwe fliegt über das Meer, und 12 Schiffe liegen im Hafen.\n");
        var result = JsonNode.Parse(Oellm.Succeeds("bench", "tokenizer", "--tokenizer", run.Model, "--input", texts, "--runs", "2", "--threads", "2", "--json").Output)!;
        Assert.True(Number(result, "encodeMegabytesPerSecond") > 0);
        Assert.True(Number(result, "decodeMegabytesPerSecond") > 0);
        Assert.Equal(new FileInfo(texts).Length, Number(result, "bytes"));
        Assert.Equal(Number(result, "bytes") / Number(result, "tokens"), Number(result, "bytesPerToken"), 0.001);
        Assert.Equal(0, Number(result, "differentDocuments"));
        Assert.Contains("every document comes back", Oellm.Succeeds("bench", "tokenizer", "--tokenizer", run.Model, "--input", texts, "--runs", "1").Output, StringComparison.Ordinal);
    }

    [Fact]
    public void Generation_gives_a_line_for_each_number_of_threads()
    {
        var lines = Lines(Oellm.Succeeds("bench", "generate", "--model", run.Model, "--prompt-tokens", "20", "--new-tokens", "4", "--runs", "1", "--threads", "2", "--json"));
        Assert.Equal([1.0, 2.0], lines.Select(line => Number(line, "threads")));
        foreach (var line in lines)
        {
            Assert.True(Number(line, "prefillTokensPerSecond") > 0);
            Assert.True(Number(line, "decodeTokensPerSecond") > 0);
            Assert.True(Number(line, "bytesPerToken") > new FileInfo(Path.Combine(run.Model, "model.safetensors")).Length * 0.9);
            Assert.InRange(Number(line, "shareOfReadBandwidth"), 1e-6, 10);
            Assert.True(Number(line, "allocatedBytesPerToken") >= 0);
        }
    }

    [Fact]
    public void Generation_reads_a_single_file_of_weights()
    {
        string file = _folder.At("random.gguf");
        Oellm.Succeeds("init", "--layers", "1", "--width", "64", "--heads", "2", "--hidden", "64", "--vocabulary-size", "300", "--quantize", "q4_0", "--out", file);
        var line = Assert.Single(Lines(Oellm.Succeeds("bench", "generate", "--model", file, "--prompt-tokens", "20", "--new-tokens", "4", "--runs", "1", "--threads", "1", "--json")));
        // An untied embedding is read one row a token, the head whole: 300 and a few numbers of padding by 64, and the layer's matrices, at 18 bytes for 32 numbers.
        const double weights = (304 * 64 + 4 * 64 * 64 + 3 * 64 * 64) / 32.0 * 18;
        Assert.InRange(Number(line, "bytesPerToken"), weights, weights * 1.5);
    }

    [Fact]
    public void Kernels_are_listed_with_rate_and_share()
    {
        var lines = Lines(Oellm.Succeeds("bench", "kernels", "--threads", "2", "--filter", "rmsnorm forward", "--json"));
        Assert.Equal(2, lines.Count);
        Assert.All(lines, line => Assert.True(Number(line, "gigabytesPerSecond") > 0 && Number(line, "share") > 0));
        var meetings = Lines(Oellm.Succeeds("bench", "kernels", "--threads", "2", "--filter", "barrier", "--json"));
        Assert.Equal(["barrier, empty work", "barrier, all threads meet"], meetings.Select(line => line["kernel"]!.GetValue<string>()));
        Assert.All(meetings, line => Assert.True(Number(line, "slowestHundredthMicroseconds") >= Number(line, "microseconds")));
        string table = Oellm.Succeeds("bench", "kernels", "--threads", "1", "--filter", "add 2048 x 256").Output;
        Assert.Matches(@"^add +2048 x 256 +[\d.]+ GB/s +\d+%\n$", table);
    }

    [Theory]
    [InlineData("kernels --filter nonsense", "--filter 'nonsense' fits no kernel")]
    [InlineData("kernels --threads 0", "--threads is 0; expected 1 to 1024.")]
    [InlineData("train --width 30 --heads 4", "--heads is 4; expected a number that divides --width, 30")]
    [InlineData("train --heads 4 --key-value-heads 3", "--key-value-heads is 3; expected a number that divides --heads, 4.")]
    [InlineData("train --layers 0", "--layers is 0; expected 1 to")]
    [InlineData("train --batch 0", "--batch is 0; expected 1 to")]
    [InlineData("train --steps 0", "--steps is 0; expected 1 to")]
    [InlineData("train --context many", "--context is 'many'; expected a whole number")]
    [InlineData("generate --model nowhere.gguf", "nowhere.gguf")]
    [InlineData("generate --new-tokens 0", "--new-tokens is 0; expected 1 to")]
    [InlineData("generate --runs 0", "--runs is 0; expected 1 to")]
    [InlineData("kernel", "did you mean 'kernels'?")]
    public void Wrong_options_are_refused(string line, string words) => Oellm.Refuses(["bench", .. line.Split(' ')], words);

    [Theory]
    [InlineData("--width 65536 --layers 64 --heads 256 --hidden 131072", "A model of this size in training needs about")]
    [InlineData("--width 512 --layers 64 --heads 8 --hidden 2048 --vocabulary-size 300 --batch 16384 --context 1024", "A training step of this size needs about")]
    public void Training_beyond_the_machines_memory_is_refused_before_it_begins(string line, string words) => Oellm.Refuses(["bench", "train", .. line.Split(' ')], words);

    [Fact]
    public void A_context_beyond_the_machines_memory_is_refused_before_the_model_is_loaded()
    {
        string file = _folder.At("long.gguf");
        Oellm.Succeeds("init", "--layers", "16", "--width", "256", "--heads", "4", "--hidden", "32", "--vocabulary-size", "300", "--context-length", "16777216", "--quantize", "q8_0", "--out", file);
        Oellm.Refuses(["bench", "generate", "--model", file, "--prompt-tokens", "16000000", "--threads", "1"], "long.gguf: the model with 16000000 tokens needs about");
    }

    [Fact]
    public void More_tokens_than_the_model_holds_are_refused()
    {
        Oellm.Refuses(["bench", "generate", "--model", run.Model, "--prompt-tokens", "100000", "--threads", "1"], "--prompt-tokens is 100000; expected 1 to");
        Oellm.Refuses(["bench", "generate", "--model", run.Model, "--prompt-tokens", "1", "--new-tokens", "100000", "--threads", "1"], "--new-tokens and 16 before them is 100016; expected 1 to");
    }

    private static List<JsonNode> Lines(Outcome outcome) => [.. outcome.Output.TrimEnd().Split('\n').Select(line => JsonNode.Parse(line)!)];

    private static double Number(JsonNode line, string field) => line[field]!.GetValue<double>();
}
