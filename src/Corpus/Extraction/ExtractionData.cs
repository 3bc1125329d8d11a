namespace OpenEuroLLM.Corpus.Extraction;

/// <summary>The word lists of this folder, which are part of the program.</summary>
internal static class ExtractionData
{
    /// <summary>The lines of a list without empty ones and those that begin with '#'.</summary>
    public static IEnumerable<string> Lines(string name)
    {
        using Stream stream = typeof(ExtractionData).Assembly.GetManifestResourceStream("extraction/" + name)
            ?? throw new InvalidOperationException($"The list {name} is missing from the program.");
        using var reader = new StreamReader(stream);
        while (reader.ReadLine() is string line)
            if (line.Length > 0 && line[0] != '#') yield return line;
    }
}
