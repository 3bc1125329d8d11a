using OpenEuroLLM.Corpus.Readers;

namespace OpenEuroLLM.Corpus.Archives;

/// <summary>A file unpacked from beginning to end, whatever the number of its members.</summary>
internal sealed class UnpackedStream(Stream file, Packing packing, ArchiveLimits limits) : ForwardStream
{
    private readonly Members _members = Members.Open(packing, file, limits);
    private bool _begun, _inMember;

    /// <exception cref="DamagedDataException">The data are damaged, cut short, or unpack to far more than themselves.</exception>
    public override int Read(Span<byte> buffer)
    {
        if (buffer.IsEmpty) return 0;
        while (true)
        {
            if (!_inMember)
            {
                if (!_members.TryBegin())
                {
                    if (!_begun && packing != Packing.None) throw new DamagedDataException(DamagedDataException.CutShort, "the file is empty");
                    return 0;
                }
                _begun = _inMember = true;
            }
            int read = _members.Read(buffer);
            if (read > 0) return read;
            _inMember = false;
        }
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing) _members.Dispose();
        base.Dispose(disposing);
    }
}
