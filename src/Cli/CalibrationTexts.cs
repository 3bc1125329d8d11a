using System.Text;
using OpenEuroLLM.Core;
using OpenEuroLLM.Corpus;
using OpenEuroLLM.Languages;

namespace OpenEuroLLM.Cli;

/// <summary>The texts that a quantization looks at, by language: one half shows which inputs matter, the other half measures what was lost.</summary>
/// <param name="Language">Code of the language, or <c>und</c> for files that do not say it.</param>
/// <param name="Calibration">Texts that activations are taken from.</param>
/// <param name="Measurement">Texts that the loss is measured on; none of them is among the others.</param>
internal sealed record CalibrationTexts(string Language, IReadOnlyList<string> Calibration, IReadOnlyList<string> Measurement)
{
    private const ulong SampleSeed = 1;
    private const int LongestTextBytes = 1 << 20;

    /// <summary>Texts of files, or of the built-in sample where no file is named.</summary>
    /// <param name="patterns">Files, folders or patterns; empty for the sample, which has all 24 official languages.</param>
    /// <param name="bytes">UTF-8 bytes of each half of each language at most.</param>
    /// <exception cref="UserErrorException">A pattern means nothing, or a language has one text alone, which cannot serve both ends.</exception>
    public static IReadOnlyList<CalibrationTexts> Read(string[] patterns, long bytes)
    {
        var halves = new SortedDictionary<string, (Half Calibration, Half Measurement)>(StringComparer.Ordinal);
        foreach (var (language, text) in patterns.Length == 0 ? Sample() : OfFiles(patterns))
        {
            if (!halves.TryGetValue(language, out var both)) halves[language] = both = (new Half(bytes), new Half(bytes));
            // Alternating, so that both halves have texts from the whole of the input.
            (both.Calibration.Seen <= both.Measurement.Seen ? both.Calibration : both.Measurement).Add(text);
        }
        foreach (var (language, both) in halves)
        {
            if (both.Measurement.Texts.Count == 0)
                throw new UserErrorException($"--calibration: {language} has one text alone; expected at least two, one to look at and another to measure the loss on.");
        }
        return halves.Count > 0 ? [.. halves.Select(pair => new CalibrationTexts(pair.Key, pair.Value.Calibration.Texts, pair.Value.Measurement.Texts))]
            : throw new UserErrorException("--calibration: the files hold no text; name files that do.");
    }

    private static IEnumerable<(string Language, string Text)> Sample() => LanguageCatalog.Official
        .SelectMany(language => SampleDocuments.Of(language.Code, SampleSeed).Select(document => (language.Code, document.Text)));

    private static IEnumerable<(string Language, string Text)> OfFiles(string[] patterns)
    {
        foreach (var (path, _) in TextFiles.Expand(patterns))
            foreach (var text in TextFiles.Texts(path))
                yield return (TokenizerReportInput.Canonical(text.Language), Encoding.UTF8.GetString(text.Utf8.Span[..Math.Min(text.Utf8.Length, LongestTextBytes)]));
    }

    private sealed class Half(long bytes)
    {
        private long left = bytes;

        public List<string> Texts { get; } = [];

        public int Seen { get; private set; }

        public void Add(string text)
        {
            Seen++;
            if (left <= 0 || text.Length == 0) return;
            var kept = Cut(text);
            if (kept.Length == 0) return;
            left -= Encoding.UTF8.GetByteCount(kept);
            Texts.Add(kept);
        }

        /// <summary>What is left of the bytes, never half a character.</summary>
        private string Cut(string text)
        {
            if (Encoding.UTF8.GetByteCount(text) <= left) return text;
            var (end, size) = (0, 0L);
            foreach (var rune in text.EnumerateRunes())
            {
                if (size + rune.Utf8SequenceLength > left) break;
                (end, size) = (end + rune.Utf16SequenceLength, size + rune.Utf8SequenceLength);
            }
            if (end == 0) left = 0;
            return text[..end];
        }
    }
}
