using System.Text.Json.Nodes;
using OpenEuroLLM.Core;

namespace OpenEuroLLM.Cli;

/// <summary>The proof <c>serving-soak</c>: streams for a long time without an error, a growing heap or a lost token.</summary>
internal static class ProveServingSoak
{
    private const double UsualMinutes = 30;
    private const int UsualStreams = 64, Looks = 30;

    /// <summary>The heap is compared from this share of the time on: by then every cache is warm.</summary>
    private const double WarmShare = 1.0 / 3;

    private const long MostGrowthBytes = 20 << 20;

    public static async Task<int> RunAsync(ProofRun run)
    {
        var proof = new ServingProof(run);
        double minutes = run.Minutes ?? UsualMinutes;
        using ServerChild server = await proof.StartAsync().ConfigureAwait(false);
        var counts = new Counts();
        var before = await server.MetricsAsync(proof.Cancellation).ConfigureAwait(false);
        Task streaming = StreamAsync(proof, server, counts, run.Streams ?? UsualStreams, minutes * 60);
        var heap = await WatchAsync(proof, server, counts, minutes * 60, streaming).ConfigureAwait(false);
        await streaming.ConfigureAwait(false);
        double? idle = await server.AwaitIdleAsync(TimeSpan.FromSeconds(10), proof.Cancellation).ConfigureAwait(false);
        var after = await server.MetricsAsync(proof.Cancellation).ConfigureAwait(false);
        long Metered(string name) => (long)(after[name] - before[name]);
        // The model's own end is a token of the answer that no client is shown.
        bool exact = counts.Usage == counts.Received + counts.Stopped && counts.Usage == Metered("vllm:generation_tokens_total") && counts.Prompt == Metered("vllm:prompt_tokens_total");
        (double Share, long Bytes)[] warm = [.. heap.Where(look => look.Share >= WarmShare)];
        long growth = warm[^1].Bytes - warm[0].Bytes;
        return proof.Conclude(counts.Errors == 0 && exact && idle is not null && growth <= MostGrowthBytes && counts.Answers > 0, new JsonObject
        {
            ["minutes"] = minutes,
            ["streams"] = run.Streams ?? UsualStreams,
            ["answers"] = counts.Answers,
            ["errors"] = counts.Errors,
            ["promptTokens"] = counts.Prompt,
            ["usageTokens"] = counts.Usage,
            ["receivedTokens"] = counts.Received,
            ["endTokens"] = counts.Stopped,
            ["meteredTokens"] = Metered("vllm:generation_tokens_total"),
            ["meteredPromptTokens"] = Metered("vllm:prompt_tokens_total"),
            ["exact"] = exact,
            ["liveBytes"] = new JsonArray([.. heap.Select(look => (JsonNode?)look.Bytes)]),
            ["liveGrowthBytes"] = growth,
            ["threads"] = server.Threads,
            ["sockets"] = server.Sockets,
            ["residentBytes"] = server.ResidentBytes,
        });
    }

    private static Task StreamAsync(ServingProof proof, ServerChild server, Counts counts, int streams, double seconds)
    {
        var traffic = new ServedTraffic(server.Model, proof.Run.Seed);
        long began = SystemClock.Instance.Timestamp;
        Func<int?> numbers = ServingProof.Numbers(int.MaxValue);
        return ServingProof.RunClientsAsync(streams, () => SystemClock.Instance.SecondsSince(began) < seconds ? numbers() : null, async (_, number) =>
        {
            // Half of them on a connection of their own, as clients come and go.
            using var client = new LoadClient(server.Port);
            for (int turn = 0; turn < 2; turn++)
            {
                var (path, body) = traffic.MakeCounted((2 * number) + turn);
                try
                {
                    counts.Add(await client.AskAsync(ServedTraffic.Wire(path, body), proof.Cancellation).ConfigureAwait(false), (int?)body["n"] ?? 1);
                }
                catch (Exception problem) when (problem is IOException or System.Net.Sockets.SocketException)
                {
                    proof.Say($"ERROR: {problem.Message}");
                    counts.Fail();
                }
            }
        });
    }

    /// <summary>Looks at the heap again and again, right after a collection of all of it.</summary>
    private static async Task<List<(double Share, long Bytes)>> WatchAsync(ServingProof proof, ServerChild server, Counts counts, double seconds, Task streaming)
    {
        var heap = new List<(double, long)>();
        long began = SystemClock.Instance.Timestamp;
        for (int look = 1; look <= Looks && !streaming.IsFaulted; look++)
        {
            double wait = (seconds * look / Looks) - SystemClock.Instance.SecondsSince(began);
            if (wait > 0) await Task.Delay(TimeSpan.FromSeconds(wait), proof.Cancellation).ConfigureAwait(false);
            heap.Add(((double)look / Looks, await server.LiveBytesAsync(proof.Cancellation).ConfigureAwait(false)));
            proof.Say(FormattableString.Invariant($"{counts.Answers} answers, {counts.Errors} errors, {heap[^1].Item2 / 1e6:0.0} MB alive, {server.Threads} threads, {StatusLine.Time(Math.Max(0, seconds - SystemClock.Instance.SecondsSince(began)))} left"));
        }
        return heap;
    }

    private sealed class Counts
    {
        private long answers, errors, prompt, usage, received, stopped;

        public long Answers => Interlocked.Read(ref answers);

        public long Errors => Interlocked.Read(ref errors);

        public long Prompt => Interlocked.Read(ref prompt);

        public long Usage => Interlocked.Read(ref usage);

        public long Received => Interlocked.Read(ref received);

        public long Stopped => Interlocked.Read(ref stopped);

        public void Add(LoadAnswer answer, int choices)
        {
            if (answer.Status != 200 || answer.Error is not null || !answer.SaysDone || answer.Finished != choices)
            {
                Fail();
                return;
            }
            Interlocked.Increment(ref answers);
            Interlocked.Add(ref prompt, answer.PromptTokens);
            Interlocked.Add(ref usage, answer.CompletionTokens);
            Interlocked.Add(ref received, answer.ScoredTokens);
            Interlocked.Add(ref stopped, answer.Stopped);
        }

        public void Fail() => Interlocked.Increment(ref errors);
    }
}
