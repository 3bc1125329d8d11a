using System.Text;
using OpenEuroLLM.Core;

namespace OpenEuroLLM.Corpus.Making;

/// <summary>The texts of one language, cut into passages of words, that made texts are put together from.</summary>
internal sealed class WordPool(string language)
{
    /// <summary>A source gives at most so much of a language: enough to draw from.</summary>
    private const int MostWords = 400_000;

    private const int LongestPassage = 90;
    private const int ShortestPassage = 4;
    private const int LongestWord = 60;

    private readonly Dictionary<string, int> _known = new(StringComparer.Ordinal);
    private readonly List<byte[]> _words = [];
    private readonly List<int> _text = [];
    private readonly List<int> _passages = [];

    public string Language { get; } = language;

    /// <summary>Whether no more is taken.</summary>
    public bool IsFull => _text.Count >= MostWords;

    public int Passages => _passages.Count;

    /// <summary>Words of all passages, one after the other: drawn from here, each comes as often as it does in the texts.</summary>
    public int Words => _text.Count;

    /// <summary>Where a passage begins and how many words it has.</summary>
    public (int Start, int Count) Passage(int number)
    {
        int start = _passages[number];
        return (start, (number + 1 < _passages.Count ? _passages[number + 1] : _text.Count) - start);
    }

    /// <summary>A word by its place among <see cref="Words"/>, as UTF-8.</summary>
    public ReadOnlySpan<byte> Word(int place) => _words[_text[place]];

    /// <summary>Takes the passages of a text.</summary>
    public void Add(string text)
    {
        foreach (string line in text.Split('\n'))
        {
            string[] words = line.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
            for (int from = 0; from < words.Length && !IsFull; from += LongestPassage)
            {
                int count = Math.Min(LongestPassage, words.Length - from);
                if (count < ShortestPassage) break;
                _passages.Add(_text.Count);
                foreach (string word in words.AsSpan(from, count)) _text.Add(NumberOf(word.Length <= LongestWord ? word : word[..LongestWord]));
            }
        }
    }

    private int NumberOf(string word)
    {
        if (_known.TryGetValue(word, out int number)) return number;
        _words.Add(Encoding.UTF8.GetBytes(word));   // half of a pair, cut off above, becomes a replacement character
        return _known[word] = _words.Count - 1;
    }
}

/// <summary>Values of a random stream one after the other.</summary>
internal struct Draws(CounterRandom random)
{
    private ulong _next;

    public int Below(int bound) => (int)random.Below(_next++, (uint)bound);

    public double Uniform() => random.UniformAt(_next++);
}
