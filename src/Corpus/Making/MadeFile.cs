using System.Buffers;
using System.IO.Compression;
using OpenEuroLLM.Corpus.Archives;

namespace OpenEuroLLM.Corpus.Making;

/// <summary>A file that is written in pieces, packed as its name says: each piece a gzip member or Zstandard frame of its own, or many of them in one.</summary>
internal sealed class MadeFile(string path, Packing packing, bool memberForEachPiece) : IDisposable
{
    private const int MemberBytes = 4 << 20;

    private readonly FileStream _file = new(path, FileMode.CreateNew, FileAccess.Write, FileShare.None, 1 << 20);
    private readonly ArrayBufferWriter<byte> _member = new(1 << 16);
    private readonly MemoryStream _packed = new();
    private long _written;

    /// <summary>Where the next piece is written; <see cref="EndPiece"/> ends it.</summary>
    public IBufferWriter<byte> Piece => _member;

    /// <summary>Bytes so far, before they are packed.</summary>
    public long Bytes => _written + _member.WrittenCount;

    /// <summary>The piece is complete.</summary>
    public void EndPiece()
    {
        if (memberForEachPiece || _member.WrittenCount >= MemberBytes) EndMember();
    }

    public void Dispose()
    {
        EndMember();
        _file.Dispose();
    }

    private void EndMember()
    {
        if (_member.WrittenCount == 0) return;
        _written += _member.WrittenCount;
        if (packing == Packing.None) _file.Write(_member.WrittenSpan);
        else if (packing == Packing.Zstandard) _file.Write(Zstandard.Pack(_member.WrittenSpan));
        else
        {
            _packed.SetLength(0);
            using (var gzip = new GZipStream(_packed, CompressionLevel.Fastest, leaveOpen: true)) gzip.Write(_member.WrittenSpan);
            _packed.WriteTo(_file);
        }
        _member.ResetWrittenCount();
    }
}
