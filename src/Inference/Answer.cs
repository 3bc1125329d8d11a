using System.Threading.Channels;
using OpenEuroLLM.Tensors;
using OpenEuroLLM.Tokenizers;

namespace OpenEuroLLM.Inference;

/// <summary>A request under way: where its events go, and how many of its answers are still open.</summary>
internal sealed class Job(ValidatedRequest request, ChannelWriter<GenerationEvent> events, CancellationToken cancellation)
{
    public ValidatedRequest Request { get; } = request;
    public ChannelWriter<GenerationEvent> Events { get; } = events;
    public CancellationToken Cancellation { get; } = cancellation;
    public int OpenAnswers { get; set; } = request.Choices;

    /// <summary>Whether one of its answers has a place.</summary>
    public bool Admitted { get; private set; }

    /// <summary>Answers that were admitted.</summary>
    public int Begun { get; set; }

    /// <summary>The request ended early: its answers leave at the next step.</summary>
    public bool Failed { get; private set; }

    public void Admit()
    {
        if (!Admitted) Request.Admitted?.Invoke();
        Admitted = true;
    }

    public void Fail(Exception cause)
    {
        Failed = true;
        Events.TryComplete(cause);
    }
}

/// <summary>One answer: its place in the cache, its text so far, and what its next rows are. Touched by the worker only.</summary>
internal sealed class Answer
{
    private readonly int _choice;
    private readonly Tokenizer _tokenizer;
    private readonly IReadOnlySet<int> _terminators;
    private readonly int[] _endIds;         // what may not be chosen before the fewest tokens are reached
    private readonly bool _scoresPrompt;
    private readonly StreamingDecoder _decoder;
    private readonly StopScanner _stops;
    private readonly SamplingState _sampling;
    private readonly PromptLookup? _lookup;
    private readonly Grammars.AnswerGrammar? _grammar;
    private int[] _tokens;                  // prompt and answer; behind them the guess of this step
    private int _count;
    private int _guessed, _hits, _allGuessed, _allHits;
    private int _rows, _scoredRows;
    private PageNames? _names;
    private int _cachedTokens;
    private bool _ended, _endedByForm;      // by one of the tokens that end answers, or as nothing could follow
    private int _promptRows, _chargedPrompt, _chargedAnswer;

    public Answer(Job job, int choice, Tokenizer tokenizer, IReadOnlySet<int> terminators, StepCosts costs)
    {
        (Job, _choice, _tokenizer, _terminators) = (job, choice, tokenizer, terminators);
        var request = job.Request;
        _scoresPrompt = request.PromptLogprobs is not null && choice == 0;
        _decoder = new StreamingDecoder(tokenizer);
        _stops = new StopScanner(request.Stop);
        _sampling = new SamplingState(request.Sampling, choice, request.Prompt);
        _endIds = request.MinTokens > 0 ? [.. terminators, .. request.StopTokens] : [];
        if (request.Grammar is { } matcher) _grammar = new Grammars.AnswerGrammar(matcher, [.. terminators, .. request.StopTokens]);
        _tokens = request.Prompt;
        _count = request.Prompt.Length;
        if (request.Speculation is { } speculation) _lookup = new PromptLookup(speculation, _count + request.MaxTokens, costs);
    }

    public Job Job { get; }

    /// <summary>Where the scheduler keeps what the tenant has got; null before the answer waits.</summary>
    public TenantAccount? Account { get; set; }

    /// <summary>Its number in order of arrival.</summary>
    public long Arrival { get; set; }

    /// <summary>Tokens of the prompt that the tenant was promised and that were not computed yet.</summary>
    public int Promised { get; set; }

    /// <summary>The place in the cache; null while the answer waits.</summary>
    public ICachedSequence? Sequence { get; private set; }

    /// <summary>Whether everything was said.</summary>
    public bool Complete { get; private set; }

    /// <summary>Tokens that the cache must hold at most: the last token of an answer is never fed back.</summary>
    public int CacheTokens => Job.Request.Prompt.Length + Math.Max(0, Job.Request.MaxTokens - 1);

