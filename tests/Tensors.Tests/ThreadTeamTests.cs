namespace OpenEuroLLM.Tensors.Tests;

public sealed unsafe class ThreadTeamTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(5)]
    public void Every_item_of_every_round_is_done_once(int threads)
    {
        using var team = new ThreadTeam(threads);
        var counts = stackalloc int[100];
        var total = 0;
        for (var round = 0; round < 2_000; round++)
        {
            var items = round % 101;
            team.Run(new Counting((nint)counts, threads), items);
            total += items;
        }
        var sum = 0;
        for (var item = 0; item < 100; item++)
        {
            sum += counts[item];
            if (item > 0) Assert.True(counts[item] <= counts[item - 1]); // item i takes part in every round of more than i items
        }
        Assert.Equal(total, sum);
    }

    [Fact]
    public void All_threads_take_part_when_items_need_them()
    {
        using var team = new ThreadTeam(3);
        var meeting = 0;
        team.Run(new Meeting((nint)(&meeting), 3), 3); // ends only when all three have come
        Assert.Equal(3, meeting);
    }

    [Fact]
    public void Workers_that_have_parked_wake_up()
    {
        using var team = new ThreadTeam(3);
        for (var round = 0; round < 3; round++)
        {
            Assert.True(SpinWait.SpinUntil(() => team.ParkedWorkers == 2, TimeSpan.FromSeconds(60)), "an idle team burns its cores");
            var meeting = 0;
            team.Run(new Meeting((nint)(&meeting), 3), 3);
            Assert.Equal(3, meeting);
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void A_failure_reaches_the_caller_after_all_threads_have_stopped_and_the_team_lives_on(int threads)
    {
        using var team = new ThreadTeam(threads);
        var counts = stackalloc int[50];
        for (var round = 0; round < 200; round++)
        {
            var failing = round % 50;
            var exception = Assert.Throws<InvalidTimeZoneException>(() => team.Run(new Failing(failing), 50));
            Assert.Equal("item " + failing.ToString(System.Globalization.CultureInfo.InvariantCulture), exception.Message);
            team.Run(new Counting((nint)counts, threads), 50);
        }
        for (var item = 0; item < 50; item++) Assert.Equal(200, counts[item]);
    }

    [Fact]
    public void A_team_ends_while_parked_and_while_spinning()
    {
        for (var i = 0; i < 50; i++)
        {
            var team = new ThreadTeam(3);
            if (i % 2 == 0) team.Run(default(Failing), 0);
            if (i == 49) Assert.True(SpinWait.SpinUntil(() => team.ParkedWorkers == 2, TimeSpan.FromMinutes(10))); // a busy machine takes a slice of time for each of thousands of yields
            team.Dispose();
        }
    }

    [Fact]
    public void A_team_without_threads_is_refused() => Assert.Throws<ArgumentOutOfRangeException>(() => new ThreadTeam(0));

    private readonly record struct Counting(nint Counts, int Threads) : IWork
    {
        public void Execute(int item, int thread)
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)thread, (uint)Threads);
            Interlocked.Increment(ref ((int*)Counts)[item]);
        }
    }

    private readonly record struct Meeting(nint Arrived, int Expected) : IWork
    {
        public void Execute(int item, int thread)
        {
            Interlocked.Increment(ref *(int*)Arrived);
            while (Volatile.Read(ref *(int*)Arrived) < Expected) Thread.Yield();
        }
    }

    private readonly record struct Failing(int Item) : IWork
    {
        public void Execute(int item, int thread)
        {
            if (item == Item) throw new InvalidTimeZoneException("item " + item.ToString(System.Globalization.CultureInfo.InvariantCulture));
        }
    }
}
