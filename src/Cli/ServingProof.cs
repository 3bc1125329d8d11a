using System.Globalization;
using System.Text.Json.Nodes;
using OpenEuroLLM.Core;

namespace OpenEuroLLM.Cli;

/// <summary>What the proofs of the server share: its process, its clients, and the word how far they are.</summary>
internal sealed class ServingProof
{
    private readonly StatusLine status;
    private readonly long began = SystemClock.Instance.Timestamp;

    public ServingProof(ProofRun run)
    {
        if (run.Settings.Count > 0) throw new UserErrorException($"'{run.Settings[0]}' is a setting of a recipe; the proof '{run.Name}' has none, leave it out.");
        if (!OperatingSystem.IsLinux()) throw new UserErrorException("the proofs of the server count its threads and files in /proc, which only Linux has.");
        Run = run;
        File.WriteAllText(run.RecipePath, "{}");    // marks the folder as a proof's
        Model = ModelPath.Resolve(run.Model);
        status = new StatusLine(run.Error, quiet: false);
    }

    public ProofRun Run { get; }

    public string Model { get; }

    public CancellationToken Cancellation => Run.Cancellation;

    public double Seconds => SystemClock.Instance.SecondsSince(began);

    public Task<ServerChild> StartAsync(int threads) =>
        ServerChild.StartAsync(["--model", Model, "--threads", threads.ToString(CultureInfo.InvariantCulture)], Cancellation);

    public Task<ServerChild> StartAsync() => StartAsync(Environment.ProcessorCount);

    /// <summary>Says how far it is; most calls are left out.</summary>
    public void Update(string text) => status.Update($"prove {Run.Name}  {text}");

    /// <summary>A line that stays.</summary>
    public void Say(string text) => status.Say($"prove {Run.Name}  {text}");

    /// <summary>The time that a share of the work leaves to the rest.</summary>
    public static string Left(double seconds, double share) => share > 0 ? StatusLine.Time(seconds / share * (1 - share)) : "?";

    /// <summary>Runs numbered work on several clients at once, the next number as soon as a client is free.</summary>
    /// <param name="clients">How many.</param>
    /// <param name="next">The next number; null ends a client.</param>
    /// <param name="work">What a client does with a number.</param>
    public static async Task RunClientsAsync(int clients, Func<int?> next, Func<int, int, Task> work)
    {
        async Task Client(int client)
        {
            while (next() is int number) await work(client, number).ConfigureAwait(false);
        }
        await Task.WhenAll(Enumerable.Range(0, clients).Select(client => Task.Run(() => Client(client)))).ConfigureAwait(false);
    }

    /// <summary>Numbers from 0 on, for many threads.</summary>
    public static Func<int?> Numbers(int count)
    {
        int taken = -1;
        return () => Interlocked.Increment(ref taken) is var number && number < count ? number : null;
    }

    /// <summary>Prints the result and keeps it in the folder.</summary>
    public int Conclude(bool holds, JsonObject details)
    {
        details["seconds"] = Math.Round(Seconds, 1);
        int code = Run.Conclude(holds, details);
        File.WriteAllText(Path.Combine(Run.Folder, "result.json"), details.ToJsonString() + "\n");
        return code;
    }
}
