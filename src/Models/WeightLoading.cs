using System.Buffers;
using OpenEuroLLM.Core;
using OpenEuroLLM.Formats.Quantization;
using OpenEuroLLM.Tensors;

namespace OpenEuroLLM.Models;

/// <summary>Brings weights from where they are stored into the engine, in pieces and by several threads.</summary>
internal static class WeightLoading
{
    /// <summary>What is read stays in the second-level cache until it is packed.</summary>
    private const int PieceBytes = 1 << 19;

    /// <summary>Rows of the largest packed panel; pieces begin with one, so that threads never share a panel.</summary>
    private const int PanelRows = 32;

    public static LanguageModel Load(ModelSource source, Engine engine, bool trainable)
    {
        var launcher = new LocalLauncher(Environment.ProcessorCount);
        return source.Config.Join(new ModelWeights(source.Config, shape => Read(source, shape, trainable, launcher)), engine);
    }

    private static Weight Read(ModelSource source, WeightShape shape, bool trainable, LocalLauncher launcher)
    {
        var format = source.FormatOf(shape);
        var weight = trainable ? Weight.Trainable(shape.Name, shape.Rows, shape.Columns)
            : shape.IsVector ? Weight.Vector(shape.Name, shape.Columns)
            : Weight.Packed(shape.Name, shape.Rows, shape.Columns, ElementTypeOf(format));
        try
        {
            var rowBytes = format.RowBytes(shape.Columns);
            var rowsPerPiece = (int)Math.Clamp(PieceBytes / rowBytes / PanelRows * PanelRows, PanelRows, Math.Max(PanelRows, Array.MaxLength / rowBytes));
            launcher.Run((shape.Rows + rowsPerPiece - 1) / rowsPerPiece, piece =>
            {
                var first = piece * rowsPerPiece;
                var buffer = ArrayPool<byte>.Shared.Rent(checked((int)(Math.Min(rowsPerPiece, shape.Rows - first) * rowBytes)));
                try
                {
                    var stored = buffer.AsSpan(0, (int)(Math.Min(rowsPerPiece, shape.Rows - first) * rowBytes));
                    source.Read(shape, first, stored);
                    if (weight.Type == ElementTypeOf(format)) weight.SetRows(first, stored);
                    else SetDecoded(weight, first, format, stored, (int)rowBytes);
                }
                finally
                {
                    ArrayPool<byte>.Shared.Return(buffer);
                }
            });
            return weight;
        }
        catch (UserErrorException exception) when (!exception.Message.StartsWith(source.FileOf(shape), StringComparison.Ordinal))
        {
            weight.Dispose();
            throw new UserErrorException($"{source.FileOf(shape)}: {exception.Message}", exception);
        }
        catch
        {
            weight.Dispose();
            throw;
        }
    }

    private static void SetDecoded(Weight weight, int first, BlockFormat format, ReadOnlySpan<byte> stored, int rowBytes)
    {
        var row = new float[weight.Columns];
        for (var r = 0; r < stored.Length / rowBytes; r++)
        {
            format.Decode(stored.Slice(r * rowBytes, rowBytes), row);
            weight.SetRow(first + r, row);
        }
    }

    private static ElementType ElementTypeOf(BlockFormat format) => Enum.Parse<ElementType>(format.Name);
}
