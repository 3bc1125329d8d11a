namespace OpenEuroLLM.Tensors;

/// <summary>Working memory of the kernels: one part for all threads, one part for each.</summary>
internal sealed unsafe class Scratch : IDisposable
{
    public Scratch(int threads, long shared, long perThread)
    {
        ThreadStride = StrideFor(perThread);
        Shared = Arena.AllocateZeroed(shared);
        Threads = Arena.AllocateZeroed(ThreadStride * threads);
    }

    public float* Shared { get; }

    public float* Threads { get; }

    /// <summary>Numbers between the parts of two threads.</summary>
    public long ThreadStride { get; }

    /// <summary>Numbers of a thread's part, rounded up so that no two threads share a page.</summary>
    public static long StrideFor(long perThread) => (perThread + 1023) / 1024 * 1024;

    public void Dispose()
    {
        Arena.Free(Shared);
        Arena.Free(Threads);
    }
}
