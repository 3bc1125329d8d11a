using OpenEuroLLM.Core;
using OpenEuroLLM.Formats.Quantization;

namespace OpenEuroLLM.Models;

/// <summary>How far a conversion is.</summary>
/// <param name="Weight">The weight under way.</param>
/// <param name="DoneParameters">Parameters written.</param>
/// <param name="Parameters">Parameters of the model.</param>
public sealed record ConversionProgress(string Weight, long DoneParameters, long Parameters);

/// <summary>Carries a model from a source to a target, weight by weight and in pieces: memory does not grow with the model.</summary>
public static class ModelConversion
{
    private const int PieceNumbers = 1 << 22;
    private const int TaskNumbers = 1 << 17;

    /// <summary>Converts a model. Weights whose storage stays as it is are passed on byte for byte.</summary>
    /// <param name="source">Where the weights come from.</param>
    /// <param name="target">Where they go.</param>
    /// <param name="formatOf">How each weight is to be stored.</param>
    /// <param name="launcher">Threads that encode; the result does not depend on their number.</param>
    /// <param name="progress">Told after each piece.</param>
    /// <param name="statistics">How strongly inputs are used, which a quantization weighs its errors with; null counts all alike.</param>
    /// <param name="cancellation">Stops between pieces.</param>
    /// <exception cref="UserErrorException">A number is infinite or not a number, or too large for its new storage; or the disk failed.</exception>
    public static void Run(ModelSource source, ModelTarget target, Func<WeightShape, BlockFormat> formatOf,
        ILauncher? launcher = null, IProgress<ConversionProgress>? progress = null, ActivationStatistics? statistics = null, CancellationToken cancellation = default)
    {
        launcher ??= new LocalLauncher(Environment.ProcessorCount);
        var weights = source.Config.Weights.Select(shape => (Shape: shape, Format: formatOf(shape))).ToList();
        target.Begin(source.Config, weights);
        var (done, all) = (0L, weights.Sum(weight => weight.Shape.Count));
        foreach (var (shape, format) in weights.OrderBy(weight => weight.Shape.GgufKey is null)) // metadata stands before tensors
        {
            var importance = format.IsQuantized && statistics is not null ? statistics.Of(shape) : [];
            var rowsPerPiece = RowsPerPiece(shape, shape.GgufHeadRows ?? 1);
            for (var first = 0; first < shape.Rows; first += rowsPerPiece)
            {
                var count = Math.Min(rowsPerPiece, shape.Rows - first);
                target.Write(shape, format, Encode(source, shape, first, count, format, importance, launcher, cancellation));
                done += (long)count * shape.Columns;
                progress?.Report(new(shape.Name, done, all));
            }
        }
        target.Finish();
    }

    /// <summary>Of queries and keys a whole number of heads, since targets may change the order of rows within a head.</summary>
    private static int RowsPerPiece(WeightShape shape, int together) => Math.Max(together, PieceNumbers / shape.Columns / together * together);

    private static byte[] Encode(ModelSource source, WeightShape shape, int first, int count, BlockFormat format, float[] importance, ILauncher launcher, CancellationToken cancellation)
    {
        var stored = source.FormatOf(shape);
        var (storedBytes, encodedBytes) = (checked((int)stored.RowBytes(shape.Columns)), checked((int)format.RowBytes(shape.Columns)));
        var encoded = GC.AllocateUninitializedArray<byte>(checked(count * encodedBytes));
        var rowsPerTask = Math.Max(1, TaskNumbers / shape.Columns);
        launcher.Run((count + rowsPerTask - 1) / rowsPerTask, task =>
        {
            var begin = task * rowsPerTask;
            var rows = Math.Min(rowsPerTask, count - begin);
            var bytes = GC.AllocateUninitializedArray<byte>(rows * storedBytes);
            var values = GC.AllocateUninitializedArray<float>(rows * shape.Columns);
            source.Read(shape, first + begin, bytes);
            stored.Decode(bytes, values);
            RequireStorable(source, shape, first + begin, values, format);
            var place = encoded.AsSpan(begin * encodedBytes, rows * encodedBytes);
            if (format == stored) bytes.CopyTo(place);
            else format.Encode(values, importance, place);
        }, cancellation);
        return encoded;
    }

    private static void RequireStorable(ModelSource source, WeightShape shape, int firstRow, ReadOnlySpan<float> values, BlockFormat format)
    {
        for (var i = 0; i < values.Length; i++)
        {
            if (Math.Abs(values[i]) <= format.LargestMagnitude) continue; // false for what is not a number
            var where = FormattableString.Invariant($"{source.FileOf(shape)}: {shape.Name}: number {i % shape.Columns} in row {firstRow + i / shape.Columns} is {values[i]}");
            throw new UserErrorException(float.IsFinite(values[i])
                ? FormattableString.Invariant($"{where}; {format.Name} holds magnitudes up to {format.LargestMagnitude}. Choose another type.")
                : $"{where}; expected a finite number: the weights are damaged or their training diverged.");
        }
    }
}
