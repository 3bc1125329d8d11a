using System.Text.Json;
using OpenEuroLLM.Core;
using OpenEuroLLM.Tokenizers;

namespace OpenEuroLLM.Inference;

/// <summary>What generation reads from a model folder beside weights and tokenizer.</summary>
internal static class GenerationSettings
{
    private const string GenerationConfigName = "generation_config.json";

    /// <summary>A JSON file of the folder, or null when it is not there.</summary>
    public static JsonDocument? ReadJson(string folder, string name)
    {
        string path = Path.Combine(folder, name);
        if (!File.Exists(path)) return null;
        try
        {
            var document = JsonDocument.Parse(File.ReadAllBytes(path));
            if (document.RootElement.ValueKind == JsonValueKind.Object) return document;
            document.Dispose();
            throw new UserErrorException($"{path}: found JSON that is not an object; expected the settings of a model folder.");
        }
        catch (JsonException exception)
        {
            throw new UserErrorException($"{path}: is not valid JSON (line {exception.LineNumber + 1}); the model folder is damaged.", exception);
        }
    }

    /// <summary>The tokens that end an answer: the end tokens of this project and those that the folder names.</summary>
    public static HashSet<int> Terminators(string folder, Tokenizer tokenizer)
    {
        var ids = new HashSet<int>();
        foreach (string token in (ReadOnlySpan<string>)[SpecialTokens.EndOfTurn, SpecialTokens.EndOfText])
            if (tokenizer.TokenId(token) is int id && tokenizer.IsSpecial(id)) ids.Add(id);

        foreach (string name in (ReadOnlySpan<string>)["config.json", GenerationConfigName])
        {
            using var document = ReadJson(folder, name);
            if (document is null || !document.RootElement.TryGetProperty("eos_token_id", out var value)) continue;
            foreach (var element in value.ValueKind == JsonValueKind.Array ? [.. value.EnumerateArray()] : new[] { value })
            {
                if (element.ValueKind == JsonValueKind.Null) continue;
                if (element.ValueKind != JsonValueKind.Number || !element.TryGetInt32(out int id) || id < 0 || id >= tokenizer.VocabularySize)
                    throw new UserErrorException($"{Path.Combine(folder, name)}: eos_token_id is {element.GetRawText()}; " +
                        $"expected a token id from 0 to {tokenizer.VocabularySize - 1}.");
                ids.Add(id);
            }
        }

        return ids;
    }

    /// <summary>The sampling that the folder recommends; what it does not say is the default of <see cref="Sampling"/>.</summary>
    public static Sampling DefaultSampling(string folder, RequestLimits limits)
    {
        using var document = ReadJson(folder, GenerationConfigName);
        if (document is null) return new Sampling();
        var root = document.RootElement;
        var sampling = new Sampling();
        sampling = sampling with
        {
            Temperature = Number("temperature", sampling.Temperature),
            TopK = (int)Number("top_k", sampling.TopK),
            TopP = Number("top_p", sampling.TopP),
            RepetitionPenalty = Number("repetition_penalty", sampling.RepetitionPenalty),
        };
        try
        {
            RequestValidator.Check(sampling, limits);
        }
        catch (RequestException exception)
        {
            throw new UserErrorException($"{Path.Combine(folder, GenerationConfigName)}: {exception.Message}", exception);
        }

        return sampling;

        double Number(string name, double otherwise)
        {
            if (!root.TryGetProperty(name, out var value) || value.ValueKind == JsonValueKind.Null) return otherwise;
            if (value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out double number) && Math.Abs(number) < int.MaxValue) return number;
            throw new UserErrorException($"{Path.Combine(folder, GenerationConfigName)}: {name} is {value.GetRawText()}; expected a number.");
        }
    }
}
