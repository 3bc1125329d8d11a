using static OpenEuroLLM.Tensors.Tests.Agreement;

namespace OpenEuroLLM.Tensors.Tests;

public sealed class KeyValueCacheTests
{
    [Fact]
    public void Pages_are_taken_as_tokens_need_them_and_given_back()
    {
        using var cache = new KeyValueCache(2, 1, 8, 4);
        Assert.Equal(4, cache.FreePages);
        var sequence = cache.Begin();
        Assert.Equal(4, cache.FreePages);
        sequence.Reserve(64);
        Assert.Equal(3, cache.FreePages);
        sequence.Reserve(65);
        Assert.Equal(2, cache.FreePages);
        sequence.Reserve(1);
        Assert.Equal(2, cache.FreePages);
        sequence.Dispose();
        Assert.Equal(4, cache.FreePages);
        sequence.Dispose();
        Assert.Equal(4, cache.FreePages);
    }

    [Fact]
    public void An_exhausted_cache_says_so_and_loses_no_page()
    {
        using var cache = new KeyValueCache(1, 1, 8, 3);
        using var first = cache.Begin();
        first.Reserve(100);
        var second = cache.Begin();
        Assert.False(second.TryReserve(100));
        Assert.Throws<InvalidOperationException>(() => second.Reserve(100));
        Assert.Throws<InvalidOperationException>(() => new SequenceLayout().Add(100, second));
        second.Dispose();
        Assert.Equal(1, cache.FreePages);
        Assert.True(second.TryReserve(64));
    }

    [Fact]
    public void Truncation_gives_back_only_pages_that_are_no_longer_needed()
    {
        using var cache = new KeyValueCache(1, 1, 8, 4);
        using var sequence = cache.Begin();
        sequence.Reserve(200);
        sequence.Advance(200);
        sequence.Truncate(129);
        Assert.Equal((129, 1), (sequence.Length, cache.FreePages));
        sequence.Truncate(128);
        Assert.Equal((128, 2), (sequence.Length, cache.FreePages));
        Assert.Throws<ArgumentOutOfRangeException>(() => sequence.Truncate(129));
        Assert.Throws<ArgumentOutOfRangeException>(() => sequence.Truncate(-1));
        sequence.Truncate(0);
        Assert.Equal((0, 4), (sequence.Length, cache.FreePages));
    }

    [Fact]
    public void Pages_before_a_position_can_be_given_back()
    {
        using var cache = new KeyValueCache(1, 1, 8, 4);
        using var sequence = cache.Begin();
        sequence.Reserve(256);
        sequence.Advance(200);
        Assert.Equal(0, cache.FreePages);
        sequence.Forget(63);
        Assert.Equal((0, 0), (sequence.Forgotten, cache.FreePages));
        sequence.Forget(130);
        Assert.Equal((128, 2), (sequence.Forgotten, cache.FreePages));
        sequence.Forget(70); // already
        Assert.Throws<ArgumentOutOfRangeException>(() => sequence.Forget(201));
        Assert.Throws<ArgumentOutOfRangeException>(() => sequence.Truncate(127));
        sequence.Truncate(128);
        Assert.Equal((128, 4), (sequence.Length, cache.FreePages));
        sequence.Reserve(192);
        Assert.Equal(3, cache.FreePages);
        sequence.Truncate(0);
        Assert.Equal((0, 0, 4), (sequence.Length, sequence.Forgotten, cache.FreePages));
        sequence.Reserve(64);
        Assert.Equal(3, cache.FreePages);
    }

    [Fact]
    public void Decoding_with_a_cache_gives_the_bits_of_the_whole_sequence_also_after_truncation_and_reuse_of_pages()
    {
        using var engine = new Engine(2);
        using var decoder = new SmallDecoder(layers: 2, width: 24, heads: 4, keyValueHeads: 2, hidden: 40, vocabulary: 30, tied: true);
        using var cache = decoder.CreateCache(4);
        var (tokens, _) = decoder.Text(140);
        var expected = Bits(decoder.Forward(engine, tokens, SmallDecoder.Layout(140)).Values);
        using (var noise = cache.Begin()) Continue(engine, decoder, noise, [.. tokens.Reverse()], 0, 140);
        using var sequence = cache.Begin();
        var first = 0;
        foreach (var chunk in new[] { 1, 70, 1, 1, 50 })
        {
            Assert.Equal(expected.AsSpan(first * 24, chunk * 24).ToArray(), Continue(engine, decoder, sequence, tokens, first, chunk));
            first += chunk;
        }
        Continue(engine, decoder, sequence, [.. tokens.Reverse()], 0, 20); // a wrong turn, taken back
        sequence.Truncate(100);
        Assert.Equal(expected.AsSpan(100 * 24).ToArray(), Continue(engine, decoder, sequence, tokens, 100, 40));
    }

