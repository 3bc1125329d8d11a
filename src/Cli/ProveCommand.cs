using System.CommandLine;
using System.Diagnostics;
using System.Text.Json.Nodes;
using OpenEuroLLM.Core;
using OpenEuroLLM.Training;

namespace OpenEuroLLM.Cli;

/// <summary><c>oellm prove</c>: the long proofs, run with the program itself in child processes.</summary>
internal static class ProveCommand
{
    private const string RecipeName = "proof.jsonc";
    private const string RecipeText = """{ "name": "proof", "tokenizer": { "vocabularySize": 2048 }, "model": { "layers": 2, "contextLength": 128 }, "training": { "checkpointSteps": 10 } }""";

    private static readonly (string Name, string Meaning, Func<Proof, int> Run)[] Proofs =
    [
        ("resume", "a training run killed at random moments ends with the same weights as an undisturbed one", proof => Resume(proof)),
        ("same-bits", "the same training run with other thread counts and instruction sets ends with the same weights", proof => SameBits(proof)),
    ];

    public static Command Create()
    {
        var name = new Argument<string>("name") { Description = string.Join("; ", Proofs.Select(proof => $"{proof.Name}: {proof.Meaning}")) };
        var outFolder = new Option<string>("--out") { Description = "Working folder; what an earlier proof left in it is removed first.", DefaultValueFactory = _ => Path.Combine("runs", "prove"), HelpName = "DIR" };
        var kills = new Option<int>("--kills") { Description = "How often the run is killed (resume).", DefaultValueFactory = _ => 20, HelpName = "N" };
        var tokens = new Option<long>("--tokens") { Description = "Tokens of the run.", DefaultValueFactory = _ => 200_000, HelpName = "N" };
        var settings = RunCommand.Overrides();
        var seed = new Option<ulong>("--seed") { Description = "Decides the moments of the kills.", DefaultValueFactory = _ => 1UL, HelpName = "N" };
        var command = new Command("prove", "Runs a long proof and prints its result as one JSON object.\nExample: oellm prove resume --kills 20") { name, settings, outFolder, kills, tokens, seed };
        command.SetAction((parsed, _) => Task.Run(() =>
        {
            var asked = parsed.GetValue(name)!;
            var found = Proofs.FirstOrDefault(proof => proof.Name == asked);
            if (found.Run is null)
                throw new UserErrorException($"proof '{asked}' is unknown{SuggestedName.Hint(asked, [.. Proofs.Select(proof => proof.Name)])}");
            if (parsed.GetValue(kills) < 1) throw new UserErrorException("--kills is out of range; expected 1 or more.");
            if (parsed.GetValue(tokens) < 1) throw new UserErrorException("--tokens is out of range; expected 1 or more.");
            var folder = Path.GetFullPath(parsed.GetValue(outFolder)!);
            Clear(folder);
            string[] overrides = [FormattableString.Invariant($"training.tokens={parsed.GetValue(tokens)}"), .. parsed.GetValue(settings) ?? []];
            File.WriteAllText(Path.Combine(folder, RecipeName), RecipeText);
            Recipe.Load(Path.Combine(folder, RecipeName), overrides); // a wrong setting is said here, not by a child
            return found.Run(new Proof(folder, overrides, parsed.GetValue(kills), parsed.GetValue(seed), parsed.InvocationConfiguration.Output, parsed.InvocationConfiguration.Error));
        }));
        return command;
    }

    // Only a folder that an earlier proof made is removed: a wrong --out must not cost anyone their files.
    private static void Clear(string folder)
    {
        if (File.Exists(folder)) throw new UserErrorException($"{folder}: is a file; expected a folder, choose another --out.");
        if (Directory.Exists(folder) && Directory.EnumerateFileSystemEntries(folder).Any())
        {
            if (!File.Exists(Path.Combine(folder, RecipeName)))
                throw new UserErrorException($"{folder}: holds files of something else; choose another --out.");
            Directory.Delete(folder, recursive: true);
        }
        Directory.CreateDirectory(folder);
    }

