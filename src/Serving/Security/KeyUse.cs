namespace OpenEuroLLM.Serving.Security;

/// <summary>What one key has used since the server started, against its limits.</summary>
internal sealed class KeyUse(TimeProvider time)
{
    private readonly Lock counting = new();
    private double? left;
    private DateTimeOffset filled;
    private DateOnly day;
    private long tokens;
    private int running;

    /// <summary>Lets a request in, or says which limit forbids it. Every call that returns is followed by one of <see cref="Leave"/>.</summary>
    public void Enter(ApiKey key)
    {
        lock (counting)
        {
            DateTimeOffset now = time.GetUtcNow();
            if (key.Streams is int most && running >= most) throw AccessErrors.TooManyStreams();
            if (key.TokensPerDay is long quota && TokensOf(now) >= quota)
                throw AccessErrors.TooManyTokens((int)Math.Ceiling((now.UtcDateTime.Date.AddDays(1) - now.UtcDateTime).TotalSeconds));
            if (key.RequestsPerMinute is int rate) TakeOne(rate, now);
            running++;
        }
    }

    public void Leave()
    {
        lock (counting) running--;
    }

    public void Charge(long count)
    {
        lock (counting) tokens = TokensOf(time.GetUtcNow()) + count;
    }

    /// <summary>A bucket that holds a minute's requests and fills evenly.</summary>
    private void TakeOne(int rate, DateTimeOffset now)
    {
        // A clock that was set back gives nothing and takes nothing.
        double seconds = Math.Max(0, (now - filled).TotalSeconds);
        double there = left is double before ? Math.Min(rate, before + (seconds * rate / 60)) : rate;
        filled = now;
        left = there;
        if (there < 1) throw AccessErrors.TooManyRequests((int)Math.Ceiling((1 - there) * 60 / rate));
        left = there - 1;
    }

    private long TokensOf(DateTimeOffset now)
    {
        DateOnly today = DateOnly.FromDateTime(now.UtcDateTime);
        if (today != day) (day, tokens) = (today, 0);
        return tokens;
    }
}
