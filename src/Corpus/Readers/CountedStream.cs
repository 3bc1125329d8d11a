namespace OpenEuroLLM.Corpus.Readers;

/// <summary>Tells how much is read from a stream.</summary>
internal sealed class CountedStream(Stream inner, Action<long> progress) : ForwardStream
{
    public override int Read(Span<byte> buffer)
    {
        int read = inner.Read(buffer);
        progress(read);
        return read;
    }
}
