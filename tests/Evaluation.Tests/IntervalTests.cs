namespace OpenEuroLLM.Evaluation.Tests;

public sealed class IntervalTests
{
    // Computed independently from Wilson's formula with 50 decimal digits.
    [Theory]
    [InlineData(0, 10, 0, 0.277532799862889)]
    [InlineData(10, 10, 0.722467200137111, 1)]
    [InlineData(1, 2, 0.094531205734231, 0.905468794265769)]
    [InlineData(18, 20, 0.698966354771513, 0.972133518786232)]
    [InlineData(81, 263, 0.255288519878274, 0.366209576982800)]
    public void Wilsons_interval_has_the_known_values(int hits, int items, double low, double high)
    {
        var interval = Interval.Wilson(hits, items);
        Assert.Equal(low, interval.Low, 9);
        Assert.Equal(high, interval.High, 9);
    }

    [Fact]
    public void An_interval_holds_its_share_and_stays_within_bounds()
    {
        for (int items = 1; items < 60; items++)
            for (int hits = 0; hits <= items; hits++)
            {
                var (low, high) = Interval.Wilson(hits, items);
                Assert.InRange((double)hits / items, low, high);
                Assert.True(low >= 0 && high <= 1 && low < high);
            }
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(3, 2)]
    [InlineData(-1, 2)]
    public void Impossible_counts_are_refused(int hits, int items) => Assert.Throws<ArgumentOutOfRangeException>(() => Interval.Wilson(hits, items));
}
