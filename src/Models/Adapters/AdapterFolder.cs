using System.Numerics;
using System.Runtime.InteropServices;
using OpenEuroLLM.Core;
using OpenEuroLLM.Formats;

namespace OpenEuroLLM.Models.Adapters;

/// <summary>An adapter in Hugging Face's folder form, open for reading: <c>adapter_config.json</c> and <c>adapter_model.safetensors</c>.</summary>
/// <remarks>Reading may go on in several threads.</remarks>
internal sealed class AdapterFolder : IDisposable
{
    internal const string WeightsName = "adapter_model.safetensors";
    internal const string Prefix = "base_model.model.";
    internal const string EndOfA = ".lora_A.weight";
    internal const string EndOfB = ".lora_B.weight";
    private const string EndOfWeight = ".weight";

    private readonly SafetensorsFile file;
    private readonly HashSet<string> adapted = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> modules = new(StringComparer.Ordinal);

    /// <summary>Opens an adapter and checks that each of its matrices has its place and its size in a model.</summary>
    /// <exception cref="UserErrorException">It is damaged, or made for another model.</exception>
    public AdapterFolder(string folder, ModelConfig model)
    {
        Path = folder;
        string settings = System.IO.Path.Combine(folder, AdapterConfig.FileName), weights = System.IO.Path.Combine(folder, WeightsName);
        if (!Directory.Exists(folder) || !File.Exists(settings))
            throw new UserErrorException($"{folder}: {(Directory.Exists(folder) ? $"no {AdapterConfig.FileName} in this folder" : File.Exists(folder) ? "is a file" : "there is no such folder")}; expected an adapter folder with {AdapterConfig.FileName} and {WeightsName}.");
        Config = AdapterConfig.Parse(ModelFolder.ReadObject(settings), settings);
        if (!File.Exists(weights))
            throw PickledWeights.In(folder) is { } pickle ? PickledWeights.Refuse(pickle) : new UserErrorException($"{folder}: no {WeightsName} in this folder; the adapter is incomplete, fetch or make it again.");
        file = SafetensorsFile.Open(weights);
        try
        {
            Check(model);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>The folder, for messages.</summary>
    public string Path { get; }

    /// <summary>Its settings.</summary>
    public AdapterConfig Config { get; }

    /// <summary>Whether it changes a weight.</summary>
    public bool Adapts(WeightShape shape) => adapted.Contains(shape.Name);

    /// <summary>Adds scale · B · A to rows of a weight: for each number one chain of fused multiply-adds over the rank in ascending order, from 0, and one addition.</summary>
    /// <param name="shape">The weight.</param>
    /// <param name="firstRow">The first row.</param>
    /// <param name="values">Whole rows.</param>
    public void Add(WeightShape shape, int firstRow, Span<float> values)
    {
        var (rank, columns, rows) = (Config.Rank, shape.Columns, values.Length / shape.Columns);
        float[] a = new float[checked(rank * columns)], b = new float[checked(rows * rank)], sum = new float[columns];
        file.ReadFloats(modules[shape.Name] + EndOfA, 0, a);
        file.ReadFloats(modules[shape.Name] + EndOfB, (long)firstRow * rank, b);
        var scale = (float)Config.Scale;
        for (var r = 0; r < rows; r++)
        {
            Array.Clear(sum);
            for (var k = 0; k < rank; k++) AddRow(sum, a.AsSpan(k * columns, columns), scale * b[r * rank + k]);
            var row = values.Slice(r * columns, columns);
            for (var i = 0; i < columns; i++) row[i] += sum[i];
        }
    }

    public void Dispose() => file.Dispose();

    private static void AddRow(Span<float> sum, ReadOnlySpan<float> row, float factor)
    {
        var wide = MemoryMarshal.Cast<float, Vector<float>>(sum);
        var factors = new Vector<float>(factor);
        var rows = MemoryMarshal.Cast<float, Vector<float>>(row);
        for (var i = 0; i < wide.Length; i++) wide[i] = Vector.FusedMultiplyAdd(rows[i], factors, wide[i]);
        for (var i = wide.Length * Vector<float>.Count; i < sum.Length; i++) sum[i] = float.FusedMultiplyAdd(row[i], factor, sum[i]);
    }

    private void Check(ModelConfig model)
    {
        var shapes = new Dictionary<string, WeightShape>(StringComparer.Ordinal);
        foreach (var shape in model.Weights)
        {
            shapes[shape.Name] = shape;
            foreach (var alias in model.Family.Aliases(shape.Name)) shapes.TryAdd(alias, shape);
        }
        foreach (var name in file.Tensors.Keys)
        {
            var end = name.EndsWith(EndOfA, StringComparison.Ordinal) ? EndOfA : name.EndsWith(EndOfB, StringComparison.Ordinal) ? EndOfB
                : throw Refuse($"tensor '{GgufFile.Shown(name)}' is neither {EndOfA[1..]} nor {EndOfB[1..]} of a matrix; this version applies LoRA of matrices alone");
            if (!name.StartsWith(Prefix, StringComparison.Ordinal)) throw Refuse($"tensor '{GgufFile.Shown(name)}' does not begin with {Prefix}");
            var stem = name[..^end.Length];
            var module = stem[Prefix.Length..];
            if (!shapes.TryGetValue(module + EndOfWeight, out var shape) || shape.IsVector)
                throw Refuse($"tensor '{GgufFile.Shown(name)}' has no place in this {model.Family.Name} model, which has no matrix {GgufFile.Shown(module)}; the adapter was made for another model{Made()}");
            if (!Config.Targets(module)) throw Refuse($"tensor '{GgufFile.Shown(name)}' is not among target_modules of {AdapterConfig.FileName}; the files do not belong together");
            if (!file.Tensors.ContainsKey(stem + (end == EndOfA ? EndOfB : EndOfA))) throw Refuse($"tensor '{GgufFile.Shown(name)}' lacks its other half; the adapter is damaged");
            long[] expected = end == EndOfA ? [Config.Rank, shape.Columns] : [shape.Rows, Config.Rank];
            var tensor = file.Tensors[name];
            if (!tensor.Shape.SequenceEqual(expected))
                throw Refuse($"tensor '{GgufFile.Shown(name)}' has shape {tensor.ShapeText}; r and the model expect [{string.Join(", ", expected)}]: the adapter was made for another model{Made()}, or its files do not belong together");
            if (SafetensorsTypes.Format(tensor.Type) is null)
                throw Refuse($"tensor '{GgufFile.Shown(name)}' is stored as {SafetensorsTypes.Name(tensor.Type)}; this version reads F32, F16 and BF16");
            adapted.Add(shape.Name);
            modules[shape.Name] = stem;
        }
        if (adapted.Count == 0) throw Refuse("there is no tensor in it; the adapter is damaged");
    }

    private string Made() => Config.BaseModel is { Length: > 0 } name ? $" ('{GgufFile.Shown(name)}')" : "";

    private UserErrorException Refuse(string what) => new($"{file.Path}: {what}.");
}
