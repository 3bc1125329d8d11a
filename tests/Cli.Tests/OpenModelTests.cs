using System.Runtime.CompilerServices;
using System.Text.Json.Nodes;
using OpenEuroLLM.Core;
using OpenEuroLLM.Inference;
using OpenEuroLLM.Models;
using OpenEuroLLM.Models.Adapters;

namespace OpenEuroLLM.Cli.Tests;

/// <summary>Models from elsewhere as a user meets them: files, adapters, families, and what a model thinks before it answers.</summary>
public sealed class OpenModelTests(SmallRun run) : IDisposable
{
    private static readonly string[] Prompt = ["--prompt", "The capital of France is", "--max-tokens", "8", "--temperature", "0"];

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_conversation_with_a_file_is_that_with_its_folder()
    {
        string file = File("bf16");
        string[] chat = ["chat", "--max-tokens", "8", "--temperature", "0", "--json", "--system", "Be short."];
        string said = Oellm.Process([.. chat, "--model", run.Model], "What is the capital of Malta?\nAnd of Ireland?\n").Output;
        Assert.Equal(2, said.TrimEnd().Split('\n').Length);
        Assert.Equal(said, Oellm.Process([.. chat, "--model", file], "What is the capital of Malta?\nAnd of Ireland?\n").Output);
    }

    [Fact]
    public void An_adapter_changes_every_command_as_its_merged_model_does()
    {
        string adapter = Adapter(), merged = _folder.At("merged"), texts = _folder.Write("texts.txt", "Malta\n");
        var said = JsonNode.Parse(Oellm.Succeeds("convert", "--model", run.Model, "--adapter", adapter, "--to", "safetensors", "--out", merged, "--json").Output)!;
        Assert.Contains(said["notes"]!.AsArray(), note => ((string)note!).Contains("the same logits, bit for bit", StringComparison.Ordinal));
        string plain = Oellm.Succeeds(["generate", "--model", run.Model, .. Prompt]).Output;
        var adapted = Oellm.Succeeds(["generate", "--model", run.Model, "--adapter", adapter, .. Prompt]);
        Assert.NotEqual(plain, adapted.Output);
        Assert.Equal(Oellm.Succeeds(["generate", "--model", merged, .. Prompt]).Output, adapted.Output);
        string vector = Oellm.Succeeds("embed", "--model", run.Model, "--adapter", adapter, texts).Output;
        Assert.NotEqual(Oellm.Succeeds("embed", "--model", run.Model, texts).Output, vector);
        Assert.Equal(Oellm.Succeeds("embed", "--model", merged, texts).Output, vector);
        Oellm.Refuses(["embed", "--model", run.Model, "--adapter", _folder.At("none"), texts], "none: there is no such folder; expected an adapter folder");
    }

