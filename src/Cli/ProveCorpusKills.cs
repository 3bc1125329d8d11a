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
            ["documents"] = made.Documents,
            ["bytes"] = made.Bytes,
            ["rounds"] = rounds.Number,
            ["roundsInThreeTasks"] = rounds.Together,
            ["killed"] = rounds.Killed,
            ["killedWhile"] = new JsonObject(rounds.Moments.Select(moment => KeyValuePair.Create(moment.Key, (JsonNode?)moment.Value))),
            ["sameBytes"] = rounds.Same,
            ["accountedOnce"] = rounds.Exact,
            ["manifestSha256"] = Manifest.HashFile(PhysicalFileSystem.Instance, Path.Combine(undisturbed, Manifest.FileName)),
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

    /// <summary>The folders that are built under kills, one after the other; every fourth one by three processes that share the work.</summary>
    private sealed class Rounds(ProofRun proof, string source, string undisturbed, double seconds, int kills)
    {
        private const int TogetherEvery = 4;
        private const int Tasks = 3;

        private readonly CounterRandom _random = new CounterRandom(proof.Seed, 0).Substream("moments of the kills");
        private ulong _drawn;

        public int Number { get; private set; }

        /// <summary>Rounds by several processes.</summary>
        public int Together { get; private set; }

        public int Killed { get; private set; }

        public int Same { get; private set; }

        public int Exact { get; private set; }

        /// <summary>How often the work was killed at what.</summary>
        public SortedDictionary<string, int> Moments { get; } = new(StringComparer.Ordinal);

        public void Next(long documents)
        {
            string folder = Path.Combine(proof.Folder, string.Create(CultureInfo.InvariantCulture, $"killed-{++Number:D3}"));
            bool together = Number % TogetherEvery == 0;
            if (together) Together++;
            int before = Killed;
            while (!File.Exists(Path.Combine(folder, Manifest.FileName))) Work(folder, together, peace: Killed - before >= KillsOfRound);
            string? difference = ProveCorpus.Difference(undisturbed, folder);
            (long read, long accounted) = ProveCorpus.Accounts(folder);
            if (difference is null) Same++;
            if (read == documents && accounted == documents) Exact++;
            proof.Say(FormattableString.Invariant($"round {Number}{(together ? " in three tasks" : "")}: killed {Killed - before} times, {Killed} of {kills} in all; {(difference is null ? "the same bytes" : $"DIFFERENT: {difference}")}"));
            if (difference is null) Directory.Delete(folder, recursive: true);
        }

        /// <summary>Begins or goes on, until every process has ended or was killed.</summary>
        private void Work(string folder, bool together, bool peace)
        {
            var children = new List<(ProofChild Child, TimeSpan? Moment)>();
            try
            {
                for (int task = 1; task <= (together ? Tasks : 1); task++)
                {
                    int workers = 1 + (int)_random.Below(_drawn++, MostWorkers);
                    string[] share = together ? ["--task", string.Create(CultureInfo.InvariantCulture, $"{task}/{Tasks}")] : [];
                    TimeSpan? moment = peace || Killed >= kills ? null : TimeSpan.FromSeconds(LongestShare * seconds * _random.UniformAt(_drawn++));
                    children.Add((proof.Start(ProveCorpus.Arguments(proof, source, folder, workers, share)), moment));
                }
                long began = SystemClock.Instance.Timestamp;
                foreach ((ProofChild child, TimeSpan? moment) in children.OrderBy(child => child.Moment ?? TimeSpan.MaxValue))
                    EndOrKill(folder, child, moment is { } wait ? TimeSpan.FromSeconds(Math.Max(0, wait.TotalSeconds - SystemClock.Instance.SecondsSince(began))) : null);
            }
            finally
            {
                foreach ((ProofChild child, _) in children) child.Dispose();
            }
        }

        private void EndOrKill(string folder, ProofChild child, TimeSpan? moment)
        {
            if (child.Wait(proof.Cancellation, Killed < kills ? moment : null))
            {
                if (child.ExitCode == ExitCode.Success) return;
                throw new UserErrorException(FormattableString.Invariant($"{folder}: the build ended with exit code {child.ExitCode}: {child.LastWords}"));
            }
            child.Kill();
            Killed++;
            string doing = Doing(folder);
            Moments[doing] = Moments.GetValueOrDefault(doing) + 1;
        }

        /// <summary>What the remains tell of the moment of the kill.</summary>
        private static string Doing(string folder)
        {
            if (File.Exists(Path.Combine(folder, Manifest.FileName))) return "finished";
            string[] beside = Directory.GetFileSystemEntries(Path.GetDirectoryName(folder)!, Path.GetFileName(folder) + ".*");
            if (beside.Any(path => path.Contains(".partial-", StringComparison.Ordinal))) return "writing";
            string work = folder + ".work";
            string[] parts = Directory.Exists(work) ? [.. Directory.GetDirectories(work).Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal)] : [];
            // Folders begin with the number of their phase, and the comparison that ends it comes behind those of the units.
            return parts.Length == 0 ? "beginning" : parts[^1].EndsWith("compared", StringComparison.Ordinal) ? $"comparing {parts[^1][0]}" : $"cleaning {parts[^1][0]}";
        }
    }
}
