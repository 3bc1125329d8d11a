using System.IO.Compression;
using System.Text;
using OpenEuroLLM.Core;

namespace OpenEuroLLM.Steps.Bench;

/// <summary>Reads the texts that the steps are measured on.</summary>
internal static class Texts
{
    /// <summary>Documents of each language in a folder of LANGUAGE.jsonl.gz.</summary>
    public static IEnumerable<(string Language, IReadOnlyList<Document> Documents)> Corpus(string folder)
    {
        foreach (string path in Directory.GetFiles(folder, "*.jsonl.gz").Order(StringComparer.Ordinal))
        {
            var documents = new List<Document>();
            using var reader = new StreamReader(new GZipStream(File.OpenRead(path), CompressionMode.Decompress));
            while (reader.ReadLine() is { } line) documents.Add(Document.Parse(Encoding.UTF8.GetBytes(line), path));
            yield return (Path.GetFileName(path).Split('.')[0], documents);
        }
    }

    /// <summary>Sentences of each language in a file of LANGUAGE, tab, SENTENCE a line.</summary>
    public static SortedDictionary<string, List<string>> Sentences(string path)
    {
        var texts = new SortedDictionary<string, List<string>>(StringComparer.Ordinal);
        using var reader = new StreamReader(new GZipStream(File.OpenRead(path), CompressionMode.Decompress));
        while (reader.ReadLine() is { } line)
        {
            string[] parts = line.Split('\t', 2);
            if (!texts.TryGetValue(parts[0], out var ofLanguage)) texts[parts[0]] = ofLanguage = [];
            ofLanguage.Add(parts[1]);
        }
        return texts;
    }

    /// <summary>Texts of so many neighbouring sentences.</summary>
    public static IEnumerable<string> Joined(IReadOnlyList<string> sentences, int each, string separator = " ") =>
        sentences.Chunk(each).Where(chunk => chunk.Length == each).Select(chunk => string.Join(separator, chunk));
}
