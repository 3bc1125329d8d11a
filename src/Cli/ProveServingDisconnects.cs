using System.Net.Sockets;
using System.Text.Json.Nodes;
using OpenEuroLLM.Core;

namespace OpenEuroLLM.Cli;

/// <summary>The proof <c>serving-disconnects</c>: clients that leave at any moment, with a close or a reset, before, in or after their request, and clients that never read, cost the server nothing that stays,
/// and no other client its answer.</summary>
internal static class ProveServingDisconnects
{
    private const int UsualCount = 10_000, UsualStreams = 64;

    /// <summary>Among so many clients that leave there is one that stays and must get what it got alone.</summary>
    private const int FaithfulEvery = 20;

    private const int FaithfulRequests = 10;

    /// <summary>From so many on clients that never read are tried too, which takes two minutes, and threads are given time to end.</summary>
    private const int ThoroughCount = 100;

    private const int SlowReaders = 4;
    private const int SmallBuffer = 4096;

    /// <summary>The thread pool gives a thread back when it has had nothing to do for 20 seconds.</summary>
    private static readonly TimeSpan Settling = TimeSpan.FromSeconds(90);

    private const int MoreThreads = 4;
    private const long MostGrowthBytes = 20 << 20;

    public static async Task<int> RunAsync(ProofRun run)
    {
        var proof = new ServingProof(run);
        int count = run.Count ?? UsualCount;
        bool thorough = count >= ThoroughCount;
        using ServerChild server = await proof.StartAsync().ConfigureAwait(false);
        var clients = new Clients(proof, server);
        await clients.AskFaithfullyAsync().ConfigureAwait(false);
        await clients.LeaveAsync(Math.Min(count, 500), run.Streams ?? UsualStreams, "warming").ConfigureAwait(false);  // so that pools are as large as they get
        clients.BeginCounting();
        Resources baseline = await SettleAsync(proof, server, thorough ? 25 : 1, null).ConfigureAwait(false);
        proof.Say($"baseline: {baseline}");
        await clients.LeaveAsync(count, run.Streams ?? UsualStreams, "leaving").ConfigureAwait(false);
        double? idle = await server.AwaitIdleAsync(TimeSpan.FromSeconds(10), proof.Cancellation).ConfigureAwait(false);
        proof.Say(FormattableString.Invariant($"nothing runs or holds pages after {idle:0.00} s"));
        double? slow = null;
        if (thorough)
        {
            slow = await clients.NeverReadAsync().ConfigureAwait(false);
            proof.Say(FormattableString.Invariant($"the server let go of {SlowReaders} clients that never read after {slow:0.0} s"));
        }
        Resources end = await SettleAsync(proof, server, 0, baseline).ConfigureAwait(false);
        proof.Say($"end: {end}");
        return proof.Conclude(idle is not null && (slow is not null || !thorough) && clients.Wrong == 0 && clients.Faithful > 0 && end.Within(baseline), new JsonObject
        {
            ["disconnects"] = clients.Left,
            ["kinds"] = new JsonObject(clients.Kinds.Select(kind => KeyValuePair.Create(kind.Key, (JsonNode?)kind.Value))),
            ["faithful"] = clients.Faithful,
            ["wrongAnswers"] = clients.Wrong,
            ["idleAfterSeconds"] = idle,
            ["slowReadersGoneAfterSeconds"] = slow is double seconds ? Math.Round(seconds, 1) : null,
            ["baseline"] = baseline.ToJson(),
            ["end"] = end.ToJson(),
        });
    }

    /// <summary>Waits until the server holds no more than the baseline, or without one for so many seconds.</summary>
    private static async Task<Resources> SettleAsync(ServingProof proof, ServerChild server, double least, Resources? baseline)
    {
        long began = SystemClock.Instance.Timestamp;
        while (true)
        {
            var (running, waiting, held) = await server.LoadAsync(proof.Cancellation).ConfigureAwait(false);
            long alive = await server.LiveBytesAsync(proof.Cancellation).ConfigureAwait(false);
            var now = new Resources(running + waiting, held, server.Threads, server.Sockets, alive);
            double seconds = SystemClock.Instance.SecondsSince(began);
            if (seconds > Settling.TotalSeconds || (seconds > least && baseline is null) || (baseline is not null && now.Within(baseline))) return now;
            proof.Update(FormattableString.Invariant($"settling: {now}"));
            await Task.Delay(500, proof.Cancellation).ConfigureAwait(false);
        }
    }