    [Fact]
    public void Kept_pages_are_taken_over_and_give_the_bits_of_a_computed_beginning()
    {
        using var engine = new Engine(2);
        using var decoder = new SmallDecoder(layers: 2, width: 24, heads: 4, keyValueHeads: 2, hidden: 40, vocabulary: 30, tied: true);
        using var cache = decoder.CreateCache(8);
        var (tokens, _) = decoder.Text(200);
        var expected = Bits(decoder.Forward(engine, tokens, SmallDecoder.Layout(200)).Values);
        var names = Names(null, tokens);
        var first = cache.Begin();
        Continue(engine, decoder, first, tokens, 0, 200);
        for (var page = 0; page < 3; page++) first.Keep(page, names[page]);
        Assert.Throws<ArgumentOutOfRangeException>(() => first.Keep(3, names[0])); // not full
        first.Dispose();
        Assert.Equal(8, cache.FreePages);

        using var second = cache.Begin();
        using var third = cache.Begin();
        Assert.Equal(128, second.Adopt(names.AsSpan(0, 2)));
        Assert.Equal(192, third.Adopt(names));
        Assert.Equal(5, cache.FreePages); // three pages for two sequences
        Assert.Equal(expected.AsSpan(128 * 24).ToArray(), Continue(engine, decoder, second, tokens, 128, 72));
        Assert.Equal(expected.AsSpan(192 * 24).ToArray(), Continue(engine, decoder, third, tokens, 192, 8));
        Assert.Throws<InvalidOperationException>(() => third.Truncate(100)); // the page would be written, and the second reads it
        Assert.Equal(200, third.Length);
        Assert.Throws<InvalidOperationException>(() => third.Adopt(names));

        using var stranger = cache.Begin();
        Assert.Equal(0, stranger.Adopt(Names("other", tokens)));
        var changed = (int[])tokens.Clone();
        changed[70]++;
        Assert.Equal(64, stranger.Adopt(Names(null, changed)));
    }

    [Fact]
    public void Kept_pages_give_way_when_nothing_else_is_free_the_longest_unused_first_and_ends_before_beginnings()
    {
        using var cache = new KeyValueCache(1, 1, 8, 4);
        var (a, b) = (Names("a", new int[128]), Names("b", new int[128]));
        foreach (var names in new[] { a, b })
        {
            using var sequence = cache.Begin();
            sequence.Reserve(128);
            sequence.Advance(128);
            for (var page = 0; page < 2; page++) sequence.Keep(page, names[page]);
        }
        using (var again = cache.Begin()) Assert.Equal(128, again.Adopt(a)); // now b is the older
        using var large = cache.Begin();
        Assert.False(large.TryReserve(5 * 64));
        Assert.Equal(4, cache.Pool.KeptPages); // a failed attempt drives nothing out
        large.Reserve(64);
        using (var rest = cache.Begin()) Assert.Equal(64, rest.Adopt(b));
        large.Reserve(128); // b's beginning was used a moment ago: the end of a is the oldest now
        using (var whole = cache.Begin()) Assert.Equal(64, whole.Adopt(a));
        using (var rest = cache.Begin()) Assert.Equal(64, rest.Adopt(b));
        Assert.Equal((2, 2), (cache.Pool.KeptPages, cache.FreePages));
    }

    [Fact]
    public void A_kept_page_that_is_cut_and_written_again_loses_its_name()
    {
        using var cache = new KeyValueCache(1, 1, 8, 2);
        var names = Names(null, new int[64]);
        using var sequence = cache.Begin();
        sequence.Reserve(64);
        sequence.Advance(64);
        sequence.Keep(0, names[0]);
        sequence.Truncate(40);
        using var other = cache.Begin();
        Assert.Equal(0, other.Adopt(names));
    }

    private static PrefixHash[] Names(string? salt, int[] tokens)
    {
        var last = PrefixHash.Root(salt);
        return [.. tokens.Chunk(KeyValueCache.PageTokens).Where(page => page.Length == KeyValueCache.PageTokens).Select(page => last = last.Next(page))];
    }

    [Fact]
    public void Cached_and_whole_sequences_do_not_mix_in_a_batch()
    {
        using var cache = new KeyValueCache(1, 1, 8, 1);
        using var sequence = cache.Begin();
        var layout = SmallDecoder.Layout(3);
        Assert.Throws<ArgumentException>(() => layout.Add(1, sequence));
        Assert.Throws<ArgumentOutOfRangeException>(() => layout.Add(0));
        layout.Clear();
        layout.Add(1, sequence);
        Assert.True(layout.IsCached);
    }

    private static int[] Continue(Engine engine, SmallDecoder decoder, KeyValueSequence sequence, int[] tokens, int first, int count)
    {
        engine.Reset();
        var layout = new SequenceLayout();
        layout.Add(count, sequence);
        return Bits(decoder.Forward(engine, tokens.AsSpan(first, count), layout).Values);
    }
}
