using System.Text;

namespace OpenEuroLLM.Corpus.Archives;

/// <summary>Lines <c>Name: value</c> up to an empty one, as records and HTTP messages begin with. Lines may end in a line feed alone, and a line that begins
/// with a blank goes on with the one before.</summary>
internal static class HeaderLines
{
    /// <summary>Where the bytes after the empty line begin; null when there is no empty line among the bytes.</summary>
    /// <param name="bytes">From the first line on.</param>
    /// <param name="from">Bytes already searched without success.</param>
    public static int? FindEnd(ReadOnlySpan<byte> bytes, int from = 0)
    {
        int place = Math.Max(0, from - 3);
        while (true)
        {
            int found = bytes[place..].IndexOf((byte)'\n');
            if (found < 0) return null;
            place += found + 1;
            if (place < bytes.Length && bytes[place] == '\n') return place + 1;
            if (place + 1 < bytes.Length && bytes[place] == '\r' && bytes[place + 1] == '\n') return place + 2;
        }
    }

    /// <summary>Splits off the first line, without its end.</summary>
    public static ReadOnlySpan<byte> TakeLine(ref ReadOnlySpan<byte> bytes)
    {
        int end = bytes.IndexOf((byte)'\n');
        ReadOnlySpan<byte> line = end < 0 ? bytes : bytes[..end];
        bytes = end < 0 ? [] : bytes[(end + 1)..];
        return line.EndsWith("\r"u8) ? line[..^1] : line;
    }

    /// <summary>Reads the lines; one without a colon is passed over.</summary>
    /// <returns>Null when there are more than allowed.</returns>
    public static List<HeaderField>? Parse(ReadOnlySpan<byte> lines, int most)
    {
        var fields = new List<HeaderField>(16);
        while (!lines.IsEmpty)
        {
            ReadOnlySpan<byte> line = TakeLine(ref lines);
            if (line.IsEmpty) continue;
            if (line[0] is (byte)' ' or (byte)'\t')
            {
                if (fields.Count > 0) fields[^1] = fields[^1] with { Value = fields[^1].Value + " " + Encoding.UTF8.GetString(line.Trim(" \t"u8)) };
                continue;
            }
            int colon = line.IndexOf((byte)':');
            if (colon <= 0) continue;
            if (fields.Count == most) return null;
            fields.Add(new HeaderField(Encoding.UTF8.GetString(line[..colon].Trim(" \t"u8)), Encoding.UTF8.GetString(line[(colon + 1)..].Trim(" \t"u8))));
        }
        return fields;
    }

    /// <summary>The first value of a name, in any case; null where there is none.</summary>
    public static string? Find(IReadOnlyList<HeaderField> fields, string name)
    {
        foreach (HeaderField field in fields)
            if (field.Name.Equals(name, StringComparison.OrdinalIgnoreCase)) return field.Value;
        return null;
    }
}
