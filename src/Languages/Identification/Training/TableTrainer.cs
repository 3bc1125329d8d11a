using System.Numerics;
using OpenEuroLLM.Core;

namespace OpenEuroLLM.Languages.Identification;

/// <summary>Multinomial logistic regression over the chosen features of one script: windows are drawn in batches on all threads, the steps are made one after
/// the other in a fixed order, so that the result does not depend on the threads.</summary>
internal sealed class TableTrainer
{
    private const int BatchWindows = 4096;

    private readonly IReadOnlyList<TrainingClass> _classes;
    private readonly bool _cyrillic;
    private readonly IdentifierConfig _config;
    private readonly ulong[] _places;
    private readonly uint _buckets;
    private readonly int _width;
    private readonly float[] _weights, _squares;
    private readonly CounterRandom _random;

    public TableTrainer(IReadOnlyList<TrainingClass> classes, bool cyrillic, ulong[] places, IdentifierConfig config)
    {
        (_classes, _cyrillic, _config, _places) = (classes, cyrillic, config, places);
        _buckets = (uint)(places.Length / ScoreTable.BucketRows);
        // A multiple of every register's lanes: columns beyond the labels stay zero.
        _width = (classes.Count + 15) / 16 * 16;
        _weights = new float[(long)places.Length * _width];
        _squares = new float[places.Length];
        _random = new CounterRandom((ulong)config.Seed, 0).Substream(cyrillic ? "cyrillic" : "latin");
    }

    /// <summary>The weights, row by row, each of <see cref="Width"/> columns.</summary>
    public float[] Weights => _weights;

    public int Width => _width;

    public long Windows => (long)_config.Passes * _config.Windows * _classes.Count;

    public void Run(ILauncher launcher, Action<long> progress, CancellationToken cancellation)
    {
        long total = Windows;
        var (current, next) = (new Batch(), new Batch());
        Draw(current, 0, launcher, cancellation);
        for (long first = 0; first < total; first += BatchWindows)
        {
            // One thread learns from a batch while the others draw the next one.
            long begin = first;
            var learning = new Thread(() => Learn(current, begin, total)) { IsBackground = true };
            learning.Start();
            try
            {
                if (first + BatchWindows < total) Draw(next, first + BatchWindows, launcher, cancellation);
            }
            finally
            {
                learning.Join();
            }

            (current, next) = (next, current);
            progress(Math.Min(first + BatchWindows, total));
        }
    }

    /// <summary>The logits of a window, and how many features it has.</summary>
    public int Score(ReadOnlySpan<byte> window, WindowFeatures features, Span<float> logits)
    {
        features.Fill(window, 0, drops: false);
        logits.Clear();
        foreach (ulong feature in features.Features)
        {
            int row = Find(feature);
            if (row < 0) continue;
            for (int column = 0; column < _width; column++) logits[column] += _weights[row * _width + column];
        }

        float divisor = (float)Math.Sqrt(Math.Max(1, features.Features.Count));
        for (int column = 0; column < _width; column++) logits[column] /= divisor;
        return features.Features.Count;
    }

    private void Draw(Batch batch, long first, ILauncher launcher, CancellationToken cancellation)
    {
        int windows = (int)Math.Min(BatchWindows, Windows - first);
        const int Task = 256;
        launcher.Run((windows + Task - 1) / Task, task =>
        {
            var window = new WindowFeatures(_cyrillic, _config, _random.Substream("drops"));
            for (int i = task * Task; i < Math.Min(windows, (task + 1) * Task); i++)
            {
                // Every label in turn, in another order each time.
                long index = first + i, round = index / _classes.Count;
                int label = (int)((index % _classes.Count + _random.Below((ulong)round, (uint)_classes.Count)) % _classes.Count);
                // The windows of the selection are not used again.
                window.Fill(_classes[label].Window((ulong)(_config.Windows + round)), (ulong)index, drops: true);
                batch.Rows[i] = Found(window.Features);
                batch.Features[i] = window.Features.Count;
                batch.Labels[i] = label;
            }
        }, cancellation);
        batch.Count = windows;
    }

    private int[] Found(List<ulong> features)
    {
        var rows = new int[features.Count];
        int count = 0;
        foreach (ulong feature in features)
            if (Find(feature) is >= 0 and int row) rows[count++] = row;
        return rows[..count];
    }

    private int Find(ulong feature)
    {
        int place = (int)ScoreTable.Bucket(feature, _buckets) * ScoreTable.BucketRows;
        ushort mark = ScoreTable.Mark(feature);
        for (int i = place; i < place + ScoreTable.BucketRows; i++)
            if (_places[i] != 0 && ScoreTable.Mark(_places[i]) == mark) return i;
        return -1;
    }

    private void Learn(Batch batch, long first, long total)
    {
        Span<float> logits = stackalloc float[_width];
        for (int i = 0; i < batch.Count; i++)
        {
            if (batch.Rows[i].Length == 0) continue;
            float rate = (float)(_config.LearningRate * (1 - (double)(first + i) / total));
            Step(batch.Rows[i], batch.Features[i], batch.Labels[i], rate, logits);
        }
    }

    private void Step(int[] rows, int features, int label, float rate, Span<float> logits)
    {
        int width = _width, lanes = Vector<float>.Count;
        var weights = _weights.AsSpan();
        logits.Clear();
        foreach (int row in rows)
        {
            var line = weights.Slice(row * width, width);
            for (int column = 0; column < width; column += lanes)
                (new Vector<float>(logits[column..]) + new Vector<float>(line[column..])).CopyTo(logits[column..]);
        }

        float value = 1 / (float)Math.Sqrt(features);
        Gradient(logits, value, label);
        float share = _classes[label].Share, square = 0;
        for (int column = 0; column < _classes.Count; column++) logits[column] *= share;
        for (int column = 0; column < _classes.Count; column++) square += logits[column] * logits[column];
        square = square * value * value;
        if (square < 1e-12f) return;
        foreach (int row in rows)
        {
            float step = rate * value / (float)Math.Sqrt((_squares[row] += square) + 1e-6f);
            var decay = new Vector<float>(1 - rate * (float)_config.Decay);
            var line = weights.Slice(row * width, width);
            for (int column = 0; column < width; column += lanes)
                (new Vector<float>(line[column..]) * decay - new Vector<float>(logits[column..]) * step).CopyTo(line[column..]);
        }
    }

    // Logits become probabilities minus one for the label: the gradient of the cross-entropy.
    private void Gradient(Span<float> logits, float value, int label)
    {
        float greatest = float.NegativeInfinity, total = 0;
        for (int column = 0; column < _classes.Count; column++) greatest = Math.Max(greatest, logits[column] *= value);
        for (int column = 0; column < _classes.Count; column++) total += logits[column] = (float)Numerics.Exp(logits[column] - greatest);
        for (int column = 0; column < _classes.Count; column++) logits[column] /= total;
        logits[label] -= 1;
        logits[_classes.Count..].Clear();
    }

    private sealed class Batch
    {
        public int[][] Rows { get; } = new int[BatchWindows][];

        public int[] Features { get; } = new int[BatchWindows];

        public int[] Labels { get; } = new int[BatchWindows];

        public int Count { get; set; }
    }
}
