using System.Text;
using OpenEuroLLM.Core.Auditing;
using OpenEuroLLM.Inference;

namespace OpenEuroLLM.Serving.Operation;

/// <summary>One call of the engine for a request: what was asked in numbers, and what became of it.</summary>
internal sealed class EngineCall
{
    private readonly TimeProvider time;
    private readonly RequestRecord? request;
    private readonly DateTimeOffset at;
    private readonly long arrived;
    private readonly int part;
    private readonly int choices;
    private readonly AuditSampling? sampling;
    private readonly List<FinishReason> reasons = [];
    private readonly StringBuilder? text;
    private Usage? prompt;
    private long? firstToken, whole;
    private int answerTokens;

    /// <summary>A call that generates.</summary>
    /// <param name="asked">What is generated.</param>
    /// <param name="model">What generates.</param>
    /// <param name="time">The clock.</param>
    /// <param name="keepContent">Whether the words are kept for the log.</param>
    public EngineCall(GenerationRequest asked, ModelInfo model, TimeProvider time, bool keepContent) : this(model, time, asked.Choices)
    {
        Sampling used = asked.Sampling ?? model.DefaultSampling;
        sampling = new AuditSampling(used.Temperature, used.TopK, used.TopP, used.MinP, used.TypicalP, used.RepetitionPenalty, used.PresencePenalty, used.FrequencyPenalty,
            used.Seed, asked.Choices, asked.Stop?.Count ?? 0, used.LogitBias?.Count ?? 0, asked.MaxTokens);
        if (!keepContent) return;
        text = new StringBuilder();
        Input = asked.Input;
    }

    /// <summary>A call that makes vectors.</summary>
    public EngineCall(ModelInfo model, TimeProvider time) : this(model, time, choices: 0) { }

    private EngineCall(ModelInfo model, TimeProvider time, int choices)
    {
        (Model, this.time, this.choices) = (model, time, choices);
        request = RequestRecord.Current;
        (at, arrived) = request is null ? (time.GetUtcNow(), time.GetTimestamp()) : (request.At, request.Arrived);
        part = request?.Add(this) ?? 0;
    }

    public ModelInfo Model { get; }

    /// <summary>One of <see cref="AuditOutcome"/>; null while it runs.</summary>
    public string? Outcome { get; private set; }

    /// <summary>What ended it.</summary>
    public string? Code { get; private set; }

    /// <summary>Whether the engine refused it before anything was generated.</summary>
    public bool Refused => Outcome == AuditOutcome.Refused;

    /// <summary>Whether every answer has ended.</summary>
    public bool IsComplete => reasons.Count == choices;

    /// <summary>Whether anything came from the engine.</summary>
    public bool Begun { get; private set; }

    public int? PromptTokens => prompt?.PromptTokens;

    public int? CachedTokens => prompt?.CachedTokens;

    public int AnswerTokens => answerTokens;

    public long? FirstTokenMicroseconds => firstToken;

    /// <summary>What was asked, where the log wants it.</summary>
    public GenerationInput? Input { get; }

    /// <summary>What was answered, all choices one after the other, where the log wants it.</summary>
    public string? Output => text?.ToString();

    public void Add(GenerationEvent happened)
    {
        Begun = true;
        switch (happened)
        {
            case GenerationEvent.Token:
                answerTokens++;
                firstToken ??= Elapsed();
                break;
            case GenerationEvent.Text said:
                text?.Append(said.Value);
                break;
            case GenerationEvent.Reasoning thought:
                text?.Append(thought.Value);
                break;
            case GenerationEvent.ToolCall call:
                text?.Append(call.Name).Append(call.Arguments);
                break;
            case GenerationEvent.Finished finished:
                prompt ??= finished.Usage;
                reasons.Add(finished.Reason);
                break;
        }
    }

    public void Complete() => End(AuditOutcome.Completed, string.Join(',', reasons.Select(reason => reason == FinishReason.Length ? "length" : "stop")));

    /// <summary>It made vectors of so many tokens.</summary>
    public void Complete(int tokens)
    {
        prompt = new Usage(tokens, 0);
        End(AuditOutcome.Completed, "stop");
    }

    /// <summary>It did not come to its end.</summary>
    /// <param name="outcome">One of <see cref="AuditOutcome"/>.</param>
    /// <param name="code">What ended it.</param>
    /// <param name="promptTokens">Tokens of the prompt, where they were computed.</param>
    public void End(string outcome, string code, int? promptTokens = null)
    {
        if (promptTokens is int tokens) prompt ??= new Usage(tokens, 0);
        (Outcome, Code) = (outcome, code);
        whole = Elapsed();
    }

    /// <summary>The row of the audit.</summary>
    public AuditEntry ToEntry(string? weightsSha256) => new(
        AuditKind.Request, AuditEntry.Moment(at), request?.Id, part > 0 ? part : null, request?.KeyId, request?.KeyName, request?.Route,
        Model.Name, Model.Fingerprint, weightsSha256, sampling, prompt?.PromptTokens, prompt?.CachedTokens, answerTokens, firstToken, whole, Outcome, Code);

    private long Elapsed() => (long)time.GetElapsedTime(arrived).TotalMicroseconds;
}
