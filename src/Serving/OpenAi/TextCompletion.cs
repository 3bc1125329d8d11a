using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using OpenEuroLLM.Inference;
using static OpenEuroLLM.Serving.RequestFields;

namespace OpenEuroLLM.Serving.OpenAi;

/// <summary>A body of <c>POST /v1/completions</c>, translated: one internal request for each prompt.</summary>
/// <param name="Generations">The requests.</param>
/// <param name="Echo">Whether an answer begins with its prompt.</param>
/// <param name="Logprobs">Alternatives beside each token's likelihood; null for no likelihoods.</param>
/// <param name="Stream">Whether the answer comes as events.</param>
/// <param name="IncludeUsage">Whether a stream ends with the token counts.</param>
/// <param name="Ignored">Fields without effect here.</param>
internal sealed record TextRequest(
    IReadOnlyList<GenerationRequest> Generations, bool Echo, int? Logprobs, bool Stream, bool IncludeUsage, IReadOnlyCollection<string> Ignored)
{
    public static readonly FieldNames Names = new(new Dictionary<string, string> { ["prompt_logprobs"] = "logprobs", ["grammar"] = "response_format" });

    private const int UsualMaxTokens = 16;

    /// <summary>The fields of a body.</summary>
    public static readonly FieldTable Fields = SamplingFields.Add(new FieldTable())
        .Read("model", "prompt", "echo", "logprobs", "response_format")
        .Ignored("user")
        .Unsupported(value => IntegerOf(value) == 1, "best_of")
        .Unsupported(value => IsText(value, ""), "suffix")
        .Unsupported(_ => false, "prompt_logprobs", "structured_outputs", "guided_json", "guided_regex", "guided_choice", "guided_grammar");

    /// <exception cref="ApiException">The body asks for something else than this server has.</exception>
    public static TextRequest Read(JsonElement body, ModelInfo model)
    {
        RequireBody(body);
        var ignored = new SortedSet<string>(StringComparer.Ordinal);
        Fields.Check(body, "", ignored);
        bool echo = Flag(body, "echo") ?? false, stream = Flag(body, "stream") ?? false;
        int? logprobs = Integer(body, "logprobs");
        int maxTokens = Integer(body, "max_tokens") ?? UsualMaxTokens;
        if (maxTokens == 0 && !echo) throw ApiException.Invalid("max_tokens", "'max_tokens' is 0; expected 1 or more, or 'echo': true.");
        List<GenerationInput> prompts = Prompts.Read(body, "prompt", model.Limits.MaxPrompts);
        GenerationRequest common = SamplingFields.Apply(body, model, new GenerationRequest(prompts[0])) with
        {
            MaxTokens = maxTokens,
            Logprobs = logprobs,
            Grammar = AnswerForms.Read(body, "response_format", ignored),
            // Without it the engine refuses to generate nothing.
            PromptLogprobs = echo ? logprobs ?? 0 : null,
        };
        return new TextRequest([.. prompts.Select(prompt => common with { Input = prompt })], echo, logprobs, stream,
            SamplingFields.ReadIncludeUsage(body, stream, ignored), ignored);
    }
}

/// <summary>Prompts and inputs: a text, ids, or a list of either.</summary>
internal static class Prompts
{
    public static List<GenerationInput> Read(JsonElement body, string field, int most)
    {
        JsonElement value = Value(body, field) ?? throw ApiException.Invalid(field, $"'{field}' is missing; expected a text, token ids, or a list of either.");
        if (One(value) is { } single) return [single];
        if (value.ValueKind != JsonValueKind.Array || value.GetArrayLength() == 0 || value.GetArrayLength() > most)
            throw ApiException.Invalid(field, FormattableString.Invariant($"'{field}' must be a text, token ids, or a list of either with 1 to {most} entries."));
        var prompts = new List<GenerationInput>(value.GetArrayLength());
        foreach (JsonElement item in value.EnumerateArray())
        {
            string where = FormattableString.Invariant($"{field}[{prompts.Count}]");
            prompts.Add(One(item) ?? throw ApiException.Invalid(where, $"'{where}' must be a text or a list of token ids."));
        }
        return prompts;
    }

