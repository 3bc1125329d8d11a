using OpenEuroLLM.Core;

namespace OpenEuroLLM.Corpus;

/// <summary>Where the time of a build goes: seconds of all workers by what they did. Where nobody asks, nothing is measured.</summary>
/// <param name="clock">The clock.</param>
public sealed class StepTimes(IClock clock)
{
    /// <summary>Reading and unpacking the source, and extracting the texts of pages.</summary>
    public const string Reading = "reading";

    /// <summary>Reading documents again that an earlier phase wrote.</summary>
    public const string ReadingAgain = "reading-again";

    /// <summary>Writing documents for the next phase.</summary>
    public const string WorkWriting = "work-writing";

    /// <summary>Hashing the source.</summary>
    public const string Hashing = "hashing";

    /// <summary>Writing the corpus.</summary>
    public const string Writing = "writing";

    private readonly Lock _gate = new();
    private readonly Dictionary<string, double> _seconds = new(StringComparer.Ordinal);

    /// <summary>Seconds by step, the longest first.</summary>
    public IReadOnlyList<(string Step, double Seconds)> Seconds
    {
        get
        {
            lock (_gate) return [.. _seconds.OrderByDescending(step => step.Value).Select(step => (step.Key, step.Value))];
        }
    }

    /// <summary>What comparing the measures of a step is called.</summary>
    internal static string Comparing(string step) => step + ", comparing";

    /// <summary>A moment to count from.</summary>
    internal long Now => clock.Timestamp;

    /// <summary>Adds the time since a moment.</summary>
    internal void Add(string step, long since)
    {
        double seconds = clock.SecondsSince(since);
        lock (_gate) _seconds[step] = _seconds.GetValueOrDefault(step) + seconds;
    }

    /// <summary>The items, with the time counted that they take to come.</summary>
    internal static IEnumerable<T> Counted<T>(StepTimes? times, string step, IEnumerable<T> items) => times is null ? items : times.Counted(step, items);

    private IEnumerable<T> Counted<T>(string step, IEnumerable<T> items)
    {
        using IEnumerator<T> each = items.GetEnumerator();
        while (true)
        {
            long since = Now;
            bool more = each.MoveNext();
            Add(step, since);
            if (!more) yield break;
            yield return each.Current;
        }
    }
}
