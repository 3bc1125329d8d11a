using OpenEuroLLM.Core;

namespace OpenEuroLLM.Inference.Tests;

public sealed class FairQueueTests
{
    private static readonly EngineLimits _small = new(BatchRows: 24, Sequences: 4, WaitingAnswers: 4096);

    public static TheoryData<ulong> Seeds => [.. Enumerable.Range(1, 12).Select(seed => (ulong)seed)];

    // Whole numbers that depend on seed and place alone.
    private sealed class Dice(ulong seed)
    {
        private readonly CounterRandom _random = new(seed, 7);
        private ulong _place;

        public int From(int least, int most) => least + (int)(_random.UniformAt(_place++) * (most - least + 1));
    }

    [Theory, MemberData(nameof(Seeds))]
    public async Task A_light_tenant_waits_for_about_one_admission_whatever_others_have_queued(ulong seed)
    {
        var dice = new Dice(seed);
        var plan = new List<Arrival>();
        int heavy = dice.From(1, 4);
        for (int tenant = 0; tenant < heavy; tenant++)
            for (int i = dice.From(40, 120); i > 0; i--) plan.Add(new Arrival(dice.From(0, 1) * dice.From(0, 60), $"heavy {tenant}", dice.From(1, 60), dice.From(1, 20)));
        for (int i = 0; i < 12; i++) plan.Add(new Arrival(dice.From(80, 250), $"light {i}", dice.From(1, 30), dice.From(1, 10)));
        using var run = new SchedulerRun(_small);
        await run.RunAsync(plan);

        var light = run.All.Where(asked => asked.Arrival.Tenant!.StartsWith("light", StringComparison.Ordinal)).ToList();
        Assert.Equal(12, light.Count);
        Assert.All(light, asked => Assert.InRange(asked.Begun!.Value - asked.AdmittedBefore, 0, 2 + asked.LightWaiting));
        Assert.All(run.All, asked => Assert.Equal(asked.Arrival.Answer, asked.Tokens));
    }

    [Theory, MemberData(nameof(Seeds))]
    public async Task Tenants_that_always_wait_get_equal_shares_whatever_the_size_of_their_requests(ulong seed)
    {
        var dice = new Dice(seed);
        int tenants = dice.From(2, 5);
        var plan = new List<Arrival>();
        for (int tenant = 0; tenant < tenants; tenant++)
        {
            // Sizes differ between tenants by more than ten times.
            int prompt = dice.From(1, 80), answer = dice.From(2, 40);
            for (int tokens = 0; tokens < 15_000; tokens += prompt + answer) plan.Add(new Arrival(0, $"tenant {tenant}", prompt, answer));
        }

        using var run = new SchedulerRun(_small with { WaitingAnswers = 100_000 });
        Dictionary<string, int> served = [];
        run.AtStep = _ =>
        {
            if (run.Steps != 1000) return;
            served = run.All.GroupBy(asked => asked.Arrival.Tenant!).ToDictionary(group => group.Key,
                group => group.Sum(asked => asked.Tokens + (asked.Tokens > 0 ? asked.Arrival.Prompt : 0)));
            run.End();
        };
        await run.RunAsync(plan);
        double mean = served.Values.Average();
        Assert.Equal(tenants, served.Count);
        Assert.True(mean > 1000, $"{mean} tokens each");
        // What is under way at the end is at most a few requests.
        Assert.All(served, share => Assert.InRange(share.Value, (mean * 0.97) - 120, (mean * 1.03) + 120));
    }

    [Theory, MemberData(nameof(Seeds))]
    public async Task Nothing_waits_while_there_is_a_place_and_no_row_stays_free_while_a_prompt_is_unfinished(ulong seed)
    {
        var dice = new Dice(seed);
        Arrival[] plan = [.. Enumerable.Range(0, 150).Select(i => new Arrival(i < 5 ? 0 : dice.From(0, 400), $"tenant {dice.From(0, 6)}", dice.From(1, 90), dice.From(1, 12)))];
        using var run = new SchedulerRun(_small);
        int arrivedBefore = 0, checks = 0;
        run.AtStep = rows =>
        {
            // What arrives within a step is admitted at the next.
            var status = run.Status;
            if (arrivedBefore == run.All.Count && status.Waiting > 0) Assert.Equal(_small.Sequences, status.Running);
            Assert.True(rows.Sum() == _small.BatchRows || rows.Length == status.Running, $"{rows.Sum()} rows of {rows.Length} parts, {status.Running} answers");
            Assert.InRange(rows.Sum(), 1, _small.BatchRows);
            (arrivedBefore, checks) = (run.All.Count, checks + 1);
        };
        await run.RunAsync(plan);
        Assert.True(checks > 100);
    }

