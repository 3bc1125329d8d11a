using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace OpenEuroLLM.Corpus.Archives;

/// <summary>Unpacks deflate data. The platform's own reader does not say where the data end in the file, and takes data that are cut short
/// for shorter ones; where archives are read from many places, both must be known.</summary>
/// <remarks>Source: RFC 1951.</remarks>
internal sealed class Inflater(PackedInput input)
{
    private const int History = 1 << 15;
    private const int Limit = History + (1 << 16);
    private const int LongestMatch = 258;

    private static readonly byte[] PrecodeOrder = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];
    private static readonly uint[] LiteralMeanings = BuildLiteralMeanings(), DistanceMeanings = BuildDistanceMeanings(), PrecodeMeanings = [.. Enumerable.Range(0, 19).Select(i => (uint)i << 16)];

    private readonly byte[] _window = new byte[Limit + LongestMatch + 16];
    private readonly HuffmanTable _literals = new(11, 2400), _distances = new(8, 512), _precode = new(7, 128);
    private ulong _bits;
    private int _bitCount, _padding;
    private int _delivered, _written, _wanted;
    private int _stored;
    private State _state;
    private bool _isLast, _fixedTables;

    private enum State { Header, Stored, Coded, Finished }

    /// <summary>Begins at the input's place.</summary>
    public void Begin()
    {
        (_bits, _bitCount, _padding, _delivered, _written, _state, _isLast) = (0, 0, 0, 0, 0, State.Header, false);
    }

    /// <summary>Unpacks some bytes; 0 at the end of the data, where the input is left at the first byte behind them.</summary>
    /// <exception cref="DamagedDataException">The data are damaged or cut short.</exception>
    public int Read(Span<byte> target)
    {
        if (_delivered == _written && _state != State.Finished)
        {
            if (_written >= Limit)
            {
                _window.AsSpan(_written - History, History).CopyTo(_window);
                _delivered = _written = History;
            }
            _wanted = Math.Min(Limit, _written + target.Length);
            while (_written < _wanted && _state != State.Finished) Produce();
        }
        int count = Math.Min(target.Length, _written - _delivered);
        _window.AsSpan(_delivered, count).CopyTo(target);
        _delivered += count;
        return count;
    }

    private void Produce()
    {
        switch (_state)
        {
            case State.Header:
                ReadHeader();
                break;
            case State.Stored:
                CopyStored();
                break;
            default:
                Decode();
                if (_padding * 8 > _bitCount) throw CutShort();
                break;
        }
        if (_state == State.Header && _isLast)
        {
            AlignToByte();
            _state = State.Finished;
        }
    }

    private void ReadHeader()
    {
        _isLast = Take(1) == 1;
        switch (Take(2))
        {
            case 0:
                AlignToByte();
                if (!input.Require(4)) throw CutShort();
                _stored = input.Available[0] | (input.Available[1] << 8);
                if ((_stored ^ 0xFFFF) != (input.Available[2] | (input.Available[3] << 8))) throw Damaged();
                input.Start += 4;
                _state = State.Stored;
                break;
            case 1:
                if (!_fixedTables)
                {
                    Span<byte> lengths = stackalloc byte[288];
                    lengths[..144].Fill(8);
                    lengths[144..256].Fill(9);
                    lengths[256..280].Fill(7);
                    lengths[280..].Fill(8);
                    _literals.Build(lengths, LiteralMeanings);
                    lengths[..32].Fill(5);
                    _distances.Build(lengths[..32], DistanceMeanings);
                    _fixedTables = true;
                }
                _state = State.Coded;
                break;
            case 2:
                ReadTables();
                _state = State.Coded;
                break;
            default:
                throw Damaged();
        }
    }

    private void ReadTables()
    {
        int literals = (int)Take(5) + 257, distances = (int)Take(5) + 1, precodes = (int)Take(4) + 4;
        if (literals > 286 || distances > 30) throw Damaged();
        Span<byte> lengths = stackalloc byte[320];
        lengths.Clear();
        for (int i = 0; i < precodes; i++) lengths[PrecodeOrder[i]] = (byte)Take(3);
        _precode.Build(lengths[..19], PrecodeMeanings);
        lengths.Clear();
        for (int i = 0; i < literals + distances;)
        {
            Refill();
            uint entry = _precode.Entries[(int)(_bits & 127)];
            if ((entry & HuffmanTable.Special) != 0) throw Damaged();
            Drop((int)(entry & 0xFF));
            int symbol = (int)(entry >> 16);
            if (symbol < 16)
            {
                lengths[i++] = (byte)symbol;
                continue;
            }
            if (symbol == 16 && i == 0) throw Damaged();
            byte repeated = symbol == 16 ? lengths[i - 1] : (byte)0;
            int count = symbol switch { 16 => 3 + (int)Take(2), 17 => 3 + (int)Take(3), _ => 11 + (int)Take(7) };
            if (i + count > literals + distances) throw Damaged();
            lengths.Slice(i, count).Fill(repeated);
            i += count;
        }
        if (lengths[256] == 0) throw Damaged();
        _fixedTables = false;
        _literals.Build(lengths[..literals], LiteralMeanings);
        _distances.Build(lengths.Slice(literals, distances), DistanceMeanings);
    }

    private void CopyStored()
    {
        while (_stored > 0 && _written < _wanted)
        {
            if (input.Available.IsEmpty && !input.Fill()) throw CutShort();
            int count = Math.Min(Math.Min(_stored, _wanted - _written), input.Available.Length);
            input.Available[..count].CopyTo(_window.AsSpan(_written));
            input.Start += count;
            _written += count;
            _stored -= count;
        }
        if (_stored == 0) _state = State.Header;
    }

    /// <summary>Decodes until the window is full or the block ends. Within the bounds checked at the head of the loop, a step takes at most
    /// 48 bits and writes at most the longest match and the slack behind it.</summary>
    private void Decode()
    {
        ref uint literals = ref MemoryMarshal.GetArrayDataReference(_literals.Entries);
        ref uint distances = ref MemoryMarshal.GetArrayDataReference(_distances.Entries);
        ref byte window = ref MemoryMarshal.GetArrayDataReference(_window);
        int written = _written, wanted = _wanted;
        while (written < wanted)
        {
            if (_bitCount < 48) Refill();
            ulong bits = _bits;
            uint entry = Unsafe.Add(ref literals, (nint)(bits & 2047));
            if ((entry & HuffmanTable.Literal) != 0)
            {
                Unsafe.Add(ref window, written++) = (byte)(entry >> 16);
                Drop((int)(entry & 0xFF));
                continue;
            }
            int used = (int)(entry & 0xFF);
            if ((entry & HuffmanTable.Special) != 0)
            {
                if ((entry & HuffmanTable.EndOfBlock) == 0)
                {
                    int width = (int)(entry >> 8) & 31;
                    if (width == 0) throw Damaged();
                    entry = _literals.Entries[(int)(entry >> 16) + (int)((bits >> used) & ((1UL << width) - 1))];
                    used += (int)(entry & 0xFF);
                    if ((entry & HuffmanTable.Literal) != 0)
                    {
                        Unsafe.Add(ref window, written++) = (byte)(entry >> 16);
                        Drop(used);
                        continue;
                    }
                }
                if ((entry & HuffmanTable.Special) != 0)
                {
                    if ((entry & HuffmanTable.EndOfBlock) == 0) throw Damaged();
                    Drop(used);
                    _state = State.Header;
                    break;
                }
            }
            int extra = (int)(entry >> 8) & 31;
            int length = (int)(entry >> 16) + (int)((bits >> used) & ((1UL << extra) - 1));
            used += extra;

            entry = Unsafe.Add(ref distances, (nint)((bits >> used) & 255));
            if ((entry & HuffmanTable.Special) != 0)
            {
                int width = (int)(entry >> 8) & 31;
                if (width == 0) throw Damaged();
                used += (int)(entry & 0xFF);
                entry = _distances.Entries[(int)(entry >> 16) + (int)((bits >> used) & ((1UL << width) - 1))];
                if ((entry & HuffmanTable.Special) != 0) throw Damaged();
            }
            used += (int)(entry & 0xFF);
            extra = (int)(entry >> 8) & 31;
            int distance = (int)(entry >> 16) + (int)((bits >> used) & ((1UL << extra) - 1));
            Drop(used + extra);
            if (distance > written) throw Damaged();
            Copy(ref Unsafe.Add(ref window, written), distance, length);
            written += length;
        }
        _written = written;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Copy(ref byte target, int distance, int length)
    {
        ref byte source = ref Unsafe.Subtract(ref target, distance);
        if (distance >= 8)
        {
            for (int i = 0; i < length; i += 8) Unsafe.WriteUnaligned(ref Unsafe.Add(ref target, i), Unsafe.ReadUnaligned<ulong>(ref Unsafe.Add(ref source, i)));
        }
        else if (distance == 1) MemoryMarshal.CreateSpan(ref target, length).Fill(source);
        else
        {
            for (int i = 0; i < length; i++) Unsafe.Add(ref target, i) = Unsafe.Add(ref source, i);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Refill()
    {
        int start = input.Start;
        if (BitConverter.IsLittleEndian && input.End - start >= 8)
        {
            // Bits above the count are those of the next bytes, so that taking them again changes nothing.
            _bits |= Unsafe.ReadUnaligned<ulong>(ref Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(input.Buffer), start)) << _bitCount;
            input.Start = start + ((63 - _bitCount) >> 3);
            _bitCount |= 56;
        }
        else RefillSlowly();
    }

    private void RefillSlowly()
    {
        while (_bitCount <= 56)
        {
            if (input.Available.IsEmpty && !input.Fill())
            {
                if (_padding * 8 > _bitCount) throw CutShort();
                _padding++;
            }
            else _bits |= (ulong)input.Buffer[input.Start++] << _bitCount;
            _bitCount += 8;
        }
    }

    private uint Take(int count)
    {
        if (_bitCount < count) Refill();
        uint taken = (uint)(_bits & ((1UL << count) - 1));
        Drop(count);
        if (_padding * 8 > _bitCount) throw CutShort();
        return taken;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Drop(int count)
    {
        _bits >>= count;
        _bitCount -= count;
    }

    private void AlignToByte()
    {
        int whole = (_bitCount >> 3) - _padding;
        if (whole < 0) throw CutShort();
        input.Start -= whole;
        (_bits, _bitCount, _padding) = (0, 0, 0);
    }

    private static DamagedDataException CutShort() => new(DamagedDataException.CutShort, "the gzip data ends too early");

    private static DamagedDataException Damaged() => new(DamagedDataException.Damaged, "the gzip data is not valid");

    private static uint[] BuildLiteralMeanings()
    {
        uint[] meanings = new uint[288];
        for (uint i = 0; i < 256; i++) meanings[i] = HuffmanTable.Literal | (i << 16);
        meanings[256] = HuffmanTable.Special | HuffmanTable.EndOfBlock;
        uint length = 3;
        for (int i = 257; i < 285; i++)
        {
            uint extra = i < 265 ? 0 : (uint)(i - 261) / 4;
            meanings[i] = (extra << 8) | (length << 16);
            length += 1u << (int)extra;
        }
        meanings[285] = LongestMatch << 16;
        meanings[286] = meanings[287] = HuffmanTable.Special;
        return meanings;
    }

    private static uint[] BuildDistanceMeanings()
    {
        uint[] meanings = new uint[32];
        uint distance = 1;
        for (int i = 0; i < 30; i++)
        {
            uint extra = i < 4 ? 0 : (uint)(i - 2) / 2;
            meanings[i] = (extra << 8) | (distance << 16);
            distance += 1u << (int)extra;
        }
        meanings[30] = meanings[31] = HuffmanTable.Special;
        return meanings;
    }
}
