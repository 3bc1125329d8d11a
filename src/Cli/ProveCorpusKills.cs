using System.Globalization;
using System.Text.Json.Nodes;
using OpenEuroLLM.Core;
using OpenEuroLLM.Corpus.Making;

namespace OpenEuroLLM.Cli;

/// <summary>The proof <c>corpus-kills</c>: a corpus whose building is killed at random moments and begun again, with other numbers of workers, is the same as an undisturbed one.</summary>
internal static class ProveCorpusKills
{
    private const int UsualKills = 200;
    private const int Files = 8;
    private const int MostWorkers = 4;

    /// <summary>Kills of one folder after which it is left in peace.</summary>
    private const int KillsOfRound = 60;

    /// <summary>The longest time until the next kill, as a share of an undisturbed run: short enough for many kills of each folder, long enough for each part of the work.</summary>
    private const double LongestShare = 0.35;

    public static int Run(ProofRun proof)
    {
        int kills = proof.Kills ?? UsualKills;
        long unitBytes = Math.Clamp(proof.Documents * 40, 1 << 16, 8 << 20);
        proof.WriteRecipe(ProveCorpus.RecipeText(ProveCorpus.AllSteps, unitBytes));
        string source = Path.Combine(proof.Folder, "source");
        MadeCorpus made = Make(proof, source);
        string undisturbed = Path.Combine(proof.Folder, "undisturbed");
        long began = SystemClock.Instance.Timestamp;
        proof.RunToEnd($"{undisturbed}: the build", ProveCorpus.Arguments(proof, source, undisturbed, workers: 2));
        double seconds = SystemClock.Instance.SecondsSince(began);
        (long read, long accounted) = ProveCorpus.Accounts(undisturbed);
        bool exact = read == made.Documents && accounted == made.Documents;
        proof.Say(FormattableString.Invariant($"undisturbed: {made.Documents} documents made, {read} read, {accounted} accounted for, {seconds:0.0} s"));

        var rounds = new Rounds(proof, source, undisturbed, seconds, kills);
        while (rounds.Killed < kills) rounds.Next(made.Documents);
        return proof.Conclude(exact && rounds.Same == rounds.Number && rounds.Exact == rounds.Number, new JsonObject
        {
            ["documents"] = made.Documents, ["bytes"] = made.Bytes, ["rounds"] = rounds.Number, ["killed"] = rounds.Killed, ["killedWhile"] = new JsonObject(rounds.Moments.Select(moment => KeyValuePair.Create(moment.Key, (JsonNode?)moment.Value))),
            ["sameBytes"] = rounds.Same, ["accountedOnce"] = rounds.Exact, ["manifestSha256"] = Manifest.HashFile(PhysicalFileSystem.Instance, Path.Combine(undisturbed, Manifest.FileName)),
        });
    }

    private static MadeCorpus Make(ProofRun proof, string source)
    {
        Directory.CreateDirectory(source);
        CorpusMaker maker = CorpusMaker.Open(proof.Input, [], proof.Seed, mostPassages: 16);
        MadeCorpus all = MadeCorpus.Nothing;
        for (int file = 0; file < Files; file++)
        {
            string name = string.Create(CultureInfo.InvariantCulture, $"part-{file}.jsonl{(file % 4 == 3 ? ".gz" : "")}");
            all += maker.Write(Path.Combine(source, name), all.Documents, (proof.Documents * (file + 1) / Files) - all.Documents, cancellation: proof.Cancellation);
        }
        return all;
    }

    /// <summary>The folders that are built under kills, one after the other.</summary>
    private sealed class Rounds(ProofRun proof, string source, string undisturbed, double seconds, int kills)
    {
        private readonly CounterRandom _random = new CounterRandom(proof.Seed, 0).Substream("moments of the kills");
        private ulong _drawn;

        public int Number { get; private set; }

        public int Killed { get; private set; }

        public int Same { get; private set; }

        public int Exact { get; private set; }

        /// <summary>How often the work was killed at what.</summary>
        public SortedDictionary<string, int> Moments { get; } = new(StringComparer.Ordinal);

        public void Next(long documents)
        {
            string folder = Path.Combine(proof.Folder, string.Create(CultureInfo.InvariantCulture, $"killed-{++Number:D3}"));
            int killed = 0;
            while (KillOnce(folder, peace: killed >= KillsOfRound)) killed++;
            string? difference = ProveCorpus.Difference(undisturbed, folder);
            (long read, long accounted) = ProveCorpus.Accounts(folder);
            if (difference is null) Same++;
            if (read == documents && accounted == documents) Exact++;
            proof.Say(FormattableString.Invariant($"round {Number}: killed {killed} times, {Killed} of {kills} in all; {(difference is null ? "the same bytes" : $"DIFFERENT: {difference}")}"));
            if (difference is null) Directory.Delete(folder, recursive: true);
        }

        /// <summary>Begins or goes on; false when the folder is finished.</summary>
        private bool KillOnce(string folder, bool peace)
        {
            int workers = 1 + (int)_random.Below(_drawn++, MostWorkers);
            TimeSpan? moment = peace || Killed >= kills ? null : TimeSpan.FromSeconds(LongestShare * seconds * _random.UniformAt(_drawn++));
            using ProofChild child = proof.Start(ProveCorpus.Arguments(proof, source, folder, workers));
            if (child.Wait(proof.Cancellation, moment))
            {
                if (child.ExitCode == ExitCode.Success) return false;
                throw new UserErrorException(FormattableString.Invariant($"{folder}: the build ended with exit code {child.ExitCode}: {child.LastWords}"));
            }
            child.Kill();
            Killed++;
            string doing = Doing(folder);
            Moments[doing] = Moments.GetValueOrDefault(doing) + 1;
            return true;
        }

        /// <summary>What the remains tell of the moment of the kill.</summary>
        private static string Doing(string folder)
        {
            string[] beside = Directory.GetFileSystemEntries(Path.GetDirectoryName(folder)!, Path.GetFileName(folder) + "*");
            if (beside.Contains(folder)) return "finishing";
            if (beside.Any(path => path.Contains(".partial-", StringComparison.Ordinal) && Directory.Exists(Path.Combine(path, "train")))) return "writing";
            return beside.Length > 0 ? "working" : "beginning";
        }
    }
}
