using System.Buffers.Binary;

namespace OpenEuroLLM.Corpus.Archives;

/// <summary>The frames of a Zstandard file. A first skippable frame of the kind that web archives use holds the dictionary of the others, which may be packed itself.</summary>
/// <remarks>Sources: RFC 8878; "Use of Zstandard compression with WARC files" 1.0.</remarks>
internal sealed class ZstandardMembers : Members
{
    private const uint FrameMagic = 0xFD2FB528, FirstSkippable = 0x184D2A50, DictionaryMagic = 0x184D2A5D;

    private readonly ZstandardContext _context = Zstandard.ZSTD_createDCtx();
    private bool _ended = true;

    public ZstandardMembers(PackedInput input, ArchiveLimits limits) : base(input, limits)
    {
        if (_context.IsInvalid) throw new InsufficientMemoryException("libzstd has no memory left.");
        Zstandard.Check(Zstandard.ZSTD_DCtx_setParameter(_context, Zstandard.WindowLogMax, limits.WindowLog));
    }

    public override void Dispose()
    {
        _context.Dispose();
        base.Dispose();
    }

    protected override bool Begin()
    {
        while (Input.Require(1))
        {
            if (!Input.Require(4)) throw CutShort();
            uint magic = BinaryPrimitives.ReadUInt32LittleEndian(Input.Available);
            if (magic == FrameMagic)
            {
                MemberStart = Input.Position;
                BeginFrame();
                return true;
            }
            if ((magic & ~15u) != FirstSkippable) throw new DamagedDataException(DamagedDataException.Damaged, "bytes that are no Zstandard data follow");
            if (!Input.Require(8)) throw CutShort();
            bool isDictionary = magic == DictionaryMagic && Input.Position == 0;
            long size = BinaryPrimitives.ReadUInt32LittleEndian(Input.Available[4..]);
            Input.Start += 8;
            if (isDictionary) ReadDictionary(size);
            else Pass(size);
        }
        return false;
    }

    protected override int Unpack(Span<byte> target)
    {
        while (!_ended && !target.IsEmpty)
        {
            int written = Step(target);
            if (written > 0) return written;
            if (!_ended && Input.Available.IsEmpty && !Input.Fill()) throw CutShort();
        }
        return 0;
    }

    protected override bool FindMagic()
    {
        while (true)
        {
            int found = Input.Available.IndexOf((ReadOnlySpan<byte>)[0x28, 0xB5, 0x2F, 0xFD]);
            if (found >= 0)
            {
                Input.Start += found;
                return true;
            }
            Input.Start = Math.Max(Input.Start, Input.End - 3);
            if (!Input.Fill()) return false;
        }
    }

    private void BeginFrame()
    {
        Zstandard.Check(Zstandard.ZSTD_DCtx_reset(_context, Zstandard.ResetSessionOnly));
        _ended = false;
    }

    private unsafe int Step(Span<byte> target)
    {
        fixed (byte* packed = Input.Buffer, unpacked = target)
        {
            var input = new ZstandardBuffer { Bytes = packed + Input.Start, Size = (nuint)Input.Available.Length };
            var output = new ZstandardBuffer { Bytes = unpacked, Size = (nuint)target.Length };
            nuint left = Zstandard.ZSTD_decompressStream(_context, &output, &input);
            Input.Start += (int)input.Used;
            _ended = Zstandard.Check(left) == 0;
            return (int)output.Used;
        }
    }

    private unsafe void ReadDictionary(long size)
    {
        if (size > Limits.DictionaryBytes) throw TooLarge();
        byte[] dictionary = new byte[size];
        int done = 0;
        while (done < size)
        {
            if (Input.Available.IsEmpty && !Input.Fill()) throw CutShort();
            int count = Math.Min((int)size - done, Input.Available.Length);
            Input.Available[..count].CopyTo(dictionary.AsSpan(done));
            Input.Start += count;
            done += count;
        }
        if (size >= 4 && BinaryPrimitives.ReadUInt32LittleEndian(dictionary) == FrameMagic) dictionary = Unpacked(dictionary);
        fixed (byte* bytes = dictionary) Zstandard.Check(Zstandard.ZSTD_DCtx_loadDictionary(_context, bytes, (nuint)dictionary.Length));
    }

    private byte[] Unpacked(byte[] packed)
    {
        using var members = new ZstandardMembers(new PackedInput(new MemoryStream(packed)), Limits);
        using var unpacked = new MemoryStream();
        byte[] buffer = new byte[1 << 16];
        if (members.TryBegin())
        {
            for (int read; (read = members.Read(buffer)) > 0;)
            {
                unpacked.Write(buffer, 0, read);
                if (unpacked.Length > Limits.DictionaryBytes) throw TooLarge();
            }
        }
        return unpacked.ToArray();
    }

    private void Pass(long size)
    {
        while (size > 0)
        {
            if (Input.Available.IsEmpty && !Input.Fill()) throw CutShort();
            int count = (int)Math.Min(size, Input.Available.Length);
            Input.Start += count;
            size -= count;
        }
    }

    private DamagedDataException TooLarge() => new(DamagedDataException.Damaged, $"the dictionary has more than {Limits.DictionaryBytes} bytes");

    private static DamagedDataException CutShort() => new(DamagedDataException.CutShort, "the Zstandard data ends too early");
}
