using System.Text;

namespace OpenEuroLLM.Languages.Identification;

/// <summary>How well an identifier does on one label.</summary>
/// <param name="Label">The label.</param>
/// <param name="Texts">Texts of this label.</param>
/// <param name="Answers">Texts that were given this label.</param>
/// <param name="Right">Texts that are both.</param>
public sealed record LabelScore(string Label, int Texts, int Answers, int Right)
{
    /// <summary>Harmonic mean of precision and recall: 0 to 1.</summary>
    public double F1 => Texts + Answers == 0 ? 0 : 2.0 * Right / (Texts + Answers);

    /// <summary>The share of the label's texts that were given it.</summary>
    public double Recall => Texts == 0 ? 0 : (double)Right / Texts;
}

/// <summary>Answers counted against the labels that are right.</summary>
public sealed class IdentificationScores
{
    private const int ConfidenceBins = 10;

    private readonly SortedDictionary<string, SortedDictionary<string, int>> _counts = new(StringComparer.Ordinal);
    private readonly (int Texts, int Right, double Confidence)[] _bins = new (int, int, double)[ConfidenceBins];

    /// <summary>The languages that are easily taken for each other.</summary>
    public static IReadOnlyList<IReadOnlyList<string>> CloseGroups { get; } =
        [["bs", "hr", "sr"], ["cs", "sk"], ["da", "nb", "nn", "sv"], ["ca", "es", "gl", "pt"], ["bg", "mk"], ["et", "fi"]];

    /// <summary>Texts counted.</summary>
    public int Texts { get; private set; }

    /// <summary>The share of all texts that were labelled rightly.</summary>
    public double Accuracy => Texts == 0 ? 0 : (double)_counts.Sum(row => row.Value.GetValueOrDefault(row.Key)) / Texts;

    /// <summary>The mean over texts of how far confidence is from being right, in ten bins: 0 is honest.</summary>
    public double CalibrationError => _bins.Sum(bin => bin.Texts == 0 ? 0 : Math.Abs(bin.Confidence - bin.Right)) / Math.Max(1, Texts);

    /// <summary>The right labels, in order of their codes.</summary>
    public IReadOnlyList<string> Labels => [.. _counts.Keys];

    /// <summary>Counts one answer.</summary>
    public void Add(string right, IdentifiedLanguage answer)
    {
        if (!_counts.TryGetValue(right, out var row)) _counts[right] = row = new(StringComparer.Ordinal);
        row[answer.Label] = row.GetValueOrDefault(answer.Label) + 1;
        ref var bin = ref _bins[Math.Clamp((int)(answer.Confidence * ConfidenceBins), 0, ConfidenceBins - 1)];
        bin = (bin.Texts + 1, bin.Right + (answer.Label == right ? 1 : 0), bin.Confidence + answer.Confidence);
        Texts++;
    }

    /// <summary>How often texts of a label were given another.</summary>
    public int Count(string right, string answer) => _counts.TryGetValue(right, out var row) ? row.GetValueOrDefault(answer) : 0;

    /// <summary>The answers that texts of a label were given, the most frequent first.</summary>
    public IReadOnlyList<(string Answer, int Texts)> Answers(string right) =>
        [.. _counts[right].OrderByDescending(pair => pair.Value).ThenBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => (pair.Key, pair.Value))];

    /// <summary>The score of one label.</summary>
    public LabelScore Score(string label) =>
        new(label, _counts.TryGetValue(label, out var row) ? row.Values.Sum() : 0, _counts.Values.Sum(answers => answers.GetValueOrDefault(label)), Count(label, label));

    /// <summary>The mean of F1 over those of the labels that there are texts of.</summary>
    public double MacroF1(Func<string, bool>? of = null)
    {
        var scores = Labels.Where(label => of?.Invoke(label) ?? true).Select(label => Score(label).F1).ToArray();
        return scores.Length == 0 ? 0 : scores.Average();
    }

    /// <summary>Short texts from longer ones: the words of at least four letters one by one, or each pair of neighbours of at least three.</summary>
    /// <param name="sentence">The longer text.</param>
    /// <param name="words">1 or 2.</param>
    public static IEnumerable<string> ShortTexts(string sentence, int words)
    {
        string[] all = sentence.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        int least = words == 1 ? 4 : 3;
        for (int i = 0; i + words <= all.Length; i += words)
        {
            var piece = new string[words];
            for (int word = 0; word < words; word++) piece[word] = all[i + word].Trim().Trim(".,;:!?()[]\"'«»„“”‘’-–…".ToCharArray());
            if (piece.All(word => word.EnumerateRunes().Count() >= least && word.EnumerateRunes().All(Rune.IsLetter))) yield return string.Join(' ', piece);
        }
    }
}
