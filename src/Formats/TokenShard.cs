using System.Buffers.Binary;
using System.Runtime.InteropServices;
using OpenEuroLLM.Core;

namespace OpenEuroLLM.Formats;

/// <summary>An open Megatron pair <c>PREFIX.bin</c> + <c>PREFIX.idx</c>, memory-mapped; safe for reading from many threads.</summary>
public sealed class TokenShard : IDisposable
{
    private const int PieceNumbers = 1 << 16;

    private readonly string _prefix;
    private readonly MappedFile _index;
    private readonly MappedFile _data;
    private readonly int _tokenBytes;
    private readonly int? _vocabularySize;
    private readonly long _pointers;
    private readonly long _documents;
    private readonly long _sequences;

    private TokenShard(string prefix, MappedFile index, MappedFile data, int? vocabularySize)
    {
        _prefix = prefix;
        _index = index;
        _data = data;
        _vocabularySize = vocabularySize;
        if (index.Length < TokenShardHeader.Bytes)
            throw Corrupt($"the file has {index.Length} bytes; expected at least {TokenShardHeader.Bytes}");
        var header = index.Span(0, TokenShardHeader.Bytes);
        if (!header[..9].SequenceEqual(TokenShardHeader.Magic))
            throw Corrupt("the first 9 bytes are not 'MMIDIDX' and two zeros; this is no index of token shards");
        ulong version = BinaryPrimitives.ReadUInt64LittleEndian(header[9..]);
        if (version != TokenShardHeader.Version)
            throw Corrupt($"the version is {version}; expected {TokenShardHeader.Version}");
        _tokenBytes = header[17] switch
        {
            TokenShardHeader.UInt8 => 1,
            TokenShardHeader.UInt16 => 2,
            TokenShardHeader.Int32 => 4,
            byte other => throw Corrupt($"the token type is {other}; expected 8 (uint16), 4 (int32) or 1 (uint8)"),
        };
        ulong sequences = BinaryPrimitives.ReadUInt64LittleEndian(header[18..]);
        ulong bounds = BinaryPrimitives.ReadUInt64LittleEndian(header[26..]);
        var expected = (UInt128)TokenShardHeader.Bytes + ((UInt128)sequences * 12) + ((UInt128)bounds * 8);
        // A trailing byte a sequence (its "mode") is allowed by the format and means nothing to a language model.
        if ((UInt128)index.Length != expected && (UInt128)index.Length != expected + sequences)
            throw Corrupt($"the file has {index.Length} bytes; {sequences} sequences and {bounds} document bounds need {expected}");
        if (bounds is 0 or > int.MaxValue)
            throw Corrupt($"there are {bounds} document bounds; expected 1 to {int.MaxValue}");
        _sequences = (long)sequences;
        _pointers = TokenShardHeader.Bytes + (_sequences * sizeof(int));
        _documents = _pointers + (_sequences * sizeof(long));
        Documents = (int)bounds - 1;
        Tokens = CheckSequences() / _tokenBytes;
        CheckDocuments();
    }

    /// <summary>How many documents the shard holds.</summary>
    public int Documents { get; }

    /// <summary>How many tokens all documents hold together.</summary>
    public long Tokens { get; }

    /// <summary>Opens a shard and checks its index completely.</summary>
    /// <param name="prefix">The path without <c>.bin</c> or <c>.idx</c>.</param>
    /// <param name="vocabularySize">When given, reading a token that is not in the vocabulary is refused.</param>
    /// <exception cref="UserErrorException">A file is missing, truncated or inconsistent.</exception>
    public static TokenShard Open(string prefix, int? vocabularySize = null)
    {
        MappedFile? index = null;
        MappedFile? data = null;
        try
        {
            index = MappedFile.Open(prefix + ".idx");
            data = MappedFile.Open(prefix + ".bin");
            return new TokenShard(prefix, index, data, vocabularySize);
        }
        catch
        {
            index?.Dispose();
            data?.Dispose();
            throw;
        }
    }

    /// <summary>The number of tokens in a document.</summary>
    public int Length(int document)
    {
        var (start, end) = Bounds(document);
        return checked((int)((end - start) / _tokenBytes));
    }

