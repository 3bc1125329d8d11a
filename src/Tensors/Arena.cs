using System.Runtime.InteropServices;
using OpenEuroLLM.Core;

namespace OpenEuroLLM.Tensors;

/// <summary>Memory of one step: buffers are handed out and given back one by one, and all at once by <see cref="Reset"/>.</summary>
/// <remarks>A request takes the first hole that is large enough, so equal steps get equal addresses: what a step needs is a function of
/// its operations alone. After the first steps nothing is allocated any more. The system backs a block's pages only as far as they
/// have been used.</remarks>
internal sealed unsafe class Arena : IDisposable
{
    public const int Alignment = 64;
    private const long SmallestBlock = 64L << 20;
    private const long LargestGrowth = 1L << 30;

    private readonly bool outline;
    private readonly List<Block> blocks = [];
    private readonly List<Hole> holes = new(256); // in ascending order of block and offset, never two side by side
    private long reserved;

    /// <param name="outline">True: only addresses are handed out, and no memory behind them.</param>
    public Arena(bool outline = false) => this.outline = outline;

    /// <summary>Bytes that were ever in use: what the system has had to back with memory.</summary>
    public long TouchedBytes { get; private set; }

    /// <summary>Bytes handed out and not given back.</summary>
    public long UsedBytes { get; private set; }

    /// <summary>Most bytes that were handed out at one moment.</summary>
    public long PeakBytes { get; private set; }

    /// <summary>Memory for <paramref name="count"/> numbers of 4 bytes; its content is whatever was there.</summary>
    public float* Take(long count)
    {
        var bytes = BytesOf(count);
        var place = 0;
        while (place < holes.Count && holes[place].Bytes < bytes) place++;
        if (place == holes.Count) Grow(bytes);
        var hole = holes[place];
        var block = blocks[hole.Block];
        if (hole.Bytes == bytes) holes.RemoveAt(place);
        else holes[place] = hole with { Offset = hole.Offset + bytes, Bytes = hole.Bytes - bytes };
        if (hole.Offset + bytes > block.Touched)
        {
            TouchedBytes += hole.Offset + bytes - block.Touched;
            blocks[hole.Block] = block with { Touched = hole.Offset + bytes };
        }
        UsedBytes += bytes;
        PeakBytes = Math.Max(PeakBytes, UsedBytes);
        return (float*)(block.Address + (nint)hole.Offset);
    }

    /// <summary>Takes back what <see cref="Take"/> gave for <paramref name="count"/> numbers.</summary>
    public void Give(float* memory, long count)
    {
        var bytes = BytesOf(count);
        var block = 0;
        while ((nint)memory < blocks[block].Address || (nint)memory >= blocks[block].Address + (nint)blocks[block].Bytes) block++;
        var hole = new Hole(block, (nint)memory - blocks[block].Address, bytes);
        UsedBytes -= bytes;
        var place = 0;
        while (place < holes.Count && (holes[place].Block < block || (holes[place].Block == block && holes[place].Offset < hole.Offset))) place++;
        if (place < holes.Count && hole.Touches(holes[place]))
        {
            hole = hole with { Bytes = bytes + holes[place].Bytes };
            holes.RemoveAt(place);
        }
        if (place > 0 && holes[place - 1].Touches(hole)) holes[place - 1] = holes[place - 1] with { Bytes = holes[place - 1].Bytes + hole.Bytes };
        else holes.Insert(place, hole);
    }

    /// <summary>Takes everything back.</summary>
    public void Reset()
    {
        holes.Clear();
        for (var block = 0; block < blocks.Count; block++) holes.Add(new Hole(block, 0, blocks[block].Bytes));
        UsedBytes = 0;
    }

    public void Dispose()
    {
        if (!outline)
            foreach (var block in blocks) NativeMemory.AlignedFree((void*)block.Address);
        blocks.Clear();
        holes.Clear();
    }

    /// <summary>Aligned memory outside any arena (weights, optimizer state, caches), filled with zeros; <see cref="Free"/> gives it back.
    /// The system backs it page by page as it is first used.</summary>
    /// <exception cref="UserErrorException">The machine has not that much.</exception>
    public static float* AllocateZeroed(long count)
    {
        var bytes = checked(count * sizeof(float));
        if (bytes >= SmallestBlock) AvailableMemory.Require(bytes, "One piece of memory", "use a smaller model, batch or context, or a machine with more");
        // Where it begins stands before the aligned part: an aligned allocation could not be had as untouched zero pages.
        var whole = checked(Math.Max(bytes, Alignment) + Alignment + sizeof(nint));
        var start = (nint)Allocate(whole, zeroed: true);
        LargePages.Advise(start, whole);
        var memory = (start + sizeof(nint) + Alignment - 1) & ~(nint)(Alignment - 1);
        ((nint*)memory)[-1] = start;
        return (float*)memory;
    }

    /// <summary>Gives back what <see cref="AllocateZeroed"/> gave; null is nothing.</summary>
    public static void Free(void* memory)
    {
        if (memory != null) NativeMemory.Free((void*)((nint*)memory)[-1]);
    }

    private static long BytesOf(long count) => Math.Max(Alignment, (checked(count * sizeof(float)) + Alignment - 1) & ~(long)(Alignment - 1));

    /// <summary>A new block at the end, as large as all before it within bounds: few seams, whatever the size of a step.</summary>
    private void Grow(long bytes)
    {
        var size = Math.Max(Math.Clamp(reserved, SmallestBlock, LargestGrowth), bytes);
        var address = outline ? (nint)((blocks.Count + 1L) << 48) : (nint)Allocate(size);
        blocks.Add(new Block(address, size, 0));
        holes.Add(new Hole(blocks.Count - 1, 0, size));
        reserved += size;
    }

    private static void* Allocate(long bytes, bool zeroed = false)
    {
        try
        {
            return zeroed ? NativeMemory.AllocZeroed(checked((nuint)bytes)) : NativeMemory.AlignedAlloc(checked((nuint)bytes), Alignment);
        }
        catch (OutOfMemoryException exception)
        {
            throw new UserErrorException(FormattableString.Invariant(
                $"The system refused {bytes / 1e6:0} MB of memory; use a smaller model, batch or context, or a machine with more."), exception);
        }
    }

    private readonly record struct Block(nint Address, long Bytes, long Touched);

    private readonly record struct Hole(int Block, long Offset, long Bytes)
    {
        /// <summary>Whether <paramref name="next"/> begins where this one ends.</summary>
        public bool Touches(Hole next) => Block == next.Block && Offset + Bytes == next.Offset;
    }
}
