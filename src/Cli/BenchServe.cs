using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using OpenEuroLLM.Core;
using OpenEuroLLM.Models;

namespace OpenEuroLLM.Cli;

/// <summary><c>oellm bench serve</c>: a server in a process of its own, and clients that all ask at once.</summary>
internal static class BenchServe
{
    /// <summary>Tokens behind a shared beginning that are each request's own.</summary>
    private const int OwnTokens = 16;

    private const int PageTokens = 64;
    private const int MostStreams = 512;

    private static readonly int[] UsualStreams = [1, 4, 16, 64];

    public static Command Create()
    {
        var path = new Option<string?>("--model") { Description = "A model folder or a .gguf file. Default: the built-in model.", HelpName = "PATH" };
        var streams = new Option<int[]>("--streams")
        {
            Description = "Clients that ask at once; several numbers with commas.",
            HelpName = "N,N",
            DefaultValueFactory = _ => UsualStreams,
            CustomParser = result => ParseCounts(result.Tokens[0].Value),
            Arity = ArgumentArity.ExactlyOne,
        };
        var prompt = BenchCommand.Number("--prompt-tokens", "Tokens of each prompt, random and all different; with --shared-prefix of the beginning that all have in common.", 256);
        var made = BenchCommand.Number("--new-tokens", "Tokens of each answer.", 64);
        var runs = BenchCommand.Number("--runs", "Measured runs with each number of streams, in turns; with --start processes.", 3);
        var shared = new Option<bool>("--shared-prefix") { Description = $"Measures the time to the first token of prompts with a common beginning and {OwnTokens} tokens of their own, with the cache of beginnings and without." };
        var start = new Option<bool>("--start") { Description = "Measures the time from the start of the process until /ready says yes." };
        var threads = RunCommand.Threads();
        var json = BenchCommand.Json("streams, tokensPerSecond, firstTokenSeconds, firstTokenP99Seconds, betweenTokensSeconds, betweenTokensP99Seconds; with --shared-prefix streams, cachedSeconds, uncachedSeconds, ratio; with --start startSeconds");
        var command = new Command("serve", "Measures 'oellm serve' over HTTP with streamed answers: tokens a second of all streams together, the time to the first token, and between two. " +
            "Medians over runs; P99 is that of all tokens of all runs.\nExample: oellm bench serve --model model.gguf --streams 1,4,16,64 --threads 2 --json") { path, streams, prompt, made, runs, shared, start, threads, json };
        command.SetAction(async (parsed, cancellation) =>
        {
            BenchCommand.RequireRange("--prompt-tokens", parsed.GetValue(prompt), 1, 1 << 20);
            BenchCommand.RequireRange("--new-tokens", parsed.GetValue(made), 1, 1 << 20);
            BenchCommand.RequireRange("--runs", parsed.GetValue(runs), 1, 1000);
            if (parsed.GetValue(shared) && parsed.GetValue(start)) throw new UserErrorException("--start and --shared-prefix measure different things; leave one out.");
            var output = parsed.InvocationConfiguration.Output;
            var status = new StatusLine(parsed.InvocationConfiguration.Error, quiet: false);
            string model = ModelPath.Resolve(parsed.GetValue(path));
            string[] arguments = ["--model", model, "--threads", RunCommand.ThreadCount(parsed.GetValue(threads)).ToString(CultureInfo.InvariantCulture)];
            if (parsed.GetValue(start))
            {
                double seconds = await StartAsync(arguments, parsed.GetValue(runs), status, cancellation).ConfigureAwait(false);
                output.WriteLine(parsed.GetValue(json) ? JsonLine.Of(writer => writer.WriteFigure("startSeconds", seconds)) : FormattableString.Invariant($"ready after {seconds:0.00} s"));
                return ExitCode.Success;
            }
            var shape = new Shape(model, parsed.GetValue(streams)!, parsed.GetValue(prompt), parsed.GetValue(made), parsed.GetValue(runs), parsed.GetValue(shared));
            foreach (IResult result in await MeasureAsync(shape, arguments, status, cancellation).ConfigureAwait(false))
                output.WriteLine(parsed.GetValue(json) ? JsonLine.Of(result.Write) : result.ToText());
            return ExitCode.Success;
        });
        return command;
    }

    private static int[] ParseCounts(string given)
    {
        int[] counts = [.. given.Split(',').Select(word => int.TryParse(word, NumberStyles.None, CultureInfo.InvariantCulture, out int count) ? count : 0)];
        return counts.All(count => count is >= 1 and <= MostStreams) ? counts
            : throw new UserErrorException(FormattableString.Invariant($"--streams is '{given}'; expected whole numbers from 1 to {MostStreams} with commas, such as 1,4,16,64."));
    }

