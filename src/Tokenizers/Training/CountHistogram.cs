using OpenEuroLLM.Core;

namespace OpenEuroLLM.Tokenizers;

/// <summary>How many words occur how often: it says which words fit into memory.</summary>
internal sealed class CountHistogram
{
    private const int Buckets = 1 << 16;

    private readonly long[] _words = new long[Buckets + 1];      // by count; the last holds all above
    private readonly long[] _bytes = new long[Buckets + 1];
    private readonly long[] _occurrences = new long[Buckets + 1];

    public void Add(int length, WordSum sum)
    {
        int bucket = (int)Math.Min(sum.Count, Buckets);
        _words[bucket]++;
        _bytes[bucket] += length;
        _occurrences[bucket] += sum.Count;
    }

    /// <summary>The least count from which on all words fit into the memory, and what is left out.</summary>
    /// <exception cref="UserErrorException">Even frequent words do not fit.</exception>
    public (long MinimumCount, long DroppedWords, long DroppedOccurrences) Fit(long memoryBytes, long bytesPerWord, long bytesPerByte)
    {
        long words = _words.Sum();
        long bytes = _bytes.Sum();
        long dropped = 0;
        long occurrences = 0;
        for (int minimum = 1; minimum < Buckets; minimum++)
        {
            if (words * bytesPerWord + bytes * bytesPerByte <= memoryBytes && bytes <= Array.MaxLength)
                return (minimum, dropped, occurrences);
            words -= _words[minimum];
            bytes -= _bytes[minimum];
            dropped += _words[minimum];
            occurrences += _occurrences[minimum];
        }
        throw new UserErrorException(FormattableString.Invariant($"The words that occur {Buckets} times and more alone need {(words * bytesPerWord + bytes * bytesPerByte) >> 20} MiB; give more --memory."));
    }
}