    private sealed record Resources(double Answers, double HeldShare, int Threads, int Sockets, long LiveBytes)
    {
        public bool Within(Resources baseline) => Answers == 0 && HeldShare == 0 && Threads <= baseline.Threads + MoreThreads && Sockets <= baseline.Sockets && LiveBytes <= baseline.LiveBytes + MostGrowthBytes;

        public JsonObject ToJson() => new() { ["answers"] = Answers, ["pagesHeldShare"] = HeldShare, ["threads"] = Threads, ["sockets"] = Sockets, ["liveBytes"] = LiveBytes };

        public override string ToString() => FormattableString.Invariant($"{Answers} answers, {HeldShare:0.0%} of the pages, {Threads} threads, {Sockets} sockets, {LiveBytes / 1e6:0.0} MB alive");
    }

    private sealed class Clients(ServingProof proof, ServerChild server)
    {
        private static readonly string[] Names =
            ["closed while reading", "reset while reading", "closed in the request", "reset in the request", "reset without reading", "half closed", "two requests at once", "nothing sent"];

        private readonly ServedTraffic traffic = new(server.Model, proof.Run.Seed);
        private readonly CounterRandom random = new CounterRandom(proof.Run.Seed, 0).Substream("moments of leaving");
        private readonly string[] expected = new string[FaithfulRequests];
        private readonly int[] kinds = new int[Names.Length];
        private int faithful, wrong, left, begun;

        /// <summary>Forgets who left before.</summary>
        public void BeginCounting()
        {
            Array.Clear(kinds);
            (left, faithful) = (0, 0);
        }

        public int Faithful => faithful;

        public int Wrong => wrong;

        public int Left => left;

        public IEnumerable<KeyValuePair<string, int>> Kinds => Names.Select((name, kind) => KeyValuePair.Create(name, kinds[kind]));

        /// <summary>What the faithful clients get while nobody disturbs.</summary>
        public async Task AskFaithfullyAsync()
        {
            for (int which = 0; which < FaithfulRequests; which++) expected[which] = await FaithfulAsync(which).ConfigureAwait(false);
        }

        public Task LeaveAsync(int count, int streams, string what)
        {
            long start = SystemClock.Instance.Timestamp;
            int done = 0;
            return ServingProof.RunClientsAsync(streams, ServingProof.Numbers(count), async (_, number) =>
            {
                int own = Interlocked.Increment(ref begun);
                await LeaveAsync((ulong)own).ConfigureAwait(false);
                if (own % FaithfulEvery == 0)
                {
                    if (await FaithfulAsync(own % FaithfulRequests).ConfigureAwait(false) != expected[own % FaithfulRequests]) Interlocked.Increment(ref wrong);
                    Interlocked.Increment(ref faithful);
                }
                double share = (double)Interlocked.Increment(ref done) / count;
                proof.Update(FormattableString.Invariant($"{what}: {done} of {count}, {ServingProof.Left(SystemClock.Instance.SecondsSince(start), share)} left"));
            });
        }