    [Theory, MemberData(nameof(Seeds))]
    public async Task A_higher_priority_goes_first_whoever_asks(ulong seed)
    {
        var dice = new Dice(seed);
        Arrival[] plan = [.. Enumerable.Range(0, 120).Select(i => new Arrival(i < 5 ? 0 : dice.From(0, 60), $"tenant {dice.From(0, 3)}", dice.From(1, 40), dice.From(1, 12), dice.From(-2, 2)))];
        using var run = new SchedulerRun(_small);
        int checks = 0;
        run.AtAdmission = (begun, waiting) =>
        {
            checks += waiting.Count;
            Assert.All(waiting, other => Assert.True(other.Arrival.Priority <= begun.Arrival.Priority || other.Job!.Begun > 0));
        };
        await run.RunAsync(plan);
        Assert.True(checks > 1000);
    }

    [Theory, MemberData(nameof(Seeds))]
    public async Task A_large_request_is_not_overtaken_for_ever(ulong seed)
    {
        var dice = new Dice(seed);
        // 40 pages of 8 tokens: the large request needs 38 of them, small ones come in an endless stream from tenants that nobody has seen before.
        var plan = new List<Arrival> { new(30, "large", 280, 20) };
        for (int i = 0; i < 200; i++) plan.Add(new Arrival(i, $"light {i / 3}", dice.From(1, 20), dice.From(4, 30)));
        using var run = new SchedulerRun(_small, pages: 40);
        await run.RunAsync(plan);
        var large = run.All.Single(asked => asked.Arrival.Tenant == "large");
        Assert.Equal(20, large.Tokens);
        Assert.InRange(large.Begun!.Value - large.AdmittedBefore, 0, 2 + large.LightWaiting);
    }

    [Fact]
    public async Task Long_prompts_of_two_tenants_share_the_rows_of_a_step_and_a_short_one_goes_before_both()
    {
        using var run = new SchedulerRun(new EngineLimits(BatchRows: 128, Sequences: 8));
        var steps = new List<int[]>();
        run.AtStep = rows =>
        {
            steps.Add(rows);
            if (run.Steps == 1) run.Ask(new Arrival(1, "short", 40, 1));
        };
        // The first tenant has two long prompts: it gets no more than the second for that.
        await run.RunAsync([new(0, "one", 400, 1), new(0, "one", 400, 1), new(0, "two", 400, 1)]);
        Assert.Equal([64, 64], steps[0]);
        // The short one first, then a slice for the one tenant and the rest for the other, which gets the difference back in the next steps.
        Assert.Equal([64, 40, 24], steps[1].OrderDescending());
        Assert.Equal(40, steps[1][^1]);
        Assert.All(steps.Skip(2).Take(4), rows => Assert.Equal([64, 64], rows));
    }

    [Theory]
    [InlineData(0.001, 150)]    // what is done in 0.15 seconds
    [InlineData(0.1, 33)]       // where that is nearly nothing, prompts get on all the same
    [InlineData(0.0001, 256)]
    public async Task A_prompt_takes_its_rows_in_pieces_that_let_others_have_their_next_token_soon(double rowSeconds, int most)
    {
        var clock = new StepClock();
        using var run = new SchedulerRun(new EngineLimits(BatchRows: 256, Sequences: 8), clock: clock);
        var steps = new List<int[]>();
        run.AtStep = rows =>
        {
            steps.Add(rows);
            clock.Seconds += rows.Sum() * rowSeconds;
        };
        await run.RunAsync([new(0, "one", 300, 60), new(5, "two", 450, 1)]);
        Assert.Equal([[256], [44]], steps.Take(2)); // nobody else waits
        int[][] both = [.. steps.Where(rows => rows.Length == 2)];
        Assert.Equal(450, both.Sum(rows => rows.Max()));
        Assert.All(both[..^1], rows => Assert.InRange(rows.Sum(), most - 1, most));
    }

