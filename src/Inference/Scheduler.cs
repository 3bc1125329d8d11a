using OpenEuroLLM.Core;
using OpenEuroLLM.Tokenizers;

namespace OpenEuroLLM.Inference;

/// <summary>Continuous batching on one worker thread: every step is one forward call over a flat batch, made of one row for each answer
/// under way and of pieces of the prompts of new ones.</summary>
/// <remarks>An answer is admitted when the cache has pages for all that it may need, so nothing has to be taken back later. The engine
/// gives the same logits for any mixture of rows, and sampling looks at one answer only: an answer does not depend on its company. Tenants share
/// admission and the rows of prompts by <see cref="FairQueue"/>.</remarks>
internal sealed class Scheduler : IDisposable
{
    // Rows of one step whose logits are asked for beside the one of each answer: logits of a row are as many as the vocabulary.
    public const int ExtraScoredRows = 64;

    // Rows that a prompt gets before the next tenant's turn in the same step.
    private const int SliceRows = 64;

    // How long a step may take, as far as prompts can shorten it, while others wait for their next token; and the rows that prompts get all the same.
    private const double StepSecondsBesideAnswers = 0.15;
    private const int PromptRowsBesideAnswers = 32;

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
    private readonly Pace _pace = new();
    private readonly FairQueue _waiting;
    private readonly Queue<Action<ICausalModel>> _work = [];
    private bool _closing;
    private int _runningCount;