        /// <summary>Clients that ask for more than any buffer between holds, and never read a byte. They stay until the server lets go of them.</summary>
        /// <returns>Seconds until nothing runs for them and their connections are closed on the server's side; null when they still are after two minutes.</returns>
        public async Task<double?> NeverReadAsync()
        {
            int before = server.Sockets;
            long start = SystemClock.Instance.Timestamp;
            var readers = new List<LoopbackConnection>();
            try
            {
                for (int reader = 0; reader < SlowReaders; reader++)
                {
                    LoopbackConnection connection = await LoopbackConnection.OpenAsync(server.Port, proof.Cancellation, SmallBuffer).ConfigureAwait(false);
                    readers.Add(connection);
                    JsonObject body = traffic.Exact(reader, words: 4, tokens: 200);
                    // About a kilobyte a token, 8 answers to each of 8 prompts: the system's buffers take 4 megabytes.
                    (body["logprobs"], body["n"]) = (20, 8);
                    body["prompt"] = new JsonArray([.. Enumerable.Range(0, 8).Select(_ => (JsonNode?)(string)body["prompt"]!)]);
                    await connection.SendAsync(ServedTraffic.Wire(ServedTraffic.Text, body), proof.Cancellation).ConfigureAwait(false);
                }
                while (SystemClock.Instance.SecondsSince(start) < 120)
                {
                    // Whoever reads is served beside them.
                    if (await FaithfulAsync(0).ConfigureAwait(false) != expected[0]) Interlocked.Increment(ref wrong);
                    if (await server.LoadAsync(proof.Cancellation).ConfigureAwait(false) is (0, 0, 0) && server.Sockets <= before) return SystemClock.Instance.SecondsSince(start);
                    await Task.Delay(100, proof.Cancellation).ConfigureAwait(false);
                }
                return null;
            }
            finally
            {
                foreach (LoopbackConnection reader in readers) reader.Dispose();
            }
        }

        private async Task<string> FaithfulAsync(int which)
        {
            using var client = new LoadClient(server.Port, keepsEvents: true);
            LoadAnswer answer = await client.AskAsync(ServedTraffic.Wire(ServedTraffic.Text, traffic.Exact(1_000 + which, words: 10, tokens: 16)), proof.Cancellation).ConfigureAwait(false);
            if (answer.Status != 200) return FormattableString.Invariant($"{answer.Status}");
            return string.Concat(answer.Events.Select(heard => JsonNode.Parse(heard)!["choices"]!.AsArray() is { Count: > 0 } choices ? (string)choices[0]!["text"]! : ""));
        }

        private async Task LeaveAsync(ulong number)
        {
            uint Draw(ulong which, int bound) => random.Below((16 * number) + which, (uint)bound);
            int kind = (int)Draw(0, Names.Length);
            byte[] request = ServedTraffic.Wire(ServedTraffic.Text, traffic.Exact((int)number, words: 4 + (int)Draw(1, 40), tokens: 8 + (int)Draw(2, 100), stream: Draw(3, 4) > 0));
            try
            {
                using LoopbackConnection connection = await LoopbackConnection.OpenAsync(server.Port, proof.Cancellation, Draw(4, 2) == 0 ? SmallBuffer : null).ConfigureAwait(false);
                int sent = kind is 2 or 3 ? (int)Draw(5, request.Length) : kind == 7 ? 0 : request.Length;
                await connection.SendAsync(kind == 6 ? new byte[][] { request, request }.SelectMany(bytes => bytes).ToArray() : request.AsMemory(0, sent), proof.Cancellation).ConfigureAwait(false);
                if (kind == 5) connection.EndSending();
                if (kind is 0 or 1 or 5 or 6) await ReadAsync(connection, (int)Draw(6, 6_000)).ConfigureAwait(false);
                else await Task.Delay((int)Draw(7, 60), proof.Cancellation).ConfigureAwait(false);
                if (kind is 1 or 3 or 4) connection.Reset();
            }
            catch (Exception problem) when (problem is IOException or SocketException)
            {
                // the server may leave first
            }
            Interlocked.Increment(ref kinds[kind]);
            Interlocked.Increment(ref left);
        }

        private async Task ReadAsync(LoopbackConnection connection, int bytes)
        {
            using var patience = CancellationTokenSource.CreateLinkedTokenSource(proof.Cancellation);
            patience.CancelAfter(TimeSpan.FromSeconds(20));
            try
            {
                while (connection.ReceivedBytes < bytes && await connection.SwallowAsync(256, patience.Token).ConfigureAwait(false)) { }
            }
            catch (OperationCanceledException) when (!proof.Cancellation.IsCancellationRequested)
            {
                // the answer was shorter, and the connection stays open
            }
        }
    }
}
