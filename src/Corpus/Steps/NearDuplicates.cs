using System.ComponentModel.DataAnnotations;
using System.Runtime.InteropServices;
using OpenEuroLLM.Core;
using OpenEuroLLM.Corpus.Deduplication;

namespace OpenEuroLLM.Corpus;

/// <summary>Keeps the first of documents that are nearly the same, over all languages and sources. Documents are sets of word sequences; two that agree in
/// all rows of a band of their MinHash signatures are compared by their whole signatures, and those that are similar enough form a cluster, of which the
/// first document stays.</summary>
/// <param name="Bands">More bands find more of the pairs that are less alike, and cost time.</param>
/// <param name="RowsPerBand">More rows compare fewer pairs that are not alike.</param>
/// <param name="Similarity">The least Jaccard similarity, estimated from the signatures, of two documents that are joined.</param>
/// <param name="ShingleWords">Words of a sequence.</param>
/// <remarks>See <see cref="Plan"/> for what the settings mean. Sources: Broder 1997; Leskovec, Rajaraman and Ullman, "Mining of Massive Datasets", 3.4.</remarks>
public sealed record NearDuplicates(
    [property: Range(1, 128)] int Bands = 32,
    [property: Range(1, 16)] int RowsPerBand = 8,
    [property: Range(0.0, 1.0)] double Similarity = 0.72,
    [property: Range(1, 64)] int ShingleWords = 5) : DuplicateStep
{
    /// <summary>Documents of one bucket that others of it are compared with; in a bucket of unlike documents the rest is left to other bands.</summary>
    private const int LeadersOfBucket = 32;

    [ThreadStatic]
    private static List<uint>? _shingles;

    /// <summary>How likely two documents of a similarity are joined by these settings, for similarities from 0.1 to 1.</summary>
    public IReadOnlyList<(double Jaccard, double Probability)> Plan() => [.. Enumerable.Range(2, 19).Select(step => (step / 20.0, JoinProbability(step / 20.0)))];

    /// <summary>The probability that a pair meets in a band and that its signatures agree enough, as if these were independent.</summary>
    private double JoinProbability(double jaccard)
    {
        double agreement = jaccard + (1 - jaccard) / 256;
        double meets = 1 - Power(1 - Power(agreement, RowsPerBand), Bands);
        int orders = Bands * RowsPerBand;
        int needed = (int)Math.Ceiling((Similarity * 255 / 256 + 1.0 / 256) * orders);
        double enough = 0;
        for (int equal = needed; equal <= orders; equal++) enough += Binomial(orders, equal, agreement);
        return meets * Math.Min(1, enough);
    }

    private static double Binomial(int n, int k, double p)
    {
        if (p >= 1) return k == n ? 1 : 0;
        double logarithm = k * Numerics.Log(p) + (n - k) * Numerics.Log(1 - p);
        for (int i = 1; i <= k; i++) logarithm += Numerics.Log((double)(n - k + i) / i);
        return Numerics.Exp(logarithm);
    }

    private static double Power(double value, int exponent)
    {
        double power = 1;
        for (int i = 0; i < exponent; i++) power *= value;
        return power;
    }

    internal override int MeasureBytes => Bands * RowsPerBand;

    internal override int KeyBytes => sizeof(ulong);

    internal override int Kinds => Bands;

    internal override bool Joins => true;

    internal override void Measure(Document document, Span<byte> measure)
    {
        List<uint> shingles = _shingles ??= [];
        shingles.Clear();
        Shingles.Add(document.Text, ShingleWords, shingles);
        if (shingles.Count == 0) return;
        MinHash.Of(MeasureBytes).Sign(CollectionsMarshal.AsSpan(shingles), measure);
    }

    internal override void Compare(MeasureTable table, KeyPart part, RowPairs found, CancellationToken cancellation) =>
        KeyGroups.Find(table, part, BandKey, key => (uint)(key >> 32), rows => FindSimilar(table, rows, found), cancellation);

    private ulong BandKey(ReadOnlySpan<byte> signature, int band)
    {
        ulong key = 0xCBF29CE484222325;
        foreach (byte value in signature.Slice(band * RowsPerBand, RowsPerBand)) key = (key ^ value) * 0x100000001B3;
        key = (key ^ (key >> 32)) * 0x9E3779B97F4A7C15;
        return key ^ (key >> 29);
    }

    private void FindSimilar(MeasureTable table, ReadOnlySpan<int> rows, RowPairs found)
    {
        MinHash minHash = MinHash.Of(MeasureBytes);
        int length = table.RowBytes, leaders = 0;
        byte[] leading = new byte[Math.Min(rows.Length, LeadersOfBucket) * length];
        Span<int> leaderRows = stackalloc int[LeadersOfBucket];
        Span<byte> signature = stackalloc byte[length];
        foreach (int row in rows)
        {
            table.Read(row, signature);
            int leader = 0;
            while (leader < leaders && minHash.Similarity(leading.AsSpan(leader * length, length), signature) < Similarity) leader++;
            if (leader < leaders)
            {
                found.Add(leaderRows[leader], row);
            }
            else if (leaders < LeadersOfBucket)
            {
                signature.CopyTo(leading.AsSpan(leaders * length));
                leaderRows[leaders++] = row;
            }
        }
    }
}
