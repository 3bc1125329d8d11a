using OpenEuroLLM.Core;

namespace OpenEuroLLM.Corpus.Building;

/// <summary>Which documents make up a given number of tokens: those whose ranks come first, as many as fit. A rank is a random number of the seed and the text's hash, so the
/// choice does not depend on the order of the documents, and a larger budget keeps what a smaller one has.</summary>
/// <remarks>Memory is a few megabytes whatever the number of documents: a histogram of ranks tells in which of its buckets the budget ends, and a second look
/// takes the documents of that bucket alone. Copies of a text have one rank; of them as many are taken as fit.</remarks>
internal sealed class BudgetSelection
{
    private const int BucketBits = 18;
    private const int MostInBucket = 1 << 16;

    private readonly CounterRandom _random;
    private readonly Key? _last;   // the first text that is not taken as a whole; null when all are taken
    private readonly long _copies; // of that text

    private BudgetSelection(CounterRandom random, Key? last, long copies, long tokens, long documents)
    {
        (_random, _last, _copies) = (random, last, copies);
        (Tokens, Documents) = (tokens, documents);
    }

    /// <summary>Tokens of the documents chosen: at most the budget, and short of it by less than the next document.</summary>
    public long Tokens { get; }

    /// <summary>How many documents are chosen.</summary>
    public long Documents { get; }

    /// <summary>Chooses.</summary>
    /// <param name="random">The stream of the seed that ranks are taken from.</param>
    /// <param name="budget">The most tokens.</param>
    /// <param name="documents">The hash and the tokens, from 0, of each document; asked for twice, the same documents each time in any order. Copies have equal tokens.</param>
    public static BudgetSelection Choose(CounterRandom random, long budget, Func<IEnumerable<(UInt128 Hash, long Tokens)>> documents)
    {
        long taken = 0, takenDocuments = 0;
        var prefix = default(Prefix);
        while (true)
        {
            (long[] tokens, int[] counts) = Histogram(random, prefix, documents());
            int bucket = 0;
            for (; bucket < tokens.Length && tokens[bucket] <= budget - taken; bucket++)
            {
                taken += tokens[bucket];
                takenDocuments += counts[bucket];
            }
            if (bucket == tokens.Length) return new BudgetSelection(random, null, 0, taken, takenDocuments);
            prefix = prefix.Inside((uint)bucket);
            if (counts[bucket] <= MostInBucket || prefix.IsWhole) return Finish(random, budget, prefix, documents(), taken, takenDocuments);
        }
    }

    /// <summary>Whether a document is chosen. Copies of one text that do not all fit are told apart by the order in which they are asked about.</summary>
    /// <param name="hash">The hash of its text.</param>
    /// <param name="copiesTaken">Begins at 0 and counts the copies taken of that text; the caller keeps it while it asks about all documents once.</param>
    public bool Takes(UInt128 hash, ref long copiesTaken)
    {
        if (_last is not { } last) return true;
        int order = Key.Of(_random, hash).CompareTo(last);
        return order < 0 || (order == 0 && copiesTaken++ < _copies);
    }

    private static (long[] Tokens, int[] Counts) Histogram(CounterRandom random, Prefix prefix, IEnumerable<(UInt128 Hash, long Tokens)> documents)
    {
        var tokens = new long[1 << BucketBits];
        var counts = new int[1 << BucketBits];
        foreach ((UInt128 hash, long length) in documents)
        {
            var key = Key.Of(random, hash);
            if (!prefix.Holds(key)) continue;
            uint bucket = prefix.Next(key);
            tokens[bucket] = checked(tokens[bucket] + length);
            if (counts[bucket] < int.MaxValue) counts[bucket]++;
        }
        return (tokens, counts);
    }

    private static BudgetSelection Finish(
        CounterRandom random, long budget, Prefix prefix, IEnumerable<(UInt128 Hash, long Tokens)> documents, long taken, long takenDocuments)
    {
        var texts = new SortedDictionary<Key, (long Tokens, long Copies)>();
        foreach ((UInt128 hash, long length) in documents)
        {
            var key = Key.Of(random, hash);
            if (!prefix.Holds(key)) continue;
            texts[key] = (length, texts.GetValueOrDefault(key).Copies + 1);
        }
        foreach ((Key key, (long length, long copies)) in texts)
        {
            long fit = length == 0 ? copies : Math.Min(copies, (budget - taken) / length);
            taken += fit * length;
            takenDocuments += fit;
            if (fit < copies) return new BudgetSelection(random, key, fit, taken, takenDocuments);
        }
        throw new InvalidOperationException("The documents differ between two looks at them.");
    }

    /// <summary>The place of a text in the order: its rank, and where two ranks are the same, its hash.</summary>
    private readonly record struct Key(ulong Rank, UInt128 Hash) : IComparable<Key>
    {
        public const int Bits = 64 + 128;

        public static Key Of(CounterRandom random, UInt128 hash) => new(random.At((ulong)hash), hash);

        public int CompareTo(Key other) => Rank != other.Rank ? Rank.CompareTo(other.Rank) : Hash.CompareTo(other.Hash);

        /// <summary>Some of its bits, counted from the top.</summary>
        public uint Slice(int from, int bits)
        {
            uint slice = 0;
            for (int i = from; i < from + bits; i++)
                slice = (slice << 1) | (uint)(i < 64 ? (Rank >> (63 - i)) & 1 : (ulong)(Hash >> (Bits - 1 - i)) & 1);
            return slice;
        }
    }

    /// <summary>The first bits of keys: whole slices of <see cref="BucketBits"/>.</summary>
    private readonly record struct Prefix(Key Value, int Bits)
    {
        public bool IsWhole => Bits == Key.Bits;

        private int NextBits => Math.Min(BucketBits, Key.Bits - Bits);

        public bool Holds(Key key) => Bits == 0 || (((key.Rank ^ Value.Rank) & RankMask) == 0 && ((key.Hash ^ Value.Hash) & HashMask) == 0);

        // Almost always the top of the rank.
        public uint Next(Key key) => Bits == 0 ? (uint)(key.Rank >> (64 - BucketBits)) : key.Slice(Bits, NextBits);

        public Prefix Inside(uint bucket)
        {
            (ulong rank, UInt128 hash) = Value;
            for (int i = 0; i < NextBits; i++)
            {
                int bit = Bits + i;
                ulong set = (bucket >> (NextBits - 1 - i)) & 1;
                if (bit < 64) rank |= set << (63 - bit);
                else hash |= (UInt128)set << (Key.Bits - 1 - bit);
            }
            return new Prefix(new Key(rank, hash), Bits + NextBits);
        }

        private ulong RankMask => Bits >= 64 ? ulong.MaxValue : ~(ulong.MaxValue >> Bits);

        private UInt128 HashMask => Bits <= 64 ? 0 : Bits == Key.Bits ? UInt128.MaxValue : ~(UInt128.MaxValue >> (Bits - 64));
    }
}
