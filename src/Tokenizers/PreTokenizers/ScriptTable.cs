using System.Globalization;

namespace OpenEuroLLM.Tokenizers;

/// <summary>The script of every character, by the Unicode property Script. <c>scripts.txt</c> holds a line per script: its name and its ranges.</summary>
internal static class ScriptTable
{
    /// <summary>A character that fits every script, and one that is assigned to none.</summary>
    public const int Any = 0;

    private static readonly (int Start, int End, int Script)[] Ranges = Read();

    /// <summary>A number that stands for the script; kana count as Han.</summary>
    public static int Of(int value)
    {
        int low = 0, high = Ranges.Length - 1;
        while (low <= high)
        {
            int middle = (low + high) / 2;
            if (value < Ranges[middle].Start)
                high = middle - 1;
            else if (value > Ranges[middle].End)
                low = middle + 1;
            else
                return Ranges[middle].Script;
        }
        return Any;
    }

    private static (int, int, int)[] Read()
    {
        using var stream = typeof(ScriptTable).Assembly.GetManifestResourceStream("scripts.txt") ?? throw new InvalidOperationException("scripts.txt is not embedded.");
        using var reader = new StreamReader(stream);
        var ranges = new List<(int Start, int End, int Script)>();
        var numbers = new Dictionary<string, int>(StringComparer.Ordinal);
        while (reader.ReadLine() is { } line)
        {
            string[] words = line.Split(' ');
            string name = words[0] is "Hiragana" or "Katakana" ? "Han" : words[0];
            if (!numbers.TryGetValue(name, out int script))
                numbers.Add(name, script = numbers.Count + 1);
            foreach (string range in words[1..])
            {
                string[] ends = range.Split('-');
                ranges.Add((Number(ends[0]), Number(ends[^1]), script));
            }
        }
        ranges.Sort();
        return [.. ranges];

        static int Number(string text) => int.Parse(text, NumberStyles.HexNumber, CultureInfo.InvariantCulture);
    }
}
