using System.Text.Json.Nodes;
using OpenEuroLLM.Core;
using OpenEuroLLM.Corpus.Making;

namespace OpenEuroLLM.Cli;

/// <summary>The proof <c>corpus-memory</c>: the whole line on web archives, and the text line on documents, take at most 2 GB.</summary>
internal static class ProveCorpusMemory
{
    private const long UsualBytes = 1_000_000_000;
    private const long FileBytes = 500_000_000;

    public static int Run(ProofRun proof)
    {
        long bytes = proof.Bytes ?? UsualBytes;
        proof.WriteRecipe($$"""{ "name": "proof", "corpus": { "steps": {{ProveCorpus.AllSteps}} } }""");
        var lines = new JsonArray();
        bool holds = true;
        foreach ((string line, string ending) in new[] { ("warc", ".warc.gz"), ("jsonl", ".jsonl") })
        {
            string source = Path.Combine(proof.Folder, line), folder = Path.Combine(proof.Folder, line + "-corpus");
            MadeCorpus made = Make(proof, source, ending, bytes);
            proof.Say(FormattableString.Invariant($"{line}: {made.Documents} documents of {made.Bytes / 1e6:0} MB made"));
            long began = SystemClock.Instance.Timestamp;
            using ProofChild child = proof.Start(ProveCorpus.Arguments(proof, source, folder, Environment.ProcessorCount));
            child.Wait(proof.Cancellation);
            double seconds = SystemClock.Instance.SecondsSince(began);
            if (child.ExitCode != ExitCode.Success)
                throw new UserErrorException(FormattableString.Invariant($"{folder}: the build ended with exit code {child.ExitCode}: {child.LastWords}"));
            long peak = Math.Max(child.PeakMemoryBytes, RunRecord.Parse(File.ReadAllBytes(Path.Combine(folder, RunRecord.FileName)), folder).PeakMemoryBytes);
            (long read, long accounted) = ProveCorpus.Accounts(folder);
            holds &= peak <= ProveCorpus.MemoryBytes && read == accounted;
            proof.Say(FormattableString.Invariant($"{line}: {peak / 1e6:0} MB of memory, {made.Bytes / 1e6 / seconds:0.0} MB/s with {Environment.ProcessorCount} workers"));
            lines.Add((JsonNode)new JsonObject
            {
                ["input"] = line,
                ["bytes"] = made.Bytes,
                ["documents"] = made.Documents,
                ["read"] = read,
                ["accountedFor"] = accounted,
                ["peakMemoryBytes"] = peak,
                ["seconds"] = Math.Round(seconds, 1),
                ["megabytesPerSecond"] = Math.Round(made.Bytes / 1e6 / seconds, 2),
                ["workers"] = Environment.ProcessorCount,
            });
            Directory.Delete(source, recursive: true);
            Directory.Delete(folder, recursive: true);
        }
        return proof.Conclude(holds, new JsonObject { ["lines"] = lines });
    }

    private static MadeCorpus Make(ProofRun proof, string source, string ending, long bytes)
    {
        Directory.CreateDirectory(source);
        CorpusMaker maker = CorpusMaker.Open(proof.Input, [], proof.Seed);
        MadeCorpus all = MadeCorpus.Nothing;
        for (int file = 0; all.Bytes < bytes; file++)
            all += maker.Write(Path.Combine(source, FormattableString.Invariant($"part-{file:000}{ending}")), all.Documents, long.MaxValue, Math.Min(FileBytes, bytes - all.Bytes), proof.Cancellation);
        return all;
    }
}
