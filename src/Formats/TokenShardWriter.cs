using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace OpenEuroLLM.Formats;

/// <summary>Writes documents of token ids as a Megatron pair <c>PREFIX.bin</c> + <c>PREFIX.idx</c>, one sequence a document.</summary>
public sealed class TokenShardWriter : IDisposable
{
    private const int BufferBytes = 1 << 18;

    private readonly string _prefix;
    private readonly int _vocabularySize;
    private readonly int _tokenBytes;
    private readonly WritableFile _data;
    private readonly byte[] _buffer = new byte[BufferBytes];
    private readonly List<int> _lengths = [];
    private int _buffered;
    private long _flushed;

    /// <summary>Creates <c>PREFIX.bin</c>; uint16 tokens for a vocabulary below 65,500, otherwise int32.</summary>
    public TokenShardWriter(string prefix, int vocabularySize)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(vocabularySize);
        _prefix = prefix;
        _vocabularySize = vocabularySize;
        _tokenBytes = vocabularySize < TokenShardHeader.FirstInt32Vocabulary ? sizeof(ushort) : sizeof(int);
        _data = new WritableFile(prefix + ".bin");
    }

    /// <summary>Documents added so far.</summary>
    public int Documents => _lengths.Count;

    /// <summary>Tokens added so far.</summary>
    public long Tokens { get; private set; }

    /// <summary>Adds one document.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A token is negative or not in the vocabulary.</exception>
    public void Add(ReadOnlySpan<int> tokens)
    {
        foreach (int token in tokens)
        {
            if ((uint)token >= (uint)_vocabularySize)
                throw new ArgumentOutOfRangeException(nameof(tokens), $"Token {token} is not in a vocabulary of {_vocabularySize}.");
            if (_buffered == BufferBytes)
                Flush();
            if (_tokenBytes == sizeof(ushort))
                BinaryPrimitives.WriteUInt16LittleEndian(_buffer.AsSpan(_buffered), (ushort)token);
            else
                BinaryPrimitives.WriteInt32LittleEndian(_buffer.AsSpan(_buffered), token);
            _buffered += _tokenBytes;
        }
        _lengths.Add(tokens.Length);
        Tokens += tokens.Length;
    }

    /// <summary>Writes what is left and the index <c>PREFIX.idx</c>.</summary>
    public void Finish()
    {
        Flush();
        _data.Dispose();
        WriteIndex();
    }

    /// <summary>Closes the data file; without <see cref="Finish"/> there is no index, and the shard cannot be opened.</summary>
    public void Dispose() => _data.Dispose();

    private void Flush()
    {
        _data.Write(_buffer.AsSpan(0, _buffered), _flushed);
        _flushed += _buffered;
        _buffered = 0;
    }

    private void WriteIndex()
    {
        using var index = new WritableFile(_prefix + ".idx");
        byte[] header = new byte[TokenShardHeader.Bytes];
        TokenShardHeader.Magic.CopyTo(header);
        BinaryPrimitives.WriteUInt64LittleEndian(header.AsSpan(9), TokenShardHeader.Version);
        header[17] = _tokenBytes == sizeof(ushort) ? TokenShardHeader.UInt16 : TokenShardHeader.Int32;
        BinaryPrimitives.WriteInt64LittleEndian(header.AsSpan(18), _lengths.Count);
        BinaryPrimitives.WriteInt64LittleEndian(header.AsSpan(26), _lengths.Count + 1L);
        index.Write(header, 0);
        long offset = header.Length;
        index.Write(MemoryMarshal.AsBytes(CollectionsMarshal.AsSpan(_lengths)), offset);
        offset += (long)_lengths.Count * sizeof(int);

        long pointer = 0;
        offset = WriteNumbers(index, offset, _lengths.Count, document =>
        {
            long start = pointer;
            pointer += (long)_lengths[document] * _tokenBytes;
            return start;
        });
        WriteNumbers(index, offset, _lengths.Count + 1, document => document);
    }

    private static long WriteNumbers(WritableFile file, long offset, int count, Func<int, long> number)
    {
        const int piece = 1 << 14;
        long[] numbers = new long[Math.Min(count, piece)];
        for (int done = 0; done < count; done += piece)
        {
            var target = numbers.AsSpan(0, Math.Min(piece, count - done));
            for (int i = 0; i < target.Length; i++)
                target[i] = number(done + i);
            var bytes = MemoryMarshal.AsBytes(target);
            file.Write(bytes, offset);
            offset += bytes.Length;
        }
        return offset;
    }
}
