using OpenEuroLLM.Core;
using OpenEuroLLM.Tokenizers;

namespace OpenEuroLLM.Inference;

/// <summary>Continuous batching on one worker thread: every step is one forward call over a flat batch, made of one row for each answer
/// under way and of pieces of the prompts of new ones.</summary>
/// <remarks>An answer is admitted when the cache has pages for all that it may need, so nothing has to be taken back later. The engine
/// gives the same logits for any mixture of rows, and sampling looks at one answer only: an answer does not depend on its company.</remarks>
internal sealed class Scheduler : IDisposable
{
    // Rows of one step whose logits are asked for beside the one of each answer: logits of a row are as many as the vocabulary.
    private const int ExtraScoredRows = 64;

    private readonly ICausalModel _model;
    private readonly Tokenizer _tokenizer;
    private readonly IReadOnlySet<int> _terminators;
    private readonly EngineLimits _limits;
    private readonly IClock _clock;
    private readonly Sampler _sampler;
    private readonly TokenScores _scores;
    private readonly Thread _worker;

    // Shared with callers; the lock is also the worker's bell.
    private readonly object _gate = new();
    private readonly List<Answer> _waiting = [];      // by priority, then arrival
    private readonly Queue<Action<ICausalModel>> _work = [];
    private bool _closing;
    private int _runningCount;

    // The worker's own.
    private readonly List<Answer> _running = [];
    private readonly int[] _tokens;
    private readonly int[] _rows;
    private readonly BatchPart[] _parts;
    private float[] _logits = [];
    private long _promptTokens, _cachedTokens;  // read by anyone: written under the lock
    private readonly StepCounter _steps = new();

    /// <param name="model">The model.</param>
    /// <param name="tokenizer">Its tokenizer.</param>
    /// <param name="terminators">Ids that end an answer.</param>
    /// <param name="limits">How much is done at once.</param>
    /// <param name="clock">For deadlines.</param>
    /// <param name="textless">Ids without a token; see <see cref="Sampler"/>.</param>
    public Scheduler(ICausalModel model, Tokenizer tokenizer, IReadOnlySet<int> terminators, EngineLimits limits, IClock clock, IReadOnlyList<int>? textless = null)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(limits.Sequences, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(limits.BatchRows, limits.Sequences);
        (_model, _tokenizer, _terminators, _limits, _clock) = (model, tokenizer, terminators, limits, clock);
        _sampler = new Sampler(model.VocabularySize, textless);
        _scores = new TokenScores(model.VocabularySize, textless);
        _tokens = new int[limits.BatchRows];
        _rows = new int[limits.Sequences + ExtraScoredRows];
        _parts = new BatchPart[limits.Sequences];
        _worker = new Thread(Run) { IsBackground = true, Name = "generation" };
        _worker.Start();
    }

    public EngineStatus Status
    {
        get
        {
            lock (_gate) return new EngineStatus(_runningCount, _waiting.Count, _model.FreePages, _model.TotalPages, _promptTokens, _cachedTokens, _model.PageTokens) { Steps = _steps.Read() };
        }
    }