    private static GenerationInput? One(JsonElement value)
    {
        if (value.ValueKind == JsonValueKind.String) return new GenerationInput.TextInput(value.GetString()!);
        return Ids(value) is { } ids ? new GenerationInput.Tokens(ids) : null;
    }
}

/// <summary>The JSON of an answer to <c>POST /v1/completions</c>.</summary>
internal sealed class TextAnswer(IInferenceEngine engine, TextRequest request, DateTimeOffset created)
{
    private readonly string id = "cmpl-" + RandomNumberGenerator.GetHexString(32, lowercase: true);

    public void Write(Utf8JsonWriter json, IReadOnlyList<Answers> answers)
    {
        Begin(json);
        for (int prompt = 0; prompt < answers.Count; prompt++)
        {
            string echoed = request.Echo ? Echoed(prompt) : "";
            for (int choice = 0; choice < answers[prompt].Count; choice++)
            {
                Answer answer = answers[prompt][choice];
                WriteChoice(json, prompt * answers[prompt].Count + choice, echoed + answer.Text, ChatAnswer.ReasonOf(answer),
                    [.. request.Echo ? answers[prompt].Prompt.Select(token => (token.Id, token.Likelihood)) : [],
                     .. answer.Scored.Take(answer.Certain).Select(token => (token.Id, token.Likelihood))]);
            }
        }
        json.WriteEndArray();
        WriteUsage(json, answers);
        json.WriteEndObject();
    }

    public void WriteChunk(Utf8JsonWriter json, int index, string text, string? reason, IReadOnlyList<(int Id, TokenLikelihood? Likelihood)> scored)
    {
        Begin(json);
        WriteChoice(json, index, text, reason, scored);
        json.WriteEndArray();
        if (request.IncludeUsage) json.WriteNull("usage");
        json.WriteEndObject();
    }

    public void WriteUsageChunk(Utf8JsonWriter json, IReadOnlyList<Answers> answers)
    {
        Begin(json);
        json.WriteEndArray();
        WriteUsage(json, answers);
        json.WriteEndObject();
    }

    /// <summary>The prompt as text.</summary>
    public string Echoed(int prompt) => request.Generations[prompt].Input switch
    {
        GenerationInput.TextInput text => text.Value,
        GenerationInput.Tokens tokens => engine.Decode(tokens.Ids),
        _ => throw new InvalidOperationException("A text completion has another kind of prompt."),
    };

    private void Begin(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString("id", id);
        json.WriteString("object", "text_completion");
        json.WriteNumber("created", created.ToUnixTimeSeconds());
        json.WriteString("model", engine.Info.Name);
        json.WriteString("system_fingerprint", ChatAnswer.FingerprintOf(engine.Info));
        json.WriteStartArray("choices");
    }

    private void WriteChoice(Utf8JsonWriter json, int index, string text, string? reason, IReadOnlyList<(int Id, TokenLikelihood? Likelihood)> scored)
    {
        json.WriteStartObject();
        json.WriteString("text", text);
        json.WriteNumber("index", index);
        if (request.Logprobs is null) json.WriteNull("logprobs");
        else WriteLogprobs(json, scored);
        json.WriteString("finish_reason", reason);
        json.WriteEndObject();
    }

