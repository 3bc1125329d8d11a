using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using OpenEuroLLM.Core;
using OpenEuroLLM.Corpus.Erasure;
using OpenEuroLLM.Corpus.Making;

namespace OpenEuroLLM.Cli;

/// <summary>The proof <c>erasure</c>: documents are forgotten by a run that went all the way to a model, while the erasure is killed at random moments.</summary>
internal static class ProveErasure
{
    private const int UsualKills = 50;
    private const long Forgotten = 1_000;
    private const int Files = 8;
    private static readonly string[] Sides = ["train", "heldout"], Changed = ["corpus", "tokens"];
    private const string Stages = "corpus tokenizer tokens training";

    public static int Run(ProofRun proof)
    {
        int kills = proof.Kills ?? UsualKills;
        string source = Path.Combine(proof.Folder, "source"), pristine = Path.Combine(proof.Folder, "pristine"), run = Path.Combine(proof.Folder, "run"), ids = Path.Combine(proof.Folder, "ids.txt");
        proof.WriteRecipe($$"""
            { "name": "proof", "corpus": { "shardBytes": 4000000, "steps": [{ "step": "unicode-normalization" }, { "step": "exact-duplicates" }] }, "tokenizer": { "vocabularySize": 1024 },
              "model": { "layers": 2, "contextLength": 64 }, "training": { "tokens": {{proof.Tokens}}, "batchTokens": 1024, "evaluateTokens": 1024 } }
            """, $"corpus.source={source}");
        Make(proof, source);
        proof.Say("corpus, tokenizer, tokens and training");
        proof.RunToEnd("the run", ["train", proof.RecipePath, $"corpus.source={source}", .. proof.Settings, "--out", pristine, "--threads", "2"]);
        IReadOnlyList<string> all = [.. Lines(Path.Combine(pristine, "corpus")).Select(document => Name(document))];
        var random = new CounterRandom(proof.Seed, 0).Substream("documents to forget");
        HashSet<string> asked = [.. all.Distinct().Select((name, number) => (Name: name, Rank: random.At((ulong)number))).OrderBy(document => document.Rank).Take((int)Forgotten).Select(document => document.Name)];
        File.WriteAllLines(ids, asked.Order(StringComparer.Ordinal));

        var rounds = new Rounds(proof, pristine, run, ids);
        rounds.Undisturbed();
        bool gone = !Lines(Path.Combine(run, "corpus")).Any(document => asked.Contains(Name(document)));
        long left = Lines(Path.Combine(run, "corpus")).LongCount();
        string again = Path.Combine(proof.Folder, "tokens-again");
        proof.RunToEnd("tokenizing again", ["corpus", "tokenize", Path.Combine(run, "corpus"), "--tokenizer", Path.Combine(run, "tokenizer"), "--out", again]);
        Manifest erasedTokens = Manifest.Read(PhysicalFileSystem.Instance, Path.Combine(run, "tokens")), tokensAgain = Manifest.Read(PhysicalFileSystem.Instance, again);
        bool sameTokens = erasedTokens.Outputs.SequenceEqual(tokensAgain.Outputs) && erasedTokens.Counts.SequenceEqual(tokensAgain.Counts);
        string rebuilt = Path.Combine(proof.Folder, "rebuilt");
        proof.RunToEnd("building again", ["corpus", "build", proof.RecipePath, $"corpus.source={source}", .. proof.Settings, $"corpus.tombstones={Path.Combine(run, Path.GetFileName(CorpusErasure.DefaultTombstones("x")))}", "--out", rebuilt]);
        bool keptOut = !Lines(rebuilt).Any(document => asked.Contains(Name(document)));
        string[] listed = [.. rounds.Affected.Order(StringComparer.Ordinal)];
        bool listedAll = listed.Contains("tokenizer") && listed.Contains("training");
        while (rounds.Killed < kills) rounds.Next(peace: false);
        bool holds = all.Count >= proof.Documents && gone && left == all.Count - asked.Count && sameTokens && keptOut && listedAll && rounds.Verified && rounds.OldOrNew == rounds.Killed && rounds.Ended == rounds.Number;
        return proof.Conclude(holds, new JsonObject
        {
            ["documents"] = all.Count,
            ["shards"] = Directory.GetFiles(Path.Combine(pristine, "corpus", "train")).Length,
            ["forgotten"] = asked.Count,
            ["goneFromEveryShard"] = gone,
            ["documentsLeft"] = left,
            ["tokensAsIfTokenizedAgain"] = sameTokens,
            ["keptOutWhenBuiltAgain"] = keptOut,
            ["affected"] = new JsonArray([.. listed.Select(stage => (JsonNode?)stage)]),
            ["verified"] = rounds.Verified,
            ["seconds"] = Math.Round(rounds.Seconds, 2),
            ["killed"] = rounds.Killed,
            ["rounds"] = rounds.Number,
            ["oldOrNewAfterKill"] = rounds.OldOrNew,
            ["leftBy"] = new JsonObject(rounds.States.Select(state => KeyValuePair.Create(state.Key, (JsonNode?)state.Value))),
            ["endedTheSame"] = rounds.Ended,
        });
    }

    private static void Make(ProofRun proof, string source)
    {
        Directory.CreateDirectory(source);
        long documents = proof.Documents + (proof.Documents / 4);   // some are copies, and fall to a step
        CorpusMaker maker = CorpusMaker.Open(proof.Input, [], proof.Seed, mostPassages: 4);
        MadeCorpus made = MadeCorpus.Nothing;
        for (int file = 0; file < Files; file++)
            made += maker.Write(Path.Combine(source, FormattableString.Invariant($"part-{file}.jsonl")), made.Documents, (documents * (file + 1) / Files) - made.Documents, cancellation: proof.Cancellation);
    }

