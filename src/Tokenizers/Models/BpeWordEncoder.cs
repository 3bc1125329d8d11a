using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace OpenEuroLLM.Tokenizers;

/// <summary>Takes the words of one text and writes their tokens into the room of a list, most of them out of a cache.</summary>
internal ref struct BpeWordEncoder : IWordReceiver
{
    private static readonly byte[] Masks = BuildMasks();

    private readonly BpeModel _model;
    private readonly BpeWordCache _cache;
    private readonly ref readonly byte _textEnd;
    private readonly List<int> _list;
    private Span<int> _ids;
    private int _count;

    public BpeWordEncoder(BpeModel model, BpeWordCache cache, ReadOnlySpan<byte> text, List<int> list)
    {
        (_model, _cache, _list, _count) = (model, cache, list, list.Count);
        _textEnd = ref Unsafe.Add(ref MemoryMarshal.GetReference(text), text.Length);
        Reserve(text.Length / 4 + Vector256<int>.Count);
    }

    public void Receive(ReadOnlySpan<byte> word)
    {
        if (_count + Vector256<int>.Count > _ids.Length)
            Reserve(Vector256<int>.Count);
        if (word.Length <= BpeWordCache.ShortBytes)
        {
            var key = ReadShort(word);
            if (!_cache.TryFind(key, out var found))
            {
                int first = _count;
                Encode(word);
                _cache.Add(key, _ids[first.._count]);
                return;
            }
            // Room is there for all four; what is written behind the last is written over.
            found.StoreUnsafe(ref Unsafe.Add(ref MemoryMarshal.GetReference(_ids), _count));
            _count += Vector128<int>.Count - BitOperations.PopCount(found.ExtractMostSignificantBits());
        }
        else if (word.Length <= BpeWordCache.LongBytes)
        {
            var key = ReadLong(word);
            if (!_cache.TryFind(key, out var found))
            {
                int first = _count;
                Encode(word);
                _cache.Add(key, _ids[first.._count]);
                return;
            }
            found.StoreUnsafe(ref Unsafe.Add(ref MemoryMarshal.GetReference(_ids), _count));
            _count += Vector256<int>.Count - BitOperations.PopCount(found.ExtractMostSignificantBits());
        }
        else
        {
            Encode(word);
        }
    }

    /// <summary>Gives the list its length.</summary>
    public readonly void Finish() => CollectionsMarshal.SetCount(_list, _count);

    private void Encode(ReadOnlySpan<byte> word)
    {
        Reserve(Math.Max(word.Length, Vector256<int>.Count));
        _count += _model.EncodeWord(word, _ids[_count..]);
    }

    /// <summary>Makes room for so many more tokens.</summary>
    private void Reserve(int more)
    {
        if (_count + (long)more > _ids.Length)
        {
            _list.EnsureCapacity(checked(_count + more));
            CollectionsMarshal.SetCount(_list, _list.Capacity);
            _ids = CollectionsMarshal.AsSpan(_list);
        }
    }

    private readonly bool CanRead(ref readonly byte start, int bytes) => Unsafe.ByteOffset(in start, in _textEnd) >= bytes;

    private readonly Vector128<ulong> ReadShort(ReadOnlySpan<byte> word)
    {
        ref byte start = ref MemoryMarshal.GetReference(word);
        var bytes = CanRead(ref start, Vector128<byte>.Count) ? Vector128.LoadUnsafe(ref start) : ReadAtEnd(word).GetLower();
        // The mask of a short word: its last byte is where the length goes.
        var mask = Vector128.LoadUnsafe(ref MemoryMarshal.GetArrayDataReference(Masks), (nuint)(Vector256<byte>.Count - word.Length));
        return (bytes & mask).AsUInt64().WithElement(1, (bytes & mask).AsUInt64().GetElement(1) | (ulong)word.Length << 56);
    }

    private readonly Vector256<ulong> ReadLong(ReadOnlySpan<byte> word)
    {
        ref byte start = ref MemoryMarshal.GetReference(word);
        var bytes = CanRead(ref start, Vector256<byte>.Count) ? Vector256.LoadUnsafe(ref start) : ReadAtEnd(word);
        var mask = Vector256.LoadUnsafe(ref MemoryMarshal.GetArrayDataReference(Masks), (nuint)(Vector256<byte>.Count - word.Length));
        var key = (bytes & mask).AsUInt64();
        return key.WithElement(3, key.GetElement(3) | (ulong)word.Length << 56);
    }

    private static Vector256<byte> ReadAtEnd(ReadOnlySpan<byte> word)
    {
        Span<byte> bytes = stackalloc byte[Vector256<byte>.Count];
        bytes.Clear();
        word.CopyTo(bytes);
        return Vector256.Create<byte>(bytes);
    }

    /// <summary>So many ones as a word can have bytes, and as many zeros: read from the right place, the mask of any length.</summary>
    private static byte[] BuildMasks()
    {
        byte[] masks = new byte[2 * Vector256<byte>.Count];
        masks.AsSpan(0, Vector256<byte>.Count).Fill(0xFF);
        return masks;
    }
}
