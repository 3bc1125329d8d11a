namespace OpenEuroLLM.Corpus.Archives;

/// <summary>A file as the pieces it is packed in, one after the other: gzip members, Zstandard frames, or the whole of a file that is not packed.</summary>
internal abstract class Members(PackedInput input, ArchiveLimits limits) : IDisposable
{
    private const int ProbeBytes = 16;

    private bool _mayGoBack = true;
    private long _unpacked;

    /// <summary>Where the member last begun starts in the file.</summary>
    public long MemberStart { get; protected set; }

    /// <summary>How far the file is read.</summary>
    public long Position => Input.Position;

    /// <summary>The file.</summary>
    protected PackedInput Input { get; } = input;

    /// <summary>The limits kept.</summary>
    protected ArchiveLimits Limits { get; } = limits;

    /// <summary>Opens a file.</summary>
    public static Members Open(Packing packing, Stream file, ArchiveLimits limits)
    {
        var input = new PackedInput(file);
        return packing switch
        {
            Packing.Gzip => new GzipMembers(input, limits),
            Packing.Zstandard => new ZstandardMembers(input, limits),
            _ => new PlainMembers(input, limits),
        };
    }

    /// <summary>Begins the next member; the last one is read to its end.</summary>
    /// <returns>False at the end of the file.</returns>
    /// <exception cref="DamagedDataException">No member begins here.</exception>
    public bool TryBegin()
    {
        MemberStart = Input.Position;
        _unpacked = 0;
        return Begin();
    }

    /// <summary>Unpacks some bytes of the member.</summary>
    /// <returns>0 at the end of the member, when all of it was found whole.</returns>
    /// <exception cref="DamagedDataException">The member is damaged, cut short, or unpacks to too much.</exception>
    public int Read(Span<byte> target)
    {
        int read = Unpack(target);
        _unpacked += read;
        if (read == 0 && target.Length > 0) _mayGoBack = true;
        else Limits.CheckRatio(Input.Position - MemberStart, _unpacked);
        return read;
    }

    /// <summary>Passes over bytes of the member.</summary>
    /// <returns>The number passed over, less than asked for at the end of the member.</returns>
    public virtual long Skip(long count, Span<byte> scratch)
    {
        long skipped = 0;
        while (skipped < count)
        {
            int read = Read(scratch[..(int)Math.Min(scratch.Length, count - skipped)]);
            if (read == 0) break;
            skipped += read;
        }
        return skipped;
    }

    /// <summary>Goes to a place of the file where a member may or may not begin.</summary>
    public void Seek(long position)
    {
        Input.Seek(position);
        MemberStart = position - 1;
        _mayGoBack = true;
    }

    /// <summary>After damage, finds the next member that begins as it should and stops before it. The search starts right behind the start of the damaged member,
    /// so that a good one swallowed by it is found; of two damaged members in a row the second is passed over whole, so that no file is read more than twice.</summary>
    /// <param name="isBeginning">Whether unpacked data begin as they should.</param>
    /// <returns>False when there is none.</returns>
    public bool Resynchronise(MemberBeginning isBeginning)
    {
        if (_mayGoBack && Input.CanSeek) Input.Seek(MemberStart + 1);
        _mayGoBack = false;
        Span<byte> probe = stackalloc byte[ProbeBytes];
        while (FindMagic())
        {
            long start = Input.Position;
            int read = 0;
            try
            {
                MemberStart = start;
                if (Begin()) read = ReadProbe(probe);
            }
            catch (DamagedDataException)
            {
                // not the beginning of a member
            }
            if (!Input.CanSeek)
            {
                if (read > 0) throw new InvalidOperationException("Only a file that can be set back is searched for members.");
                return false;
            }
            Input.Seek(start);
            if (read > 0 && isBeginning(probe[..read])) return true;
            Input.Seek(start + 1);
        }
        return false;
    }

    /// <inheritdoc/>
    public virtual void Dispose()
    {
    }

    /// <summary>Begins a member at the input's place; false at the end of the file.</summary>
    protected abstract bool Begin();

    /// <summary>Unpacks some bytes; 0 at the end of the member.</summary>
    protected abstract int Unpack(Span<byte> target);

    /// <summary>Goes to the next bytes that may be the beginning of a member; false when there are none.</summary>
    protected abstract bool FindMagic();

    private int ReadProbe(Span<byte> probe)
    {
        int read = 0, more;
        while (read < probe.Length && (more = Unpack(probe[read..])) > 0) read += more;
        return read;
    }
}

/// <summary>Whether the first bytes of a member, sixteen or less, are those of a record.</summary>
internal delegate bool MemberBeginning(ReadOnlySpan<byte> beginning);
