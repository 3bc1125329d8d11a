using System.Threading.Channels;
using OpenEuroLLM.Tokenizers;

namespace OpenEuroLLM.Inference;

/// <summary>A request under way: where its events go, and how many of its answers are still open.</summary>
internal sealed class Job(ValidatedRequest request, ChannelWriter<GenerationEvent> events, CancellationToken cancellation)
{
    public ValidatedRequest Request { get; } = request;
    public ChannelWriter<GenerationEvent> Events { get; } = events;
    public CancellationToken Cancellation { get; } = cancellation;
    public int OpenAnswers { get; set; } = request.Choices;

    /// <summary>The request ended early: its answers leave at the next step.</summary>
    public bool Failed { get; private set; }

    public void Fail(Exception cause)
    {
        Failed = true;
        Events.TryComplete(cause);
    }
}

/// <summary>One answer: its place in the cache, its text so far, and what its next row is. Touched by the worker only.</summary>
internal sealed class Answer(Job job, int choice, Tokenizer tokenizer, IReadOnlySet<int> terminators)
{
    private readonly StreamingDecoder _decoder = new(tokenizer);
    private readonly StopScanner _stops = new(job.Request.Stop);
    private readonly HashSet<int> _seen = job.Request.Sampling.RepetitionPenalty == 1 ? [] : [.. job.Request.Prompt];
    private int _generated;
    private int _last;

    public Job Job { get; } = job;

    /// <summary>The place in the cache; null while the answer waits.</summary>
    public ICachedSequence? Sequence { get; private set; }

    /// <summary>Whether everything was said.</summary>
    public bool Complete { get; private set; }

    /// <summary>Tokens that the cache must hold at most: the last token of an answer is never fed back.</summary>
    public int CacheTokens => Job.Request.Prompt.Length + Job.Request.MaxTokens - 1;

    public void Start(ICachedSequence sequence) => Sequence = sequence;

    /// <summary>Rows that can be computed now: the rest of the prompt, then one by one.</summary>
    public int PendingRows => Math.Max(1, Job.Request.Prompt.Length - Sequence!.Length);

    /// <summary>Writes the tokens of the next rows.</summary>
    public void NextTokens(Span<int> tokens)
    {
        int held = Sequence!.Length;
        if (held < Job.Request.Prompt.Length) Job.Request.Prompt.AsSpan(held, tokens.Length).CopyTo(tokens);
        else tokens[0] = _last;
    }

    /// <summary>Whether the rows of this step reach the end of what is known, so that a token is to be chosen.</summary>
    public bool Chooses(int rows) => Sequence!.Length + rows >= Job.Request.Prompt.Length;

    /// <summary>Chooses the next token and says what became of it.</summary>
    public void Advance(Span<float> logits, Sampler sampler)
    {
        var request = Job.Request;
        int id = sampler.Choose(logits, request.Sampling, _seen, choice, _generated);
        _generated++;
        _last = id;
        if (request.Sampling.RepetitionPenalty != 1) _seen.Add(id);
        Job.Events.TryWrite(new GenerationEvent.Token(choice, id));

        bool ended = terminators.Contains(id);
        if (!ended && !tokenizer.IsSpecial(id)) Show(_stops.Push(_decoder.Push(id)));
        if (_stops.Found is not null) Finish(FinishReason.Stop);
        else if (ended) Finish(FinishReason.Stop);
        else if (_generated == request.MaxTokens) Finish(FinishReason.Length);
    }

    private void Finish(FinishReason reason)
    {
        if (_stops.Found is null)
        {
            Show(_stops.Push(_decoder.Flush()));
            if (_stops.Found is null) Show(_stops.Flush());
            else reason = FinishReason.Stop;
        }

        Complete = true;
        Release(); // before anyone hears of it
        Job.Events.TryWrite(new GenerationEvent.Finished(choice, reason, new Usage(Job.Request.Prompt.Length, _generated), _stops.Found));
        if (--Job.OpenAnswers == 0) Job.Events.TryComplete();
    }

    private void Show(string text)
    {
        if (text.Length > 0) Job.Events.TryWrite(new GenerationEvent.Text(choice, text));
    }

    public void Release()
    {
        Sequence?.Dispose();
        Sequence = null;
    }
}
