namespace OpenEuroLLM.Core.Tests;

public sealed class CounterRandomTests
{
    // Known answers of Philox 4x32-10 (Random123 distribution): counter words 0..3, key words 0..1, result words 0..3.
    [Theory]
    [InlineData(0UL, 0UL, 0UL, 0xe169c58d6627e8d5UL, 0x9b00dbd8bc57ac4cUL)]
    [InlineData(0xffffffffffffffffUL, 0xffffffffffffffffUL, 0xffffffffffffffffUL, 0x41c83b0e408f276dUL, 0x6d5451fda20bc7c6UL)]
    [InlineData(0x85a308d3243f6a88UL, 0x0370734413198a2eUL, 0x299f31d0a4093822UL, 0x94fdccebd16cfe09UL, 0x24126ea15001e420UL)]
    public void Blocks_are_the_published_ones(ulong index, ulong stream, ulong seed, ulong first, ulong second) =>
        Assert.Equal((first, second), new CounterRandom(seed, stream).Block(index));

    [Fact]
    public void Values_are_golden()
    {
        var random = new CounterRandom(1, 0).Substream("data order");
        Assert.Equal(GoldenStream, random.Stream);
        Assert.Equal(GoldenUniform, random.UniformAt(5));
        Assert.Equal(GoldenBelow, random.Below(6, 1000));
        Assert.Equal(GoldenNormal, BitConverter.SingleToInt32Bits(random.NormalAt(7)));
    }

    // Computed by a second implementation in another language.
    private const ulong GoldenStream = 2211671393806249143;
    private const double GoldenUniform = 0.6663044848874928;
    private const uint GoldenBelow = 257;
    private const int GoldenNormal = -1083679876;

    [Fact]
    public void Seeds_streams_and_indices_give_different_values()
    {
        var seen = new HashSet<ulong>();
        for (ulong seed = 0; seed < 10; seed++)
            for (ulong stream = 0; stream < 10; stream++)
                for (ulong index = 0; index < 100; index++) Assert.True(seen.Add(new CounterRandom(seed, stream).At(index)));
        var root = new CounterRandom(1, 0);
        Assert.NotEqual(root.Substream("a").At(0), root.Substream("b").At(0));
        Assert.NotEqual(root.Substream("a").Substream("b"), root.Substream("b").Substream("a"));
    }

    [Fact]
    public void Uniform_values_fill_the_interval_evenly()
    {
        var random = new CounterRandom(7, 3);
        int[] bins = new int[64];
        for (ulong i = 0; i < 64_000; i++)
        {
            double value = random.UniformAt(i);
            Assert.InRange(value, 0, 1 - 1e-16);
            bins[(int)(value * 64)]++;
        }

        double chiSquare = bins.Sum(count => (count - 1000.0) * (count - 1000.0) / 1000);
        Assert.InRange(chiSquare, 30, 110); // 63 degrees of freedom: 0.9998 of all streams
    }

    [Fact]
    public void Bounded_values_fill_their_range()
    {
        var random = new CounterRandom(7, 4);
        int[] bins = new int[7];
        for (ulong i = 0; i < 70_000; i++) bins[random.Below(i, 7)]++;
        Assert.All(bins, count => Assert.InRange(count, 9_600, 10_400));
        Assert.Equal(0u, random.Below(0, 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => random.Below(0, 0));
    }

    [Fact]
    public void Normal_values_have_the_moments_of_their_distribution()
    {
        var random = new CounterRandom(7, 5);
        const int count = 100_000;
        double sum = 0, squares = 0, fourth = 0;
        for (ulong i = 0; i < count; i++)
        {
            double value = random.NormalAt(i);
            sum += value;
            squares += value * value;
            fourth += value * value * value * value;
        }

        Assert.InRange(sum / count, -0.015, 0.015);
        Assert.InRange(squares / count, 0.98, 1.02);
        Assert.InRange(fourth / count, 2.85, 3.15);
    }

    [Fact]
    public void Each_bit_is_set_half_the_time_and_neighbours_are_independent()
    {
        var random = new CounterRandom(0, 0); // the least varied inputs
        int[] set = new int[64], flipped = new int[64];
        for (ulong i = 0; i < 10_000; i++)
        {
            ulong value = random.At(i), change = value ^ random.At(i + 1);
            for (int bit = 0; bit < 64; bit++)
            {
                set[bit] += (int)(value >> bit) & 1;
                flipped[bit] += (int)(change >> bit) & 1;
            }
        }

        Assert.All(set.Concat(flipped), count => Assert.InRange(count, 4_780, 5_220));
    }
}
