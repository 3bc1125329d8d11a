using OpenEuroLLM.Core;
using OpenEuroLLM.Models;

namespace OpenEuroLLM.Cli;

/// <summary>What <c>--model</c> means: a model folder or a GGUF file, or, when absent, the built-in model beside the program.</summary>
internal static class ModelPath
{
    /// <summary>The built-in model's folder, relative to the program.</summary>
    public const string BuiltIn = "models/europa-nano";

    // Where a run keeps its models.
    private static readonly string[] _inner = ["model", "export"];

    /// <summary>The folder or file to load.</summary>
    /// <exception cref="UserErrorException">There is no model; the message says what was found and what was expected.</exception>
    public static string Resolve(string? given)
    {
        string folder = given ?? Path.Combine(AppContext.BaseDirectory, BuiltIn);
        if (given is null && !Directory.Exists(folder))
            throw new UserErrorException($"no --model was given and this build has no built-in model ({BuiltIn} beside the program is absent); " +
                "name a model folder with --model, or make one with 'oellm quickstart'.");
        if (File.Exists(folder))
            return ModelPaths.IsGguf(folder) ? folder
                : throw new UserErrorException($"{folder}: is a file; expected a folder with config.json, model.safetensors and tokenizer.json, or a .gguf file.");
        if (!Directory.Exists(folder))
            throw new UserErrorException($"{folder}: there is no such folder; expected a model folder with config.json, model.safetensors and tokenizer.json, or a .gguf file.");

        var missing = Missing(folder);
        if (missing.Count == 0) return folder;
        string hint = _inner.FirstOrDefault(name => Directory.Exists(Path.Combine(folder, name)) && Missing(Path.Combine(folder, name)).Count == 0)
            is string inner ? $"did you mean {Path.Combine(folder, inner)}?" : "check the path.";
        throw new UserErrorException($"{folder}: is no model folder, {string.Join(" and ", missing)} missing; {hint}");
    }

    private static List<string> Missing(string folder)
    {
        var missing = new List<string>();
        foreach (string name in (ReadOnlySpan<string>)["config.json", "tokenizer.json"])
            if (!File.Exists(Path.Combine(folder, name))) missing.Add(name);
        if (!Directory.EnumerateFiles(folder, "*.safetensors").Any()) missing.Add("model.safetensors");
        return missing;
    }
}
