using System.Text.Json;
using OpenEuroLLM.Core;
using OpenEuroLLM.Inference;

namespace OpenEuroLLM.Evaluation;

/// <summary>What an evaluation found: one row for each language, never only an average.</summary>
/// <param name="WeightsSha256">The weights that were examined.</param>
/// <param name="Languages">The rows, by language code.</param>
/// <param name="Files">Scores of files that were named by themselves, by file name.</param>
/// <param name="ItemsSha256">Hash of the list of facts that were asked; null when none were.</param>
/// <param name="Settings">What was examined.</param>
/// <param name="Counts">What was scored and what was left out, for the manifest.</param>
public sealed record EvaluationReport(
    string WeightsSha256,
    IReadOnlyDictionary<string, LanguageResult> Languages,
    IReadOnlyDictionary<string, TextScore> Files,
    string? ItemsSha256,
    EvaluationSettings Settings,
    IReadOnlyList<ManifestCount> Counts)
{
    /// <summary>Name of the result file.</summary>
    public const string FileName = "evaluation.json";

    /// <summary>Name of the stage in manifests.</summary>
    public const string StageName = "evaluation";

    /// <summary>Writes the report as one JSON object.</summary>
    public void WriteTo(Utf8JsonWriter writer)
    {
        writer.WriteStartObject();
        writer.WriteStartObject("model");
        writer.WriteString("weightsSha256", WeightsSha256);
        writer.WriteEndObject();
        writer.WriteStartObject("languages");
        foreach (var (code, result) in Languages.OrderBy(pair => pair.Key, StringComparer.Ordinal))
        {
            writer.WritePropertyName(code);
            result.WriteTo(writer);
        }

        writer.WriteEndObject();
        if (Files.Count > 0)
        {
            writer.WriteStartObject("files");
            foreach (var (name, score) in Files.OrderBy(pair => pair.Key, StringComparer.Ordinal))
            {
                writer.WriteStartObject(name);
                writer.WriteNumber("bitsPerByte", score.BitsPerByte);
                writer.WriteNumber("bytes", score.Bytes);
                writer.WriteNumber("tokens", score.Tokens);
                writer.WriteEndObject();
            }

            writer.WriteEndObject();
        }

        if (ItemsSha256 is not null)
        {
            writer.WriteStartObject("items");
            writer.WriteString("sha256", ItemsSha256);
            writer.WriteEndObject();
        }

        writer.WritePropertyName("settings");
        CanonicalJson.WriteSorted(writer, Settings.ToJson());
        writer.WriteEndObject();
    }

    /// <summary>Writes the stage's folder.</summary>
    /// <param name="target">The folder to make.</param>
    /// <param name="modelFolder">The model that was examined: a folder or a file.</param>
    /// <param name="corpusFolder">The corpus that held-out text and facts came from, or null.</param>
    /// <param name="files">The files that were scored by themselves.</param>
    /// <param name="replace">Whether a finished folder of this name may be replaced.</param>
    /// <exception cref="UserErrorException">The folder cannot be written.</exception>
    public Manifest Save(string target, string modelFolder, string? corpusFolder, IReadOnlyList<string>? files = null, bool replace = false)
    {
        using var directory = AtomicDirectory.Create(target, StageName, Settings.ToJson(), replace: replace);
        if (File.Exists(Path.Combine(modelFolder, Manifest.FileName))) directory.AddInputDirectory(modelFolder);
        else foreach (string file in ModelFiles(modelFolder)) directory.AddInputFile(file, "model/" + Path.GetFileName(file));
        if (corpusFolder is not null) directory.AddInputDirectory(corpusFolder);
        foreach (string file in files ?? []) directory.AddInputFile(file, "files/" + Path.GetFileName(file));
        foreach (var count in Counts) directory.Count(count);
        File.WriteAllBytes(Path.Combine(directory.Path, FileName), CanonicalJson.Write(WriteTo));
        return directory.Commit();
    }

    // A model from elsewhere has no manifest; what decides its answers is then recorded file by file.
    private static IEnumerable<string> ModelFiles(string folder) => File.Exists(folder) ? [folder] :
        Directory.EnumerateFiles(folder).Where(file => Path.GetExtension(file) is ".safetensors" or ".json" or ".jinja").Order(StringComparer.Ordinal);
}
