using System.Text.Json.Nodes;
using OpenEuroLLM.Core;

namespace OpenEuroLLM.Cli;

/// <summary>The proof <c>resume</c>: a training run killed at random moments ends with the same weights.</summary>
internal static class ProveResume
{
    private const int UsualKills = 20;

    public static int Run(ProofRun proof)
    {
        var training = new ProveTraining(proof);
        int kills = proof.Kills ?? UsualKills;
        string undisturbed = Path.Combine(proof.Folder, "undisturbed");
        long began = SystemClock.Instance.Timestamp;
        training.Train(undisturbed, []);
        double seconds = SystemClock.Instance.SecondsSince(began);
        string expected = ProveTraining.Weights(undisturbed);
        proof.Say(FormattableString.Invariant($"undisturbed: {seconds:0.0} s, weights {expected}"));
        CounterRandom random = new CounterRandom(proof.Seed, 0).Substream("moments of the kills");
        // Each round is one folder, killed once at a random moment of the whole run and then resumed to its end. The stages before training
        // are taken over, so a run may end before its moment: that round proves nothing and another one takes its place.
        var (same, killed, rounds) = (0, 0, 0);
        for (int i = 0; killed < kills && i < 10 * kills; i++)
        {
            string folder = Path.Combine(proof.Folder, FormattableString.Invariant($"killed-{i + 1:D2}"));
            ProveTraining.CopyStages(undisturbed, folder);
            double moment = random.UniformAt((ulong)i) * seconds;
            using (ProofChild child = training.Start(folder))
            {
                rounds++;
                if (child.Wait(proof.Cancellation, TimeSpan.FromSeconds(moment)))
                {
                    // The moment lies behind the end: from now on moments are drawn from what a run really takes.
                    seconds = Math.Min(seconds, moment);
                    Directory.Delete(folder, recursive: true);
                    continue;
                }
                child.Kill();
                killed++;
            }
            training.Train(folder, []);
            string weights = ProveTraining.Weights(folder);
            if (weights == expected) same++;
            proof.Say(FormattableString.Invariant($"killed after {moment:0.00} s: {(weights == expected ? "same weights" : $"OTHER weights {weights}")}"));
            Directory.Delete(folder, recursive: true);
        }
        return proof.Conclude(killed == kills && same == killed, new JsonObject { ["rounds"] = rounds, ["killed"] = killed, ["sameWeights"] = same, ["weightsSha256"] = expected });
    }
}
