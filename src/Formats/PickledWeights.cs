using OpenEuroLLM.Core;

namespace OpenEuroLLM.Formats;

/// <summary>Files that hold a program beside their numbers (Python's pickle): they are told by name and never opened.</summary>
public static class PickledWeights
{
    private static readonly string[] Extensions = [".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle", ".joblib", ".dill"];

    /// <summary>Whether a file is of this kind by its name.</summary>
    public static bool IsName(string path) => Extensions.Contains(Path.GetExtension(path), StringComparer.OrdinalIgnoreCase);

    /// <summary>The first such file of a folder, or null.</summary>
    public static string? In(string folder) => Directory.EnumerateFiles(folder).Where(IsName).Order(StringComparer.Ordinal).FirstOrDefault();

    /// <summary>Why such a file is refused, and what to do.</summary>
    public static UserErrorException Refuse(string path) => new($"{path}: is a pickle, which runs the code it contains when it is read; expected .safetensors or .gguf. " +
        "Most models are published as safetensors too; otherwise have it converted by whoever published it.");
}