    /// <summary>Reads tokens of a document.</summary>
    /// <param name="document">From 0 to <see cref="Documents"/> - 1.</param>
    /// <param name="start">The first token wanted.</param>
    /// <param name="destination">Receives as many tokens as it holds.</param>
    /// <exception cref="UserErrorException">A token is not in the vocabulary given to <see cref="Open"/>.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The piece does not lie inside the document.</exception>
    public void Read(int document, int start, Span<int> destination)
    {
        var (first, end) = Bounds(document);
        long tokens = (end - first) / _tokenBytes;
        if (start < 0 || start > tokens || destination.Length > tokens - start)
            throw new ArgumentOutOfRangeException(nameof(start), $"{destination.Length} tokens from {start} do not lie inside document {document} of {tokens}.");
        long offset = first + ((long)start * _tokenBytes);
        const int piece = 1 << 24;   // a span of bytes holds less than 2 GiB
        for (int done = 0; done < destination.Length; done += piece)
        {
            var target = destination[done..Math.Min(destination.Length, done + piece)];
            Widen(_data.Span(offset + ((long)done * _tokenBytes), target.Length * _tokenBytes), target);
        }
        foreach (int token in destination)
            if (token < 0 || token >= (_vocabularySize ?? int.MaxValue))
                throw new UserErrorException($"{_prefix}.bin: document {document} holds token {token}; expected 0 to {(_vocabularySize ?? int.MaxValue) - 1}. Was the shard made with another tokenizer?");
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _index.Dispose();
        _data.Dispose();
    }

    private static void Widen(ReadOnlySpan<byte> bytes, Span<int> destination)
    {
        if (bytes.Length == destination.Length)
        {
            for (int i = 0; i < destination.Length; i++)
                destination[i] = bytes[i];
        }
        else if (bytes.Length == destination.Length * sizeof(ushort))
        {
            var tokens = MemoryMarshal.Cast<byte, ushort>(bytes);
            for (int i = 0; i < destination.Length; i++)
                destination[i] = tokens[i];
        }
        else
        {
            MemoryMarshal.Cast<byte, int>(bytes).CopyTo(destination);
        }
    }

    private (long Start, long End) Bounds(int document)
    {
        if ((uint)document >= (uint)Documents)
            throw new ArgumentOutOfRangeException(nameof(document), $"There is no document {document}; the shard has {Documents}.");
        return (StartOfSequence(Number(_documents, document)), StartOfSequence(Number(_documents, document + 1)));
    }

    private long StartOfSequence(long sequence) => sequence == _sequences ? _data.Length : Number(_pointers, sequence);

    private long Number(long table, long index) =>
        BinaryPrimitives.ReadInt64LittleEndian(_index.Span(table + (index * sizeof(long)), sizeof(long)));

    private long CheckSequences()
    {
        long position = 0;
        for (long done = 0; done < _sequences; done += PieceNumbers)
        {
            int count = (int)Math.Min(PieceNumbers, _sequences - done);
            var lengths = _index.Span(TokenShardHeader.Bytes + (done * sizeof(int)), count * sizeof(int));
            var pointers = _index.Span(_pointers + (done * sizeof(long)), count * sizeof(long));
            for (int i = 0; i < count; i++)
            {
                int length = BinaryPrimitives.ReadInt32LittleEndian(lengths[(i * sizeof(int))..]);
                long pointer = BinaryPrimitives.ReadInt64LittleEndian(pointers[(i * sizeof(long))..]);
                if (length < 0)
                    throw Corrupt($"sequence {done + i} has the length {length}; expected 0 or more");
                if (pointer != position)
                    throw Corrupt($"sequence {done + i} starts at byte {pointer}; expected {position}, where the one before it ends");
                position += (long)length * _tokenBytes;
            }
        }
        if (position != _data.Length)
            throw Corrupt($"the sequences end at byte {position}, but {System.IO.Path.GetFileName(_prefix)}.bin has {_data.Length}; one of the two was cut or belongs to another shard");
        return position;
    }

    private void CheckDocuments()
    {
        long previous = 0;
        for (long document = 0; document <= Documents; document++)
        {
            long bound = Number(_documents, document);
            if (document == 0 ? bound != 0 : bound < previous || bound > _sequences)
                throw Corrupt($"document bound {document} is {bound}; expected {(document == 0 ? "0" : $"{previous} to {_sequences}")}");
            previous = bound;
        }
        if (previous != _sequences)
            throw Corrupt($"the last document bound is {previous}; expected the number of sequences, {_sequences}");
    }

    private UserErrorException Corrupt(string what) => new($"{_prefix}.idx: {what}. Write the shard again.");
}