    private static async Task<double> StartAsync(string[] arguments, int runs, StatusLine status, CancellationToken cancellation)
    {
        var seconds = new double[runs];
        for (int run = -1; run < runs; run++)   // the first reads the program and the model into the system's cache
        {
            using ServerChild server = await ServerChild.StartAsync(arguments, cancellation).ConfigureAwait(false);
            if (run >= 0) seconds[run] = server.SecondsToReady;
            status.Update(FormattableString.Invariant($"bench serve  start {run + 1} of {runs}: {server.SecondsToReady:0.00} s"));
        }
        return BenchCommand.Median(seconds);
    }

    private static async Task<IReadOnlyList<IResult>> MeasureAsync(Shape shape, string[] arguments, StatusLine status, CancellationToken cancellation)
    {
        shape.RequireRoom();
        using ServerChild server = await ServerChild.StartAsync([.. arguments, "--cache-tokens", shape.CacheTokens.ToString(CultureInfo.InvariantCulture)], cancellation).ConfigureAwait(false);
        var load = new Load(server, shape);
        await load.RunAsync(1, "warm", cached: false, cancellation).ConfigureAwait(false);
        var results = shape.Streams.ToDictionary(streams => streams, streams => shape.Shared ? (IResult)new SharedResult(streams) : new SpeedResult(streams));
        for (int run = 0; run < shape.Runs; run++)
        {
            foreach (int streams in shape.Streams)
            {
                status.Update(FormattableString.Invariant($"bench serve  run {run + 1} of {shape.Runs}, {streams} streams"));
                await results[streams].MeasureAsync(load, run, cancellation).ConfigureAwait(false);
            }
        }
        return [.. results.Values];
    }

    /// <summary>What is asked for.</summary>
    private sealed record Shape(string Model, int[] Streams, int PromptTokens, int NewTokens, int Runs, bool Shared)
    {
        public int TokensOfRequest => PromptTokens + NewTokens + (Shared ? OwnTokens : 0);

        public int CacheTokens => (Streams.Max() + 1) * ((TokensOfRequest + PageTokens - 1) / PageTokens) * PageTokens;

        public int VocabularySize { get; } = VocabularyOf(Model, PromptTokens + NewTokens + (Shared ? OwnTokens : 0));

        public void RequireRoom() => BenchCommand.RequireRange("the tokens of all streams together", (long)Streams.Max() * TokensOfRequest, 1, 1 << 26);

        private static int VocabularyOf(string model, int tokens)
        {
            using var source = ModelSource.Open(model);
            BenchCommand.RequireRange("--prompt-tokens and --new-tokens together", tokens, 2, source.Config.ContextLength);
            return source.Config.VocabularySize;
        }
    }

    /// <summary>Clients that ask at once.</summary>
    private sealed class Load(ServerChild server, Shape shape)
    {
        /// <param name="streams">How many.</param>
        /// <param name="name">Makes the prompts of this run others than those of all before.</param>
        /// <param name="cached">Whether beginnings that were computed before may be used.</param>
        /// <param name="cancellation">Ends the wait.</param>
        public async Task<(double Seconds, LoadAnswer[] Answers)> RunAsync(int streams, string name, bool cached, CancellationToken cancellation)
        {
            byte[][] requests = [.. Enumerable.Range(0, streams).Select(stream => Request(name, stream, cached))];
            LoadClient[] clients = [.. requests.Select(_ => new LoadClient(server.Port))];
            try
            {
                long began = SystemClock.Instance.Timestamp;
                LoadAnswer[] answers = await Task.WhenAll(clients.Select((client, stream) => client.AskAsync(requests[stream], cancellation))).ConfigureAwait(false);
                double seconds = SystemClock.Instance.SecondsSince(began);
                if (answers.FirstOrDefault(answer => answer.Status != 200 || answer.Error is not null || answer.CompletionTokens != shape.NewTokens) is { } wrong)
                    throw new UserErrorException(FormattableString.Invariant($"the server answered {wrong.Status} with {wrong.CompletionTokens} tokens: {wrong.Error ?? "nothing is known"}"));
                return (seconds, answers);
            }
            finally
            {
                foreach (LoadClient client in clients) client.Dispose();
            }
        }

