using System.Collections.Concurrent;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using OpenEuroLLM.Core;

namespace OpenEuroLLM.Cli;

/// <summary>The proof <c>serving-overload</c>: ten times the requests that the server can answer cost little of what it does answer; the others are refused, and it is itself again right afterwards.</summary>
internal static class ProveServingOverload
{
    private const double UsualMinutes = 5, Factor = 10;
    private const int UsualStreams = 64;
    private const double LeastGoodput = 0.9, MostRecoverySeconds = 10;

    // Long enough that an answer costs far more than its refusal and the client, who shares the machine.
    private const int Words = 30, Tokens = 64;

    public static async Task<int> RunAsync(ProofRun run)
    {
        var proof = new ServingProof(run);
        double minutes = run.Minutes ?? UsualMinutes, peakSeconds = Math.Clamp(minutes * 60 / 5, 5, 60);
        // The clients share the machine, in life they do not: one processor is left to them and to the refusals.
        int threads = Math.Max(1, Environment.ProcessorCount - 1);
        using ServerChild server = await proof.StartAsync(threads).ConfigureAwait(false);
        var load = new Load(proof, server);
        await load.SustainAsync(8, 2, "warming").ConfigureAwait(false);
        double[] alone = await load.AloneAsync(20).ConfigureAwait(false);
        double normal = 2 * BenchCommand.Quantile(alone, 0.99);
        Tally before = await load.SustainAsync(run.Streams ?? UsualStreams, peakSeconds, "sustained").ConfigureAwait(false);
        Tally over = await load.FloodAsync(before.AnswersPerSecond * Factor, minutes * 60).ConfigureAwait(false);
        double? recovery = await load.RecoverAsync(normal).ConfigureAwait(false);
        Tally after = await load.SustainAsync(run.Streams ?? UsualStreams, peakSeconds, "sustained again").ConfigureAwait(false);
        // The machine is shared with the clients and may be with others: the peak counts that was measured around the flood.
        double peak = (before.AnswersPerSecond + after.AnswersPerSecond) / 2, goodput = peak > 0 ? over.AnswersPerSecond / peak : 0;
        bool holds = goodput >= LeastGoodput && over.Broken == 0 && over.Other == 0 && over.Refused > 0 && over.RefusedWithoutTime == 0 && recovery <= MostRecoverySeconds && before.Refused + after.Refused == 0;
        return proof.Conclude(holds, new JsonObject
        {
            ["minutes"] = minutes,
            ["threads"] = threads,
            ["peakAnswersPerSecond"] = Math.Round(peak, 2),
            ["peakBefore"] = Math.Round(before.AnswersPerSecond, 2),
            ["peakAfter"] = Math.Round(after.AnswersPerSecond, 2),
            ["sentPerSecond"] = Math.Round(over.Sent / over.Seconds, 1),
            ["answersPerSecond"] = Math.Round(over.AnswersPerSecond, 2),
            ["goodput"] = Math.Round(goodput, 3),
            ["sent"] = over.Sent,
            ["answered"] = over.Answered,
            ["refused"] = over.Refused,
            ["refusedWithoutRetryAfter"] = over.RefusedWithoutTime,
            ["otherStatus"] = over.Other,
            ["brokenConnections"] = over.Broken,
            ["normalSeconds"] = double.IsFinite(normal) ? Math.Round(normal, 3) : null,
            ["normalAgainAfterSeconds"] = recovery is double seconds ? Math.Round(seconds, 2) : null,
        });
    }

    /// <summary>What became of requests.</summary>
    private sealed class Tally
    {
        private const double RampShare = 0.2;

        private readonly ConcurrentQueue<double> moments = [];
        private long began = SystemClock.Instance.Timestamp;
        private int sent, answered, refused, withoutTime, other, broken;

        public int Sent => sent;

        public int Answered => answered;

        public int Refused => refused;

        public int RefusedWithoutTime => withoutTime;

        public int Other => other;

        public int Broken => broken;

        public double Seconds { get; private set; }

        /// <summary>While the work was steady: after the first answers, which all come at once and late.</summary>
        public double AnswersPerSecond { get; private set; }

        /// <summary>Seconds since the beginning.</summary>
        public double Now => SystemClock.Instance.SecondsSince(began);

        public void Begin() => began = SystemClock.Instance.Timestamp;

        public void End(double seconds)
        {
            Seconds = Now;
            double steady = RampShare * seconds;
            AnswersPerSecond = moments.Count(moment => moment >= steady && moment <= seconds) / (seconds - steady);
        }

        public void Send() => Interlocked.Increment(ref sent);

        public void Break() => Interlocked.Increment(ref broken);

