using System.Text.Json;
using OpenEuroLLM.Core;
using OpenEuroLLM.Formats;
using OpenEuroLLM.Tokenizers;

namespace OpenEuroLLM.Inference;

/// <summary>What generation reads from a model beside weights and tokenizer.</summary>
/// <param name="Terminators">The tokens that end an answer: the end tokens of this project and those that the model names.</param>
/// <param name="Sampling">What the model recommends.</param>
/// <param name="MaxTokens">Tokens of an answer that the model recommends at most; null for no number.</param>
internal sealed record GenerationSettings(IReadOnlySet<int> Terminators, Sampling Sampling, int? MaxTokens)
{
    private const string GenerationConfigName = "generation_config.json";

    // Settings of tokenizers with hundreds of thousands of added tokens have a few megabytes.
    private const int MostBytes = 64 << 20;

    /// <summary>A JSON file of the folder, or null when it is not there.</summary>
    public static JsonDocument? ReadJson(string folder, string name)
    {
        string path = Path.Combine(folder, name);
        if (!File.Exists(path)) return null;
        try
        {
            long bytes = new FileInfo(path).Length;
            if (bytes > MostBytes) throw new UserErrorException($"{path}: the file has {bytes} bytes; expected at most {MostBytes}. Is it really a {name}?");
            byte[] content = File.ReadAllBytes(path);
            var document = JsonDocument.Parse(content);
            if (document.RootElement.ValueKind == JsonValueKind.Object)
            {
                _ = StrictJson.Parse(content); // a document finds a text that is no Unicode only when that text is asked for
                return document;
            }

            document.Dispose();
            throw new UserErrorException($"{path}: found JSON that is not an object; expected the settings of a model folder.");
        }
        catch (JsonException exception)
        {
            throw new UserErrorException($"{path}: is not valid JSON ({(exception.LineNumber is long line ? $"line {line + 1}" : exception.Message.Split('\n')[0].TrimEnd('\r'))}); the model folder is damaged.", exception);
        }
        catch (Exception exception) when (StorageFailure.Is(exception))
        {
            throw StorageFailure.Explain(exception, path);
        }
    }

    /// <summary>What a folder or a GGUF file says about generation.</summary>
    /// <exception cref="UserErrorException">A setting is malformed or outside the limits.</exception>
    public static GenerationSettings Read(ModelPlace model, Tokenizer tokenizer, RequestLimits limits)
    {
        string path = model.Path;
        var ends = new HashSet<int>();
        foreach (string token in (ReadOnlySpan<string>)[SpecialTokens.EndOfTurn, SpecialTokens.EndOfText])
            if (tokenizer.TokenId(token) is int id && tokenizer.IsSpecial(id)) ends.Add(id);
        if (model.File is { } file)
        {
            AddGgufEnds(file, tokenizer, ends);
            return new GenerationSettings(ends, new Sampling(), null);
        }

        foreach (string name in (ReadOnlySpan<string>)["config.json", GenerationConfigName])
        {
            using var document = ReadJson(path, name);
            if (document is not null && document.RootElement.TryGetProperty("eos_token_id", out var value)) AddEnds(value, Path.Combine(path, name), tokenizer, ends);
        }

        using var config = ReadJson(path, GenerationConfigName);
        if (config is null) return new GenerationSettings(ends, new Sampling(), null);
        var numbers = new Numbers(config.RootElement, Path.Combine(path, GenerationConfigName));
        var sampling = numbers.Sampling();
        try
        {
            RequestValidator.Check(sampling, limits);
        }
        catch (RequestException exception)
        {
            throw new UserErrorException($"{Path.Combine(path, GenerationConfigName)}: {exception.Message}", exception);
        }

        return new GenerationSettings(ends, sampling, numbers.MaxTokens());
    }

    private static void AddEnds(JsonElement value, string where, Tokenizer tokenizer, HashSet<int> ends)
    {
        foreach (var element in value.ValueKind == JsonValueKind.Array ? [.. value.EnumerateArray()] : new[] { value })
        {
            if (element.ValueKind == JsonValueKind.Null) continue;
            if (element.ValueKind != JsonValueKind.Number || !element.TryGetInt32(out int id) || id < 0 || id >= tokenizer.VocabularySize)
                throw new UserErrorException($"{where}: eos_token_id is {GgufFile.Shown(element.GetRawText())}; expected a token id from 0 to {tokenizer.VocabularySize - 1}, those of the tokenizer. Weights and tokenizer do not belong together.");
            ends.Add(id);
        }
    }

    private static void AddGgufEnds(GgufFile file, Tokenizer tokenizer, HashSet<int> ends)
    {
        foreach (string key in (ReadOnlySpan<string>)["tokenizer.ggml.eos_token_id", "tokenizer.ggml.eot_token_id", "tokenizer.ggml.eom_token_id"])
            if (file.Value(key) is not null) ends.Add(file.Integer(key, 0, tokenizer.VocabularySize - 1));
    }

    /// <summary>The values of <c>generation_config.json</c>.</summary>
    private sealed class Numbers(JsonElement root, string where)
    {
        // What the file does not say is the default of Sampling; do_sample false means the most likely token, whatever else is there.
        public Sampling Sampling()
        {
            var usual = new Sampling();
            var sampling = usual with
            {
                Temperature = Number("temperature", usual.Temperature),
                TopK = (int)Number("top_k", usual.TopK),
                TopP = Number("top_p", usual.TopP),
                MinP = Number("min_p", usual.MinP),
                TypicalP = Number("typical_p", usual.TypicalP),
                RepetitionPenalty = Number("repetition_penalty", usual.RepetitionPenalty),
            };
            return Flag("do_sample") == false ? sampling with { Temperature = 0 } : sampling;
        }

        public int? MaxTokens()
        {
            double most = Number("max_new_tokens", double.NaN);
            if (double.IsNaN(most)) return null;
            return most >= 1 && Math.Floor(most) == most ? (int)most
                : throw new UserErrorException(FormattableString.Invariant($"{where}: max_new_tokens is {most}; expected a whole number from 1."));
        }

        private bool? Flag(string name)
        {
            if (!root.TryGetProperty(name, out var value) || value.ValueKind == JsonValueKind.Null) return null;
            return value.ValueKind is JsonValueKind.True or JsonValueKind.False ? value.GetBoolean()
                : throw new UserErrorException($"{where}: {name} is {GgufFile.Shown(value.GetRawText())}; expected true or false.");
        }

        private double Number(string name, double otherwise)
        {
            if (!root.TryGetProperty(name, out var value) || value.ValueKind == JsonValueKind.Null) return otherwise;
            if (value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out double number) && Math.Abs(number) < int.MaxValue) return number;
            throw new UserErrorException($"{where}: {name} is {GgufFile.Shown(value.GetRawText())}; expected a number.");
        }
    }
}
