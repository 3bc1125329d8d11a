using System.Runtime.InteropServices;
using OpenEuroLLM.Core;
using OpenEuroLLM.Formats;
using OpenEuroLLM.Formats.Quantization;

namespace OpenEuroLLM.Models;

/// <summary>The weights of a GGUF file of a known architecture.</summary>
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
    public override GgufFile File => file;

    /// <inheritdoc/>
    public override BlockFormat FormatOf(WeightShape shape) => shape.GgufKey is not null ? BlockFormat.F32 : file.Tensor(shape.GgufName).Type.Format!;

    /// <inheritdoc/>
    public override void Read(WeightShape shape, int firstRow, Span<byte> rows)
    {
        if (shape.GgufKey is { } key)
        {
            MemoryMarshal.Write(rows, GgufMetadata.NumberOfEachLayer(file, key, Config.Layers)[shape.Layer!.Value]);
            return;
        }
        var rowBytes = (int)FormatOf(shape).RowBytes(shape.Columns);
        if (shape.GgufHeadRows is null) file.Read(shape.GgufName, (long)firstRow * rowBytes, rows);
        else if (shape.IsVector)
        {
            var stored = new byte[rows.Length];
            file.Read(shape.GgufName, 0, stored);
            var number = rowBytes / shape.Columns;
            for (var i = 0; i < shape.Columns; i++) stored.AsSpan(shape.GgufRow(i) * number, number).CopyTo(rows[(i * number)..]);
        }
        else
            for (var row = 0; row < rows.Length / rowBytes; row++)
                file.Read(shape.GgufName, (long)shape.GgufRow(firstRow + row) * rowBytes, rows.Slice(row * rowBytes, rowBytes));
        if (shape.GgufOffset == 0) return;
        foreach (ref var value in MemoryMarshal.Cast<byte, float>(rows)) value -= shape.GgufOffset;
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        file.Dispose();
        base.Dispose();
    }

    private static ModelConfig ReadConfig(GgufFile file)
    {
        try
        {
            return ModelFamily.Read(file);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    private void Check()
    {
        var used = new HashSet<string>(GgufRotary.TensorsOf(Config.Rotary), StringComparer.Ordinal);
        foreach (var shape in Config.Weights)
        {
            if (shape.GgufKey is { } key)
            {
                GgufMetadata.NumberOfEachLayer(file, key, Config.Layers);
                continue;
            }
            used.Add(shape.GgufName);
            var tensor = file.Tensor(shape.GgufName);
            if (!tensor.Shape.SequenceEqual(shape.Extents))
                throw new UserErrorException($"{Path}: tensor '{tensor.Name}' has shape {tensor.ShapeText}; the metadata expects [{string.Join(", ", shape.Extents)}].");
            if (tensor.Type.Format is null)
                throw new UserErrorException($"{Path}: tensor '{tensor.Name}' is stored as {tensor.Type.Name}; this version reads {string.Join(", ", BlockFormat.All)}.");
            if ((shape.GgufOffset != 0 || (shape.IsVector && shape.GgufHeadRows is not null)) && tensor.Type.Format != BlockFormat.F32)
                throw new UserErrorException($"{Path}: tensor '{tensor.Name}' is stored as {tensor.Type.Name}; expected {BlockFormat.F32}, as in every file of this architecture.");
        }
        if (file.Tensors.FirstOrDefault(tensor => !used.Contains(tensor.Name)) is { } other)
            throw new UserErrorException($"{Path}: tensor '{GgufFile.Shown(other.Name)}' has no place in a {Config.Family.Name} model with this metadata; this version does not know what to do with it.");
    }
}
