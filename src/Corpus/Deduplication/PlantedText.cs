using System.Collections.Concurrent;
using System.Text;
using OpenEuroLLM.Core;
using OpenEuroLLM.Corpus.Deduplication;
using OpenEuroLLM.Corpus.Sample;

namespace OpenEuroLLM.Corpus;

/// <summary>A text of random words of one language, which can be changed until it is as much like itself as wanted.</summary>
internal sealed class PlantedText
{
    private const int FewestWords = 60, Tenfold = 10;
    private const int BitsOfWord = 16;

    private static readonly ConcurrentDictionary<string, string[]> Vocabularies = new();

    private readonly CounterRandom _random;
    private readonly string[] _vocabulary;
    private readonly int _kindOfChange;

    private PlantedText(CounterRandom random, string language, int kindOfChange)
    {
        (_random, Language, _kindOfChange) = (random, language, kindOfChange);
        _vocabulary = Vocabularies.GetOrAdd(language, VocabularyOf);
        // 60 to 600 words, short texts more often than long ones.
        int length = (int)(FewestWords * Numerics.Exp(random.UniformAt(0) * Numerics.Log(Tenfold)));
        Words = [.. Enumerable.Range(0, length).Select(word => Word("text", word))];
    }

    /// <summary>The languages of texts.</summary>
    public static IReadOnlyList<string> Languages => SampleText.Languages;

    /// <summary>The language of the text.</summary>
    public string Language { get; }

    /// <summary>The words, by their numbers.</summary>
    public int[] Words { get; }

    /// <summary>A text; languages and kinds of change take turns.</summary>
    public static PlantedText Of(ulong seed, int number) => new(
        new CounterRandom(seed, (ulong)number).Substream("planted"), Languages[number % Languages.Count], number / Languages.Count % 4);

    /// <summary>The text changed as much as leaves a similarity of at least <paramref name="jaccard"/>, and that similarity.</summary>
    public (int[] Words, double Jaccard) Changed(double jaccard, int shingleWords)
    {
        HashSet<UInt128> shingles = Shingled(Words, shingleWords);
        (int least, int most) = (0, Words.Length + 1);   // so many changes are few enough, so many too many
        double found = 1;
        while (most - least > 1)
        {
            int changes = (least + most) / 2;
            double similarity = Similarity(shingles, Shingled(Change(changes), shingleWords));
            if (similarity < jaccard) most = changes;
            else (least, found) = (changes, similarity);
        }
        return (Change(least), found);
    }

    /// <summary>The words as a text: sentences of random length with capitals and full stops, and paragraphs.</summary>
    public string Written(int[] words, string layout)
    {
        CounterRandom random = _random.Substream(layout);
        var text = new StringBuilder();
        int left = 0;
        for (int i = 0; i < words.Length; i++)
        {
            string word = _vocabulary[words[i]];
            bool begins = left == 0;
            if (begins) left = 4 + (int)random.Below((ulong)i, 20);
            if (begins && i > 0) text.Append(random.Below((ulong)i + 1_000_000, 5) == 0 ? ".\n\n" : ". ");
            else if (i > 0) text.Append(random.Below((ulong)i + 1_000_000, 12) == 0 ? ", " : " ");
            text.Append(begins ? char.ToUpperInvariant(word[0]) : word[0]).Append(word, 1, word.Length - 1);
            left--;
        }
        return text.Append('.').ToString();
    }

    private int[] Change(int changes)
    {
        switch (_kindOfChange)
        {
            case 0:   // words replaced here and there
                {
                    int[] words = [.. Words];
                    foreach (int place in Places().Take(changes)) words[place] = Word("replaced", place);
                    return words;
                }
            case 1:   // words left out and words put in
                {
                    HashSet<int> places = [.. Places().Take(changes)];
                    return [.. Words.SelectMany((word, place) => !places.Contains(place) ? [word] : place % 2 == 0 ? (int[])[] : [word, Word("inserted", place)])];
                }
            case 2:   // a passage replaced
                {
                    int start = (int)_random.Substream("passage").Below(0, (uint)(Words.Length - changes + 1));
                    return [.. Words.Select((word, place) => place < start || place >= start + changes ? word : Word("passage", place))];
                }
            default:   // another beginning and end
                return [.. Enumerable.Range(0, changes / 2).Select(place => Word("head", place)), .. Words.Skip(changes / 2),
                    .. Enumerable.Range(0, changes - changes / 2).Select(place => Word("tail", place))];
        }
    }

    private List<int> Places() => Shuffle.Of(Enumerable.Range(0, Words.Length), _random.Substream("places"));

    /// <summary>A word; as in texts, some are much more frequent than others.</summary>
    private int Word(string purpose, int place)
    {
        double uniform = _random.Substream(purpose).UniformAt((ulong)place + 1);
        return (int)(_vocabulary.Length * uniform * uniform);
    }

    /// <summary>The runs of words themselves, not hashes of them.</summary>
    private static HashSet<UInt128> Shingled(int[] words, int shingleWords)
    {
        if (shingleWords * BitsOfWord > 128) throw new ArgumentOutOfRangeException(nameof(shingleWords));
        UInt128 mask = UInt128.MaxValue >> (128 - shingleWords * BitsOfWord), run = 0;
        var shingles = new HashSet<UInt128>(words.Length);
        for (int i = 0; i < words.Length; i++)
        {
            run = (run << BitsOfWord | (UInt128)(uint)words[i]) & mask;
            if (i >= shingleWords - 1) shingles.Add(run);
        }
        return shingles;
    }

    private static double Similarity(HashSet<UInt128> one, HashSet<UInt128> other)
    {
        int common = other.Count(one.Contains);
        return (double)common / (one.Count + other.Count - common);
    }

    /// <summary>The words of the built-in sample, each once as the step sees it.</summary>
    private static string[] VocabularyOf(string language)
    {
        var words = new SortedSet<string>(StringComparer.Ordinal);
        foreach (string sentence in SampleText.Load(language).FreeSentences)
        {
            var word = new FoldedWords(sentence);
            while (word.MoveNext()) words.Add(string.Concat(sentence[word.Start..word.End].Select(FoldedWords.Fold)));
        }
        // In an order of their own, so that the frequent ones are not those with the first letters of the alphabet.
        string[] shuffled = [.. Shuffle.Of(words, new CounterRandom(0, 0).Substream(language))];
        return shuffled.Length <= 1 << BitsOfWord ? shuffled : shuffled[..(1 << BitsOfWord)];
    }
}
