using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using OpenEuroLLM.Core;

namespace OpenEuroLLM.Cli;

/// <summary>Requests of all kinds as a function of a seed: conversations and texts, greedy and sampled, every setting that changes an answer, with beginnings that many have in common.</summary>
internal sealed class ServedTraffic(string model, ulong seed)
{
    public const string Chat = "/v1/chat/completions", Text = "/v1/completions";

    private const int Beginnings = 8, BeginningWords = 60;

    // A word from each official language, so that tokens of all scripts come up.
    private static readonly string[] Words =
        ["вода", "voda", "hrad", "vand", "wasser", "νερό", "water", "agua", "vesi", "järvi", "eau", "uisce", "rijeka", "víz", "acqua", "vanduo", "ūdens", "ilma", "woda", "água", "apă", "rieka", "reka", "vatten", "море", "θάλασσα", "straße", "élève", "łódź", "år"];

    private static readonly string[] Stops = ["a", "e ", ".", "\n", " the", "и", "ν", "qu"];

    /// <summary>A request without its salt.</summary>
    /// <param name="number">Which.</param>
    /// <returns>The path, and the body.</returns>
    public (string Path, JsonObject Body) Make(int number)
    {
        var draws = new Draws(seed, FormattableString.Invariant($"request {number}"));
        bool chat = draws.Below(2) == 0;
        string text = (draws.Below(2) == 0 ? Beginning(draws.Below(Beginnings)) : "") + Sentence(draws, 3 + draws.Below(12));
        var body = new JsonObject { ["model"] = model, ["max_tokens"] = 1 + draws.Below(40) };
        if (chat) body["messages"] = Messages(draws, text);
        else body["prompt"] = text;
        AddSampling(draws, body);
        AddForm(draws, body, chat);
        return (chat ? Chat : Text, body);
    }

    /// <summary>A streamed request whose tokens can be counted one by one: no stop text takes some back.</summary>
    /// <param name="number">Which.</param>
    public (string Path, JsonObject Body) MakeCounted(int number)
    {
        var (path, body) = Make(number);
        body.Remove("stop");
        body.Remove("echo");
        body.Remove("top_logprobs");
        body["logprobs"] = path == Chat ? true : 0;
        body["stream"] = true;
        body["stream_options"] = new JsonObject { ["include_usage"] = true };
        return (path, body);
    }

    /// <summary>A greedy request for exactly so many tokens.</summary>
    /// <param name="number">Decides the prompt.</param>
    /// <param name="words">Words of the prompt.</param>
    /// <param name="tokens">Tokens of the answer.</param>
    /// <param name="stream">Whether it is streamed.</param>
    public JsonObject Exact(int number, int words, int tokens, bool stream = true)
    {
        var body = new JsonObject
        {
            ["model"] = model,
            ["prompt"] = Sentence(new Draws(seed, FormattableString.Invariant($"exact {number}")), words),
            ["max_tokens"] = tokens,
            ["temperature"] = 0,
            ["ignore_eos"] = true,
        };
        if (!stream) return body;
        body["stream"] = true;
        body["stream_options"] = new JsonObject { ["include_usage"] = true };
        return body;
    }

    /// <summary>As it goes over the wire.</summary>
    public static byte[] Wire(string path, JsonObject body) => LoopbackConnection.Request(path, Encoding.UTF8.GetBytes(body.ToJsonString()));

    private static JsonArray Messages(Draws draws, string text)
    {
        var messages = new JsonArray();
        void Add(string role, string content) => messages.Add(new JsonObject { ["role"] = role, ["content"] = content });
        if (draws.Below(4) == 0) Add("system", Sentence(draws, 4));
        Add("user", text);
        if (draws.Below(3) > 0) return messages;
        Add("assistant", Sentence(draws, 4));
        Add("user", Sentence(draws, 3));
        return messages;
    }

    private static void AddSampling(Draws draws, JsonObject body)
    {
        if (draws.Below(3) == 0)
        {
            body["temperature"] = 0;
        }
        else
        {
            body["temperature"] = 0.2 + (0.3 * draws.Below(6));
            body["seed"] = draws.Below(1 << 30);
            if (draws.Below(3) == 0) body["top_k"] = 1 + draws.Below(60);
            if (draws.Below(3) == 0) body["top_p"] = 0.3 + (0.1 * draws.Below(7));
            if (draws.Below(5) == 0) body["min_p"] = 0.02 * draws.Below(5);
            if (draws.Below(8) == 0) body["typical_p"] = 0.5 + (0.1 * draws.Below(5));
        }
        if (draws.Below(4) == 0) body["repetition_penalty"] = 1 + (0.1 * draws.Below(5));
        if (draws.Below(6) == 0) body["presence_penalty"] = 0.5 * draws.Below(4);
        if (draws.Below(6) == 0) body["frequency_penalty"] = -0.5 + (0.5 * draws.Below(4));
        if (draws.Below(8) == 0) body["logit_bias"] = new JsonObject { [draws.Below(256).ToString(CultureInfo.InvariantCulture)] = -5 + draws.Below(11) };
    }

    private static void AddForm(Draws draws, JsonObject body, bool chat)
    {
        if (draws.Below(5) == 0) body["stop"] = new JsonArray(Stops[draws.Below(Stops.Length)], Stops[draws.Below(Stops.Length)]);
        if (draws.Below(6) == 0) body["min_tokens"] = 1 + draws.Below(Math.Min(8, (int)body["max_tokens"]!));
        if (draws.Below(8) == 0) body["ignore_eos"] = true;
        bool several = draws.Below(6) == 0;
        if (several) body["n"] = 2 + draws.Below(2);
        if (draws.Below(3) == 0)
        {
            if (chat) (body["logprobs"], body["top_logprobs"]) = (true, draws.Below(6));
            else body["logprobs"] = draws.Below(6);
            if (!chat && draws.Below(3) == 0) body["echo"] = true;
        }
        // Chunks of several choices may come in any order.
        if (several || draws.Below(3) > 0) return;
        body["stream"] = true;
        body["stream_options"] = new JsonObject { ["include_usage"] = true };
    }

    private string Beginning(int which) => Sentence(new Draws(seed, FormattableString.Invariant($"beginning {which}")), BeginningWords);

    private static string Sentence(Draws draws, int words) => string.Join(' ', Enumerable.Range(0, words).Select(_ => Words[draws.Below(Words.Length)])) + ". ";

    /// <summary>Random numbers one after the other.</summary>
    private sealed class Draws(ulong seed, string name)
    {
        private readonly CounterRandom random = new CounterRandom(seed, 0).Substream(name);
        private ulong drawn;

        public int Below(int bound) => (int)random.Below(drawn++, (uint)bound);
    }
}