    /// <summary>Names of the prompt's full pages, as far as they need not be computed: the last token always is, and all of them when
    /// their likelihoods are asked for.</summary>
    public ReadOnlySpan<PrefixHash> Prefix(int pageTokens)
    {
        _names ??= new PageNames(pageTokens, Job.Request.CacheSalt, CacheTokens);
        return _scoresPrompt ? [] : _names.Of(Job.Request.Prompt.AsSpan(0, Job.Request.Prompt.Length - 1));
    }

    public void Start(ICachedSequence sequence)
    {
        Job.Begun++;
        Sequence = sequence;
        _cachedTokens = sequence.Length;
        _tokens = new int[_count + Job.Request.MaxTokens];
        Job.Request.Prompt.CopyTo(_tokens, 0);
    }

    /// <summary>Rows of known tokens that can be computed now: the rest of the prompt, then one by one.</summary>
    public int PendingRows => _count - Sequence!.Length;

    /// <summary>Tokens generated.</summary>
    public int Generated => _sampling.Generated;

    /// <summary>How many rows of known tokens a step can take.</summary>
    /// <param name="scoredRoom">Rows beyond the last whose logits may be asked for.</param>
    public int WantedRows(int scoredRoom) => ScoresPrompt ? Math.Min(PendingRows, scoredRoom + 1) : PendingRows;

    /// <summary>Tokens of prompt and answer that were computed since this was asked last.</summary>
    public (int Prompt, int Generated) TakeWork()
    {
        var work = (_promptRows - _chargedPrompt, Generated - _chargedAnswer);
        (_chargedPrompt, _chargedAnswer) = (_promptRows, Generated);
        return work;
    }

    /// <summary>Whether nothing more is to be done: all was said, nobody waits any more, or the time is over.</summary>
    public bool Ended(DateTimeOffset now)
    {
        if (Complete || Job.Failed) return true;
        if (Job.Cancellation.IsCancellationRequested) Job.Fail(new OperationCanceledException(Job.Cancellation));
        else if (Job.Request.Deadline < now)
            Job.Fail(new RequestException("deadline", "the deadline passed before the answer was complete.", RequestErrorCode.DeadlineExceeded));
        return Job.Failed;
    }

    /// <summary>Settles the rows of this step.</summary>
    /// <param name="room">Rows for known tokens, at least one.</param>
    /// <param name="scoredRoom">Rows beyond the last whose logits may be asked for: of guesses, or of the prompt.</param>
    /// <param name="company">Rows of other answers in the same step, as far as they are known.</param>
    public void Plan(int room, int scoredRoom, int company)
    {
        int pending = PendingRows;
        _guessed = 0;
        _rows = Math.Min(Math.Min(pending, room), WantedRows(scoredRoom));
        bool scoresPrompt = ScoresPrompt;
        _promptRows += Math.Clamp(Job.Request.Prompt.Length - Sequence!.Length, 0, _rows);
        _scoredRows = scoresPrompt ? _rows : _rows == pending ? 1 : 0;
        if (scoresPrompt) return;
        if (pending > 1 || _lookup is null) return;
        int left = Job.Request.MaxTokens - _sampling.Generated - 1;
        _guessed = _lookup.Guess(_tokens, _count, Math.Min(left, scoredRoom), company);
        (_rows, _scoredRows) = (_rows + _guessed, _scoredRows + _guessed);
    }

    /// <summary>Rows of this step, and of how many of them, the last ones, the logits are needed.</summary>
    public (int All, int Scored) Rows => (_rows, _scoredRows);

    /// <summary>The tokens of this step's rows.</summary>
    public ReadOnlySpan<int> NextTokens => _tokens.AsSpan(Sequence!.Length, _rows);

