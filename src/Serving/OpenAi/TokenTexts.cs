using System.Text;
using System.Text.Json;
using System.Text.Unicode;
using OpenEuroLLM.Inference;

namespace OpenEuroLLM.Serving.OpenAi;

/// <summary>Tokens as texts. A token may be a part of a character; then only its bytes tell what it is.</summary>
internal static class TokenTexts
{
    // What JSON can hold: the least that a probability of 0 may be written as.
    private const double Least = -9999;

    /// <summary>The fields <c>token, logprob, bytes</c>.</summary>
    public static void WriteFields(Utf8JsonWriter json, IInferenceEngine engine, int id, double logProbability)
    {
        byte[] bytes = engine.TokenBytes(id);
        json.WriteString("token", Encoding.UTF8.GetString(bytes));
        json.WriteNumber("logprob", Finite(logProbability));
        json.WriteStartArray("bytes");
        foreach (byte value in bytes) json.WriteNumberValue(value);
        json.WriteEndArray();
    }

    /// <summary>A text that no other token has, as text completions use for keys: what is no whole character is written <c>bytes:\xc3</c>.</summary>
    public static string NameOf(IInferenceEngine engine, int id)
    {
        byte[] bytes = engine.TokenBytes(id);
        if (bytes.Length == 0) return FormattableString.Invariant($"token:{id}");
        return Utf8.IsValid(bytes) ? Encoding.UTF8.GetString(bytes) : "bytes:" + string.Concat(bytes.Select(value => FormattableString.Invariant($"\\x{value:x2}")));
    }

    /// <summary>Tokens with their likelihood and its alternatives, as the entries of a list.</summary>
    public static void WriteScored(Utf8JsonWriter json, IInferenceEngine engine, IEnumerable<GenerationEvent.Token> scored)
    {
        foreach (GenerationEvent.Token token in scored)
        {
            json.WriteStartObject();
            WriteFields(json, engine, token.Id, token.Likelihood!.LogProbability);
            json.WriteStartArray("top_logprobs");
            foreach (TokenAlternative other in token.Likelihood.Alternatives)
            {
                json.WriteStartObject();
                WriteFields(json, engine, other.Id, other.LogProbability);
                json.WriteEndObject();
            }
            json.WriteEndArray();
            json.WriteEndObject();
        }
    }

    public static double Finite(double logProbability) => double.IsFinite(logProbability) ? logProbability : Least;
}
