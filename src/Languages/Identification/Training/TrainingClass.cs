using OpenEuroLLM.Core;

namespace OpenEuroLLM.Languages.Identification;

/// <summary>The text of one collection for one label, one paragraph a line.</summary>
/// <param name="Name">Of the collection.</param>
/// <param name="Text">The text.</param>
/// <param name="Weight">Of the collection within its label.</param>
/// <param name="IsMade">Whether it is put together from word lists: its end is no other text than its beginning, so it is not for measuring.</param>
internal sealed record TrainingSource(string Name, byte[] Text, double Weight, bool IsMade = false);

/// <summary>What one column of a table learns from.</summary>
internal sealed class TrainingClass
{
    private const int LongestWindow = 4096;

    // The rest of every collection is for measuring.
    private const double HeldOut = 0.95;

    private readonly TrainingSource[] _sources;
    private readonly double[] _bounds, _heldOutBounds;
    private readonly CounterRandom _random;

    public TrainingClass(string label, IReadOnlyList<TrainingSource> sources, CounterRandom random, double scriptShare = 1)
    {
        (Label, _sources) = (label, [.. sources.Where(source => source.Text.Length > 0)]);
        _random = random.Substream(label);
        _bounds = Bounds(_sources, source => source.Weight);
        _heldOutBounds = Bounds(_sources, source => source.IsMade && !_sources.All(other => other.IsMade) ? 0 : source.Weight);
        Share = LanguageCatalog.Identified.FirstOrDefault(language => language.Code == label)?.Alphabets.Count > 1 ? (float)scriptShare : 1;
    }

    public string Label { get; }

    public IReadOnlyList<TrainingSource> Sources => _sources;

    /// <summary>Weight of each of its windows.</summary>
    public float Share { get; }

    /// <summary>A window to train on: a few words of one paragraph. The same index gives the same window.</summary>
    public ReadOnlySpan<byte> Window(ulong index) => Draw(_random, _bounds, index, 0, HeldOut);

    /// <summary>A window of the ends of the collections, which are not trained on.</summary>
    public ReadOnlySpan<byte> HeldOutWindow(ulong index) => Draw(_random.Substream("held out"), _heldOutBounds, index, HeldOut, 1);

    private ReadOnlySpan<byte> Draw(CounterRandom random, double[] bounds, ulong index, double from, double to)
    {
        double draw = random.UniformAt(3 * index);
        int chosen = 0;
        while (chosen < bounds.Length - 1 && draw >= bounds[chosen]) chosen++;
        var all = _sources[chosen].Text;
        int first = (int)(all.Length * from);
        var text = all.AsSpan(first, (int)(all.Length * to) - first);
        if (text.IsEmpty) text = all;
        int words = Words(random.UniformAt(3 * index + 1));
        int start = (int)random.Below(3 * index + 2, (uint)text.Length);
        while (start > 0 && !IsGap(text[start - 1])) start--;
        while (start < text.Length && IsGap(text[start])) start++;
        if (start == text.Length) start = 0;
        int end = start, seen = 0;
        while (end < text.Length && text[end] != (byte)'\n' && end - start < LongestWindow)
        {
            if (text[end] == (byte)' ' && ++seen == words) break;
            end++;
        }

        return text[start..end];
    }

    // Half of the windows have up to five words, and some have as many as a long sentence.
    private static int Words(double draw) => draw switch
    {
        < 0.1 => 1,
        < 0.22 => 2,
        < 0.32 => 3,
        < 0.5 => 4 + (int)((draw - 0.32) / 0.18 * 3),
        _ => 7 + (int)((draw - 0.5) * 2 * 22),
    };

    private static double[] Bounds(TrainingSource[] sources, Func<TrainingSource, double> weight)
    {
        double total = sources.Sum(weight), bound = 0;
        return [.. sources.Select(source => bound += weight(source) / total)];
    }

    private static bool IsGap(byte value) => value is (byte)' ' or (byte)'\n';
}