        public void Add(LoadAnswer answer)
        {
            if (answer is { Status: 200, Error: null, CompletionTokens: Tokens })
            {
                Interlocked.Increment(ref answered);
                moments.Enqueue(Now);
            }
            else if (answer.Status is 429 or 503)
            {
                Interlocked.Increment(ref refused);
                if (answer.RetryAfter is null) Interlocked.Increment(ref withoutTime);
            }
            else Interlocked.Increment(ref other);
        }
    }

    private sealed class Load(ServingProof proof, ServerChild server)
    {
        private readonly ServedTraffic traffic = new(server.Model, proof.Run.Seed);
        private readonly ConcurrentStack<LoadClient> idle = [];
        private int number;

        /// <summary>As many clients as streams, each with its next request when the last is answered: what the server can do.</summary>
        public async Task<Tally> SustainAsync(int streams, double seconds, string what)
        {
            var tally = new Tally();
            tally.Begin();
            Func<int?> numbers = ServingProof.Numbers(int.MaxValue);
            await ServingProof.RunClientsAsync(streams, () => tally.Now < seconds ? numbers() : null, async (_, _) =>
            {
                await AskAsync(tally).ConfigureAwait(false);
                proof.Update(FormattableString.Invariant($"{what}: {tally.Answered} answers, {Math.Max(0, seconds - tally.Now):0} s left"));
            }).ConfigureAwait(false);
            tally.End(seconds);
            proof.Say(FormattableString.Invariant($"{what}: {tally.AnswersPerSecond:0.0} answers/s"));
            return tally;
        }

        /// <summary>Times of single requests to an idle server.</summary>
        public async Task<double[]> AloneAsync(int count)
        {
            var seconds = new double[count];
            for (int i = 0; i < count; i++) seconds[i] = (await AskAsync(new Tally()).ConfigureAwait(false))?.Seconds ?? double.PositiveInfinity;
            return seconds;
        }

        /// <summary>Sends requests at even intervals, whatever becomes of those before.</summary>
        public async Task<Tally> FloodAsync(double perSecond, double seconds)
        {
            var tally = new Tally();
            var open = new ConcurrentDictionary<int, Task>();
            double said = 0;
            tally.Begin();
            for (double now = 0; (now = tally.Now) < seconds;)
            {
                for (; tally.Sent < now * perSecond; tally.Send())
                {
                    int own = tally.Sent;
                    open[own] = Task.Run(async () =>
                    {
                        await AskAsync(tally).ConfigureAwait(false);
                        open.TryRemove(own, out _);
                    });
                }
                if (now - said > 30)
                {
                    said = now;
                    proof.Say(FormattableString.Invariant($"flood: {tally.Sent} sent, {tally.Answered} answered ({tally.Answered / now:0.0}/s), {tally.Refused} refused, {tally.Other} otherwise, {tally.Broken} broken, {open.Count} open, {StatusLine.Time(seconds - now)} left"));
                }
                await Task.Delay(2, proof.Cancellation).ConfigureAwait(false);
            }
            tally.End(seconds);
            proof.Say(FormattableString.Invariant($"flood: {tally.AnswersPerSecond:0.0} answers/s of {perSecond:0.0} requests/s"));
            return tally;
        }

        /// <summary>Waits until a request takes no longer than on an idle server, and nothing is left of the flood.</summary>
        /// <returns>The seconds that it took; null when it took minutes.</returns>
        public async Task<double?> RecoverAsync(double normal)
        {
            long began = SystemClock.Instance.Timestamp;
            while (SystemClock.Instance.SecondsSince(began) < 120)
            {
                LoadAnswer? answer = await AskAsync(new Tally()).ConfigureAwait(false);
                if (answer is { Status: 200 } && answer.Seconds <= normal && await server.LoadAsync(proof.Cancellation).ConfigureAwait(false) is (0, 0, _))
                {
                    proof.Say(FormattableString.Invariant($"normal again after {SystemClock.Instance.SecondsSince(began):0.00} s"));
                    return SystemClock.Instance.SecondsSince(began);
                }
                await Task.Delay(50, proof.Cancellation).ConfigureAwait(false);
            }
            return null;
        }

        private async Task<LoadAnswer?> AskAsync(Tally tally)
        {
            if (!idle.TryPop(out LoadClient? client)) client = new LoadClient(server.Port);
            JsonObject body = traffic.Exact(Interlocked.Increment(ref number), Words, Tokens);
            try
            {
                LoadAnswer answer = await client.AskAsync(ServedTraffic.Wire(ServedTraffic.Text, body), proof.Cancellation).ConfigureAwait(false);
                tally.Add(answer);
                return answer;
            }
            catch (Exception problem) when (problem is IOException or SocketException)
            {
                tally.Break();
                return null;
            }
            finally
            {
                idle.Push(client);
            }
        }
    }
}
