using System.Collections.Concurrent;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using OpenEuroLLM.Core;
using OpenEuroLLM.Core.Auditing;
using OpenEuroLLM.Serving.Auditing;

namespace OpenEuroLLM.Cli;

/// <summary>The proof <c>audit-kills</c>: a server is killed at random moments while clients ask; every answer whose end a client saw has its row, once and
/// with the same counts, and the chain of rows holds over all kills.</summary>
internal static class ProveAuditKills
{
    private const int UsualKills = 100;
    private const int Clients = 8, Words = 4;
    private const double LongestSeconds = 1.5;
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    public static async Task<int> RunAsync(ProofRun proof)
    {
        int kills = proof.Kills ?? UsualKills;
        File.WriteAllText(proof.RecipePath, "{}"); // marks the folder as a proof's
        string model = ModelPath.Resolve(null), file = Path.Combine(proof.Folder, AuditCommand.DefaultFile);
        var moments = new CounterRandom(proof.Seed, 0).Substream("moments of the kills");
        AuditHead head = AuditHead.Empty;
        long acknowledged = 0, rows = 0, missing = 0, different = 0;
        double seconds = 0;
        AuditVerdict? broken = null;
        for (int kill = 0; kill < kills && broken is null; kill++)
        {
            double moment = LongestSeconds * moments.UniformAt((ulong)kill);
            IReadOnlyCollection<LoadAnswer> seen = await AskAndKillAsync(proof, model, file, moment).ConfigureAwait(false);
            seconds += moment;
            using var reader = new SqliteAuditReader(file);
            AuditVerdict verdict = AuditChain.Verify(reader, head, proof.Cancellation);
            if (!verdict.Holds) broken = verdict;
            var written = reader.Read(head.Rows + 1).Select(row => row.Entry()).Where(entry => entry.Kind == AuditKind.Request).ToLookup(entry => entry.RequestId, StringComparer.Ordinal);
            foreach (LoadAnswer each in seen)
            {
                AuditEntry[] found = [.. written[each.RequestId]];
                if (found.Length != 1) missing++;
                else if (each.PromptTokens > 0 && (each.PromptTokens, each.CompletionTokens) != (found[0].PromptTokens, found[0].AnswerTokens)) different++; // 0: it was not told them any more
            }
            acknowledged += seen.Count;
            rows += written.Sum(group => group.Count());
            head = verdict.Head;
            proof.Say(FormattableString.Invariant($"kill {kill + 1} of {kills} after {moment:0.00} s: {seen.Count} ends seen, {missing} without a row so far; {(verdict.Holds ? $"the chain of {verdict.Head.Rows} rows holds" : $"row {verdict.BrokenRow} is BROKEN")}"));
        }
        return proof.Conclude(broken is null && missing == 0 && different == 0 && acknowledged > 0, new JsonObject
        {
            ["killed"] = kills,
            ["acknowledged"] = acknowledged,
            ["missing"] = missing,
            ["differentCounts"] = different,
            ["rows"] = rows,
            ["secondsOfTraffic"] = Math.Round(seconds, 1),
            ["chainHolds"] = broken is null,
            ["brokenRow"] = broken?.BrokenRow,
            ["head"] = head.ToString(),
        });
    }

    /// <returns>What the clients heard of every answer whose end they saw.</returns>
    private static async Task<IReadOnlyCollection<LoadAnswer>> AskAndKillAsync(ProofRun proof, string model, string file, double moment)
    {
        using ServerChild server = await ServerChild.StartAsync(["--model", model, "--audit", file], proof.Cancellation).ConfigureAwait(false);
        var traffic = new ServedTraffic(server.Model, proof.Seed);
        var seen = new ConcurrentQueue<LoadAnswer>();
        var first = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Func<int?> numbers = ServingProof.Numbers(int.MaxValue);
        bool gone = false;
        Task asking = ServingProof.RunClientsAsync(Clients, () => Volatile.Read(ref gone) ? null : numbers(), async (client, number) =>
        {
            using var connection = new LoadClient(server.Port);
            byte[] request = ServedTraffic.Wire(ServedTraffic.Text, traffic.Exact(number, Words, tokens: 1 + (number % 5), stream: client % 2 == 1));
            try
            {
                await connection.AskAsync(request, proof.Cancellation).ConfigureAwait(false);
            }
            catch (Exception broken) when (broken is IOException or SocketException)
            {
                Volatile.Write(ref gone, true);
            }
            // An answer has ended when its reason was sent, whatever became of the connection.
            if (connection.Last is not { Finished: > 0 } ended) return;
            seen.Enqueue(ended);
            first.TrySetResult();
        });
        // The moment counts from the first end on: a program that has just been started compiles itself first.
        await Task.WhenAny(first.Task, asking).WaitAsync(Patience, proof.Cancellation).ConfigureAwait(false);
        await Task.Delay(TimeSpan.FromSeconds(moment), proof.Cancellation).ConfigureAwait(false);
        server.Kill();
        await asking.ConfigureAwait(false);
        return seen;
    }
}
