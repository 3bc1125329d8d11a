using OpenEuroLLM.Core;
using OpenEuroLLM.Formats;
using OpenEuroLLM.Formats.Hub;

namespace OpenEuroLLM.Cli;

/// <summary>What <c>--model</c> means: a model folder, the name of a fetched model, or, when absent, the built-in model beside the program.</summary>
internal static class ModelPath
{
    /// <summary>The built-in model's folder, relative to the program.</summary>
    public const string BuiltIn = "models/europa-nano";

    // Where a run keeps its models.
    private static readonly string[] _inner = ["model", "export"];

    /// <summary>The folder to load.</summary>
    /// <exception cref="UserErrorException">There is no model; the message says what was found and what was expected.</exception>
    public static string Resolve(string? given)
    {
        string folder = given is null ? Path.Combine(AppContext.BaseDirectory, BuiltIn) : Locate(given);
        if (given is null && !Directory.Exists(folder))
            throw new UserErrorException($"no --model was given and this build has no built-in model ({BuiltIn} beside the program is absent); " +
                "name a model folder with --model, or make one with 'oellm quickstart'.");
        if (File.Exists(folder))
            throw new UserErrorException(Path.GetExtension(folder).Equals(".gguf", StringComparison.OrdinalIgnoreCase)
                ? $"{folder}: a GGUF file's tokenizer is not used by this command yet; expected a model folder. 'oellm convert --model {folder} --to safetensors --quantize bf16 --out DIR' makes one."
                : $"{folder}: is a file; expected a folder with config.json, model.safetensors and tokenizer.json.");
        if (!Directory.Exists(folder))
            throw new UserErrorException($"{folder}: there is no such folder; expected a model folder with config.json, model.safetensors and tokenizer.json." +
                (folder.Contains('/', StringComparison.Ordinal) && HubName.Find(folder) is { } name ? $" If it is the name of a published model: 'oellm fetch {name}' fetches it into {HubCache.Of(Environment.GetEnvironmentVariable).Root}." : ""));

        var missing = Missing(folder);
        if (missing.Count == 0) return folder;
        string hint = _inner.FirstOrDefault(name => Directory.Exists(Path.Combine(folder, name)) && Missing(Path.Combine(folder, name)).Count == 0)
            is string inner ? $"did you mean {Path.Combine(folder, inner)}?" : "check the path.";
        throw new UserErrorException($"{folder}: is no model folder, {string.Join(" and ", missing)} missing; {hint}");
    }

    /// <summary>A path as it is given where something lies there; otherwise, when it is the name of a published model, the folder or the GGUF file that was fetched.</summary>
    /// <exception cref="UserErrorException">What was fetched is damaged.</exception>
    public static string Locate(string given)
    {
        if (Directory.Exists(given) || File.Exists(given) || HubName.Find(given) is not { } name || HubCache.Of(Environment.GetEnvironmentVariable).Find(name) is not { } snapshot) return given;
        if (File.Exists(Path.Combine(snapshot, "config.json"))) return snapshot;
        string[] files = [.. Directory.EnumerateFiles(snapshot, "*.gguf").Order(StringComparer.Ordinal)];
        return files.Length > 0 && (files.Length == 1 || files[0].Contains("-00001-of-", StringComparison.Ordinal)) ? files[0] : snapshot;
    }

    /// <summary>Whether a folder holds a tokenizer, in one of the forms that are read.</summary>
    public static bool HasTokenizer(string folder)
    {
        return Has("tokenizer.json") || (Has("vocab.json") && Has("merges.txt")) || Has("tokenizer.model") || Directory.EnumerateFiles(folder, "*.tiktoken").Any();

        bool Has(string name) => File.Exists(Path.Combine(folder, name));
    }

    private static List<string> Missing(string folder)
    {
        var missing = new List<string>();
        if (!File.Exists(Path.Combine(folder, "config.json"))) missing.Add("config.json");
        if (!HasTokenizer(folder)) missing.Add("tokenizer.json");
        if (Directory.EnumerateFiles(folder, "*.safetensors").Any()) return missing;
        if (missing.Count == 0 && PickledWeights.In(folder) is { } pickle) throw PickledWeights.Refuse(pickle);
        missing.Add("model.safetensors");
        return missing;
    }
}
