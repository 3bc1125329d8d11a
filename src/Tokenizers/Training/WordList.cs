namespace OpenEuroLLM.Tokenizers;

/// <summary>Different words with their sums, in no particular order.</summary>
internal sealed class WordList
{
    private byte[] _bytes;
    private int[] _ends;
    private WordSum[] _sums;

    public WordList(int words = 16, int bytes = 256) => (_bytes, _ends, _sums) = (new byte[bytes], new int[words], new WordSum[words]);

    public int Words { get; private set; }

    public int Bytes => Words == 0 ? 0 : _ends[Words - 1];

    public ReadOnlySpan<byte> Word(int number)
    {
        int start = number == 0 ? 0 : _ends[number - 1];
        return _bytes.AsSpan(start, _ends[number] - start);
    }

    public WordSum Sum(int number) => _sums[number];

    public void Add(ReadOnlySpan<byte> word, WordSum sum)
    {
        int start = Bytes;
        if (start + word.Length > _bytes.Length)
            Array.Resize(ref _bytes, (int)Math.Min(Array.MaxLength, Math.Max(2L * _bytes.Length, checked(start + word.Length))));
        if (Words == _ends.Length)
        {
            Array.Resize(ref _ends, Words * 2);
            Array.Resize(ref _sums, Words * 2);
        }
        word.CopyTo(_bytes.AsSpan(start));
        _ends[Words] = start + word.Length;
        _sums[Words++] = sum;
    }
}

/// <summary>What one language gave.</summary>
/// <param name="language">The key of its texts.</param>
/// <param name="list">The words that are kept.</param>
/// <param name="texts">How much text there was.</param>
internal sealed class LanguageWords(string language, WordList list, TextSums texts)
{
    public string Language => language;

    public WordList List { get; private set; } = list;

    public TextSums Texts => texts;

    /// <summary>Without text held back, the language is compared on what it is trained on.</summary>
    public bool IsMeasuredOnTraining => texts.MeasuredBytes == 0;

    /// <summary>How much the tokens of a word count when languages are compared.</summary>
    public long Measure(WordSum sum) => IsMeasuredOnTraining ? sum.Count : sum.Measured;

    /// <summary>Gives the memory of the words back.</summary>
    public void ReleaseList() => List = new WordList();
}

/// <summary>How much text a language has.</summary>
/// <param name="Documents">Texts.</param>
/// <param name="Bytes">Their bytes, held back ones not counted.</param>
/// <param name="WeightedBytes">The same with the weights of their sources, in units of 1 / <see cref="SourceWeights.Unit"/>.</param>
/// <param name="MeasuredDocuments">Texts that are held back to compare languages on.</param>
/// <param name="MeasuredBytes">Their bytes.</param>
internal readonly record struct TextSums(long Documents, long Bytes, long WeightedBytes, long MeasuredDocuments, long MeasuredBytes)
{
    public static TextSums operator +(TextSums x, TextSums y) => new(
        x.Documents + y.Documents, x.Bytes + y.Bytes, x.WeightedBytes + y.WeightedBytes, x.MeasuredDocuments + y.MeasuredDocuments, x.MeasuredBytes + y.MeasuredBytes);
}

/// <summary>All words that a vocabulary is made from.</summary>
/// <param name="Languages">By language, in ordinal order.</param>
/// <param name="MinimumWordCount">Words that occur less often were left out for want of memory; 1 when none was.</param>
/// <param name="DroppedWords">Different words left out, summed over languages.</param>
/// <param name="DroppedOccurrences">How often these occur together.</param>
/// <param name="SpilledRuns">Sorted runs that were written to disk while counting.</param>
internal sealed record TrainingWords(IReadOnlyList<LanguageWords> Languages, long MinimumWordCount, long DroppedWords, long DroppedOccurrences, int SpilledRuns)
{
    /// <summary>Gives the memory of the words back.</summary>
    public void ReleaseLists()
    {
        foreach (var language in Languages)
            language.ReleaseList();
    }
}
