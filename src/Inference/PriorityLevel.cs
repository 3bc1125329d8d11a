namespace OpenEuroLLM.Inference;

/// <summary>What a tenant has got of one priority, and which of its answers wait there.</summary>
internal sealed class TenantAccount(string tenant, PriorityLevel level)
{
    public string Tenant { get; } = tenant;

    public PriorityLevel Level { get; } = level;

    /// <summary>In order of arrival.</summary>
    public List<Answer> Waiting { get; } = [];

    /// <summary>Tokens of the waiting answers' prompts.</summary>
    public long WaitingPrompts { get; set; }

    /// <summary>Most tokens that the waiting answers may have.</summary>
    public long WaitingAnswers { get; set; }

    /// <summary>Answers under way.</summary>
    public int Running { get; set; }

    /// <summary>Tokens computed since it first waited, and those that it was brought up by when it came back: its time among those that wait.</summary>
    public long Served { get; set; }

    /// <summary>The same among those whose answers are under way, where rows of a step are shared.</summary>
    public long Computed { get; set; }

    /// <summary>Tokens of prompts of running answers that are still to be computed.</summary>
    public long Promised { get; set; }

    /// <summary>Rows that the step being planned gives to its prompts; the worker's own.</summary>
    public int Planned { get; set; }

    /// <summary>What decides whose turn it is.</summary>
    public long Charged => Served + Promised;

    public bool IsIdle => Waiting.Count == 0 && Running == 0;
}

/// <summary>The tenants of one priority.</summary>
internal sealed class PriorityLevel(int priority)
{
    // Accounts of tenants that have nothing under way: they matter only while theirs is ahead of the others.
    private const int MostIdle = 1024;

    private readonly Dictionary<string, TenantAccount> _byTenant = new(StringComparer.Ordinal);
    private TenantAccount? _next;   // keeps its turn until its answer was admitted
    private long _time;             // the account of the last admission, before it was charged

    public int Priority { get; } = priority;

    public List<TenantAccount> Accounts { get; } = [];

    public TenantAccount AccountOf(string tenant)
    {
        if (_byTenant.TryGetValue(tenant, out var found)) return found;
        var account = new TenantAccount(tenant, this);
        _byTenant.Add(tenant, account);
        Accounts.Add(account);
        return account;
    }

    /// <summary>Brings a tenant that did not wait up to those that do.</summary>
    public void CatchUp(TenantAccount account)
    {
        if (account.Waiting.Count > 0) return;
        long least = long.MaxValue;
        foreach (var other in Accounts)
            if (other.Waiting.Count > 0) least = Math.Min(least, other.Charged);
        account.Served += Math.Max(0, (least == long.MaxValue ? _time : least) - account.Charged);
    }

    /// <summary>The answer whose turn it is; null when none waits.</summary>
    public Answer? Next()
    {
        if (_next is { Waiting.Count: > 0 }) return _next.Waiting[0];
        _next = null;
        foreach (var account in Accounts)
            if (account.Waiting.Count > 0 && (_next is null || IsBefore(account, _next))) _next = account;
        return _next?.Waiting[0];
    }

    /// <summary>The turn was used: one more answer of the account is under way.</summary>
    public void Admit(TenantAccount account)
    {
        _time = Math.Max(_time, account.Charged);
        _next = null;
        if (account.Running++ > 0) return;
        long least = long.MaxValue;
        foreach (var other in Accounts)
            if (other != account && other.Running > 0) least = Math.Min(least, other.Computed);
        if (least != long.MaxValue) account.Computed = Math.Max(account.Computed, least);
    }

    /// <summary>Forgets the tenants that have nothing under way and are not ahead of the others.</summary>
    /// <returns>Whether nobody is left.</returns>
    public bool Tidy()
    {
        int idle = 0;
        foreach (var account in Accounts)
            if (account.IsIdle) idle++;
        if (idle == Accounts.Count) return true;
        if (idle == 0) return false;
        long time = idle <= MostIdle ? _time : long.MaxValue;
        int kept = 0;
        for (int place = 0; place < Accounts.Count; place++)
        {
            var account = Accounts[place];
            if (account.IsIdle && account.Charged <= time) _byTenant.Remove(account.Tenant);
            else Accounts[kept++] = account;
        }

        Accounts.RemoveRange(kept, Accounts.Count - kept);
        return false;
    }

    private static bool IsBefore(TenantAccount one, TenantAccount other) =>
        one.Charged < other.Charged || (one.Charged == other.Charged && one.Waiting[0].Arrival < other.Waiting[0].Arrival);
}