    // The worker's own.
    private readonly List<Answer> _running = [];
    private readonly int[] _tokens;
    private readonly int[] _rows;
    private readonly BatchPart[] _parts;
    private readonly int[] _promptRows;         // of this step, for each running answer
    private float[] _logits = [];
    private double _stepSeconds;
    private double _rowSeconds;                 // of a row in steps of many, lately; 0 while unknown
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
        _promptRows = new int[limits.Sequences];
        _waiting = new FairQueue(limits.WaitingAnswers, _pace);
        _worker = new Thread(Run) { IsBackground = true, Name = "generation" };
        _worker.Start();
    }

    public EngineStatus Status
    {
        get
        {
            lock (_gate)
            {
                return new EngineStatus(_runningCount, _waiting.Count, _model.FreePages, _model.TotalPages, _promptTokens, _cachedTokens, _model.PageTokens)
                {
                    Steps = _steps.Read(),
                    TokensPerSecond = _pace.TokensPerSecond,
                    QueueSeconds = _waiting.Seconds,
                    TenantAccounts = _waiting.Accounts,
                };
            }
        }
    }

    /// <exception cref="RequestException">Too many answers wait already.</exception>
    public void Enqueue(Job job)
    {
        var answers = new Answer[job.Request.Choices];
        for (int choice = 0; choice < answers.Length; choice++) answers[choice] = new Answer(job, choice, _tokenizer, _terminators, _model.Costs);
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_closing, this);
            _waiting.Add(job, answers);
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
            Settle();
            Admit();
            if (_running.Count > 0) Step();
            Settle();
        }

        List<Answer> left;
        lock (_gate) left = [.. _running, .. _waiting.Empty()];
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

    // Charges what the last step has computed, and lets go of what has ended.
    private void Settle()
    {
        var now = _clock.UtcNow;
        lock (_gate)
        {
            int kept = 0, tokens = 0;
            for (int i = 0; i < _running.Count; i++)
            {
                var answer = _running[i];
                tokens += FairQueue.Charge(answer);
                if (answer.Ended(now))
                {
                    answer.Release();
                    _waiting.Leave(answer);
                }
                else
                {
                    _running[kept++] = answer;
                }
            }

            _running.RemoveRange(kept, _running.Count - kept);
            if (tokens > 0) _pace.Stepped(tokens, _stepSeconds);
            _waiting.DropEnded(now);
            _runningCount = _running.Count;
        }
    }

    private void Admit()
    {
        lock (_gate)
        {
            while (_running.Count < _limits.Sequences && _waiting.Next() is { } next)
            {
                if (_model.TryBegin(next.CacheTokens, next.Prefix(_model.PageTokens)) is not { } sequence) return;
                _promptTokens += next.Job.Request.Prompt.Length;
                _cachedTokens += sequence.Length;
                _waiting.Admit(next, sequence.Length);
                next.Start(sequence);
                next.Job.Admit();
                _running.Add(next);
                _runningCount = _running.Count;
            }
        }
    }

    private void Step()
    {
        long began = _clock.Timestamp;
        Plan();
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

        _stepSeconds = _clock.SecondsSince(began);
        double rowSeconds = _stepSeconds / tokenCount;
        if (tokenCount >= PromptRowsBesideAnswers) _rowSeconds += _rowSeconds > 0 ? (rowSeconds - _rowSeconds) / 8 : rowSeconds;
    }

    // One row for each answer that is past its prompt comes first, so that a long prompt never makes the others wait, then prompts, as many rows as
    // let the others have their next token soon; what is left goes to guesses.
    private void Plan()
    {
        int speaking = 0;
        foreach (var answer in _running)
            if (answer.PendingRows == 1) speaking++;
        int share = Math.Max(1, ExtraScoredRows / _running.Count), extra = ExtraScoredRows;
        int room = _limits.BatchRows - speaking;
        int prompts = speaking > 0 ? Math.Min(room, PromptRowsBeside(speaking)) : room;
        room -= prompts - SharePromptRows(prompts, share);
        for (int i = 0; i < _running.Count; i++)
        {
            if (_running[i].PendingRows == 1) continue;
            _running[i].Plan(_promptRows[i], Math.Min(extra, share), 0);
            extra -= Math.Max(0, _running[i].Rows.Scored - 1);
        }

        foreach (var answer in _running)
        {
            if (answer.PendingRows > 1) continue;
            answer.Plan(1, Math.Min(Math.Min(extra, share), room), _limits.BatchRows - room - 1);
            int guesses = answer.Rows.All - 1;
            (room, extra) = (room - guesses, extra - guesses);
        }
    }

    private int PromptRowsBeside(int speaking) =>
        _rowSeconds > 0 ? Math.Max(PromptRowsBesideAnswers, (int)Math.Min(_limits.BatchRows, StepSecondsBesideAnswers / _rowSeconds) - speaking) : _limits.BatchRows;

    // Hands out slices, each to the prompt of the highest priority whose tenant has got the least, this step included; a tenant's own prompts come in
    // order of admission. Returns what is left.
    private int SharePromptRows(int room, int scoredRoom)
    {
        for (int i = 0; i < _running.Count; i++) _promptRows[i] = _running[i].Account!.Planned = 0;
        while (room > 0)
        {
            int next = -1;
            for (int i = 0; i < _running.Count; i++)
            {
                if (_running[i].PendingRows > 1 && _promptRows[i] < _running[i].WantedRows(scoredRoom) && (next < 0 || GoesBefore(_running[i], _running[next]))) next = i;
            }

            if (next < 0) break;
            int slice = Math.Min(Math.Min(room, SliceRows), _running[next].WantedRows(scoredRoom) - _promptRows[next]);
            _promptRows[next] += slice;
            _running[next].Account!.Planned += slice;
            room -= slice;
        }

        return room;
    }

    private static bool GoesBefore(Answer one, Answer other)
    {
        var (mine, theirs) = (one.Account!, other.Account!);
        if (mine == theirs) return false;
        if (mine.Level != theirs.Level) return mine.Level.Priority > theirs.Level.Priority;
        long lead = theirs.Computed + theirs.Planned - mine.Computed - mine.Planned;
        return lead > 0 || (lead == 0 && one.PendingRows < other.PendingRows);
    }

    private (int Tokens, int Parts, int Rows) Gather()
    {
        int tokens = 0, parts = 0, rows = 0;
        foreach (var answer in _running)
        {
            var (all, scored) = answer.Rows;
            if (all == 0) continue;
            answer.NextTokens.CopyTo(_tokens.AsSpan(tokens));
            _parts[parts++] = new BatchPart(answer.Sequence!, all);
            tokens += all;
            for (int row = tokens - scored; row < tokens; row++) _rows[rows++] = row;
        }

        return (tokens, parts, rows);
    }
}
