using System.Runtime.ExceptionServices;

namespace OpenEuroLLM.Tensors;

/// <summary>Work that a team runs: a value without managed references, so that no call allocates.</summary>
internal interface IWork
{
    /// <summary>Does item <paramref name="item"/>; <paramref name="thread"/> says which scratch memory may be used.</summary>
    /// <remarks>Which thread takes an item is left to chance, so an item's result must not depend on it. Items are handed out in ascending
    /// order, and one that was handed out is done to its end: an item may wait for one before it, never for one behind it.</remarks>
    void Execute(int item, int thread);
}

/// <summary>A fixed set of threads that run the items of one operation together and meet at its end.</summary>
/// <remarks>The caller works too and waits only for workers that have joined in: one that is still waking up holds nobody up. Workers spin for
/// a short while after each operation and park when none follows: a decode step must not pay a thread-pool dispatch per operation, and an
/// idle process must not burn a core. Items are handed out one by one, so a thread that the system has slowed down holds nobody up for long.</remarks>
internal sealed unsafe class ThreadTeam : IDisposable
{
    private const int SpinsBeforeYield = 400;
    private const int SpinsBeforeParking = 20_000;

    /// <summary>Set in the gate while workers may join; the bits below count those that have.</summary>
    private const int Open = 1 << 30;

    private readonly Worker[] workers;
    private delegate*<void*, int, int, void> body;
    private void* state;
    private int items;
    private int next;
    private int gate;
    private volatile int generation;
    private volatile bool closing;
    private volatile Exception? failure;

    public ThreadTeam(int threads)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(threads, 1);
        Threads = threads;
        workers = new Worker[threads - 1];
        for (var i = 0; i < workers.Length; i++) workers[i] = new Worker(this, i + 1);
    }

    /// <summary>Number of threads, the caller included.</summary>
    public int Threads { get; }

    /// <summary>Workers that sleep; for tests.</summary>
    public int ParkedWorkers => workers.Count(worker => worker.IsParked);

    /// <summary>Runs items 0 to <paramref name="count"/> − 1 and returns when all are done. Only one thread may call this at a time.</summary>
    public void Run<T>(T work, int count) where T : unmanaged, IWork
    {
        if (count <= 0) return;
        if (workers.Length == 0 || count == 1)
        {
            for (var item = 0; item < count; item++) work.Execute(item, 0);
            return;
        }
        body = &Invoke<T>;
        state = &work;
        items = count;
        next = 0;
        Volatile.Write(ref gate, Open);
        Interlocked.Increment(ref generation);
        foreach (var worker in workers) worker.Wake();
        Drain(0);
        // Who has not come by now is not waited for; who has still reads this stack frame, also after a failure.
        Interlocked.And(ref gate, ~Open);
        var spins = 0;
        while (Volatile.Read(ref gate) != 0) Pause(ref spins);
        if (failure is { } exception)
        {
            failure = null;
            ExceptionDispatchInfo.Throw(exception);
        }
    }

    public void Dispose()
    {
        closing = true;
        Interlocked.Increment(ref generation);
        foreach (var worker in workers) worker.Dispose();
    }

    private static void Invoke<T>(void* work, int item, int thread) where T : unmanaged, IWork => ((T*)work)->Execute(item, thread);

    private void Join(int thread)
    {
        for (var state = Volatile.Read(ref gate); (state & Open) != 0; state = Volatile.Read(ref gate))
        {
            if (Interlocked.CompareExchange(ref gate, state + 1, state) != state) continue;
            Drain(thread);
            Interlocked.Decrement(ref gate);
            return;
        }
    }

    private void Drain(int thread)
    {
        try
        {
            int item;
            while ((item = Interlocked.Increment(ref next) - 1) < items) body(state, item, thread);
        }
        catch (Exception exception) // the caller rethrows it when all have stopped
        {
            failure = exception;
        }
    }

    private static void Pause(ref int spins)
    {
        // A peer that lost its core must be able to get it back: after a short spin the core is offered to others.
        if (++spins < SpinsBeforeYield) Thread.SpinWait(8);
        else Thread.Yield();
    }

    private sealed class Worker : IDisposable
    {
        private readonly ThreadTeam team;
        private readonly int index;
        private readonly AutoResetEvent signal = new(false);
        private readonly Thread thread;
        private int parked;

        public Worker(ThreadTeam team, int index)
        {
            this.team = team;
            this.index = index;
            thread = new Thread(Loop) { IsBackground = true, Name = $"oellm-{index}" };
            thread.Start();
        }

        public bool IsParked => Volatile.Read(ref parked) == 1;

        public void Wake()
        {
            if (Interlocked.Exchange(ref parked, 0) == 1) signal.Set();
        }

        public void Dispose()
        {
            Wake();
            thread.Join();
            signal.Dispose();
        }

        private void Loop()
        {
            var seen = 0;
            while (true)
            {
                var spins = 0;
                while (team.generation == seen)
                {
                    if (spins < SpinsBeforeParking)
                    {
                        Pause(ref spins);
                        continue;
                    }
                    Volatile.Write(ref parked, 1);
                    Interlocked.MemoryBarrier();
                    if (team.generation == seen) signal.WaitOne();
                    else if (Interlocked.Exchange(ref parked, 0) == 0) signal.WaitOne(); // the waker has already signalled
                    Volatile.Write(ref parked, 0);
                    spins = 0;
                }
                seen = team.generation;
                if (team.closing) return;
                team.Join(index);
            }
        }
    }
}