    /// <summary>Takes what the step gave: keeps full pages, chooses tokens, and says what became of them.</summary>
    /// <param name="logits">Of the last rows, as many as were asked for.</param>
    /// <param name="sampler">Chooses.</param>
    /// <param name="scores">Says how likely tokens are.</param>
    public void Advance(Span<float> logits, Sampler sampler, TokenScores scores)
    {
        KeepPages(_count);
        if (_scoredRows == 0) return;
        int vocabulary = logits.Length / _scoredRows;
        int place = Sequence!.Length - _scoredRows; // of the row that is looked at
        _hits = 0;
        for (int row = 0; row < _scoredRows; row++, place++)
        {
            var ofRow = logits.Slice(row * vocabulary, vocabulary);
            if (_scoresPrompt && place + 1 <= Job.Request.Prompt.Length) TellPrompt(place, ofRow, scores);
            if (place + 1 < Job.Request.Prompt.Length) continue;
            int guess = row + 1 < _scoredRows ? _tokens[place + 1] : -1;
            int chosen = Next(ofRow, sampler, scores);
            if (chosen == guess) _hits++;
            if (Complete || chosen != guess) break;
        }

        if (_guessed > 0) _lookup!.Learn(_guessed, _hits);
        (_allGuessed, _allHits) = (_allGuessed + _guessed, _allHits + _hits);
        if (Complete) Finish();
        else if (Sequence.Length >= _count) Sequence.Truncate(_count - 1);
    }

    public void Release()
    {
        Sequence?.Dispose();
        Sequence = null;
    }

    // The row at a place foretells the token behind it.
    private void TellPrompt(int place, Span<float> logits, TokenScores scores)
    {
        var prompt = Job.Request.Prompt;
        if (place == 0) Tell(new GenerationEvent.PromptToken(_choice, prompt[0], null));
        if (place + 1 == prompt.Length) return;
        Sampler.CheckNumbers(logits, 0);
        scores.Take(logits);
        Tell(new GenerationEvent.PromptToken(_choice, prompt[place + 1], scores.Of(prompt[place + 1], Job.Request.PromptLogprobs!.Value)));
    }

    // Chooses the next token; -1 where none is wanted.
    private int Next(Span<float> logits, Sampler sampler, TokenScores scores)
    {
        var request = Job.Request;
        if (request.MaxTokens == 0)
        {
            Complete = true;
            return -1;
        }

        if (request.Logprobs is not null) scores.Take(logits);
        if (_sampling.Generated < request.MinTokens)
            foreach (int end in _endIds) logits[end] = float.NegativeInfinity;
        int id = sampler.Choose(logits, _sampling, _grammar);
        _tokens[_count++] = id;
        Tell(new GenerationEvent.Token(_choice, id, request.Logprobs is int alternatives ? scores.Of(id, alternatives) : null));

        _ended = (!request.IgnoreEnd && _terminators.Contains(id)) || Array.IndexOf(request.StopTokens, id) >= 0;
        if (!_ended && !_tokenizer.IsSpecial(id)) Say(_decoder.Push(id));
        if (_grammar is not null && !_ended)
        {
            _grammar.Add(id);
            _endedByForm = _ended = _grammar.IsComplete; // the model need not say so
        }

        Complete = _ended || _stops.Found is not null || _sampling.Generated == request.MaxTokens;
        return id;
    }

    private bool ScoresPrompt => _scoresPrompt && Sequence!.Length < Job.Request.Prompt.Length;

    private void Finish()
    {
        if (_stops.Found is null)
        {
            Say(_decoder.Flush());
            if (_stops.Found is null) Show(_stops.Flush());
        }

        KeepPages(_count - 1);
        Release(); // before anyone hears of it
        var reason = _ended || _stops.Found is not null ? FinishReason.Stop : FinishReason.Length;
        var usage = new Usage(Job.Request.Prompt.Length, _sampling.Generated, _cachedTokens, _allGuessed, _allHits);
        Tell(new GenerationEvent.Finished(_choice, reason, usage, _stops.Found) { EndedByForm = _endedByForm });
        if (--Job.OpenAnswers == 0) Job.Events.TryComplete();
    }

    // Below the fewest tokens nothing stops the answer, so nothing is looked for.
    private void Say(string text) => Show(_sampling.Generated <= Job.Request.MinTokens && Job.Request.MinTokens > 0 ? text : _stops.Push(text));

    private void Show(string text)
    {
        if (text.Length > 0) Tell(new GenerationEvent.Text(_choice, text));
    }

    private void Tell(GenerationEvent happened) => Job.Events.TryWrite(happened);

    // Positions before the given one hold what is known for certain, no guesses.
    private void KeepPages(int certain) => _names?.KeepFull(Sequence!, _tokens.AsSpan(0, Math.Min(certain, Sequence!.Length)));
}
