using OpenEuroLLM.Core;
using OpenEuroLLM.Formats.Quantization;

namespace OpenEuroLLM.Models.Adapters;

/// <summary>A model with adapters merged into it as its rows are read. Plain types stay what they are, rounded once; an adapted matrix that is quantized is
/// handed out as BF16, since rounding it to its blocks again would lose what the adapter adds.</summary>
public sealed class AdaptedSource : ModelSource
{
    private readonly List<AdapterFolder> adapters = [];

    /// <summary>Opens adapters for a model, whose source it owns from then on.</summary>
    /// <param name="model">The model.</param>
    /// <param name="folders">Adapter folders; what they add is summed.</param>
    /// <exception cref="UserErrorException">An adapter is damaged, or made for another model.</exception>
    public AdaptedSource(ModelSource model, IReadOnlyList<string> folders) : base(model.Config, model.Path)
    {
        Base = model;
        try
        {
            foreach (var folder in folders) adapters.Add(new AdapterFolder(folder, model.Config));
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>The model without the adapters.</summary>
    public ModelSource Base { get; }

    /// <summary>What a user should know: a base of another name, matrices that take more memory.</summary>
    public IReadOnlyList<string> Notes
    {
        get
        {
            var notes = new List<string>();
            foreach (var adapter in adapters)
                if (adapter.Config.BaseModel is { Length: > 0 } name && !Path.Replace("--", "/", StringComparison.Ordinal).Contains(LastPart(name), StringComparison.OrdinalIgnoreCase))
                    notes.Add($"{adapter.Path}: was trained on '{Formats.GgufFile.Shown(name)}'; it fits this model by name and size of its matrices, which does not show that it is the same");
            var widened = Config.Weights.Count(shape => IsAdapted(shape) && Base.FormatOf(shape).IsQuantized);
            if (widened > 0) notes.Add($"{widened} quantized matrices are adapted and held as bf16; they take more memory than in the file");
            return notes;
        }
    }

    /// <inheritdoc/>
    public override Formats.GgufFile? File => Base.File;

    /// <inheritdoc/>
    public override BlockFormat FormatOf(WeightShape shape) => Base.FormatOf(shape) is var format && format.IsQuantized && IsAdapted(shape) ? BlockFormat.BF16 : format;

    /// <inheritdoc/>
    public override string FileOf(WeightShape shape) => Base.FileOf(shape);

    /// <inheritdoc/>
    public override void Read(WeightShape shape, int firstRow, Span<byte> rows)
    {
        if (!IsAdapted(shape))
        {
            Base.Read(shape, firstRow, rows);
            return;
        }
        var (stored, given) = (Base.FormatOf(shape), FormatOf(shape));
        var count = (int)(rows.Length / given.RowBytes(shape.Columns));
        var values = GC.AllocateUninitializedArray<float>(checked(count * shape.Columns));
        if (stored == given)
        {
            Base.Read(shape, firstRow, rows);
            stored.Decode(rows, values);
        }
        else
        {
            var bytes = GC.AllocateUninitializedArray<byte>(checked((int)(count * stored.RowBytes(shape.Columns))));
            Base.Read(shape, firstRow, bytes);
            stored.Decode(bytes, values);
        }
        foreach (var adapter in adapters)
            if (adapter.Adapts(shape)) adapter.Add(shape, firstRow, values);
        RequireStorable(shape, firstRow, values, given);
        given.Encode(values, rows);
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        foreach (var adapter in adapters) adapter.Dispose();
        Base.Dispose();
        base.Dispose();
    }

    private bool IsAdapted(WeightShape shape) => adapters.Any(adapter => adapter.Adapts(shape));

    private static string LastPart(string name) => name.TrimEnd('/', '\\') is var path ? path[(path.LastIndexOfAny(['/', '\\']) + 1)..] : name;

    private void RequireStorable(WeightShape shape, int firstRow, ReadOnlySpan<float> values, BlockFormat format)
    {
        for (var i = 0; i < values.Length; i++)
            if (!(Math.Abs(values[i]) <= format.LargestMagnitude)) // true for what is not a number
                throw new UserErrorException(FormattableString.Invariant($"{FileOf(shape)}: {shape.Name}: with the adapters number {i % shape.Columns} in row {firstRow + i / shape.Columns} is {values[i]}; {format.Name} holds magnitudes up to {format.LargestMagnitude}: the adapter does not fit or is damaged."));
    }
}
