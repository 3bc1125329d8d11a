namespace OpenEuroLLM.Corpus.Archives;

/// <summary>A file that is not packed: one member.</summary>
internal sealed class PlainMembers(PackedInput input, ArchiveLimits limits) : Members(input, limits)
{
    public override long Skip(long count, Span<byte> scratch)
    {
        int atHand = (int)Math.Min(count, Input.Available.Length);
        Input.Start += atHand;
        if (atHand == count || !Input.CanSeek) return atHand + base.Skip(count - atHand, scratch);
        long before = Input.Position;
        Input.Seek(before + count - atHand);
        return atHand + Input.Position - before;
    }

    protected override bool Begin() => !Input.Available.IsEmpty || Input.Fill();

    protected override int Unpack(Span<byte> target)
    {
        if (Input.Available.IsEmpty && !Input.Fill()) return 0;
        int count = Math.Min(target.Length, Input.Available.Length);
        Input.Available[..count].CopyTo(target);
        Input.Start += count;
        return count;
    }

    protected override bool FindMagic() => false;
}
