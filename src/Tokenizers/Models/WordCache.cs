namespace OpenEuroLLM.Tokenizers;

/// <summary>Remembers what short words became. Safe for many threads: a slot holds one immutable word that is replaced as a whole, so that a reader
/// sees the old one or the new one, both right.</summary>
internal sealed class WordCache<T>
    where T : class
{
    public const int LongestWord = 48;

    private const int Slots = 1 << 16;

    private readonly Entry?[] _entries = new Entry?[Slots];

    /// <param name="word">At most <see cref="LongestWord"/> bytes.</param>
    public T? Find(ReadOnlySpan<byte> word, out int slot)
    {
        slot = (int)(WordHash.Of(word) & (Slots - 1));
        var entry = _entries[slot];
        return entry is not null && word.SequenceEqual(entry.Word) ? entry.Value : null;
    }

    /// <param name="slot">As <see cref="Find"/> gave it.</param>
    public void Set(int slot, ReadOnlySpan<byte> word, T value) => _entries[slot] = new Entry(word.ToArray(), value);

    private sealed class Entry(byte[] word, T value)
    {
        public byte[] Word { get; } = word;

        public T Value { get; } = value;
    }
}
