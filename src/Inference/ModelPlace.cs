using OpenEuroLLM.Formats;
using OpenEuroLLM.Models;
using OpenEuroLLM.Tokenizers;

namespace OpenEuroLLM.Inference;

/// <summary>Where everything that a model says beside its weights is read from.</summary>
/// <param name="Path">The folder, or the file.</param>
/// <param name="File">The opened file, which stays its owner's; null for a folder.</param>
internal readonly record struct ModelPlace(string Path, GgufFile? File)
{
    public static ModelPlace Of(ModelSource source) => new(source.Path, source.File);

    /// <summary>Opens a path, runs something with it and closes it.</summary>
    public static T With<T>(string path, Func<ModelPlace, T> work)
    {
        using var file = ModelPaths.IsGguf(path) ? GgufFile.Open(path) : null;
        return work(new ModelPlace(path, file));
    }

    public Tokenizer ReadTokenizer() => File is { } file ? GgufVocabulary.Read(file) : Tokenizer.Load(Path);
}
