namespace OpenEuroLLM.Inference;

/// <summary>The answers that wait, and whose turn it is: the highest priority first; within one, the tenant that has got the fewest tokens, counted as
/// prompts that were not in the cache and as what was generated; within a tenant, in order of arrival.</summary>
/// <remarks>Virtual time over tokens rather than deficit round robin, because what an answer will need is not known when it is admitted: a round would have to
/// guess its length, a counter of what was computed is right whenever somebody looks. A tenant that comes back after a pause is brought up to those that
/// wait, so that nobody saves up a claim; one that comes first has the next turn but one at the latest. Whose turn it was keeps it until the cache has room: small
/// requests never overtake a large one for ever. Source of the idea: arXiv:2401.00588. Not safe for several threads: the scheduler's lock guards it.</remarks>
internal sealed class FairQueue(int most, Pace pace)
{
    private readonly List<PriorityLevel> _levels = [];  // highest first
    private long _arrivals;

    /// <summary>Answers that wait.</summary>
    public int Count { get; private set; }

    /// <summary>Accounts that are kept: of tenants with answers, and of those that left with more than the others have.</summary>
    public int Accounts => _levels.Sum(level => level.Accounts.Count);

    /// <summary>Seconds until all that waits and runs is expected to be done, at the speed of the recent past.</summary>
    public double Seconds => pace.SecondsFor(_levels.Sum(level => level.Accounts.Sum(account => Work(account) + Rest(account))));

    /// <summary>Adds the answers of a request, or refuses them.</summary>
    /// <remarks>While several tenants wait, each may fill its share of the places; the newest requests of whoever holds the most give way to one that holds less.</remarks>
    /// <exception cref="RequestException">There is no place for them.</exception>
    public void Add(Job job, IReadOnlyList<Answer> answers)
    {
        var account = LevelOf(job.Request.Priority).AccountOf(job.Request.Tenant ?? "");
        bool full = Count + answers.Count > most;
        try
        {
            while (Count + answers.Count > most) GiveWay(account, answers.Count);
        }
        catch (RequestException)
        {
            Tidy(account.Level);
            throw;
        }

        account.Level.CatchUp(account);
        foreach (var answer in answers)
        {
            answer.Account = account;
            answer.Arrival = _arrivals++;
            account.Waiting.Add(answer);
            account.WaitingPrompts += answer.Job.Request.Prompt.Length;
            account.WaitingAnswers += answer.Job.Request.MaxTokens;
        }

        Count += answers.Count;
        for (int i = _levels.Count - 1; full && i >= 0; i--) Tidy(_levels[i]);
    }

    /// <summary>The answer whose turn it is; null when none waits.</summary>
    public Answer? Next()
    {
        foreach (var level in _levels)
            if (level.Next() is { } answer) return answer;
        return null;
    }

    /// <summary>Takes the answer whose turn it is out of the queue.</summary>
    /// <param name="answer">What <see cref="Next"/> gave.</param>
    /// <param name="cachedTokens">Tokens of its prompt that need not be computed.</param>
    public void Admit(Answer answer, int cachedTokens)
    {
        var account = answer.Account!;
        account.Level.Admit(account);
        RemoveWaiting(account, answer);
        account.Waiting.RemoveAt(0);
        account.Promised += answer.Promised = answer.Job.Request.Prompt.Length - cachedTokens;
        Tidy(account.Level);
    }

    /// <summary>Charges what was computed for an answer since the last time.</summary>
    /// <returns>Tokens.</returns>
    public static int Charge(Answer answer)
    {
        var account = answer.Account!;
        var (prompt, generated) = answer.TakeWork();
        answer.Promised -= prompt;
        account.Promised -= prompt;
        account.Served += prompt + generated;
        account.Computed += prompt + generated;
        return prompt + generated;
    }

    /// <summary>An answer under way has ended.</summary>
    public void Leave(Answer answer)
    {
        var account = answer.Account!;
        account.Running--;
        account.Promised -= answer.Promised; // of a prompt that was never finished
        if (answer.Complete) pace.Answered(answer.Generated);
        Tidy(account.Level);
    }

