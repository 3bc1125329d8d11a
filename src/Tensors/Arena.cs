using System.Runtime.InteropServices;
using OpenEuroLLM.Core;

namespace OpenEuroLLM.Tensors;

/// <summary>Memory of one step: buffers are handed out in order and all given back at once by <see cref="Reset"/>.</summary>
/// <remarks>After the first steps the blocks are there and nothing is allocated any more.</remarks>
internal sealed unsafe class Arena : IDisposable
{
    public const int Alignment = 64;
    private const long BlockBytes = 64L << 20;

    private readonly List<(nint Address, long Bytes)> blocks = [];
    private int block;
    private long offset;

    /// <summary>Bytes held from the system.</summary>
    public long ReservedBytes { get; private set; }

    /// <summary>Bytes handed out since the last reset.</summary>
    public long UsedBytes { get; private set; }

    /// <summary>Memory for <paramref name="count"/> numbers of 4 bytes; its content is whatever was there.</summary>
    public float* Take(long count)
    {
        var bytes = (checked(count * sizeof(float)) + Alignment - 1) & ~(long)(Alignment - 1);
        UsedBytes += bytes;
        while (block < blocks.Count && offset + bytes > blocks[block].Bytes)
        {
            block++;
            offset = 0;
        }
        if (block == blocks.Count)
        {
            var size = Math.Max(BlockBytes, bytes);
            blocks.Add(((nint)AllocateNative(size), size));
            ReservedBytes += size;
            offset = 0;
        }
        var address = (float*)(blocks[block].Address + (nint)offset);
        offset += bytes;
        return address;
    }

    public void Reset()
    {
        block = 0;
        offset = 0;
        UsedBytes = 0;
    }

    public void Dispose()
    {
        foreach (var (address, _) in blocks) NativeMemory.AlignedFree((void*)address);
        blocks.Clear();
    }

    /// <summary>Aligned memory outside any arena (weights, optimizer state, caches), filled with zeros.</summary>
    /// <exception cref="UserErrorException">The machine has not that much.</exception>
    public static float* AllocateZeroed(long count)
    {
        var bytes = checked(count * sizeof(float));
        var memory = AllocateNative(Math.Max(bytes, Alignment));
        for (var done = 0L; done < bytes;)
        {
            var part = (int)Math.Min(bytes - done, 1 << 30);
            new Span<byte>((byte*)memory + done, part).Clear();
            done += part;
        }
        return (float*)memory;
    }

    private static void* AllocateNative(long bytes)
    {
        try
        {
            return NativeMemory.AlignedAlloc(checked((nuint)bytes), Alignment);
        }
        catch (OutOfMemoryException exception)
        {
            throw new UserErrorException(FormattableString.Invariant(
                $"The system refused {bytes / 1e6:0} MB of memory; use a smaller model, batch or context, or a machine with more."), exception);
        }
    }
}
