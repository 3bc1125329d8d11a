using System.Globalization;
using System.Text.Json;
using OpenEuroLLM.Inference;
using static OpenEuroLLM.Serving.RequestFields;

namespace OpenEuroLLM.Serving.OpenAi;

/// <summary>The fields that chat and text completions share.</summary>
internal static class SamplingFields
{
    private static readonly FieldTable StreamFields = new FieldTable().Read("include_usage").Ignored("include_obfuscation");

    public static FieldTable Add(FieldTable fields) => AddChoice(fields).Read("n", "stop", "stop_token_ids", "max_tokens", "min_tokens", "ignore_eos", "cache_salt", "stream", "stream_options");

    /// <summary>Those that say how a token is chosen.</summary>
    public static FieldTable AddChoice(FieldTable fields) => fields.Read("temperature", "top_p", "top_k", "min_p", "typical_p", "repetition_penalty",
        "presence_penalty", "frequency_penalty", "logit_bias", "seed");

    /// <summary>The request with what the body says about sampling; where it says nothing the model's own values stand.</summary>
    public static GenerationRequest Apply(JsonElement body, ModelInfo model, GenerationRequest request)
    {
        Sampling usual = model.DefaultSampling;
        return request with
        {
            Sampling = usual with
            {
                Temperature = Number(body, "temperature") ?? usual.Temperature,
                TopK = Integer(body, "top_k") ?? usual.TopK,
                TopP = Number(body, "top_p") ?? usual.TopP,
                MinP = Number(body, "min_p") ?? usual.MinP,
                TypicalP = Number(body, "typical_p") ?? usual.TypicalP,
                RepetitionPenalty = Number(body, "repetition_penalty") ?? usual.RepetitionPenalty,
                PresencePenalty = Number(body, "presence_penalty") ?? usual.PresencePenalty,
                FrequencyPenalty = Number(body, "frequency_penalty") ?? usual.FrequencyPenalty,
                LogitBias = ReadBias(body) ?? usual.LogitBias,
                Seed = Seed(body) ?? usual.Seed,
            },
            Stop = Texts(body, "stop", single: true),
            StopTokens = List(body, "stop_token_ids") is not JsonElement list || list.GetArrayLength() == 0 ? null
                : Ids(list) ?? throw ApiException.Invalid("stop_token_ids", "'stop_token_ids' must be a list of token ids."),
            Choices = Integer(body, "n") ?? 1,
            MinTokens = Integer(body, "min_tokens") ?? 0,
            IgnoreEnd = Flag(body, "ignore_eos") ?? false,
            CacheSalt = Text(body, "cache_salt"),
        };
    }

    public static bool ReadIncludeUsage(JsonElement body, bool stream, ICollection<string> ignored)
    {
        if (Object(body, "stream_options") is not JsonElement options) return false;
        StreamFields.Check(options, "stream_options.", ignored);
        if (!stream) throw ApiException.Invalid("stream_options", "'stream_options' needs 'stream': true.");
        return Flag(options, "include_usage", "stream_options.") ?? false;
    }

    private static Dictionary<int, double>? ReadBias(JsonElement body)
    {
        if (Object(body, "logit_bias") is not JsonElement given || given.GetPropertyCount() == 0) return null;
        var bias = new Dictionary<int, double>();
        foreach (JsonProperty property in given.EnumerateObject())
        {
            string shown = RequestBody.Shown(property.Name);
            if (!int.TryParse(property.Name, NumberStyles.None, CultureInfo.InvariantCulture, out int id))
                throw ApiException.Invalid("logit_bias", $"'logit_bias' has the name '{shown}'; expected token ids.");
            if (!bias.TryAdd(id, Number(given, property.Name, "logit_bias.") ?? 0))
                throw ApiException.Invalid("logit_bias", $"'logit_bias' has the token '{shown}' twice.");
        }
        return bias;
    }
}
