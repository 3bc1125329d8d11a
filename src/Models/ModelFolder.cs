using System.Text.Json;
using System.Text.Json.Nodes;
using OpenEuroLLM.Core;
using OpenEuroLLM.Formats;
using OpenEuroLLM.Formats.Quantization;
using OpenEuroLLM.Tensors;

namespace OpenEuroLLM.Models;

/// <summary>A model in Hugging Face's folder form: <c>config.json</c> and safetensors, one file or several with an index.</summary>
public static class ModelFolder
{
    internal const string ConfigName = "config.json";
    internal const string WeightsName = "model.safetensors";
    internal const string IndexName = "model.safetensors.index.json";

    // A hundred times what real ones have.
    internal const int MaximumIndexBytes = 32 << 20;
    private const int MaximumConfigBytes = 4 << 20;

    /// <summary>Reads <c>config.json</c>.</summary>
    /// <exception cref="UserErrorException">There is none, or it is not one of this version's families.</exception>
    public static ModelConfig ReadConfig(string folder)
    {
        var path = Path.Combine(folder, ConfigName);
        if (!Directory.Exists(folder))
            throw new UserErrorException($"{folder}: {(File.Exists(folder) ? "a file" : "nothing")} is there; expected a model folder with {ConfigName} and {WeightsName}, or a .gguf file.");
        if (!File.Exists(path))
            throw new UserErrorException($"{folder}: no {ConfigName} in this folder; expected a model folder with {ConfigName} and {WeightsName}.");
        return ModelFamily.Read(ReadObject(path), path);
    }

    /// <summary>Reads a model.</summary>
    /// <param name="path">The folder, or a GGUF file.</param>
    /// <param name="engine">Where its weights will live.</param>
    /// <param name="trainable">Weights row-major in single precision with gradients, instead of packed for reading.</param>
    /// <param name="adapters">Adapter folders that are merged into it.</param>
    public static LanguageModel Load(string path, Engine engine, bool trainable, IReadOnlyList<string>? adapters = null)
    {
        using var source = ModelSource.Open(path, adapters);
        return WeightLoading.Load(source, engine, trainable);
    }

    /// <summary>Writes <c>config.json</c>, <c>generation_config.json</c> and <c>model.safetensors</c> into a folder that the caller makes whole.</summary>
    /// <param name="model">The model.</param>
    /// <param name="folder">An existing folder, normally inside an <see cref="AtomicDirectory"/>.</param>
    /// <param name="type">F32, F16 or BF16: nearest values, half to even.</param>
    public static void Save(LanguageModel model, string folder, SafetensorsType type)
    {
        var format = type switch
        {
            SafetensorsType.F32 => BlockFormat.F32,
            SafetensorsType.F16 => BlockFormat.F16,
            SafetensorsType.BF16 => BlockFormat.BF16,
            _ => throw new ArgumentException($"models are written as F32, F16 or BF16, not {type}", nameof(type)),
        };
        using var source = new LoadedSource(model);
        using var target = new FolderTarget(folder);
        ModelConversion.Run(source, target, _ => format);
    }

    /// <summary>Reads one of a folder's JSON files: bounded, keys unique, text valid.</summary>
    /// <exception cref="UserErrorException">It is too large, or no such file.</exception>
    internal static JsonObject ReadObject(string path, int maximumBytes = MaximumConfigBytes)
    {
        try
        {
            using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 1);
            if (stream.Length > maximumBytes)
                throw new UserErrorException($"{path}: the file has {stream.Length} bytes; expected at most {maximumBytes}. Is it really a {Path.GetFileName(path)}?");
            var bytes = new byte[stream.Length];
            stream.ReadExactly(bytes);
            return StrictJson.Parse(bytes);
        }
        catch (JsonException exception)
        {
            throw new UserErrorException($"{path}: not valid JSON ({exception.Message.Split('\n')[0].TrimEnd('\r')}); the file is damaged, fetch or make it again.", exception);
        }
        catch (Exception exception) when (StorageFailure.Is(exception))
        {
            throw StorageFailure.Explain(exception, path);
        }
    }
}
