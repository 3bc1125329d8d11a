using OpenEuroLLM.Core;
using OpenEuroLLM.Formats;

namespace OpenEuroLLM.Models.Adapters;

/// <summary>A matrix of an adapter.</summary>
/// <param name="Shape">The weight that it changes.</param>
/// <param name="A">(rank, inputs), row-major.</param>
/// <param name="B">(outputs, rank), row-major.</param>
public sealed record AdapterMatrix(WeightShape Shape, ReadOnlyMemory<float> A, ReadOnlyMemory<float> B);

/// <summary>Writes an adapter folder as other programs read it.</summary>
public static class AdapterWriter
{
    /// <summary>Writes <c>adapter_config.json</c> and <c>adapter_model.safetensors</c> into a folder that the caller makes whole.</summary>
    /// <param name="folder">An existing folder, normally inside an <see cref="AtomicDirectory"/>.</param>
    /// <param name="config">Settings; the matrices' names end in its target modules.</param>
    /// <param name="matrices">The matrices, each weight once.</param>
    /// <param name="type">F32, F16 or BF16: nearest values, half to even.</param>
    /// <exception cref="ArgumentException">A matrix has another size than the settings and its weight say, or is no target.</exception>
    /// <exception cref="UserErrorException">The disk is full or cannot be written.</exception>
    public static void Write(string folder, AdapterConfig config, IReadOnlyList<AdapterMatrix> matrices, SafetensorsType type = SafetensorsType.F32)
    {
        using var writer = new SafetensorsWriter(Path.Combine(folder, AdapterFolder.WeightsName), new Dictionary<string, string> { ["format"] = "pt" });
        foreach (var (shape, a, b) in matrices)
        {
            if (shape.IsVector || a.Length != (long)config.Rank * shape.Columns || b.Length != (long)config.Rank * shape.Rows || !config.Targets(Module(shape)))
                throw new ArgumentException($"{shape.Name} is no matrix that an adapter of rank {config.Rank} with these target modules has in this size.", nameof(matrices));
            writer.Declare(NameOf(shape, AdapterFolder.EndOfA), type, config.Rank, shape.Columns);
            writer.Declare(NameOf(shape, AdapterFolder.EndOfB), type, shape.Rows, config.Rank);
        }
        foreach (var (shape, a, b) in matrices)
        {
            writer.WriteFloats(NameOf(shape, AdapterFolder.EndOfA), a.Span);
            writer.WriteFloats(NameOf(shape, AdapterFolder.EndOfB), b.Span);
        }
        writer.Finish();
        var path = Path.Combine(folder, AdapterConfig.FileName);
        try
        {
            File.WriteAllBytes(path, CanonicalJson.Write(config.ToJson()));
        }
        catch (Exception exception) when (StorageFailure.Is(exception))
        {
            throw StorageFailure.Explain(exception, path);
        }
    }

    private static string Module(WeightShape shape) => shape.Name[..^".weight".Length];

    private static string NameOf(WeightShape shape, string end) => AdapterFolder.Prefix + Module(shape) + end;
}