        // Greedy, and no end token ends it; random tokens for the prompt.
        private byte[] Request(string name, int stream, bool cached)
        {
            var tokens = new List<int>();
            if (shape.Shared) Add(tokens, name, shape.PromptTokens);
            Add(tokens, FormattableString.Invariant($"{name}, stream {stream}"), shape.Shared ? OwnTokens : shape.PromptTokens);
            string body = JsonLine.Of(writer =>
            {
                writer.WriteString("model", server.Model);
                writer.WriteStartArray("prompt");
                foreach (int token in tokens) writer.WriteNumberValue(token);
                writer.WriteEndArray();
                writer.WriteNumber("max_tokens", shape.NewTokens);
                writer.WriteNumber("temperature", 0);
                writer.WriteBoolean("ignore_eos", true);
                writer.WriteString("cache_salt", cached ? name : FormattableString.Invariant($"{name}-{stream}"));
                writer.WriteBoolean("stream", true);
                writer.WriteStartObject("stream_options");
                writer.WriteBoolean("include_usage", true);
                writer.WriteEndObject();
            });
            return LoopbackConnection.Request("/v1/completions", System.Text.Encoding.UTF8.GetBytes(body));
        }

        private void Add(List<int> tokens, string name, int count)
        {
            var random = new CounterRandom(1, 0).Substream(name);
            for (int i = 0; i < count; i++) tokens.Add((int)random.Below((ulong)i, (uint)shape.VocabularySize));
        }
    }

    private interface IResult
    {
        Task MeasureAsync(Load load, int run, CancellationToken cancellation);

        void Write(Utf8JsonWriter writer);

        string ToText();
    }

    private sealed class SpeedResult(int streams) : IResult
    {
        private readonly List<double> rates = [], first = [], between = [];

        public async Task MeasureAsync(Load load, int run, CancellationToken cancellation)
        {
            var (seconds, answers) = await load.RunAsync(streams, FormattableString.Invariant($"run {run}, {streams} streams"), cached: false, cancellation).ConfigureAwait(false);
            rates.Add(answers.Sum(answer => answer.CompletionTokens) / seconds);
            first.AddRange(answers.Select(answer => answer.FirstSeconds ?? answer.Seconds));
            between.AddRange(answers.SelectMany(answer => answer.Gaps));
        }

        public void Write(Utf8JsonWriter writer)
        {
            writer.WriteNumber("streams", streams);
            writer.WriteFigure("tokensPerSecond", BenchCommand.Median(rates));
            writer.WriteFigure("firstTokenSeconds", BenchCommand.Median(first));
            writer.WriteFigure("firstTokenP99Seconds", BenchCommand.Quantile(first, 0.99));
            writer.WriteFigure("betweenTokensSeconds", BenchCommand.Quantile(between, 0.5));
            writer.WriteFigure("betweenTokensP99Seconds", BenchCommand.Quantile(between, 0.99));
        }

        public string ToText() => FormattableString.Invariant(
            $"{streams} stream{(streams == 1 ? "" : "s")}: {BenchCommand.Median(rates):0.0} tokens/s; first token {BenchCommand.Median(first):0.000} s (99 %: {BenchCommand.Quantile(first, 0.99):0.000} s); between tokens {BenchCommand.Quantile(between, 0.5) * 1000:0} ms (99 %: {BenchCommand.Quantile(between, 0.99) * 1000:0} ms)");
    }

    private sealed class SharedResult(int streams) : IResult
    {
        private readonly List<double> cached = [], uncached = [], ratios = [];

        public async Task MeasureAsync(Load load, int run, CancellationToken cancellation)
        {
            var (_, without) = await load.RunAsync(streams, FormattableString.Invariant($"run {run}, {streams} streams, alone"), cached: false, cancellation).ConfigureAwait(false);
            string name = FormattableString.Invariant($"run {run}, {streams} streams, shared");
            await load.RunAsync(1, name, cached: true, cancellation).ConfigureAwait(false);     // whoever came before
            var (_, with) = await load.RunAsync(streams, name, cached: true, cancellation).ConfigureAwait(false);
            if (with.Any(answer => answer.CachedTokens == 0)) throw new UserErrorException("a request found nothing in the cache of beginnings; make --prompt-tokens at least 64.");
            double First(LoadAnswer[] answers) => BenchCommand.Median(answers.Select(answer => answer.FirstSeconds ?? answer.Seconds));
            cached.Add(First(with));
            uncached.Add(First(without));
            ratios.Add(uncached[^1] / cached[^1]);
        }

        public void Write(Utf8JsonWriter writer)
        {
            writer.WriteNumber("streams", streams);
            writer.WriteFigure("cachedSeconds", BenchCommand.Median(cached));
            writer.WriteFigure("uncachedSeconds", BenchCommand.Median(uncached));
            writer.WriteFigure("ratio", BenchCommand.Median(ratios));
        }

        public string ToText() => FormattableString.Invariant(
            $"{streams} stream{(streams == 1 ? "" : "s")}: first token after {BenchCommand.Median(cached):0.000} s with the cache, {BenchCommand.Median(uncached):0.000} s without: {BenchCommand.Median(ratios):0.0} times");
    }
}
