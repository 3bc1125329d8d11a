namespace OpenEuroLLM.Core.Auditing;

/// <summary>What a row of the audit is about.</summary>
public static class AuditKind
{
    /// <summary>The first row of a file, with a random name that no other file has.</summary>
    public const string Created = "created";

    /// <summary>A server began to write. Where the row before is not <see cref="Stopped"/>, the one before it was killed, and requests that it was answering have no row.</summary>
    public const string Started = "started";

    /// <summary>A server ended in order: every request that it answered has its row.</summary>
    public const string Stopped = "stopped";

    /// <summary>The hash of a model's weights became known; it belongs to all rows of this start with the same fingerprint.</summary>
    public const string Model = "model";

    /// <summary>A request that was answered, or of which the answer was begun.</summary>
    public const string Request = "request";

    /// <summary>Requests that were refused before any answer; several of the same kind within seconds are one row.</summary>
    public const string Refusal = "refusal";
}

/// <summary>How a request ended.</summary>
public static class AuditOutcome
{
    /// <summary>Everything was answered.</summary>
    public const string Completed = "completed";

    /// <summary>The client left, or the server was stopped, before the answer's end.</summary>
    public const string Cancelled = "cancelled";

    /// <summary>Nothing was answered; <see cref="AuditEntry.Code"/> says why.</summary>
    public const string Refused = "refused";

    /// <summary>The answer was begun and could not be finished; <see cref="AuditEntry.Code"/> says why.</summary>
    public const string Failed = "failed";
}

/// <summary>The settings with which an answer was sampled: numbers only, nothing that a client wrote as text.</summary>
/// <param name="Temperature">See <c>Sampling</c> of Inference for this and the following ones.</param>
/// <param name="TopK">Most likely tokens kept; 0 keeps all.</param>
/// <param name="TopP">Probability kept; 1 keeps all.</param>
/// <param name="MinP">Share of the most likely token's probability that is demanded; 0 demands none.</param>
/// <param name="TypicalP">Probability of typical tokens kept; 1 keeps all.</param>
/// <param name="RepetitionPenalty">1 changes nothing.</param>
/// <param name="PresencePenalty">0 changes nothing.</param>
/// <param name="FrequencyPenalty">0 changes nothing.</param>
/// <param name="Seed">Seed of the random stream.</param>
/// <param name="Choices">Answers asked for.</param>
/// <param name="StopTexts">Number of texts that end an answer.</param>
/// <param name="BiasedTokens">Number of tokens whose likelihood was changed.</param>
/// <param name="MaxTokens">Most tokens of an answer; null when the request said nothing.</param>
public sealed record AuditSampling(
    double Temperature, int TopK, double TopP, double MinP, double TypicalP, double RepetitionPenalty, double PresencePenalty, double FrequencyPenalty,
    ulong Seed, int Choices, int StopTexts, int BiasedTokens, int? MaxTokens = null);

/// <summary>One row of the audit: who used which model when, how much, and how it ended. Never what was asked or answered, and never a key.</summary>
/// <param name="Kind">One of <see cref="AuditKind"/>.</param>
/// <param name="At">When the request arrived, or the event happened; UTC, to the millisecond.</param>
/// <param name="RequestId">The id that the client got in <c>x-request-id</c>; null where there is none.</param>
/// <param name="Part">Which of several prompts of one request, from 1; null for the first.</param>
/// <param name="KeyId">The id of the API key; null on a server without keys, and for requests whose key was not accepted.</param>
/// <param name="KeyName">Whose key it is.</param>
/// <param name="Route">Method and pattern of the address, e.g. <c>POST /v1/chat/completions</c>: the dialect follows from it.</param>
/// <param name="Model">The model's name.</param>
/// <param name="Fingerprint">16 hex digits of the model's weights, known at once.</param>
/// <param name="WeightsSha256">SHA-256 of the model's weights; null until it is known, see <see cref="AuditKind.Model"/>.</param>
/// <param name="Sampling">How the answer was sampled.</param>
/// <param name="PromptTokens">Tokens of the prompt.</param>
/// <param name="CachedTokens">Those of them that were in the prefix cache.</param>
/// <param name="AnswerTokens">Tokens of all answers.</param>
/// <param name="FirstTokenMicroseconds">From the request's arrival to its first token.</param>
/// <param name="WholeMicroseconds">From the request's arrival to the end of its last answer.</param>
/// <param name="Outcome">One of <see cref="AuditOutcome"/>; null for rows about no request.</param>
/// <param name="Code">What ended it: the finish reasons of all answers (<c>stop,length</c>), or the code of the error.</param>
/// <param name="Status">The HTTP status of a refusal.</param>
/// <param name="Requests">How many requests a row of refusals stands for; null for one.</param>
/// <param name="Software">Version of the program, in rows about the file or the server.</param>
/// <param name="File">The random name of the file, in its first row.</param>
public sealed record AuditEntry(
    string Kind,
    DateTimeOffset At,
    string? RequestId = null,
    int? Part = null,
    string? KeyId = null,
    string? KeyName = null,
    string? Route = null,
    string? Model = null,
    string? Fingerprint = null,
    string? WeightsSha256 = null,
    AuditSampling? Sampling = null,
    int? PromptTokens = null,
    int? CachedTokens = null,
    int? AnswerTokens = null,
    long? FirstTokenMicroseconds = null,
    long? WholeMicroseconds = null,
    string? Outcome = null,
    string? Code = null,
    int? Status = null,
    int? Requests = null,
    string? Software = null,
    string? File = null)
{
    /// <summary>A moment as rows carry it: to the millisecond.</summary>
    public static DateTimeOffset Moment(DateTimeOffset time) => DateTimeOffset.FromUnixTimeMilliseconds(time.ToUnixTimeMilliseconds());
}