    /// <summary>Drops the waiting answers that nobody waits for any more.</summary>
    public void DropEnded(DateTimeOffset now)
    {
        // Loops, because predicates that capture the time would be allocated for every token.
        for (int i = _levels.Count - 1; i >= 0 && Count > 0; i--)
        {
            bool dropped = false;
            foreach (var account in _levels[i].Accounts)
            {
                int kept = 0;
                for (int place = 0; place < account.Waiting.Count; place++)
                {
                    var answer = account.Waiting[place];
                    if (answer.Ended(now)) RemoveWaiting(account, answer);
                    else account.Waiting[kept++] = answer;
                }

                dropped |= kept < account.Waiting.Count;
                account.Waiting.RemoveRange(kept, account.Waiting.Count - kept);
            }

            if (dropped) Tidy(_levels[i]);
        }
    }

    /// <summary>Takes everything out.</summary>
    public List<Answer> Empty()
    {
        List<Answer> left = [.. _levels.SelectMany(level => level.Accounts).SelectMany(account => account.Waiting)];
        _levels.Clear();
        Count = 0;
        return left;
    }

    // Makes room in a full queue for a tenant that holds less than its share, or refuses it.
    private void GiveWay(TenantAccount newcomer, int answers)
    {
        var largest = newcomer;
        int waiting = newcomer.Waiting.Count == 0 ? 1 : 0;
        foreach (var level in _levels)
        {
            foreach (var account in level.Accounts)
            {
                if (account.Waiting.Count > 0) waiting++;
                if (level.Priority <= newcomer.Level.Priority && account.Waiting.Count > largest.Waiting.Count) largest = account;
            }
        }

        if (largest == newcomer || newcomer.Waiting.Count + answers > most / waiting || LastWhole(largest) is not { } last) throw Full(newcomer, waiting);
        last.Fail(Full(largest, waiting));
        int kept = 0;
        for (int place = 0; place < largest.Waiting.Count; place++)
        {
            var answer = largest.Waiting[place];
            if (answer.Job == last) RemoveWaiting(largest, answer);
            else largest.Waiting[kept++] = answer;
        }

        largest.Waiting.RemoveRange(kept, largest.Waiting.Count - kept);
    }

    // The newest request of which no answer has begun.
    private static Job? LastWhole(TenantAccount account)
    {
        for (int place = account.Waiting.Count - 1; place >= 0; place--)
        {
            var job = account.Waiting[place].Job;
            if (job.Begun == 0) return job;
        }

        return null;
    }

    private RequestException Full(TenantAccount account, int tenants)
    {
        double all = _levels.Sum(level => level.Accounts.Sum(Work)), own = Math.Max(Work(account), all / tenants);
        return new RequestException(null, $"{Count} answers wait already, the limit is {most}; try again later.", RequestErrorCode.Overloaded)
        {
            RetryAfterSeconds = Math.Clamp((int)Math.Ceiling(pace.SecondsFor(Math.Min(all, own * tenants))), 1, 3600),
        };
    }

    // Tokens that an account's waiting answers are expected to need.
    private double Work(TenantAccount account) =>
        account.Waiting.Count == 0 ? 0 : account.WaitingPrompts + Math.Min(account.WaitingAnswers, account.Waiting.Count * pace.AnswerTokens);

    // Tokens that an account's running answers are expected to need still: half of an answer on average.
    private double Rest(TenantAccount account) => account.Promised + (double.IsFinite(pace.AnswerTokens) ? account.Running * pace.AnswerTokens / 2 : 0);

    private void RemoveWaiting(TenantAccount account, Answer answer)
    {
        Count--;
        account.WaitingPrompts -= answer.Job.Request.Prompt.Length;
        account.WaitingAnswers -= answer.Job.Request.MaxTokens;
    }

    private PriorityLevel LevelOf(int priority)
    {
        int place = 0;
        while (place < _levels.Count && _levels[place].Priority > priority) place++;
        if (place == _levels.Count || _levels[place].Priority != priority) _levels.Insert(place, new PriorityLevel(priority));
        return _levels[place];
    }

    private void Tidy(PriorityLevel level)
    {
        if (level.Tidy()) _levels.Remove(level);
    }
}
