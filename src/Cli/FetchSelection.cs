using System.Text.RegularExpressions;
using OpenEuroLLM.Core;
using OpenEuroLLM.Formats;

namespace OpenEuroLLM.Cli;

/// <summary>Which files of a repository are fetched, and why others are not.</summary>
/// <param name="Files">The chosen ones, in the repository's order.</param>
/// <param name="Skipped">Weights that were left, each with the reason.</param>
internal sealed partial record FetchSelection(IReadOnlyList<string> Files, IReadOnlyList<(string Name, string Reason)> Skipped)
{
    private const int MostNamed = 12;
    private const string Pickle = "a pickle, which runs code when it is read";

    private static readonly string[] _companions = [".json", ".jinja", ".model", ".tiktoken", ".txt", ".md"];

    /// <summary>Chooses by patterns, or without any what a model here is read from.</summary>
    /// <exception cref="UserErrorException">Nothing fits, a pickle is asked for by name, or several GGUF models are there and none is named.</exception>
    public static FetchSelection Of(string repository, IReadOnlyList<string> files, IReadOnlyList<string> patterns) =>
        patterns.Count > 0 ? ByPattern(repository, files, patterns) : Usual(repository, files);

    /// <summary>Whether a name fits a pattern in which <c>*</c> stands for any letters, <c>/</c> among them, and <c>?</c> for one.</summary>
    public static bool Fits(string name, string pattern)
    {
        // The classic two places: where the last star stood and what it has taken so far. Time is the product of the lengths at worst.
        int at = 0, letter = 0, star = -1, taken = 0;
        while (letter < name.Length)
        {
            if (at < pattern.Length && pattern[at] == '*') (star, taken) = (at++, letter);
            else if (at < pattern.Length && (pattern[at] == '?' || pattern[at] == name[letter])) (at, letter) = (at + 1, letter + 1);
            else if (star >= 0) (at, letter) = (star + 1, ++taken);
            else return false;
        }
        return pattern.AsSpan(at).IndexOfAnyExcept('*') < 0;
    }

    private static FetchSelection ByPattern(string repository, IReadOnlyList<string> files, IReadOnlyList<string> patterns)
    {
        foreach (string pattern in patterns)
        {
            if (pattern.AsSpan().IndexOfAny('*', '?') < 0 && PickledWeights.IsName(pattern)) throw PickledWeights.Refuse($"{repository}: {pattern}");
            if (!files.Any(file => Fits(file, pattern)))
                throw new UserErrorException($"{repository}: no file fits '{pattern}'; there are {Listed(files)}.");
        }
        var fitting = files.Where(file => patterns.Any(pattern => Fits(file, pattern))).ToList();
        var chosen = fitting.Where(file => !PickledWeights.IsName(file)).ToList();
        if (chosen.Count == 0) throw PickledWeights.Refuse($"{repository}: {fitting[0]}");
        return new(chosen, [.. fitting.Where(PickledWeights.IsName).Select(file => (file, Pickle))]);
    }

    private static FetchSelection Usual(string repository, IReadOnlyList<string> files)
    {
        var skipped = new List<(string, string)>();
        var weights = new HashSet<string>(StringComparer.Ordinal);
        var safetensors = files.Where(file => !file.Contains('/', StringComparison.Ordinal) && file.EndsWith(".safetensors", StringComparison.Ordinal)).ToList();
        bool hasModel = safetensors.Any(file => file.StartsWith("model", StringComparison.Ordinal));
        foreach (string file in safetensors)
        {
            // Some publishers add all weights once more in a form of their own.
            if (hasModel && file.StartsWith("consolidated", StringComparison.Ordinal)) skipped.Add((file, "the same weights in another form"));
            else weights.Add(file);
        }
        var models = files.Where(file => file.EndsWith(".gguf", StringComparison.OrdinalIgnoreCase)).GroupBy(file => PartNumber().Replace(file, ""), StringComparer.Ordinal).ToList();
        if (safetensors.Count > 0) skipped.AddRange(models.SelectMany(model => model).Select(file => (file, "the folder has safetensors")));
        else if (models.Count > 1)
            throw new UserErrorException($"{repository}: there are {models.Count} GGUF models; say which with --include, such as --include '{models[0].First()}': {Listed([.. models.Select(model => model.First())])}.");
        else weights.UnionWith(models.SelectMany(model => model));
        var pickles = files.Where(PickledWeights.IsName).ToList();
        if (weights.Count == 0 && pickles.Count > 0) throw PickledWeights.Refuse($"{repository}: {pickles[0]}");
        skipped.AddRange(pickles.Select(file => (file, Pickle)));
        var chosen = files.Where(file => weights.Contains(file) || IsCompanion(file)).ToList();
        if (chosen.Count == 0) throw new UserErrorException($"{repository}: nothing that a model is read from; there are {Listed(files)}. Name files with --include.");
        return new(chosen, skipped);
    }

    private static bool IsCompanion(string file)
    {
        if (file.Contains('/', StringComparison.Ordinal)) return file.StartsWith("additional_chat_templates/", StringComparison.Ordinal) && file.EndsWith(".jinja", StringComparison.Ordinal);
        return _companions.Contains(Path.GetExtension(file), StringComparer.OrdinalIgnoreCase)
            || file.StartsWith("LICENSE", StringComparison.OrdinalIgnoreCase) || file.StartsWith("NOTICE", StringComparison.OrdinalIgnoreCase);
    }

    private static string Listed(IReadOnlyList<string> files) => files.Count == 0 ? "no files"
        : string.Join(", ", files.Take(MostNamed)) + (files.Count > MostNamed ? FormattableString.Invariant($" and {files.Count - MostNamed} more") : "");

    [GeneratedRegex(@"-[0-9]{5}-of-[0-9]{5}(?=\.gguf$)", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex PartNumber();
}