    private void WriteLogprobs(Utf8JsonWriter json, IReadOnlyList<(int Id, TokenLikelihood? Likelihood)> scored)
    {
        json.WriteStartObject("logprobs");
        json.WriteStartArray("tokens");
        foreach (var (token, _) in scored) json.WriteStringValue(TokenTexts.NameOf(engine, token));
        json.WriteEndArray();
        json.WriteStartArray("token_logprobs");
        foreach (var (_, likelihood) in scored)
        {
            if (likelihood is null) json.WriteNullValue();
            else json.WriteNumberValue(TokenTexts.Finite(likelihood.LogProbability));
        }
        json.WriteEndArray();
        json.WriteStartArray("top_logprobs");
        foreach (var (token, likelihood) in scored) WriteAlternatives(json, token, likelihood);
        json.WriteEndArray();
        json.WriteStartArray("text_offset");
        int offset = 0;
        foreach (var (token, _) in scored)
        {
            json.WriteNumberValue(offset);
            offset += engine.Decode([token]).EnumerateRunes().Count();
        }
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private void WriteAlternatives(Utf8JsonWriter json, int token, TokenLikelihood? likelihood)
    {
        if (likelihood is null)
        {
            json.WriteNullValue();
            return;
        }
        // By name: the token itself comes with the others, as in OpenAI's answers, and a name cannot stand twice.
        var written = new HashSet<string>(StringComparer.Ordinal);
        json.WriteStartObject();
        foreach (var (other, logProbability) in likelihood.Alternatives.Select(other => (other.Id, other.LogProbability)).Append((token, likelihood.LogProbability)))
        {
            string name = TokenTexts.NameOf(engine, other);
            if (written.Add(name)) json.WriteNumber(name, TokenTexts.Finite(logProbability));
        }
        json.WriteEndObject();
    }

    private static void WriteUsage(Utf8JsonWriter json, IReadOnlyList<Answers> answers)
    {
        Usage[] all = [.. answers.Select(each => each.Usage())];
        ChatAnswer.WriteUsage(json, all.Sum(usage => usage.PromptTokens), all.Sum(usage => usage.CompletionTokens), all.Sum(usage => usage.CachedTokens), 0);
    }
}

/// <summary>Text completions as chunks; the prompts of one call one after the other.</summary>
internal sealed class TextStream(HttpResponse response, TextRequest request, TextAnswer answer) : IAnswerStream
{
    private readonly EventStream events = new(response);
    private readonly Answers[] answers = [.. request.Generations.Select(generation => new Answers(generation.Choices))];
    private readonly Dictionary<(int Prompt, int Choice), int> scored = [];
    private readonly HashSet<(int Prompt, int Choice)> begun = [];
    private int prompt;

    public Task BeginAsync() => events.StartAsync();

    public async Task SendAsync(GenerationEvent happened)
    {
        answers[prompt].Add(happened);
        if (happened is not (GenerationEvent.Text or GenerationEvent.Finished)) return;
        Answer whole = answers[prompt][happened.Choice];
        var place = (prompt, happened.Choice);
        var news = new List<(int, TokenLikelihood?)>();
        string echoed = "";
        if (begun.Add(place) && request.Echo)
        {
            echoed = answer.Echoed(prompt);
            news.AddRange(answers[prompt].Prompt.Select(token => (token.Id, token.Likelihood)));
        }
        news.AddRange(whole.Scored[scored.GetValueOrDefault(place)..whole.Certain].Select(token => (token.Id, token.Likelihood)));
        scored[place] = whole.Certain;
        int index = prompt * answers[prompt].Count + happened.Choice;
        string piece = echoed + ((happened as GenerationEvent.Text)?.Value ?? "");
        await events.SendAsync(json => answer.WriteChunk(json, index, piece, whole.End is null ? null : ChatAnswer.ReasonOf(whole), news)).ConfigureAwait(false);
        if (Enumerable.Range(0, answers[prompt].Count).All(choice => answers[prompt][choice].End is not null)) prompt = Math.Min(prompt + 1, answers.Length - 1);
    }

    public Task PingAsync() => events.PingAsync();

    public async Task EndAsync()
    {
        foreach (Answers each in answers) each.Usage();
        if (request.IncludeUsage) await events.SendAsync(json => answer.WriteUsageChunk(json, answers)).ConfigureAwait(false);
        await events.DoneAsync().ConfigureAwait(false);
    }

    public Task FailAsync(ApiError error) => events.SendAsync(json => OpenAiError.Write(json, error));
}