    [Fact]
    public void What_an_adapter_does_to_quantized_matrices_is_said()
    {
        string adapter = Adapter(), file = File("q8_0");
        foreach (string[] command in (string[][])[["generate", .. Prompt], ["embed", _folder.Write("texts.txt", "Malta\n")]])
            Assert.Contains("quantized matrices are adapted and held as bf16; they take more memory than in the file", Oellm.Succeeds([.. command, "--model", file, "--adapter", adapter]).Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Likelihoods_are_told_token_by_token()
    {
        var said = JsonNode.Parse(Oellm.Succeeds(["generate", "--model", run.Model, .. Prompt, "--logprobs", "3", "--json"]).Output)!;
        var tokens = said["tokens"]!.AsArray();
        Assert.Equal((int)said["completionTokens"]!, tokens.Count);
        foreach (var token in tokens)
        {
            // Greedy: the chosen token is the likeliest of those in its place.
            var alternatives = token!["alternatives"]!.AsArray();
            Assert.Equal(3, alternatives.Count);
            Assert.Equal(((int)token["id"]!, (double)token["logprob"]!), ((int)alternatives[0]!["id"]!, (double)alternatives[0]!["logprob"]!));
            Assert.True((double)alternatives[0]!["logprob"]! >= (double)alternatives[1]!["logprob"]! && (double)alternatives[0]!["logprob"]! <= 0);
        }

        Oellm.Refuses(["generate", "--model", run.Model, .. Prompt, "--logprobs", "3"], "--logprobs: likelihoods are printed as JSON only; say --json too.");
        Oellm.Refuses(["generate", "--model", run.Model, .. Prompt, "--json", "--logprobs", "-1"], "--logprobs is -1; expected 0 to ");
    }

    [Fact]
    public void Every_kind_of_every_family_can_be_made_and_asked()
    {
        foreach (string kind in ModelFamily.AllKinds)
        {
            string folder = _folder.At(kind), threads = "2";
            string[] heads = kind == "gpt2" ? ["--heads", "4"] : ["--heads", "4", "--key-value-heads", "2"];
            string[] init = ["init", "--family", kind, "--layers", "2", "--width", "64", .. heads, "--hidden", kind == "gpt2" ? "256" : "96", "--vocabulary-size", "300", "--context-length", "64", "--threads", threads];
            Oellm.Succeeds([.. init, "--spread", "0.2", "--out", folder]);
            var config = ModelFolder.ReadConfig(folder);
            Assert.Contains(kind, config.Family.Kinds);
            Assert.Equal((2, 64, 4), (config.Layers, config.Width, config.Heads));
            Oellm.Succeeds("generate", "--model", folder, "--prompt", "a", "--max-tokens", "2", "--temperature", "0");
            var rows = Oellm.Succeeds("bench", "logits", "--model", folder, "--tokens", "5", "--below", "200", "--threads", threads).Output.TrimEnd().Split('\n').Select(line => JsonNode.Parse(line)!).ToList();
            Assert.Equal([0, 1, 2, 3, 4], rows.Select(row => (int)row["position"]!));
            Assert.Equal(rows.Select((_, i) => (17 + 7919 * i) % 200), rows.Select(row => (int)row["token"]!));
            Assert.All(rows, row => Assert.True((double)row["gap"]! >= 0 && (int)row["next"]! != (int)row["second"]! && (int)row["next"]! is >= 0 and < 300));
        }
    }

    [Fact]
    public void The_spread_is_what_is_added_to_gains_and_the_family_is_named()
    {
        string[] init = ["init", "--layers", "1", "--width", "64", "--heads", "2", "--hidden", "96", "--vocabulary-size", "300", "--context-length", "64"];
        Oellm.Succeeds([.. init, "--out", _folder.At("even")]);
        Oellm.Succeeds([.. init, "--spread", "0.3", "--out", _folder.At("spread")]);
        Assert.All(Gains("even"), gain => Assert.Equal(1, gain));
        var spread = Gains("spread");
        double deviation = Math.Sqrt(spread.Average(gain => ((double)gain - 1) * (gain - 1)));
        Assert.InRange(deviation, 0.2, 0.4);
        Oellm.Refuses([.. init, "--spread", "2", "--out", _folder.At("x")], "--spread is 2; expected 0 to 1.");
        Oellm.Refuses([.. init, "--family", "gema3", "--out", _folder.At("x")], "--family is gema3; did you mean 'gemma3'? known: llama, mistral");
        Oellm.Refuses(["bench", "logits", "--model", _folder.At("even"), "--tokens", "65"], "--tokens is 65; expected 1 to 64.");
        Oellm.Refuses(["bench", "logits", "--model", _folder.At("even"), "--tokens", "4", "--below", "301"], "--below is 301; expected 2 to 300.");

        float[] Gains(string name)
        {
            using var source = ModelSource.Open(_folder.At(name));
            var shape = source.Config.Weights.Single(weight => weight.Name == "model.norm.weight");
            var gains = new float[shape.Columns];
            source.Read(shape, 0, System.Runtime.InteropServices.MemoryMarshal.AsBytes(gains.AsSpan()));
            return gains;
        }
    }

    [Fact]
    public void What_a_model_thinks_is_no_part_of_its_answer_and_calls_are_json()
    {
        var engine = new Thinking();
        foreach (bool json in (bool[])[false, true])
        {
            using StringWriter output = new() { NewLine = "\n" }, error = new() { NewLine = "\n" };
            engine.Asked.Clear();
            var conversation = new ChatCommand.Conversation(engine, null, new Sampling(), 16, json, output, error);
            Assert.Equal(0, conversation.Run(new StringReader("Weather?\nAnd now?\n"), interactive: false));
            if (json)
            {
                Assert.Equal("", error.ToString());
                var answer = JsonNode.Parse(output.ToString().Split('\n')[0])!;
                Assert.Equal(("a thought", "Let me see."), ((string)answer["reasoning"]!, (string)answer["text"]!));
                Assert.Equal("""[{"id":"c1","tool":"weather","arguments":{"city":"Riga"}}]""", answer["toolCalls"]!.ToJsonString());
            }
            else
            {
                Assert.Equal("a thought\na thought\n", error.ToString());
                Assert.StartsWith("Let me see.\n{\"id\":\"c1\",\"tool\":\"weather\",\"arguments\":{\"city\":\"Riga\"}}\n", output.ToString(), StringComparison.Ordinal);
            }

            var second = Assert.IsType<GenerationInput.Messages>(engine.Asked[1].Input).Items;
            Assert.Equal(["user", "assistant", "user"], second.Select(turn => turn.Role));
            Assert.Equal(("Let me see.", "a thought", "weather"), (second[1].Content, second[1].Reasoning, second[1].ToolCalls![0].Name));
        }
    }

    private string File(string type)
    {
        string file = _folder.At(type + ".gguf");
        Oellm.Succeeds("convert", "--model", run.Model, "--to", "gguf", "--quantize", type, "--out", file);
        return file;
    }

    /// <summary>An adapter that changes the model's answers.</summary>
    private string Adapter()
    {
        string folder = _folder.At("adapter");
        Directory.CreateDirectory(folder);
        var random = new CounterRandom(3, 0);
        ulong next = 0;
        var config = new AdapterConfig(2, 8, ["down_proj", "q_proj"]);
        AdapterWriter.Write(folder, config, [.. ModelFolder.ReadConfig(run.Model).Weights.Where(shape => shape.Role is WeightRole.Down or WeightRole.Query)
            .Select(shape => new AdapterMatrix(shape, Some(2 * shape.Columns), Some(2 * shape.Rows)))]);
        return folder;

        float[] Some(int count) => [.. Enumerable.Range(0, count).Select(_ => 0.3f * random.NormalAt(next++))];
    }

    /// <summary>Answers as a model that thinks and calls: no small model of this repository does.</summary>
    private sealed class Thinking : IInferenceEngine
    {
        public List<GenerationRequest> Asked { get; } = [];

        public ModelInfo Info { get; } = new("thinking", new Lazy<string>(""), 10, 100, CanChat: true, new Sampling());

        public EngineStatus Status => new(0, 0, 1, 1);

        public async IAsyncEnumerable<GenerationEvent> Generate(GenerationRequest request, [EnumeratorCancellation] CancellationToken cancellation = default)
        {
            Asked.Add(request);
            await Task.CompletedTask;
            yield return new GenerationEvent.Reasoning(0, "a ");
            yield return new GenerationEvent.Reasoning(0, "thought");
            yield return new GenerationEvent.Text(0, "Let me see.");
            yield return new GenerationEvent.ToolCall(0, "c1", "weather", """{"city":"Riga"}""");
            yield return new GenerationEvent.Finished(0, FinishReason.Stop, new Usage(3, 4));
        }
    }
}
