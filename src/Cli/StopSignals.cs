using System.Runtime.InteropServices;

namespace OpenEuroLLM.Cli;

/// <summary>What SIGTERM and Ctrl+C mean to a server: the first lets it finish, the second ends it at once but in order, the third kills it.</summary>
internal sealed class StopSignals : IDisposable
{
    private readonly CancellationTokenSource first, second = new();
    private readonly List<PosixSignalRegistration> registrations = [];
    private int seen;

    /// <param name="alsoFirst">Counts as the first signal too.</param>
    public StopSignals(CancellationToken alsoFirst)
    {
        first = CancellationTokenSource.CreateLinkedTokenSource(alsoFirst);
        foreach (PosixSignal signal in (ReadOnlySpan<PosixSignal>)[PosixSignal.SIGTERM, PosixSignal.SIGINT, PosixSignal.SIGQUIT]) registrations.Add(PosixSignalRegistration.Create(signal, Take));
    }

    /// <summary>Set by the first signal.</summary>
    public CancellationToken First => first.Token;

    /// <summary>Set by the second.</summary>
    public CancellationToken Second => second.Token;

    public void Dispose()
    {
        foreach (PosixSignalRegistration registration in registrations) registration.Dispose();
        first.Dispose();
        second.Dispose();
    }

    private void Take(PosixSignalContext context)
    {
        int number = Interlocked.Increment(ref seen);
        context.Cancel = number <= 2;
        // Whoever waits for a token goes on in a thread of its own: handlers of signals must return.
        if (number == 1) ThreadPool.QueueUserWorkItem(_ => first.Cancel());
        if (number == 2) ThreadPool.QueueUserWorkItem(_ => second.Cancel());
    }
}