    private static string Name(Document document) => $"{document.Source}\t{document.Id}";

    /// <summary>Every document of a corpus, read by itself and not by what erased.</summary>
    private static IEnumerable<Document> Lines(string corpus) => Sides
        .SelectMany(side => Directory.GetFiles(Path.Combine(corpus, side), "*.jsonl").Order(StringComparer.Ordinal))
        .SelectMany(file => File.ReadLines(file).Select(line => Document.Parse(Encoding.UTF8.GetBytes(line), file)));

    /// <summary>The same erasure of the same run, over and over.</summary>
    private sealed class Rounds(ProofRun proof, string pristine, string run, string ids)
    {
        private readonly CounterRandom _random = new CounterRandom(proof.Seed, 0).Substream("moments of the kills");
        private Dictionary<string, string> _old = [], _new = [];
        private ulong _drawn;
        private double _shortest;

        public double Seconds { get; private set; }

        public int Number { get; private set; }

        public int Killed { get; private set; }

        public int OldOrNew { get; private set; }

        public int Ended { get; private set; }

        public bool Verified { get; private set; } = true;

        public IReadOnlyList<string> Affected { get; private set; } = [];

        public SortedDictionary<string, int> States { get; } = new(StringComparer.Ordinal);

        private string[] Command => ["corpus", "forget", Path.Combine(run, "corpus"), "--ids", ids, "--workers", "2", "--json"];

        /// <summary>Without a kill: what all other rounds must come to.</summary>
        public void Undisturbed()
        {
            Begin();
            _old = Hashes();
            long began = SystemClock.Instance.Timestamp;
            proof.RunToEnd("the erasure", Command);
            Seconds = _shortest = SystemClock.Instance.SecondsSince(began);
            _new = Hashes();
            Verify();
            ErasureReport report = CorpusErasure.Run(Path.Combine(run, "corpus"), new ErasureRequest(), null, [], [], new LocalLauncher(2), cancellation: proof.Cancellation);
            Affected = [.. report.Affected.Select(folder => folder.Stage).Distinct()];
            proof.Say(FormattableString.Invariant($"undisturbed: {Seconds:0.0} s; affected: {string.Join(", ", Affected)}"));
        }

        public void Next(bool peace)
        {
            Begin();
            Number++;
            while (true)
            {
                using ProofChild child = proof.Start(Command);
                long began = SystemClock.Instance.Timestamp;
                bool ended = child.Wait(proof.Cancellation, peace ? null : TimeSpan.FromSeconds(_shortest * _random.UniformAt(_drawn++)));
                if (ended)
                {
                    if (child.ExitCode != ExitCode.Success) throw new UserErrorException(FormattableString.Invariant($"the erasure ended with exit code {child.ExitCode}: {child.LastWords}"));
                    _shortest = Math.Min(_shortest, SystemClock.Instance.SecondsSince(began));
                    break;
                }
                child.Kill();
                Killed++;
                Look();
                peace = Killed % 3 == 0;   // and sometimes killed again before it has ended
            }
            proof.RunToEnd("the erasure, begun again", Command);
            if (Hashes() is { } now && now.Count == _new.Count && now.All(file => _new.GetValueOrDefault(file.Key) == file.Value) && !Directory.GetDirectories(run).Any(folder => AtomicDirectory.TargetOf(folder) is not null)) Ended++;
            Verify();
            proof.Say(FormattableString.Invariant($"round {Number}: killed {Killed} times in all, {OldOrNew} times old or new, ended {Ended} times"));
        }

        private void Begin()
        {
            if (Directory.Exists(run)) Directory.Delete(run, recursive: true);
            foreach (string file in Stages.Split(' ').SelectMany(stage => Directory.GetFiles(Path.Combine(pristine, stage), "*", SearchOption.AllDirectories)))
            {
                string copy = Path.Combine(run, Path.GetRelativePath(pristine, file));
                Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
                PhysicalFileSystem.Instance.LinkOrCopy(file, copy);
            }
        }

        /// <summary>What a kill left: each folder as it was or as it will be, and the whole to be verified.</summary>
        private void Look()
        {
            Dictionary<string, string> now = Hashes();
            string State(string stage) => Same(now, _old, stage) ? "old" : Same(now, _new, stage) ? "new" : "NEITHER";
            string state = string.Create(CultureInfo.InvariantCulture, $"corpus {State("corpus")}, tokens {State("tokens")}");
            States[state] = States.GetValueOrDefault(state) + 1;
            if (!state.Contains("NEITHER", StringComparison.Ordinal)) OldOrNew++;
            Verify();
        }

        private void Verify()
        {
            foreach (string stage in Stages.Split(' '))
            {
                if (ManifestVerifier.Verify(Path.Combine(run, stage)) is not { Matches: false } report) continue;
                Verified = false;
                proof.Say($"DOES NOT VERIFY: {stage}: {report.Problem}");
            }
        }

        private Dictionary<string, string> Hashes() => Changed
            .SelectMany(stage => Directory.GetFiles(Path.Combine(run, stage), "*", SearchOption.AllDirectories))
            .Where(file => Path.GetFileName(file) != RunRecord.FileName)
            .ToDictionary(file => Path.GetRelativePath(run, file), file => Manifest.HashFile(PhysicalFileSystem.Instance, file));

        private static bool Same(Dictionary<string, string> first, Dictionary<string, string> second, string stage) =>
            first.Where(file => file.Key.StartsWith(stage + "/", StringComparison.Ordinal)).ToHashSet().SetEquals(second.Where(file => file.Key.StartsWith(stage + "/", StringComparison.Ordinal)));
    }
}
