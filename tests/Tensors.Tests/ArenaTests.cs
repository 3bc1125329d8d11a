using OpenEuroLLM.Core;

namespace OpenEuroLLM.Tensors.Tests;

public sealed unsafe class ArenaTests
{
    [Fact]
    public void Pieces_never_overlap_and_what_is_given_back_is_used_again()
    {
        using var arena = new Arena();
        var random = new CounterRandom(3, 1);
        var held = new List<(nint Address, long Count, int Stamp)>();
        for (var i = 0; i < 3000; i++)
        {
            if (held.Count > 0 && random.Below((ulong)i, 100) < (held.Count > 60 ? 70u : 40u))
            {
                var place = (int)random.Below((ulong)i + 100_000, (uint)held.Count);
                var (address, count, stamp) = held[place];
                Assert.False(new Span<int>((void*)address, (int)count).ContainsAnyExcept(stamp));
                arena.Give((float*)address, count);
                held.RemoveAt(place);
                continue;
            }
            var size = 1 + (long)random.Below((ulong)i + 200_000, 5000);
            var memory = arena.Take(size);
            Assert.Equal(0, (nint)memory % Arena.Alignment);
            new Span<int>(memory, (int)size).Fill(i);
            held.Add(((nint)memory, size, i));
        }
        foreach (var (address, count, _) in held) arena.Give((float*)address, count);
        Assert.Equal(0, arena.UsedBytes);
        Assert.True(arena.TouchedBytes < 2 * arena.PeakBytes, $"touched {arena.TouchedBytes}, at most {arena.PeakBytes} in use at once");
        // All holes have grown together again: the whole block can be had in one piece, from its beginning.
        var whole = arena.Take((64L << 20) / sizeof(float));
        arena.Give(whole, (64L << 20) / sizeof(float));
        arena.Reset();
        Assert.Equal((nint)whole, (nint)arena.Take(1));
    }

    [Fact]
    public void An_outline_gives_places_without_memory_and_counts_as_the_arena_does()
    {
        using var real = new Arena();
        using var outline = new Arena(outline: true);
        var random = new CounterRandom(5, 1);
        var held = new List<(nint Real, nint Outline, long Count)>();
        for (var i = 0; i < 200; i++)
        {
            if (held.Count > 0 && random.Below((ulong)i, 3) == 0)
            {
                var (a, b, count) = held[0];
                real.Give((float*)a, count);
                outline.Give((float*)b, count);
                held.RemoveAt(0);
            }
            var size = (long)random.Below((ulong)i + 1000, 8 << 20);
            held.Add(((nint)real.Take(size), (nint)outline.Take(size), size));
            Assert.Equal((real.UsedBytes, real.PeakBytes, real.TouchedBytes), (outline.UsedBytes, outline.PeakBytes, outline.TouchedBytes));
        }
        Assert.True(real.TouchedBytes > 1L << 30); // several blocks
        outline.Take(1L << 40); // far more than any machine of today
    }

    [Fact]
    public void More_memory_than_there_is_is_refused_with_both_figures()
    {
        var error = Assert.Throws<UserErrorException>(() => new NumberBuffer(1L << 44));
        Assert.Matches(@"^One piece of memory needs about 70368\.7 GB of memory, [0-9.]+ [MG]B are available; ", error.Message);
    }
}
