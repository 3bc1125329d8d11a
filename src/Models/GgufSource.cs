using OpenEuroLLM.Core;
using OpenEuroLLM.Formats;
using OpenEuroLLM.Formats.Quantization;
using OpenEuroLLM.Models.Llama;

namespace OpenEuroLLM.Models;

/// <summary>The weights of a GGUF file of the architecture <c>llama</c>.</summary>
public sealed class GgufSource : ModelSource
{
    private readonly GgufFile file;

    /// <summary>Opens a file and checks that it has every weight in its size, and none besides.</summary>
    /// <exception cref="UserErrorException">It is no model, or one that this version does not read.</exception>
    public GgufSource(string path) : this(GgufFile.Open(path)) { }

    private GgufSource(GgufFile file) : base(ReadConfig(file), file.Path)
    {
        this.file = file;
        try
        {
            Check();
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>The metadata in the order of the file.</summary>
    public IReadOnlyList<KeyValuePair<string, GgufValue>> Metadata => file.Metadata;

    /// <inheritdoc/>
    public override BlockFormat FormatOf(LlamaShape shape) => file.Tensor(GgufNames.Of(shape.Name)).Type.Format!;

    /// <inheritdoc/>
    public override void Read(LlamaShape shape, int firstRow, Span<byte> rows)
    {
        var name = GgufNames.Of(shape.Name);
        var rowBytes = FormatOf(shape).RowBytes(shape.Columns);
        if (!GgufNames.IsReordered(shape.Name))
        {
            file.Read(name, firstRow * rowBytes, rows);
            return;
        }
        for (var row = firstRow; !rows.IsEmpty; row++, rows = rows[(int)rowBytes..])
            file.Read(name, GgufNames.RowOf(row, Config.HeadDimension) * rowBytes, rows[..(int)rowBytes]);
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        file.Dispose();
        base.Dispose();
    }

    private static LlamaConfig ReadConfig(GgufFile file)
    {
        try
        {
            return GgufConfig.Read(file);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    private void Check()
    {
        var used = new HashSet<string>(StringComparer.Ordinal) { GgufNames.RotaryDivisors };
        foreach (var shape in LlamaShapes.Of(Config))
        {
            var name = GgufNames.Of(shape.Name);
            used.Add(name);
            var tensor = file.Tensor(name);
            var expected = GgufNames.Extents(shape);
            if (!tensor.Shape.SequenceEqual(expected))
                throw new UserErrorException($"{Path}: tensor '{name}' has shape {tensor.ShapeText}; the metadata expects [{string.Join(", ", expected)}].");
            if (tensor.Type.Format is null)
                throw new UserErrorException($"{Path}: tensor '{name}' is stored as {tensor.Type.Name}; this version reads {string.Join(", ", BlockFormat.All)}.");
        }
        if (file.Tensors.FirstOrDefault(tensor => !used.Contains(tensor.Name)) is { } other)
            throw new UserErrorException($"{Path}: tensor '{GgufFile.Shown(other.Name)}' has no place in a Llama model with this metadata; this version does not know what to do with it.");
    }
}