    [Fact]
    public async Task A_full_queue_is_shared_and_the_newest_of_the_largest_give_way()
    {
        using var run = new SchedulerRun(new EngineLimits(BatchRows: 1, Sequences: 1, WaitingAnswers: 10));
        var late = new List<SchedulerRun.Asked>();
        run.AtStep = _ =>
        {
            if (run.Steps != 3) return;
            for (int i = 0; i < 7; i++) late.Add(run.Ask(new Arrival(3, "second", 2, 2)));
            late.Add(run.Ask(new Arrival(3, "first", 2, 2)));
            Assert.Equal(10, run.Status.Waiting);
        };
        await run.RunAsync(Enumerable.Range(0, 11).Select(i => new Arrival(i == 0 ? 0 : 1, "first", 5, 5)));
        // Half of ten each: five of the second are taken, for which the five newest of the first went.
        Assert.Equal([false, false, false, false, false, true, true, true], late.Select(asked => asked.Error is not null));
        var first = run.All.Where(asked => asked.Arrival.Step <= 1).ToList();
        Assert.Equal([.. Enumerable.Repeat(false, 6), .. Enumerable.Repeat(true, 5)], first.Select(asked => asked.Error is not null));
        Assert.All(run.All.Where(asked => asked.Error is not null), asked => Assert.Equal(RequestErrorCode.Overloaded, Assert.IsType<RequestException>(asked.Error).Code));
    }

    [Fact]
    public async Task A_refusal_says_how_long_what_waits_will_need_at_the_measured_speed()
    {
        var clock = new StepClock();
        using var run = new SchedulerRun(new EngineLimits(BatchRows: 1, Sequences: 1, WaitingAnswers: 4), clock: clock);
        SchedulerRun.Asked? refused = null;
        double speed = 0;
        run.AtStep = _ =>
        {
            clock.Seconds += 0.5; // each step computes one row, the last row of a prompt a token of the answer as well
            // The answer under way, of 5 and 10, is done by now; four wait, one of which has begun.
            if (run.Steps == 20) refused = run.Ask(new Arrival(20, "a", 5, 10));
            if (run.Steps == 20) speed = run.Status.TokensPerSecond;
        };
        await run.RunAsync([new(0, "a", 5, 10), new(0, "a", 5, 10), new(16, "a", 5, 10), new(16, "a", 5, 10), new(16, "a", 5, 10), new(16, "a", 5, 10)]);
        // Four answers of 5 + 10 tokens wait.
        Assert.InRange(speed, 2, 2.3);
        Assert.Equal((int)Math.Ceiling(60 / speed), Assert.IsType<RequestException>(refused!.Error).RetryAfterSeconds);
        Assert.Equal(0, run.Status.QueueSeconds);
    }

    [Fact]
    public async Task Tenants_that_left_are_forgotten()
    {
        using var run = new SchedulerRun(new EngineLimits(BatchRows: 64, Sequences: 8, WaitingAnswers: 100_000));
        int most = 0;
        run.AtStep = _ => most = Math.Max(most, run.Status.TenantAccounts);
        await run.RunAsync(Enumerable.Range(0, 3000).Select(i => new Arrival(i / 3, i % 2 == 0 ? "always" : $"once {i}", 6, 4)));
        Assert.InRange(most, 2, 1500 + 8);
        await run.RunAsync([]);
        Assert.True(SpinWait.SpinUntil(() => run.Status is { Running: 0, TenantAccounts: 0 }, TimeSpan.FromSeconds(20)));
    }

    [Fact]
    public async Task A_tenant_that_paused_has_saved_up_nothing()
    {
        using var run = new SchedulerRun(new EngineLimits(BatchRows: 16, Sequences: 1, WaitingAnswers: 4096));
        // "idle" comes when "busy" has got thousands of tokens: from then on they take turns.
        await run.RunAsync([.. Enumerable.Range(0, 300).Select(_ => new Arrival(0, "busy", 10, 10)), .. Enumerable.Range(0, 40).Select(_ => new Arrival(1500, "idle", 10, 10))]);
        int start = run.All.First(asked => asked.Arrival.Tenant == "idle").Begun!.Value;
        Assert.InRange(run.Admitted.Skip(start).Take(20).Count(asked => asked.Arrival.Tenant == "idle"), 9, 11);
    }

    private sealed class StepClock : IClock
    {
        public double Seconds { get; set; }
        public DateTimeOffset UtcNow => DateTimeOffset.UnixEpoch.AddSeconds(Seconds);
        public long Timestamp => (long)(Seconds * 1000);
        public double SecondsSince(long timestamp) => Seconds - (timestamp / 1000.0);
    }
}
