using System.Globalization;
using System.IO.Compression;
using System.Text;
using System.Text.Json.Nodes;
using OpenEuroLLM.Corpus.Encodings;

namespace OpenEuroLLM.Encodings.Bench;

/// <summary>Writes sentences in every encoding that has their letters, cuts windows of them, and counts how many are read back as they were. Right is the text, not the name: windows
/// with the same characters in two encodings are right in either.</summary>
internal static class Measuring
{
    private const int WindowsEach = 100;
    private static readonly int[] Sizes = [50, 200, 1000];

    public static void Run(string sentences, string? windowsFile)
    {
        var texts = new SortedDictionary<string, List<string>>(StringComparer.Ordinal);
        using (var reader = new StreamReader(new GZipStream(File.OpenRead(sentences), CompressionMode.Decompress)))
            while (reader.ReadLine() is { } line)
            {
                string[] parts = line.Split('\t', 2);
                if (!texts.TryGetValue(parts[0], out var ofLanguage)) texts[parts[0]] = ofLanguage = [];
                ofLanguage.Add(parts[1]);
            }
        using StreamWriter? windows = windowsFile is null ? null : new StreamWriter(windowsFile);
        var byLanguage = new SortedDictionary<(string, int), (int Right, int All)>();
        var byEncoding = new SortedDictionary<(string, int), (int Right, int All)>();
        var cells = new List<(string Language, string Encoding, int Size, int Right, int All, string Taken)>();
        foreach ((string language, List<string> ofLanguage) in texts)
            foreach (string name in EncodingStatistics.Encodings.Append("utf-8").Append("utf-16le"))
            {
                CharacterEncoding encoding = CharacterEncoding.Of(name);
                (string Text, byte[] Bytes)[] encoded = [.. ofLanguage.Select(text => Simplified(text, name)).Select(text => (Text: text, Bytes: encoding.TryEncode(text)!)).Where(pair => pair.Bytes is not null)];
                if (encoded.Length < 0.8 * ofLanguage.Count) continue;
                foreach (int size in Sizes)
                {
                    int right = 0, all = 0;
                    var taken = new Dictionary<string, int>();
                    foreach ((string text, byte[] bytes) in Windows(encoded, size))
                    {
                        if (all == WindowsEach) break;
                        all++;
                        DetectedText found = EncodingDetector.ToUtf8(bytes);
                        if (Encoding.UTF8.GetString(found.Utf8) == text) right++;
                        else taken[found.Encoding] = taken.GetValueOrDefault(found.Encoding) + 1;
                        windows?.WriteLine(new JsonObject { ["language"] = language, ["encoding"] = name, ["size"] = size, ["bytes"] = Convert.ToBase64String(bytes), ["text"] = text }.ToJsonString());
                    }
                    if (all == 0) continue;
                    Count(byLanguage, (language, size), right, all);
                    Count(byEncoding, (name, size), right, all);
                    cells.Add((language, name, size, right, all, string.Join(' ', taken.OrderByDescending(pair => pair.Value).Take(3).Select(pair => $"{pair.Key}:{pair.Value}"))));
                }
            }
        Table("language", byLanguage);
        Table("encoding", byEncoding);
        string Group(string encoding) => encoding.StartsWith("utf", StringComparison.Ordinal) ? "unicode" : encoding.StartsWith("ibm", StringComparison.Ordinal) || encoding.Contains("mac", StringComparison.Ordinal) ? "DOS and Mac" : "windows, ISO, KOI8, Georgian";
        Console.WriteLine();
        foreach (var group in cells.GroupBy(cell => Group(cell.Encoding)).Append(cells.GroupBy(_ => "all").Single()))
            Console.WriteLine($"| OpenEuroLLM | {group.Key} | " + string.Join(" | ", Sizes.Select(size => (100.0 * group.Where(cell => cell.Size == size).Sum(cell => cell.Right) / group.Where(cell => cell.Size == size).Sum(cell => cell.All)).ToString("0.0", CultureInfo.InvariantCulture))) + " |");
        Console.WriteLine("\nBelow 90 %:");
        foreach (var cell in cells.Where(cell => cell.Right * 10 < cell.All * 9).OrderBy(cell => cell.Size).ThenBy(cell => (double)cell.Right / cell.All))
            Console.WriteLine($"{cell.Size} {cell.Language} {cell.Encoding} {cell.Right}/{cell.All}  {cell.Taken}");
        int sum = cells.Sum(cell => cell.All), good = cells.Sum(cell => cell.Right);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"\nall windows: {100.0 * good / sum:0.00} % of {sum}; by size: {string.Join(", ", Sizes.Select(size => string.Create(CultureInfo.InvariantCulture, $"{size}: {100.0 * cells.Where(cell => cell.Size == size).Sum(cell => cell.Right) / cells.Where(cell => cell.Size == size).Sum(cell => cell.All):0.00}")))}"));
    }

    private static void Count(SortedDictionary<(string, int), (int Right, int All)> counts, (string, int) key, int right, int all)
    {
        (int r, int a) = counts.GetValueOrDefault(key);
        counts[key] = (r + right, a + all);
    }

    private static void Table(string title, SortedDictionary<(string, int), (int Right, int All)> counts)
    {
        Console.WriteLine($"\n| {title} | 50 bytes | 200 bytes | 1000 bytes |\n|---|---:|---:|---:|");
        foreach (var row in counts.GroupBy(count => count.Key.Item1))
            Console.WriteLine($"| {row.Key} | " + string.Join(" | ", Sizes.Select(size => counts.TryGetValue((row.Key, size), out var count) ? (100.0 * count.Right / count.All).ToString("0.0", CultureInfo.InvariantCulture) : "")) + " |");
    }

    /// <summary>Writers of an older encoding had no typographic marks where it has none, and cedillas for the commas of Romanian.</summary>
    private static string Simplified(string text, string encoding)
    {
        IReadOnlyList<char>? characters = CharacterEncoding.Of(encoding).Characters;
        if (characters is null) return text;
        var simple = new StringBuilder(text.Length);
        foreach (char character in text)
            simple.Append(characters.Contains(character) && character >= 0xA0 || character < 0x80 ? character.ToString() : character switch
            {
                '’' or '‘' or '´' or 'ʼ' => "'",
                '“' or '”' or '„' or '«' or '»' => "\"",
                '–' or '—' => "-",
                '…' => "...",
                'ș' => "ş",
                'ț' => "ţ",
                'Ș' => "Ş",
                'Ț' => "Ţ",
                '\u00A0' or '\u202F' or '\u2009' => " ",
                _ => character.ToString(),
            });
        return simple.ToString();
    }

    /// <summary>Pieces of so many bytes, of one sentence or several, with at least one byte above ASCII.</summary>
    private static IEnumerable<(string Text, byte[] Bytes)> Windows((string Text, byte[] Bytes)[] sentences, int size)
    {
        int width = sentences[0].Text.Length > 0 && sentences[0].Bytes.Length >= 2 * sentences[0].Text.Length && sentences[0].Bytes.Contains((byte)0) ? 2 : 1;
        bool isUtf8 = sentences.Any(sentence => sentence.Bytes.Length > sentence.Text.Length && sentence.Bytes.Length < 2 * sentence.Text.Length) || sentences.Any(sentence => sentence.Bytes.Length % 2 == 1 && sentence.Bytes.Length > sentence.Text.Length);
        string text = "";
        var bytes = new List<byte>();
        foreach ((string sentence, byte[] encoded) in sentences)
        {
            if (bytes.Count > 0)
            {
                text += " ";
                bytes.AddRange(width == 2 ? [(byte)' ', 0] : [(byte)' ']);
            }
            text += sentence;
            bytes.AddRange(encoded);
            if (bytes.Count < size) continue;
            byte[] window = [.. bytes.Take(size)];
            string cut = isUtf8 ? Encoding.UTF8.GetString(window) : text[..(size / width)];
            if (isUtf8 && cut.Contains('\uFFFD', StringComparison.Ordinal)) window = Encoding.UTF8.GetBytes(cut = cut[..cut.IndexOf('\uFFFD', StringComparison.Ordinal)]);
            if (window.Any(value => value >= 0x80)) yield return (cut, window);
            (text, bytes) = ("", []);
        }
    }
}
