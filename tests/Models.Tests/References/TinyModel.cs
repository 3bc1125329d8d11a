using System.Globalization;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using OpenEuroLLM.Core;
using OpenEuroLLM.Formats;

namespace OpenEuroLLM.Models.Tests.References;

/// <summary>A tensor of a tiny model: normal values around a mean.</summary>
internal sealed record TinyTensor(string Name, int[] Shape, double Mean, double Spread)
{
    public int Count => Shape.Aggregate(1, (product, size) => product * size);
}

/// <summary>A model of a few thousand random weights with the settings and names that its family publishes.</summary>
internal sealed class TinyModel(string name, JsonObject config, IReadOnlyList<TinyTensor> tensors)
{
    /// <summary>What tests read through it: longer than every window and than the lengths before stretching.</summary>
    public static int[] Tokens { get; } = [.. Enumerable.Range(0, 48).Select(i => (int)new CounterRandom(11, 0).Below((ulong)i, 96))];

    private readonly Dictionary<string, float[]> values = tensors.ToDictionary(tensor => tensor.Name, tensor =>
    {
        var random = new CounterRandom(5, 0).Substream(name + "/" + tensor.Name);
        return Enumerable.Range(0, tensor.Count).Select(i => (float)(tensor.Mean + tensor.Spread * random.NormalAt((ulong)i))).ToArray();
    });

    public string Name => name;

    public JsonObject Config => config;

    public string ModelType => (string)config["model_type"]!;

    /// <summary>Its weights under the names of the plain references.</summary>
    public IReadOnlyList<TinyTensor> Tensors => tensors;

    /// <summary>How the file calls a weight, where that differs.</summary>
    public Func<string, string> FileName { get; init; } = tensor => tensor;

    /// <summary>What published files hold besides and a reader passes over.</summary>
    public IReadOnlyList<TinyTensor> Ignored { get; init; } = [];

    /// <summary>Values of a weight; changing them changes the model.</summary>
    public float[] Values(string tensor) => values[tensor];

    /// <summary>The same model with values of its own.</summary>
    public TinyModel Copy() => new(name, config, tensors) { FileName = FileName, Ignored = Ignored };

    /// <summary>The plain definition with these weights, and with other settings where given.</summary>
    public ReferenceModel Reference(JsonObject? settings = null)
    {
        var shapes = tensors.ToDictionary(tensor => tensor.Name, tensor => tensor.Shape);
        return ReferenceModel.Of(settings ?? config, tensor => (shapes[tensor], values[tensor]));
    }

    /// <summary>Writes the folder as a user would have it: config.json and model.safetensors in single precision.</summary>
    public void Write(string folder)
    {
        File.WriteAllText(Path.Combine(folder, "config.json"), config.ToJsonString());
        using var writer = new SafetensorsWriter(Path.Combine(folder, "model.safetensors"), new Dictionary<string, string> { ["format"] = "pt" });
        foreach (var tensor in tensors) writer.Declare(FileName(tensor.Name), SafetensorsType.F32, Shape(tensor));
        foreach (var tensor in Ignored) writer.Declare(tensor.Name, SafetensorsType.F32, Shape(tensor));
        foreach (var tensor in tensors) writer.WriteFloats(FileName(tensor.Name), values[tensor.Name]);
        foreach (var tensor in Ignored) writer.WriteFloats(tensor.Name, new float[tensor.Count]);
        writer.Finish();
    }

    /// <summary>SHA-256 of settings and weights: what a golden value was made from.</summary>
    public string Sha256()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(Encoding.UTF8.GetBytes(config.ToJsonString()));
        foreach (var tensor in tensors)
        {
            hash.AppendData(Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{tensor.Name}:{string.Join('x', tensor.Shape)}")));
            hash.AppendData(MemoryMarshal.AsBytes<float>(values[tensor.Name]));
        }
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    public override string ToString() => name;

    private static long[] Shape(TinyTensor tensor) => [.. tensor.Shape.Select(size => (long)size)];
}
