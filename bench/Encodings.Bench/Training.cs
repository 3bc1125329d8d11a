using System.IO.Compression;
using System.Text.Json;
using OpenEuroLLM.Corpus.Encodings;

namespace OpenEuroLLM.Encodings.Bench;

internal static class Training
{
    private const int MostCharacters = 1_000_000;

    /// <summary>Counts every nth document of each language, so that all its sources are heard.</summary>
    public static LetterModel Train(string corpus)
    {
        var trainer = new LetterModelTrainer();
        foreach (string path in Directory.EnumerateFiles(corpus, "*.jsonl.gz").Order(StringComparer.Ordinal))
        {
            string language = Path.GetFileName(path).Split('.')[0];
            List<string> texts = [];
            using var reader = new StreamReader(new GZipStream(File.OpenRead(path), CompressionMode.Decompress));
            while (reader.ReadLine() is { } line) texts.Add(JsonDocument.Parse(line).RootElement.GetProperty("text").GetString()!);
            int step = Math.Max(1, (int)(texts.Sum(text => (long)text.Length) / MostCharacters));
            for (int i = 0; i < texts.Count; i += step) trainer.Add(language, texts[i]);
        }
        return trainer.Build();
    }
}
