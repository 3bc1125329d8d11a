using OpenEuroLLM.Core;
using OpenEuroLLM.Formats;
using OpenEuroLLM.Formats.Quantization;
using OpenEuroLLM.Models.Adapters;

namespace OpenEuroLLM.Models;

/// <summary>Where a model's weights come from, under Hugging Face's names and in its order of rows: a folder, a GGUF file, a loaded model,
/// or chance. Rows are handed out as they are stored, in pieces, so that no weight is ever held whole.</summary>
/// <remarks>Reading may go on in several threads.</remarks>
public abstract class ModelSource : IDisposable
{
    private protected ModelSource(ModelConfig config, string path)
    {
        Config = config;
        Path = path;
    }

    /// <summary>Shape of the model.</summary>
    public ModelConfig Config { get; }

    /// <summary>The folder or file, for messages.</summary>
    public string Path { get; }

    /// <summary>Opens a model folder or a <c>.gguf</c> file and checks that it has every weight in its size, and none besides.</summary>
    /// <exception cref="UserErrorException">It is no model, or one that this version does not read.</exception>
    public static ModelSource Open(string path) => PickledWeights.IsName(path) && System.IO.File.Exists(path) ? throw PickledWeights.Refuse(path)
        : ModelPaths.IsGguf(path) ? new GgufSource(path) : new FolderSource(path);

    /// <summary>Opens a model with adapters merged into it; without any it is the model itself.</summary>
    /// <inheritdoc cref="Open(string)"/>
    public static ModelSource Open(string path, IReadOnlyList<string>? adapters) => adapters is { Count: > 0 } ? new AdaptedSource(Open(path), adapters) : Open(path);

    /// <summary>The opened GGUF file, for what it says beside weights (tokenizer, templates, end tokens); null for a folder. Lives as long as the source.</summary>
    public virtual GgufFile? File => null;

    /// <summary>How a weight is stored.</summary>
    public abstract BlockFormat FormatOf(WeightShape shape);

    /// <summary>The file that holds a weight, for messages.</summary>
    public virtual string FileOf(WeightShape shape) => Path;

    /// <summary>Reads rows as they are stored.</summary>
    /// <param name="shape">The weight.</param>
    /// <param name="firstRow">The first row wanted.</param>
    /// <param name="rows">Receives whole rows.</param>
    /// <exception cref="UserErrorException">The file became shorter, or the disk failed.</exception>
    public abstract void Read(WeightShape shape, int firstRow, Span<byte> rows);

    /// <inheritdoc/>
    public virtual void Dispose() => GC.SuppressFinalize(this);
}

/// <summary>What kind of model a path means.</summary>
public static class ModelPaths
{
    /// <summary>Whether the path names a GGUF file.</summary>
    public static bool IsGguf(string path) => System.IO.Path.GetExtension(path).Equals(".gguf", StringComparison.OrdinalIgnoreCase) && !Directory.Exists(path);
}