    private static int Resume(Proof proof)
    {
        var undisturbed = Path.Combine(proof.Folder, "undisturbed");
        var began = SystemClock.Instance.Timestamp;
        proof.Train(undisturbed, []);
        var seconds = SystemClock.Instance.SecondsSince(began);
        var expected = Proof.Weights(undisturbed);
        proof.Say(FormattableString.Invariant($"undisturbed: {seconds:0.0} s, weights {expected}"));
        var random = new CounterRandom(proof.Seed, 0).Substream("moments of the kills");
        // Each round is one folder, killed once at a random moment of the whole run and then resumed to its end. The stages before training
        // are taken over, so a run may end before its moment: that round proves nothing and another one takes its place.
        var (same, killed, rounds) = (0, 0, 0);
        for (var i = 0; killed < proof.Kills && i < 10 * proof.Kills; i++)
        {
            var folder = Path.Combine(proof.Folder, FormattableString.Invariant($"killed-{i + 1:D2}"));
            Proof.CopyStages(undisturbed, folder);
            var moment = random.UniformAt((ulong)i) * seconds;
            using (var process = proof.Start(folder, []))
            {
                rounds++;
                if (process.WaitForExit(TimeSpan.FromSeconds(moment)))
                {
                    // The moment lies behind the end: from now on moments are drawn from what a run really takes.
                    seconds = Math.Min(seconds, moment);
                    Directory.Delete(folder, recursive: true);
                    continue;
                }
                process.Kill();
                process.WaitForExit();
                killed++;
            }
            proof.Train(folder, []);
            var weights = Proof.Weights(folder);
            if (weights == expected) same++;
            proof.Say(FormattableString.Invariant($"killed after {moment:0.00} s: {(weights == expected ? "same weights" : $"OTHER weights {weights}")}"));
            Directory.Delete(folder, recursive: true);
        }
        return proof.Conclude("resume", killed == proof.Kills && same == killed, new JsonObject { ["rounds"] = rounds, ["killed"] = killed, ["sameWeights"] = same, ["weightsSha256"] = expected });
    }

    private static int SameBits(Proof proof)
    {
        var variants = new (string Name, string Threads, string? Variable)[]
        {
            ("2 threads", "2", null), ("1 thread", "1", null), ("3 threads", "3", null),
            ("2 threads, DOTNET_EnableAVX512=0", "2", "DOTNET_EnableAVX512"),
        };
        var results = new JsonObject();
        var first = default(string);
        var same = true;
        foreach (var (name, threads, variable) in variants)
        {
            var folder = Path.Combine(proof.Folder, name.Replace(' ', '-').Replace(',', '-'));
            if (first is not null) Proof.CopyStages(Path.Combine(proof.Folder, "2-threads"), folder);
            proof.Train(folder, ["--threads", threads], variable);
            var weights = Proof.Weights(folder);
            results[name] = weights;
            first ??= weights;
            same &= weights == first;
            proof.Say($"{name}: weights {weights}");
        }
        return proof.Conclude("same-bits", same, results);
    }

    private sealed record Proof(string Folder, IReadOnlyList<string> Settings, int Kills, ulong Seed, TextWriter Output, TextWriter Error)
    {
        public void Say(string text) => Error.WriteLine(text);

        /// <summary>Trains to the end; a run that cannot is a failed proof.</summary>
        public void Train(string folder, IReadOnlyList<string> options, string? switchedOff = null)
        {
            using var process = Start(folder, options, switchedOff);
            string? lastWords = null;
            process.ErrorDataReceived += (_, line) => lastWords = line.Data ?? lastWords;
            process.WaitForExit();
            if (process.ExitCode != ExitCode.Success)
                throw new UserErrorException(FormattableString.Invariant($"{folder}: the training run ended with exit code {process.ExitCode}: {lastWords}"));
        }

        public Process Start(string folder, IReadOnlyList<string> options, string? switchedOff = null)
        {
            var start = new ProcessStartInfo(Environment.ProcessPath!) { RedirectStandardError = true, RedirectStandardOutput = true };
            if (Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet") start.ArgumentList.Add(typeof(ProveCommand).Assembly.Location);
            foreach (var argument in (string[])["train", Path.Combine(Folder, RecipeName), .. Settings, "--out", folder, .. options]) start.ArgumentList.Add(argument);
            if (switchedOff is not null) start.Environment[switchedOff] = "0";
            var process = Process.Start(start)!;
            process.OutputDataReceived += static (_, _) => { };
            process.ErrorDataReceived += static (_, _) => { };
            process.BeginOutputReadLine();
            process.BeginErrorReadLine();
            return process;
        }

        /// <summary>Takes over the stages before training: they are not what is proved here.</summary>
        public static void CopyStages(string from, string to)
        {
            foreach (var stage in new[] { "corpus", "tokenizer", "tokens" })
            {
                foreach (var file in Directory.GetFiles(Path.Combine(from, stage), "*", SearchOption.AllDirectories))
                {
                    var target = Path.Combine(to, Path.GetRelativePath(from, file));
                    Directory.CreateDirectory(Path.GetDirectoryName(target)!);
                    File.Copy(file, target);
                }
            }
        }

        public static string Weights(string folder) => JsonNode.Parse(File.ReadAllBytes(Path.Combine(folder, "training", Trainer.ResultName)))!["weightsSha256"]!.GetValue<string>();

        public int Conclude(string name, bool holds, JsonObject details)
        {
            details["proof"] = name;
            details["holds"] = holds;
            Output.WriteLine(details.ToJsonString());
            return holds ? ExitCode.Success : ExitCode.Bug;
        }
    }
}
