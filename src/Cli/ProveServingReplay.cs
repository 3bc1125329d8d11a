using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using OpenEuroLLM.Core;

namespace OpenEuroLLM.Cli;

/// <summary>The proof <c>serving-replay</c>: an answer is the same alone and in company, with beginnings from the cache or computed, from another process, with another number of threads.</summary>
internal static class ProveServingReplay
{
    private const int UsualCount = 1_000, UsualStreams = 64;

    public static async Task<int> RunAsync(ProofRun run)
    {
        var proof = new ServingProof(run);
        int count = run.Count ?? UsualCount, streams = run.Streams ?? UsualStreams;
        var passes = new List<Pass>();
        string[] reference = [];
        using (ServerChild server = await proof.StartAsync().ConfigureAwait(false))
        {
            var traffic = new ServedTraffic(server.Model, run.Seed);
            await RecordAsync(run, traffic, count).ConfigureAwait(false);
            reference = await AnswerAsync(new Pass("alone", 1, Cached: false), server, traffic).ConfigureAwait(false);
            await AnswerAsync(new Pass("together", streams, Cached: false), server, traffic).ConfigureAwait(false);
            await AnswerAsync(new Pass("together, with the cache", streams, Cached: true), server, traffic).ConfigureAwait(false);
            await AnswerAsync(new Pass("alone, with the cache", 1, Cached: true), server, traffic).ConfigureAwait(false);
        }
        using (ServerChild server = await proof.StartAsync(threads: 1).ConfigureAwait(false))
            await AnswerAsync(new Pass("after a restart, one thread", streams, Cached: true), server, new ServedTraffic(server.Model, run.Seed)).ConfigureAwait(false);
        bool holds = passes.All(pass => pass.Same == count && pass.Cached == pass.CachedTokens > 0);
        var results = new JsonArray();
        foreach (Pass pass in passes) results.Add(pass.ToJson());
        return proof.Conclude(holds, new JsonObject { ["requests"] = count, ["tokens"] = passes[0].Tokens, ["passes"] = results, ["answersSha256"] = Hash(string.Join('\n', reference)) });

        async Task<string[]> AnswerAsync(Pass pass, ServerChild server, ServedTraffic traffic)
        {
            string[] answers = new string[count];
            long began = SystemClock.Instance.Timestamp;
            using var watched = CancellationTokenSource.CreateLinkedTokenSource(proof.Cancellation);
            Task watching = pass.WatchAsync(server, watched.Token);
            LoadClient[] clients = [.. Enumerable.Range(0, pass.Streams).Select(_ => new LoadClient(server.Port, keepsEvents: true))];
            int done = 0;
            await ServingProof.RunClientsAsync(pass.Streams, ServingProof.Numbers(count), async (client, number) =>
            {
                var (path, body) = traffic.Make(number);
                body["cache_salt"] = pass.Cached ? "replay" : FormattableString.Invariant($"{pass.Name} {number}");
                LoadAnswer answer = await clients[client].AskAsync(ServedTraffic.Wire(path, body), proof.Cancellation).ConfigureAwait(false);
                if (answer.Status != 200 || answer.Error is not null) throw new UserErrorException(FormattableString.Invariant($"request {number} was answered with {answer.Status}: {answer.Error}"));
                answers[number] = Canonical(answer);
                pass.Count(answer);
                double share = (double)Interlocked.Increment(ref done) / count;
                proof.Update(FormattableString.Invariant($"{pass.Name}: {done} of {count}, {ServingProof.Left(SystemClock.Instance.SecondsSince(began), share)} left"));
            }).ConfigureAwait(false);
            foreach (LoadClient client in clients) client.Dispose();
            await watched.CancelAsync().ConfigureAwait(false);
            await watching.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            string[] expected = passes.Count == 0 ? answers : reference;
            for (int number = 0; number < count; number++)
            {
                if (answers[number] == expected[number]) pass.Same++;
                else proof.Say(FormattableString.Invariant($"DIFFERENT: request {number}, {pass.Name}: {answers[number]} instead of {expected[number]}"));
            }
            passes.Add(pass);
            proof.Say(FormattableString.Invariant($"{pass.Name}: {pass.Same} of {count} the same, {pass.MostAtOnce} at once, {pass.CachedTokens} tokens from the cache, {SystemClock.Instance.SecondsSince(began):0.0} s"));
            return answers;
        }
    }

    private static async Task RecordAsync(ProofRun run, ServedTraffic traffic, int count)
    {
        await using var file = new StreamWriter(Path.Combine(run.Folder, "requests.jsonl"));
        for (int number = 0; number < count; number++)
        {
            var (path, body) = traffic.Make(number);
            await file.WriteLineAsync(new JsonObject { ["path"] = path, ["body"] = body }.ToJsonString()).ConfigureAwait(false);
        }
    }

    /// <summary>All that was heard but the answer's id, its moment and what the cache knew: texts, likelihoods, reasons and counts.</summary>
    private static string Canonical(LoadAnswer answer)
    {
        var text = new StringBuilder();
        foreach (byte[] heard in answer.Events)
        {
            JsonObject json = JsonNode.Parse(heard)!.AsObject();
            json.Remove("id");
            json.Remove("created");
            if (json["usage"] is JsonObject usage) usage.Remove("prompt_tokens_details");
            text.Append(json.ToJsonString()).Append('\n');
        }
        return text.ToString();
    }

    private static string Hash(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));

    /// <summary>All requests once, in one of the ways.</summary>
    private sealed record Pass(string Name, int Streams, bool Cached)
    {
        private int cachedTokens, tokens;

        public int Same { get; set; }

        public int CachedTokens => cachedTokens;

        public int Tokens => tokens;

        public double MostAtOnce { get; private set; }

        public void Count(LoadAnswer answer)
        {
            Interlocked.Add(ref cachedTokens, answer.CachedTokens);
            Interlocked.Add(ref tokens, answer.CompletionTokens);
        }

        /// <summary>Looks how many answers really run at once.</summary>
        public async Task WatchAsync(ServerChild server, CancellationToken cancellation)
        {
            while (true)
            {
                MostAtOnce = Math.Max(MostAtOnce, (await server.LoadAsync(cancellation).ConfigureAwait(false)).Running);
                await Task.Delay(20, cancellation).ConfigureAwait(false);
            }
        }

        public JsonObject ToJson() => new() { ["pass"] = Name, ["same"] = Same, ["mostAtOnce"] = MostAtOnce, ["cachedTokens"] = CachedTokens };
    }
}
