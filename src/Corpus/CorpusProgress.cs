using OpenEuroLLM.Core;

namespace OpenEuroLLM.Corpus;

/// <summary>How far a corpus stage is.</summary>
/// <param name="Phase">What is being done.</param>
/// <param name="Done">Bytes done in this phase.</param>
/// <param name="Total">Bytes of this phase.</param>
/// <param name="PerSecond">Bytes a second in this phase.</param>
/// <param name="SecondsLeft">Time left in this phase; absent while it cannot be told.</param>
public sealed record CorpusProgress(string Phase, long Done, long Total, double PerSecond, double? SecondsLeft);

/// <summary>Adds up the work of all workers and reports it now and then.</summary>
internal sealed class ProgressMeter(IProgress<CorpusProgress>? listener, IClock clock, string phase, long total)
{
    private const double SecondsBetweenReports = 0.5;

    private readonly long _started = clock.Timestamp;
    private readonly Lock _gate = new();
    private long _done;
    private long _reported = clock.Timestamp;

    /// <summary>So many more bytes are done.</summary>
    public void Add(long bytes)
    {
        if (listener is null) return;
        lock (_gate)
        {
            _done += bytes;
            if (clock.SecondsSince(_reported) < SecondsBetweenReports) return;
            Report();
        }
    }

    /// <summary>The phase is done.</summary>
    public void Finish()
    {
        if (listener is null) return;
        lock (_gate)
        {
            _done = total;
            Report();
        }
    }

    private void Report()
    {
        _reported = clock.Timestamp;
        double seconds = clock.SecondsSince(_started);
        double rate = seconds > 0 ? _done / seconds : 0;
        listener!.Report(new CorpusProgress(phase, _done, total, rate, rate > 0 ? Math.Max(0, total - _done) / rate : null));
    }
}
