using System.Runtime.InteropServices;
using OpenEuroLLM.Formats.Quantization;

namespace OpenEuroLLM.Models.Tests;

/// <summary>A model in single precision with its matrices quantized as they are read, as a file would hold them; also for families and settings that GGUF has no form for.</summary>
internal sealed class QuantizedSource(ModelSource model, BlockFormat format) : ModelSource(model.Config, model.Path)
{
    public override BlockFormat FormatOf(WeightShape shape) => shape.IsVector || shape.Role == WeightRole.Positions ? BlockFormat.F32 : format;

    public override void Read(WeightShape shape, int firstRow, Span<byte> rows)
    {
        if (FormatOf(shape) == BlockFormat.F32)
        {
            model.Read(shape, firstRow, rows);
            return;
        }
        var values = new float[rows.Length / format.RowBytes(shape.Columns) * shape.Columns];
        model.Read(shape, firstRow, MemoryMarshal.AsBytes(values.AsSpan()));
        format.Encode(values, rows);
    }

    public override void Dispose()
    {
        model.Dispose();
        base.Dispose();
    }
}
