using System.Runtime.InteropServices;
using OpenEuroLLM.Formats.Quantization;
using OpenEuroLLM.Tensors;

namespace OpenEuroLLM.Models;

/// <summary>The weights of a model in memory, as single precision: the values that its storage stands for, exactly.</summary>
internal sealed class LoadedSource(LanguageModel model) : ModelSource(model.Config, "the model in memory")
{
    private readonly Dictionary<string, Weight> weights = model.Weights.ToDictionary(weight => weight.Name, StringComparer.Ordinal);

    public override BlockFormat FormatOf(WeightShape shape) => BlockFormat.F32;

    public override void Read(WeightShape shape, int firstRow, Span<byte> rows)
    {
        var values = MemoryMarshal.Cast<byte, float>(rows);
        for (var r = 0; r < values.Length / shape.Columns; r++) weights[shape.Name].CopyRow(firstRow + r, values.Slice(r * shape.Columns, shape.Columns));
    }
}
