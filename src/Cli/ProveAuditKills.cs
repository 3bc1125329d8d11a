using System.Text.Json.Nodes;
using OpenEuroLLM.Core;
using OpenEuroLLM.Core.Auditing;
using OpenEuroLLM.Serving.Auditing;
using OpenEuroLLM.Serving.Proving;

namespace OpenEuroLLM.Cli;

/// <summary>The proof <c>audit-kills</c>: a server is killed at random moments while clients ask; every answer whose end a client saw has its row, once and
/// with the same counts, and the chain of rows holds over all kills.</summary>
internal static class ProveAuditKills
{
    private const int UsualKills = 100;
    private const int Clients = 8;
    private const double LongestSeconds = 1.5;
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    public static int Run(ProofRun proof)
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
            IReadOnlyCollection<AcknowledgedRequest> seen = AskAndKill(proof, model, file, moment);
            seconds += moment;
            using var reader = new SqliteAuditReader(file);
            AuditVerdict verdict = AuditChain.Verify(reader, head, proof.Cancellation);
            if (!verdict.Holds) broken = verdict;
            var written = reader.Read(head.Rows + 1).Select(row => row.Entry()).Where(entry => entry.Kind == AuditKind.Request).ToLookup(entry => entry.RequestId, StringComparer.Ordinal);
            foreach (AcknowledgedRequest each in seen)
            {
                AuditEntry[] found = [.. written[each.Id]];
                if (found.Length != 1) missing++;
                else if (each.PromptTokens is not null && (each.PromptTokens, each.AnswerTokens) != (found[0].PromptTokens, found[0].AnswerTokens)) different++;
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

    private static IReadOnlyCollection<AcknowledgedRequest> AskAndKill(ProofRun proof, string model, string file, double moment)
    {
        var address = new TaskCompletionSource<Uri>(TaskCreationOptions.RunContinuationsAsynchronously);
        using ProofChild server = proof.Start(["serve", "--model", model, "--port", "0", "--audit", file, "--log", "none"], said: line =>
        {
            int at = line.IndexOf(" answers at ", StringComparison.Ordinal);
            if (at >= 0) address.TrySetResult(new Uri(line[(at + " answers at ".Length)..]));
        });
        long began = SystemClock.Instance.Timestamp;
        while (!address.Task.IsCompleted)
        {
            if (server.Wait(proof.Cancellation, TimeSpan.FromMilliseconds(20))) throw new UserErrorException(FormattableString.Invariant($"the server ended with exit code {server.ExitCode}: {server.LastWords}"));
            if (SystemClock.Instance.SecondsSince(began) > Patience.TotalSeconds) throw new UserErrorException(FormattableString.Invariant($"the server did not answer within {Patience.TotalSeconds:0} s."));
        }
        var traffic = new AuditTraffic(address.Task.Result, Path.GetFileName(model), Clients);
        Task asking = traffic.RunAsync(proof.Cancellation);
        // The moment counts from the first end on: a program that has just been started compiles itself first.
        while (!traffic.HasAcknowledged && SystemClock.Instance.SecondsSince(began) < Patience.TotalSeconds) server.Wait(proof.Cancellation, TimeSpan.FromMilliseconds(5));
        server.Wait(proof.Cancellation, TimeSpan.FromSeconds(moment));
        server.Kill();
        asking.GetAwaiter().GetResult();
        return traffic.Acknowledged;
    }
}
