using System.Buffers.Binary;

namespace OpenEuroLLM.Corpus.Archives;

/// <summary>The members of a gzip file, each checked by its length and checksum.</summary>
/// <remarks>Source: RFC 1952.</remarks>
internal sealed class GzipMembers(PackedInput input, ArchiveLimits limits) : Members(input, limits)
{
    private const int HasHeaderChecksum = 2, HasExtra = 4, HasName = 8, HasComment = 16, Reserved = 0xE0;
    private const int LongestName = 1 << 16;

    private readonly Inflater _inflater = new(input);
    private uint _checksum, _length;
    private bool _ended;

    protected override bool Begin()
    {
        if (!Input.Require(1)) return false;
        if (!Input.Require(10))
            throw MayBegin(Input.Available) ? CutShort() : Damaged("bytes that are no gzip data follow");
        ReadOnlySpan<byte> header = Input.Available;
        if (!MayBegin(header)) throw Damaged("bytes that are no gzip data follow");
        int flags = header[3];
        Input.Start += 10;
        if ((flags & HasExtra) != 0)
        {
            if (!Input.Require(2)) throw CutShort();
            int extra = BinaryPrimitives.ReadUInt16LittleEndian(Input.Available);
            Input.Start += 2;
            if (!Input.Require(extra)) throw CutShort();
            Input.Start += extra;
        }
        if ((flags & HasName) != 0) SkipName();
        if ((flags & HasComment) != 0) SkipName();
        if ((flags & HasHeaderChecksum) != 0)
        {
            if (!Input.Require(2)) throw CutShort();
            Input.Start += 2;
        }
        _inflater.Begin();
        (_checksum, _length, _ended) = (0, 0, false);
        return true;
    }

    protected override int Unpack(Span<byte> target)
    {
        if (_ended || target.IsEmpty) return 0;
        int read = _inflater.Read(target);
        if (read > 0)
        {
            _checksum = Crc32.Append(_checksum, target[..read]);
            _length += (uint)read;
            return read;
        }
        if (!Input.Require(8)) throw CutShort();
        if (BinaryPrimitives.ReadUInt32LittleEndian(Input.Available) != _checksum || BinaryPrimitives.ReadUInt32LittleEndian(Input.Available[4..]) != _length)
            throw Damaged("the checksum of the gzip data is wrong");
        Input.Start += 8;
        _ended = true;
        return 0;
    }

    protected override bool FindMagic()
    {
        while (true)
        {
            int found = Input.Available.IndexOf((byte)0x1F);
            if (found < 0)
            {
                Input.Start = Input.End;
                if (!Input.Fill()) return false;
                continue;
            }
            Input.Start += found;
            if (!Input.Require(4)) return false;
            if (MayBegin(Input.Available)) return true;
            Input.Start++;
        }
    }

    private static bool MayBegin(ReadOnlySpan<byte> bytes) =>
        bytes.Length >= 4 ? bytes.StartsWith((ReadOnlySpan<byte>)[0x1F, 0x8B, 8]) && (bytes[3] & Reserved) == 0 : ((ReadOnlySpan<byte>)[0x1F, 0x8B, 8]).StartsWith(bytes);

    private void SkipName()
    {
        for (int length = 0; length < LongestName; length++)
        {
            if (!Input.Require(1)) throw CutShort();
            if (Input.Buffer[Input.Start++] == 0) return;
        }
        throw Damaged("the name in the gzip data does not end");
    }

    private static DamagedDataException CutShort() => new(DamagedDataException.CutShort, "the gzip data ends too early");

    private static DamagedDataException Damaged(string what) => new(DamagedDataException.Damaged, what);
}
