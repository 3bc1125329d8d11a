using OpenEuroLLM.Core;

namespace OpenEuroLLM.Languages.Identification;

/// <summary>Chooses the features that a table has room for: those that tell most about the label, counted in equally many windows of every label.</summary>
internal static class FeatureSelection
{
    // A feature of a single window is an accident.
    private const int LeastWindows = 3;

    /// <summary>The features of every place of a table; 0 where a place stays empty.</summary>
    public static ulong[] Choose(IReadOnlyList<TrainingClass> classes, bool cyrillic, int buckets, IdentifierConfig config, ILauncher launcher, Action progress, CancellationToken cancellation)
    {
        var counted = new (ulong Feature, int Count)[classes.Count][];
        launcher.Run(classes.Count, number =>
        {
            counted[number] = Count(classes[number], cyrillic, config);
            progress();
        }, cancellation);
        int[][] groups = [.. IdentificationScores.CloseGroups.Select(group => classes.Select((label, number) => group.Contains(label.Label) ? number : -1).Where(number => number >= 0).ToArray())];
        return Place(Rate(counted, [.. groups.Where(group => group.Length > 1)], config.CloseWeight), buckets);
    }

    private static (ulong, int)[] Count(TrainingClass label, bool cyrillic, IdentifierConfig config)
    {
        var counts = new Dictionary<ulong, int>();
        var window = new WindowFeatures(cyrillic, config, new CounterRandom((ulong)config.Seed, 0).Substream("selection " + label.Label));
        var seen = new HashSet<ulong>();
        for (int index = 0; index < config.Windows; index++)
        {
            window.Fill(label.Window((ulong)index), (ulong)index, drops: false);
            seen.Clear();
            foreach (ulong feature in window.Features)
                if (seen.Add(feature))
                    System.Runtime.InteropServices.CollectionsMarshal.GetValueRefOrAddDefault(counts, feature, out _)++;
        }

        // Features seen once in all windows of a label cannot matter much, and they are the most.
        var list = counts.Where(pair => pair.Value > 1).Select(pair => (pair.Key, pair.Value)).ToArray();
        Array.Sort(list, (a, b) => a.Key.CompareTo(b.Key));
        return list;
    }

    // Windows with the feature, times the information about the label (Kullback-Leibler divergence from "all labels alike"); and the same within each
    // group of close languages, or what sets these apart would have no place beside what sets them off from all others.
    private static (ulong Feature, double Worth)[] Rate((ulong Feature, int Count)[][] counted, int[][] groups, double closeWeight)
    {
        var rated = new List<(ulong, double)>();
        var positions = new int[counted.Length];
        var queue = new PriorityQueue<int, ulong>();
        for (int label = 0; label < counted.Length; label++)
            if (counted[label].Length > 0) queue.Enqueue(label, counted[label][0].Feature);
        var here = new int[counted.Length];
        int[] everyone = [.. Enumerable.Range(0, counted.Length)];
        while (queue.TryPeek(out _, out ulong feature))
        {
            Array.Clear(here);
            while (queue.TryPeek(out int label, out ulong next) && next == feature)
            {
                queue.Dequeue();
                here[label] = counted[label][positions[label]].Count;
                if (++positions[label] < counted[label].Length) queue.Enqueue(label, counted[label][positions[label]].Feature);
            }

            if (here.Sum() < LeastWindows) continue;
            double worth = Information(here, everyone);
            foreach (int[] group in groups) worth += closeWeight * Information(here, group);
            rated.Add((feature, worth));
        }

        return [.. rated];
    }

    private static double Information(int[] counts, int[] labels)
    {
        double all = 0, sum = 0;
        foreach (int label in labels) all += counts[label];
        foreach (int label in labels)
            if (counts[label] > 0) sum += counts[label] * Numerics.Log(counts[label] / all * labels.Length);
        return sum;
    }

    private static ulong[] Place((ulong Feature, double Worth)[] rated, int buckets)
    {
        Array.Sort(rated, (a, b) => b.Worth != a.Worth ? b.Worth.CompareTo(a.Worth) : a.Feature.CompareTo(b.Feature));
        var places = new ulong[buckets * ScoreTable.BucketRows];
        var filled = new byte[buckets];
        foreach (var (feature, _) in rated)
        {
            uint bucket = ScoreTable.Bucket(feature, (uint)buckets);
            if (filled[bucket] == ScoreTable.BucketRows) continue;
            var row = places.AsSpan((int)bucket * ScoreTable.BucketRows, filled[bucket]);
            bool taken = false;
            foreach (ulong other in row) taken |= ScoreTable.Mark(other) == ScoreTable.Mark(feature);
            if (!taken) places[bucket * ScoreTable.BucketRows + filled[bucket]++] = feature;
        }

        return places;
    }
}
