using System.CommandLine;
using OpenEuroLLM.Core;
using OpenEuroLLM.Inference;
using OpenEuroLLM.Models;
using OpenEuroLLM.Tensors;
using OpenEuroLLM.Tensors.Measuring;

namespace OpenEuroLLM.Cli;

/// <summary><c>oellm bench generate</c>: prefill and decoding of one sequence.</summary>
internal static class BenchGenerate
{
    /// <summary>Decoding is timed behind a prompt of so many tokens.</summary>
    private const int DecodePromptTokens = 16;

    public static Command Create()
    {
        var path = new Option<string?>("--model") { Description = "A model folder or a .gguf file. Default: the built-in model.", HelpName = "PATH" };
        var prompt = BenchCommand.Number("--prompt-tokens", "Tokens of the measured prefill.", 256);
        var made = BenchCommand.Number("--new-tokens", "Tokens that are decoded one by one.", 48);
        var runs = BenchCommand.Number("--runs", "Measured runs; the median counts. One more comes before.", 5);
        var threads = RunCommand.Threads();
        var json = BenchCommand.Json("threads, prefillTokensPerSecond, decodeTokensPerSecond, bytesPerToken, shareOfReadBandwidth, allocatedBytesPerToken");
        var command = new Command("generate", "Measures prefill, and decoding behind 16 tokens with an empty cache, for one sequence and for 1 thread up to --threads.\n" +
            "The share is that of a bare read of memory right before and behind each run; the bytes of a token are the weights it reads and the keys and values before it.\n" +
            "Example: oellm bench generate --prompt-tokens 128 --new-tokens 48 --threads 2 --json") { path, prompt, made, runs, threads, json };
        command.SetAction((parsed, cancellation) => Task.Run(() =>
        {
            var most = RunCommand.ThreadCount(parsed.GetValue(threads));
            BenchCommand.RequireRange("--prompt-tokens", parsed.GetValue(prompt), 1, 1 << 24);
            BenchCommand.RequireRange("--new-tokens", parsed.GetValue(made), 1, 1 << 24);
            BenchCommand.RequireRange("--runs", parsed.GetValue(runs), 1, 1000);
            var model = Resolve(parsed.GetValue(path));
            RequireRoom(model, parsed.GetValue(prompt), parsed.GetValue(made));
            var status = new StatusLine(parsed.InvocationConfiguration.Error, quiet: false);
            for (var count = 1; count <= most; count++)
            {
                var result = Measure(model, parsed.GetValue(prompt), parsed.GetValue(made), parsed.GetValue(runs), count, status, cancellation);
                parsed.InvocationConfiguration.Output.WriteLine(parsed.GetValue(json) ? result.ToJson() : result.ToText());
            }
            return ExitCode.Success;
        }, CancellationToken.None));
        return command;
    }

    // Speed needs no tokenizer, so a file of weights is enough.
    internal static string Resolve(string? given) =>
        given is not null && ModelPaths.IsGguf(given) ? given : ModelPath.Resolve(given);

    /// <summary>Whether the model holds so many tokens, and the machine the model, its cache and the states of the prompt.</summary>
    private static void RequireRoom(string path, int promptTokens, int newTokens)
    {
        using var source = ModelSource.Open(path);
        var config = source.Config;
        BenchCommand.RequireRange("--prompt-tokens", promptTokens, 1, config.ContextLength);
        BenchCommand.RequireRange(FormattableString.Invariant($"--new-tokens and {DecodePromptTokens} before them"), (long)newTokens + DecodePromptTokens, 1, config.ContextLength);
        ModelMemory.RequireWeights(source);
        var tokens = Math.Max(promptTokens, newTokens + DecodePromptTokens);
        var cache = KeyValueCache.BytesOf(config.Layers, config.KeyValueHeads, config.HeadDimension, (tokens + KeyValueCache.PageTokens - 1) / KeyValueCache.PageTokens);
        // The widest moment of a layer: state, its norm, gate and up.
        var states = (long)promptTokens * 2 * (config.Width + config.Hidden) * sizeof(float);
        AvailableMemory.Require(ModelMemory.WeightBytes(source) + cache + states, FormattableString.Invariant($"{path}: the model with {tokens} tokens"), "ask for fewer tokens, or use a smaller model");
    }

