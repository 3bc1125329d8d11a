using System.Text;
using OpenEuroLLM.Core;

namespace OpenEuroLLM.Languages.Identification;

/// <summary>All texts of a training, by script and label: those that were read, those made from them, and those that are made up.</summary>
internal sealed class TrainingSet(IdentifierConfig config)
{
    /// <summary>Column of everything that is none of the labels.</summary>
    public const string Other = "other";

    // More of one collection teaches nothing new here.
    private const int MostSourceBytes = 4 << 20;

    private const string WordSource = "words";

    // Novels of 1840 to 1920: the European Literary Text Collection and the Archive for Danish Literature.
    private static readonly string[] _old = ["ELTeC", "adl"];

    private const int WordLines = 1_500, LongestLine = 12;

    private readonly Dictionary<(bool Cyrillic, string Label, string Source), StringBuilder> _texts = [];

    private readonly IjekavianWords _western = new();
    private readonly List<(string Source, string Text)> _serbian = [];

    /// <summary>Adds one text under its label, and under others what can be made from it.</summary>
    public void Add(IdentifierText text)
    {
        var language = LanguageCatalog.Identified.FirstOrDefault(language => language.Code == text.Label);
        string label = language?.Code ?? Other;
        if (label is "el" or "ka") return; // their scripts decide
        string content = text.Text;
        bool cyrillic = language is null ? IsCyrillic(content) : language.Alphabets[0].Script.Code == "Cyrl";
        Append(cyrillic, label, text.Source, content);
        switch (label)
        {
            case "sr":
                string latin = TextVariants.SerbianLatin(content);
                // Serbian of the western kind has the vowels of Bosnian and Croatian: in Latin letters it would blur the three.
                if (TextVariants.IsIjekavian(latin)) return;
                Append(false, "sr", text.Source, latin);
                _serbian.Add((text.Source + "+sr", latin));
                break;
            case "bs":
                _western.Learn(content);
                break;
            case "hr":
                _western.Learn(content);
                Append(false, "bs", text.Source + "+hr", TextVariants.BosnianFromCroatian(content));
                break;
            case "da":
                Append(false, "da", text.Source, TextVariants.ModernDanish(content));
                break;
            case "sv":
                Append(false, "sv", text.Source, TextVariants.ModernSwedish(content));
                break;
        }
    }

    /// <summary>Adds sequences of each language's words, and text that is no language.</summary>
    public void AddMade(CounterRandom random)
    {
        foreach (var language in LanguageCatalog.Identified) AddWords(language, random);
        foreach (var (source, text) in _serbian) Append(false, "bs", source, _western.Apply(TextVariants.BosnianFromSerbian(text)));
        foreach (var ((cyrillic, label, source), text) in _texts.OrderBy(pair => pair.Key).Select(pair => (pair.Key, pair.Value)).ToArray())
        {
            string sample = text.ToString(0, Math.Min(text.Length, 6_000));
            if (cyrillic) Append(true, LanguageIdentifier.NoLanguage, "misread", NonLanguageText.Misread(sample, cyrillic: true));
            if (!cyrillic || label == "bg") Append(false, LanguageIdentifier.NoLanguage, "misread", NonLanguageText.Misread(sample, cyrillic: false));
        }

        Append(false, LanguageIdentifier.NoLanguage, "made", NonLanguageText.Latin(random));
    }

    /// <summary>The labels of a script with their texts, in order of their codes.</summary>
    public IReadOnlyList<TrainingClass> Classes(bool cyrillic, CounterRandom random) =>
    [
        .. _texts.Where(pair => pair.Key.Cyrillic == cyrillic).GroupBy(pair => pair.Key.Label).OrderBy(group => group.Key, StringComparer.Ordinal).Select(group =>
            new TrainingClass(group.Key, [.. group.OrderBy(pair => pair.Key.Source, StringComparer.Ordinal).Select(pair => Source(pair.Key.Source, pair.Value.ToString()))], random.Substream(cyrillic ? "cyrillic" : "latin"), config.ScriptShare)),
    ];

    private void AddWords(Language language, CounterRandom random)
    {
        bool cyrillic = language.Alphabets[0].Script.Code == "Cyrl";
        if (language.Alphabets[0].Script.Code is not ("Cyrl" or "Latn") || language.Words.Count + language.StopWords.Count == 0) return;
        var draws = random.Substream("words " + language.Code);
        var text = new StringBuilder();
        ulong index = 0;
        for (int line = 0; line < WordLines; line++)
        {
            uint words = 1 + draws.Below(index++, LongestLine);
            for (uint word = 0; word < words; word++)
            {
                bool stop = language.Words.Count == 0 || (language.StopWords.Count > 0 && draws.Below(index++, 5) < 2);
                var list = stop ? language.StopWords : language.Words;
                text.Append(list[(int)draws.Below(index++, (uint)list.Count)]).Append(word + 1 < words ? ' ' : '\n');
            }
        }

        Add(new IdentifierText(language.Code, WordSource, text.ToString()));
        Add(new IdentifierText(language.Code, "examples", string.Join('\n', language.Examples)));
    }

    private void Append(bool cyrillic, string label, string source, string text)
    {
        var key = (cyrillic, label, source);
        if (!_texts.TryGetValue(key, out var all)) _texts[key] = all = new StringBuilder();
        if (all.Length < MostSourceBytes) all.Append(text).Append('\n');
    }

    private TrainingSource Source(string name, string text)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        double weight = Numerics.Pow(bytes.Length, config.SourceExponent);
        if (name.StartsWith(IdentifierText.OwnSentences, StringComparison.Ordinal) || name.StartsWith(WordSource, StringComparison.Ordinal)) weight *= config.OwnWeight;
        else if (_old.Any(old => name.StartsWith(old, StringComparison.Ordinal))) weight *= config.OldWeight;
        return new TrainingSource(name, bytes, weight, name.StartsWith(WordSource, StringComparison.Ordinal));
    }

    private static bool IsCyrillic(string text)
    {
        int cyrillic = text.Count(letter => letter is >= '\u0400' and < '\u0530'), latin = text.Count(char.IsAsciiLetter);
        return cyrillic > latin;
    }
}
