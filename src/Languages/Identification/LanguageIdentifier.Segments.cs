using System.Buffers;
using System.Text;
using OpenEuroLLM.Core;

namespace OpenEuroLLM.Languages.Identification;

public sealed unsafe partial class LanguageIdentifier
{
    // What a change of language costs, in nats: a short piece that looks foreign (a name, a title) does not make a segment of its own.
    private const double ChangeCost = 5;

    // No piece is taken for more certain than this, so that one alone can be outvoted by its neighbours.
    private const double LeastProbability = 1e-5;

    private const int LongestPiece = 400;

    /// <summary>The parts of a mixed text by language: sentences, joined where neighbours share a language. Together they cover the text.</summary>
    /// <param name="utf8">The text, at most 2 GB.</param>
    /// <param name="threshold">A part below this confidence is <see cref="Unknown"/>.</param>
    public IReadOnlyList<LanguageSegment> Segment(ReadOnlySpan<byte> utf8, double threshold = DefaultThreshold)
    {
        var pieces = Pieces(utf8);
        if (pieces.Count == 0) return [];
        string[] labels = [.. Labels, Unknown];
        int[] path = MostProbablePath(utf8, pieces, labels);
        var segments = new List<LanguageSegment>();
        for (int first = 0; first < pieces.Count;)
        {
            int last = first;
            while (last + 1 < pieces.Count && path[last + 1] == path[first]) last++;
            int start = pieces[first].Start, length = pieces[last].Start + pieces[last].Length - start;
            double confidence = Confidence(utf8.Slice(start, length), labels[path[first]]);
            segments.Add(new LanguageSegment(start, length, confidence >= threshold ? labels[path[first]] : Unknown, confidence));
            first = last + 1;
        }

        return segments;
    }

    private double Confidence(ReadOnlySpan<byte> text, string label)
    {
        Span<IdentifiedLanguage> ranked = new IdentifiedLanguage[MostLabels];
        double confidence = 0;
        foreach (var answer in ranked[..Rank(text, ranked)])
            if (answer.Label == label) confidence += answer.Confidence;
        return confidence;
    }

    // Viterbi over pieces: each label's cost in each piece, and one cost for any change.
    private int[] MostProbablePath(ReadOnlySpan<byte> text, List<(int Start, int Length)> pieces, string[] labels)
    {
        var numbers = labels.Select((label, number) => (label, number)).ToDictionary(pair => pair.label, pair => pair.number);
        var from = new byte[pieces.Count * labels.Length];
        var costs = new double[labels.Length];
        var probabilities = new double[labels.Length];
        var ranked = new IdentifiedLanguage[MostLabels];
        for (int piece = 0; piece < pieces.Count; piece++)
        {
            Array.Clear(probabilities);
            int count = Rank(text.Slice(pieces[piece].Start, pieces[piece].Length), ranked);
            foreach (var answer in ranked.AsSpan(0, count)) probabilities[numbers[answer.Label]] += answer.Confidence;
            int cheapest = Array.IndexOf(costs, costs.Min());
            double change = costs[cheapest] + ChangeCost;
            for (int label = 0; label < labels.Length; label++)
            {
                bool changes = piece > 0 && change < costs[label];
                from[piece * labels.Length + label] = (byte)(changes ? cheapest : label);
                costs[label] = (changes ? change : costs[label]) - Numerics.Log(Math.Max(probabilities[label], LeastProbability));
            }
        }

        int[] path = new int[pieces.Count];
        int now = Array.IndexOf(costs, costs.Min());
        for (int piece = pieces.Count - 1; piece >= 0; piece--)
        {
            path[piece] = now;
            now = from[piece * labels.Length + now];
        }

        return path;
    }

    // A piece ends after a line feed, after the end of a sentence and its blanks, or at a blank when it is long.
    private static List<(int Start, int Length)> Pieces(ReadOnlySpan<byte> text)
    {
        var pieces = new List<(int, int)>();
        int start = 0;
        for (int position = 0; position < text.Length;)
        {
            if (Rune.DecodeFromUtf8(text[position..], out var rune, out int bytes) != OperationStatus.Done) rune = Rune.ReplacementChar;
            position += bytes;
            bool ends = rune.Value == '\n' || (IsStop(rune.Value) && (position == text.Length || text[position] is (byte)' ' or (byte)'"' or (byte)'\n')) ||
                (position - start > LongestPiece && rune.Value == ' ') || position - start > 2 * LongestPiece;
            if (!ends) continue;
            while (position < text.Length && text[position] is (byte)' ' or (byte)'\n' or (byte)'\r' or (byte)'\t') position++;
            pieces.Add((start, position - start));
            start = position;
        }

        if (start < text.Length) pieces.Add((start, text.Length - start));
        return pieces;
    }

    private static bool IsStop(int character) => character is '.' or '!' or '?' or ';' or 0x2026 or 0x37E or 0x3002;
}