    private static Result Measure(string path, int promptTokens, int newTokens, int runs, int threads, StatusLine status, CancellationToken cancellation)
    {
        var clock = SystemClock.Instance;
        using var read = new BareRead(threads);
        var limit = read.Rate(clock);
        status.Say(FormattableString.Invariant($"bench generate  bare read: {limit / 1e9:0.0} GB/s on {threads} thread{(threads == 1 ? "" : "s")}"));
        using var engine = new Engine(threads);
        using var model = LanguageModel.Load(path, engine);
        var perToken = BytesPerToken(model, newTokens);
        var (prefill, decode, limits, shares, allocated) = (new double[runs], new double[runs], new double[runs], new double[runs], new long[runs]);
        for (var run = -1; run < runs; run++) // the first fills caches and memory
        {
            cancellation.ThrowIfCancellationRequested();
            var prefillSeconds = Prefill(model, promptTokens, clock);
            var (decodeSeconds, bytes) = Decode(model, newTokens, clock);
            // Memory is shared with other machines: each run is compared with the reads before and behind it.
            var around = limit;
            limit = read.Rate(clock);
            around = (around + limit) / 2;
            if (run >= 0) (prefill[run], decode[run], limits[run], shares[run], allocated[run]) =
                (promptTokens / prefillSeconds, newTokens / decodeSeconds, around, newTokens / decodeSeconds * perToken / around, bytes);
        }
        return new Result(threads, BenchCommand.Median(prefill), BenchCommand.Median(decode), perToken, BenchCommand.Median(limits), BenchCommand.Median(shares), allocated.Max() / newTokens);
    }

    private static double Prefill(LanguageModel model, int tokens, SystemClock clock)
    {
        using var state = new State(model, tokens);
        var began = clock.Timestamp;
        state.Append(Prompt(model, tokens));
        return clock.SecondsSince(began);
    }

    private static (double Seconds, long AllocatedBytes) Decode(LanguageModel model, int tokens, SystemClock clock)
    {
        using var state = new State(model, DecodePromptTokens + tokens);
        state.Append(Prompt(model, DecodePromptTokens));
        Span<int> next = stackalloc int[1];
        var allocated = GC.GetTotalAllocatedBytes(precise: true);
        var began = clock.Timestamp;
        for (var i = 0; i < tokens; i++)
        {
            next[0] = state.Likeliest();
            state.Append(next);
        }
        var seconds = clock.SecondsSince(began);
        return (seconds, GC.GetTotalAllocatedBytes(precise: true) - allocated);
    }

    private static int[] Prompt(LanguageModel model, int tokens)
    {
        var random = new CounterRandom(1, 0).Substream("prompt");
        return [.. Enumerable.Range(0, tokens).Select(i => (int)(random.UniformAt((ulong)i) * model.VocabularySize))];
    }

    /// <summary>Bytes that a decoded token reads, on average: all weights, of an embedding that is not also the head one row, and the keys and
    /// values of the tokens before it, which are single precision.</summary>
    private static double BytesPerToken(LanguageModel model, int newTokens)
    {
        var weights = model.Weights.Sum(weight => (double)weight.StorageBytes);
        var embedding = model.Weights[0];
        if (!model.Config.TiedHead) weights -= embedding.StorageBytes * (1 - 1.0 / embedding.Rows);
        var tokensBefore = DecodePromptTokens + (newTokens + 1) / 2.0;
        return weights + tokensBefore * 2 * sizeof(float) * model.Config.Layers * model.Config.KeyValueHeads * model.Config.HeadDimension;
    }

    /// <summary>One sequence and its cache.</summary>
    private sealed class State : IDisposable
    {
        private readonly LanguageModel model;
        private readonly KeyValueCache cache;
        private readonly KeyValueSequence sequence;
        private readonly SequenceLayout layout = new();
        private readonly float[] logits;

        public State(LanguageModel model, int tokens)
        {
            this.model = model;
            cache = model.CreateCache((tokens + KeyValueCache.PageTokens - 1) / KeyValueCache.PageTokens);
            sequence = cache.Begin();
            sequence.Reserve(tokens);
            logits = new float[model.VocabularySize];
        }

        public void Append(ReadOnlySpan<int> tokens)
        {
            model.Engine.Reset();
            layout.Clear();
            layout.Add(tokens.Length, sequence);
            model.Logits(model.Forward(tokens, layout), [tokens.Length - 1], logits);
        }

        public int Likeliest()
        {
            var best = 0;
            for (var id = 1; id < logits.Length; id++)
                if (logits[id] > logits[best]) best = id;
            return best;
        }

        public void Dispose()
        {
            sequence.Dispose();
            cache.Dispose();
        }
    }

    private sealed record Result(int Threads, double Prefill, double Decode, double BytesPerToken, double Limit, double Share, long AllocatedBytesPerToken)
    {
        public string ToJson() => JsonLine.Of(writer =>
        {
            writer.WriteNumber("threads", Threads);
            writer.WriteFigure("prefillTokensPerSecond", Prefill);
            writer.WriteFigure("decodeTokensPerSecond", Decode);
            writer.WriteNumber("bytesPerToken", (long)BytesPerToken);
            writer.WriteFigure("readBytesPerSecond", Limit);
            writer.WriteFigure("shareOfReadBandwidth", Share);
            writer.WriteNumber("allocatedBytesPerToken", AllocatedBytesPerToken);
        });

        public string ToText() => FormattableString.Invariant(
            $"{Threads} thread{(Threads == 1 ? "" : "s")}: prefill {Prefill:0.0} tokens/s; decode {Decode:0.0} tokens/s, {BytesPerToken / 1e6:0.0} MB each, {Share:0%} of a bare read of {Limit / 1e9:0.0} GB/s; {AllocatedBytesPerToken} bytes a token on the managed heap");
    }
}
