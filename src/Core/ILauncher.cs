using System.Runtime.ExceptionServices;

namespace OpenEuroLLM.Core;

/// <summary>Runs independent tasks: on threads here, as a job array on a cluster.</summary>
public interface ILauncher
{
    /// <summary>How many tasks run at the same time.</summary>
    int Workers { get; }

    /// <summary>Runs tasks 0 to <paramref name="tasks"/> - 1 and returns when all have ended. When tasks fail no new one is started
    /// and the exception of the lowest-numbered failure is thrown again.</summary>
    /// <exception cref="OperationCanceledException">Stopped by <paramref name="cancellation"/>; tasks under way were waited for.</exception>
    void Run(int tasks, Action<int> task, CancellationToken cancellation = default);
}

/// <summary>Runs tasks on threads of this process.</summary>
public sealed class LocalLauncher : ILauncher
{
    /// <summary>Creates a launcher of <paramref name="workers"/> threads (at least 1); with one, tasks run on the caller's thread.</summary>
    public LocalLauncher(int workers)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(workers, 1);
        Workers = workers;
    }

    /// <inheritdoc/>
    public int Workers { get; }

    /// <inheritdoc/>
    public void Run(int tasks, Action<int> task, CancellationToken cancellation = default)
    {
        int next = 0;
        int failedTask = int.MaxValue;
        ExceptionDispatchInfo? failure = null;
        var gate = new Lock();

        void Work()
        {
            while (Volatile.Read(ref failure) is null && !cancellation.IsCancellationRequested)
            {
                int index = Interlocked.Increment(ref next) - 1;
                if (index >= tasks) return;
                try
                {
                    task(index);
                }
                catch (Exception exception) // passed on to the caller below
                {
                    lock (gate)
                    {
                        if (index >= failedTask) continue;
                        failedTask = index;
                        Volatile.Write(ref failure, ExceptionDispatchInfo.Capture(exception));
                    }
                }
            }
        }

        var threads = new Thread[Math.Min(Workers, tasks) - 1 is > 0 and int others ? others : 0];
        for (int i = 0; i < threads.Length; i++)
        {
            threads[i] = new Thread(Work) { IsBackground = true, Name = $"launcher {i + 1}" };
            threads[i].Start();
        }

        Work();
        foreach (var thread in threads) thread.Join();
        failure?.Throw();
        cancellation.ThrowIfCancellationRequested();
    }
}