    /// <exception cref="RequestException">Too many answers wait already.</exception>
    public void Enqueue(Job job)
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_closing, this);
            if (_waiting.Count + job.Request.Choices > _limits.WaitingAnswers)
                throw new RequestException(null, $"{_waiting.Count} answers wait already, the limit is {_limits.WaitingAnswers}; try again later.",
                    RequestErrorCode.Overloaded);
            int place = _waiting.Count;
            while (place > 0 && _waiting[place - 1].Job.Request.Priority < job.Request.Priority) place--;
            for (int choice = 0; choice < job.Request.Choices; choice++)
                _waiting.Insert(place + choice, new Answer(job, choice, _tokenizer, _terminators));
            Monitor.Pulse(_gate);
        }
    }

    /// <summary>Runs something on the model between two steps, on the worker, and waits for it.</summary>
    public T Use<T>(Func<ICausalModel, T> work)
    {
        var done = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_closing, this);
            _work.Enqueue(model =>
            {
                try
                {
                    done.SetResult(work(model));
                }
                catch (Exception exception)
                {
                    done.SetException(exception);
                }
            });
            Monitor.Pulse(_gate);
        }

        return done.Task.GetAwaiter().GetResult();
    }

    /// <summary>Ends everything that is under way and the worker itself.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            if (_closing) return;
            _closing = true;
            Monitor.Pulse(_gate);
        }

        _worker.Join();
    }

    private void Run()
    {
        while (WaitForWork(out var work))
        {
            work?.Invoke(_model);
            DropEnded();
            Admit();
            if (_running.Count > 0) Step();
            DropEnded();
        }

        List<Answer> left;
        lock (_gate) left = [.. _running, .. _waiting];
        foreach (var answer in left)
        {
            answer.Job.Fail(new OperationCanceledException("the engine was closed"));
            answer.Release();
        }

        while (_work.TryDequeue(out var late)) late(_model); // their callers wait for an answer
    }

    private bool WaitForWork(out Action<ICausalModel>? work)
    {
        lock (_gate)
        {
            while (!_closing && _running.Count == 0 && _waiting.Count == 0 && _work.Count == 0) Monitor.Wait(_gate);
            work = null;
            if (_closing) return false;
            _work.TryDequeue(out work);
            return true;
        }
    }

    private void DropEnded()
    {
        var now = _clock.UtcNow;
        DropEnded(_running, now);
        lock (_gate)
        {
            DropEnded(_waiting, now);
            _runningCount = _running.Count;
        }
    }

    // A loop, because a predicate that captures the time would be allocated for every token.
    private static void DropEnded(List<Answer> answers, DateTimeOffset now)
    {
        int kept = 0;
        for (int i = 0; i < answers.Count; i++)
        {
            if (Ended(answers[i], now)) answers[i].Release();
            else answers[kept++] = answers[i];
        }

        answers.RemoveRange(kept, answers.Count - kept);
    }

    private static bool Ended(Answer answer, DateTimeOffset now)
    {
        var job = answer.Job;
        if (answer.Complete || job.Failed) return true;
        if (job.Cancellation.IsCancellationRequested) job.Fail(new OperationCanceledException(job.Cancellation));
        else if (job.Request.Deadline < now)
            job.Fail(new RequestException("deadline", "the deadline passed before the answer was complete.", RequestErrorCode.DeadlineExceeded));
        return job.Failed;
    }

    // Strictly in order: a large request at the head is not overtaken, or small ones could keep it waiting for ever.
    private void Admit()
    {
        lock (_gate)
        {
            while (_waiting.Count > 0 && _running.Count < _limits.Sequences)
            {
                var next = _waiting[0];
                if (_model.TryBegin(next.CacheTokens, next.Prefix(_model.PageTokens)) is not { } sequence) return;
                _promptTokens += next.Job.Request.Prompt.Length;
                _cachedTokens += sequence.Length;
                next.Start(sequence);
                next.Job.Admit();
                _waiting.RemoveAt(0);
                _running.Add(next);
                _runningCount = _running.Count;
            }
        }
    }

    private void Step()
    {
        var (tokenCount, partCount, rowCount) = Gather();
        _steps.Count(tokenCount);
        int vocabulary = _model.VocabularySize;
        if (_logits.Length < rowCount * vocabulary) _logits = new float[rowCount * vocabulary];
        try
        {
            _model.Step(_tokens.AsSpan(0, tokenCount), _parts.AsSpan(0, partCount), _rows.AsSpan(0, rowCount), _logits.AsSpan(0, rowCount * vocabulary));
        }
        catch (Exception exception)
        {
            foreach (var answer in _running) answer.Job.Fail(exception); // each caller is told; the engine goes on
            return;
        }

        int row = 0;
        foreach (var answer in _running)
        {
            var (all, scored) = answer.Rows;
            if (all == 0) continue;
            try
            {
                answer.Advance(_logits.AsSpan(row * vocabulary, scored * vocabulary), _sampler, _scores);
            }
            catch (Exception exception)
            {
                answer.Job.Fail(exception);
            }

            row += scored;
        }
    }

    // One row for each answer that is past its prompt comes first, so that a long prompt never makes the others wait; the room that is left
    // goes to guesses and prompts, in order of admission.
    private (int Tokens, int Parts, int Rows) Gather()
    {
        int room = _limits.BatchRows;
        foreach (var answer in _running)
            if (answer.PendingRows == 1) room--;

        int tokens = 0, parts = 0, rows = 0, extra = ExtraScoredRows;
        foreach (var answer in _running)
        {
            bool hasPlace = answer.PendingRows == 1;
            int share = Math.Min(extra, Math.Max(1, ExtraScoredRows / _running.Count));
            answer.Plan(hasPlace ? 1 : room, hasPlace ? Math.Min(share, room) : share);
            var (all, scored) = answer.Rows;
            room -= hasPlace ? all - 1 : all;
            extra -= Math.Max(0, scored - 1);
            if (all == 0) continue;
            answer.NextTokens.CopyTo(_tokens.AsSpan(tokens));
            _parts[parts++] = new BatchPart(answer.Sequence!, all);
            tokens += all;
            for (int row = tokens - scored; row < tokens; row++) _rows[rows++] = row;
        }

        return (tokens, parts, rows);
    }
}
