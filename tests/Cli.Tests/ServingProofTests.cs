using System.Text;
using System.Text.Json.Nodes;

namespace OpenEuroLLM.Cli.Tests;

/// <summary>The proofs and the bench of the server in their short forms, with the program in processes of its own.</summary>
public sealed class ServingProofTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Answers_are_the_same_alone_and_together_with_and_without_the_cache_and_after_a_restart()
    {
        JsonNode result = Prove(0, "serving-replay", "--count", "24", "--streams", "12");
        Assert.True((bool)result["holds"]!);
        Assert.Equal([24, 24, 24, 24, 24], result["passes"]!.AsArray().Select(pass => (int)pass!["same"]!));
        Assert.Equal(24, File.ReadLines(_folder.At("proof", "requests.jsonl")).Count());
        Assert.True(JsonNode.DeepEquals(result, JsonNode.Parse(File.ReadAllText(_folder.At("proof", "result.json")))));
    }

    [Fact]
    public void Streams_are_counted_exactly()
    {
        JsonNode result = Prove(0, "serving-soak", "--minutes", "0.05", "--streams", "8");
        Assert.True((bool)result["exact"]!);
        Assert.Equal(0, (int)result["errors"]!);
        Assert.True((int)result["answers"]! > 0);
        Assert.Equal((int)result["meteredTokens"]!, (int)result["receivedTokens"]! + (int)result["endTokens"]!);
    }

    [Fact]
    public void Clients_that_leave_cost_nothing_that_stays()
    {
        JsonNode result = Prove(0, "serving-disconnects", "--count", "60", "--streams", "16");
        Assert.True((bool)result["holds"]!);
        Assert.Equal(60, (int)result["disconnects"]!);
        Assert.Equal((3, 0), ((int)result["faithful"]!, (int)result["wrongAnswers"]!));
    }

    [Fact]
    public void Too_many_requests_are_refused_in_words_and_not_otherwise()
    {
        // Speed depends on who else uses the machine; what is answered does not. Few streams, so that each has answers in the short time.
        JsonNode result = Prove(null, "serving-overload", "--minutes", "0.05", "--streams", "8");
        Assert.Equal((0, 0, 0), ((int)result["otherStatus"]!, (int)result["brokenConnections"]!, (int)result["refusedWithoutRetryAfter"]!));
        Assert.NotNull(result["normalAgainAfterSeconds"]);
    }

    [Fact]
    public void The_bench_measures_streams_shared_beginnings_and_the_start()
    {
        JsonNode[] speeds = Bench("--streams", "1,3", "--prompt-tokens", "16", "--new-tokens", "8", "--runs", "1");
        Assert.Equal([1, 3], speeds.Select(line => (int)line["streams"]!));
        Assert.All(speeds, line => Assert.True((double)line["tokensPerSecond"]! > 0 && (double)line["firstTokenSeconds"]! > 0 && (double)line["firstTokenP99Seconds"]! >= (double)line["firstTokenSeconds"]!));
        JsonNode shared = Assert.Single(Bench("--streams", "2", "--prompt-tokens", "192", "--new-tokens", "4", "--runs", "1", "--shared-prefix"));
        Assert.True((double)shared["cachedSeconds"]! > 0 && (double)shared["uncachedSeconds"]! > 0);
        Assert.True((double)Assert.Single(Bench("--start", "--runs", "1"))["startSeconds"]! > 0);
    }

    [Fact]
    public void Wrong_questions_are_named()
    {
        string[] where = ["--out", _folder.At("proof")];
        Oellm.Refuses(["bench", "serve", "--streams", "1,x"], "--streams is '1,x'", "such as 1,4,16,64");
        Oellm.Refuses(["bench", "serve", "--start", "--shared-prefix"], "--start and --shared-prefix");
        Oellm.Refuses(["bench", "serve", "--prompt-tokens", "1000"], "--prompt-tokens and --new-tokens together is 1064; expected 2 to 256.");
        Oellm.Refuses(["prove", "serving-soak", "--minutes", "0", .. where], "--minutes", "more than 0");
        Oellm.Refuses(["prove", "serving-soak", "--streams", "0", .. where], "--streams", "1 to 512");
        Oellm.Refuses(["prove", "serving-replay", "--count", "0", .. where], "--count", "1 or more");
        Oellm.Refuses(["prove", "serving-replay", "training.seed=2", .. where], "'training.seed=2' is a setting of a recipe");
    }

    [Fact]
    public void A_port_is_found_in_the_line_that_tells_it()
    {
        Assert.Equal(41435, ServerChild.PortIn("small answers at http://127.0.0.1:41435"));
        Assert.Equal(8080, ServerChild.PortIn("  chat page   http://127.0.0.1:8080/"));
        Assert.Null(ServerChild.PortIn("note: nothing"));
    }

    [Fact]
    public void An_answer_is_counted_piece_by_piece()
    {
        var answer = new LoadAnswer(keepsEvents: false);
        Hear("""{"choices":[{"index":0,"text":"a","logprobs":{"tokens":["a"]},"finish_reason":null}]}""", 0.5);
        Hear("""{"choices":[{"index":0,"text":"","logprobs":null,"finish_reason":null}]}""", 0.6);
        Hear("""{"choices":[{"index":0,"delta":{"content":"b"},"logprobs":{"content":[{},{}]},"finish_reason":"stop"}]}""", 0.75);
        Hear("""{"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":4,"prompt_tokens_details":{"cached_tokens":2}}}""", 0.8);
        Assert.Equal((0.5, 3, 3, 4, 2), (answer.FirstSeconds, answer.ScoredTokens, answer.PromptTokens, answer.CompletionTokens, answer.CachedTokens));
        Assert.Equal((1, 1), (answer.Finished, answer.Stopped));
        Assert.Equal([0.25], answer.Gaps);

        void Hear(string json, double seconds) => answer.Hear(Encoding.UTF8.GetBytes(json), seconds);
    }

    private JsonNode Prove(int? code, string name, params string[] options)
    {
        var outcome = Oellm.Process(["prove", name, "--out", _folder.At("proof"), .. options]);
        Assert.True((code is null ? outcome.Code is 0 or 1 : outcome.Code == code) && outcome.Output.Length > 0, outcome.Output + outcome.Error);
        return JsonNode.Parse(outcome.Output)!;
    }

    private static JsonNode[] Bench(params string[] options)
    {
        var outcome = Oellm.Process(["bench", "serve", "--json", .. options]);
        Assert.True(outcome.Code == 0, outcome.Error);
        return [.. outcome.Output.Trim().Split('\n').Select(line => JsonNode.Parse(line)!)];
    }
}
