using System.Diagnostics;

namespace OpenEuroLLM.Core;

/// <summary>Time as an interface, so that tests and replays decide what it is.</summary>
public interface IClock
{
    /// <summary>The time of day, in UTC.</summary>
    DateTimeOffset UtcNow { get; }

    /// <summary>A monotonic reading, meaningful only to <see cref="SecondsSince"/>.</summary>
    long Timestamp { get; }

    /// <summary>Seconds passed since an earlier <see cref="Timestamp"/>.</summary>
    double SecondsSince(long timestamp);
}

/// <summary>The machine's own clock.</summary>
public sealed class SystemClock : IClock
{
    /// <summary>The one instance.</summary>
    public static SystemClock Instance { get; } = new();

    private SystemClock() { }

    /// <inheritdoc/>
    public DateTimeOffset UtcNow => DateTimeOffset.UtcNow;

    /// <inheritdoc/>
    public long Timestamp => Stopwatch.GetTimestamp();

    /// <inheritdoc/>
    public double SecondsSince(long timestamp) => Stopwatch.GetElapsedTime(timestamp).TotalSeconds;
}
