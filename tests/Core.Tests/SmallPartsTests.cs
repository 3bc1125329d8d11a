namespace OpenEuroLLM.Core.Tests;

public sealed class SmallPartsTests
{
    [Theory]
    [InlineData("min-word", "min-words")]
    [InlineData("LAYERS", "layers")]
    [InlineData("lyaers", "layers")]
    [InlineData("learningrate", "learningRate")]
    [InlineData("warmup", null)]
    [InlineData("", null)]
    public void The_nearest_known_name_is_suggested(string found, string? expected) =>
        Assert.Equal(expected, SuggestedName.Closest(found, ["layers", "learningRate", "min-words", "heads"]));

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    public void A_launcher_runs_every_task_once(int workers)
    {
        int[] runs = new int[1000];
        new LocalLauncher(workers).Run(runs.Length, index => Interlocked.Increment(ref runs[index]), TestContext.Current.CancellationToken);
        Assert.All(runs, count => Assert.Equal(1, count));
        new LocalLauncher(workers).Run(0, _ => Assert.Fail("there is no task"), TestContext.Current.CancellationToken);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    public void A_launcher_throws_the_failure_and_starts_nothing_more(int workers)
    {
        const int Many = 1_000_000_000; // the thread of task 3 may have to wait while the others go on
        int started = 0;
        var error = Assert.Throws<UserErrorException>(() => new LocalLauncher(workers).Run(Many, index =>
        {
            Interlocked.Increment(ref started);
            if (index == 3) throw new UserErrorException("task 3");
        }, TestContext.Current.CancellationToken));
        Assert.Equal("task 3", error.Message);
        Assert.True(started < Many);
    }

    [Fact]
    public void A_launcher_stops_when_told()
    {
        using var source = new CancellationTokenSource();
        int started = 0;
        Assert.Throws<OperationCanceledException>(() => new LocalLauncher(2).Run(100_000, _ =>
        {
            if (Interlocked.Increment(ref started) == 5) source.Cancel();
        }, source.Token));
        Assert.InRange(started, 5, 99_999);
    }

    [Fact]
    public void The_build_has_a_version() => Assert.StartsWith("0.", BuildVersion.Current);

    [Fact]
    public void Time_goes_on()
    {
        long before = SystemClock.Instance.Timestamp;
        Assert.True(SystemClock.Instance.SecondsSince(before) >= 0);
        Assert.Equal(TimeSpan.Zero, SystemClock.Instance.UtcNow.Offset);
    }
}

public sealed class EnergyMeterTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private void Counter(string zone, long microjoules)
    {
        Directory.CreateDirectory(_folder[zone]);
        File.WriteAllText(_folder[zone + "/max_energy_range_uj"], "1000000000\n");
        File.WriteAllText(_folder[zone + "/energy_uj"], $"{microjoules}\n");
    }

    [Fact]
    public void Packages_are_summed_across_a_wrap_and_their_parts_left_out()
    {
        Counter("intel-rapl:0", 999_000_000);
        Counter("intel-rapl:1", 5_000_000);
        Counter("intel-rapl:0:0", 1);
        using var meter = new EnergyMeasurement(_folder.Path, Timeout.InfiniteTimeSpan);
        Counter("intel-rapl:0", 2_000_000); // wrapped: 3 J
        Counter("intel-rapl:1", 9_000_000); // 4 J
        Counter("intel-rapl:0:0", 900_000_000);
        Assert.Equal(7.0, meter.Joules!.Value, 6);
        Assert.Equal("processor package counters (2)", meter.Source);
    }

    [Fact]
    public void Without_counters_nothing_is_measured_and_nothing_guessed()
    {
        using var meter = new EnergyMeasurement(_folder["absent"], Timeout.InfiniteTimeSpan);
        Assert.Null(meter.Joules);
        Assert.StartsWith("not measured", meter.Source);
    }
}
