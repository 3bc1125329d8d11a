using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using OpenEuroLLM.Tokenizers.Tests.Fuzz;

namespace OpenEuroLLM.Tokenizers.Tests;

/// <summary>The tokenizers of the repository over the open texts beside it: more than 100,000 lines in 39 languages, whose ids an independent implementation has
/// hashed language by language; <c>bench/peers/tokenizers.mjs shared</c> writes the hashes.</summary>
public sealed class SharedDataTests
{
    private static readonly JsonObject Golden = Seeds.Read("shared-data.json");

    private static readonly string Root = FindRoot();

    private static string Data => Path.Combine(Root, "..", "shared", "data");

    public static IEnumerable<TheoryDataRow<string>> Tokenizers => Golden["tokenizers"]!.AsArray().Select(entry => new TheoryDataRow<string>((string)entry!["path"]!));

    [Theory, MemberData(nameof(Tokenizers))]
    public void Ids_of_the_shared_texts_are_those_of_the_independent_implementation(string path)
    {
        Assert.SkipUnless(Directory.Exists(Path.Combine(Data, "corpus")), "needs the open texts beside the repository (../shared/data)");
        var entry = Golden["tokenizers"]!.AsArray().Single(entry => (string)entry!["path"]! == path)!;
        string file = Path.Combine(Root, path);
        Assert.True((string)entry["sha256"]! == Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(file))), $"{path} is not the file that was hashed; run bench/peers/tokenizers.mjs shared.");
        var tokenizer = Tokenizer.Load(file);
        int paragraphs = (int)Golden["paragraphs"]!;
        var sentences = Sentences();
        var found = new SortedDictionary<string, (int, long, string)>(StringComparer.Ordinal);
        var expected = new SortedDictionary<string, (int, long, string)>(StringComparer.Ordinal);
        foreach (var (language, row) in entry["languages"]!.AsObject())
        {
            expected[language] = ((int)row!["lines"]!, (long)row["tokens"]!, (string)row["sha256"]!);
            using var hash = new IdHash();
            (int lines, long tokens) = (0, 0);
            var ids = new List<int>();
            foreach (string line in sentences[language].Concat(Paragraphs(language).Take(paragraphs)))
            {
                ids.Clear();
                tokenizer.Encode(Encoding.UTF8.GetBytes(line), ids);
                hash.Add(ids);
                lines++;
                tokens += ids.Count;
            }
            found[language] = (lines, tokens, hash.End());
        }
        Assert.Equal(expected, found);
        Assert.True(found.Values.Sum(row => row.Item1) >= 100_000);
    }

    private static Dictionary<string, List<string>> Sentences()
    {
        var sentences = new Dictionary<string, List<string>>(StringComparer.Ordinal);
        foreach (string line in Lines(Path.Combine(Data, "lid", "dev.tsv.gz")))
        {
            int tab = line.IndexOf('\t', StringComparison.Ordinal);
            if (!sentences.TryGetValue(line[..tab], out var list))
                sentences.Add(line[..tab], list = []);
            list.Add(line[(tab + 1)..]);
        }
        return sentences;
    }

    /// <summary>Parts of the documents between line feeds, but for blank and very long ones.</summary>
    private static IEnumerable<string> Paragraphs(string language)
    {
        string path = Path.Combine(Data, "corpus", $"{language}.jsonl.gz");
        foreach (string line in File.Exists(path) ? Lines(path) : [])
        {
            using var document = JsonDocument.Parse(line);
            foreach (string paragraph in document.RootElement.GetProperty("text").GetString()!.Split('\n'))
                if (!string.IsNullOrWhiteSpace(paragraph) && paragraph.Length <= 4000)
                    yield return paragraph;
        }
    }

    // Only a line feed ends a line: the reader of the platform would also take a carriage return.
    private static IEnumerable<string> Lines(string path)
    {
        using var stream = new GZipStream(File.OpenRead(path), CompressionMode.Decompress);
        using var reader = new StreamReader(stream, Encoding.UTF8, detectEncodingFromByteOrderMarks: false, bufferSize: 1 << 16);
        var line = new StringBuilder();
        char[] buffer = new char[1 << 16];
        for (int read; (read = reader.Read(buffer, 0, buffer.Length)) > 0;)
        {
            int start = 0;
            for (int feed; (feed = Array.IndexOf(buffer, '\n', start, read - start)) >= 0; start = feed + 1)
            {
                yield return line.Append(buffer, start, feed - start).ToString();
                line.Clear();
            }
            line.Append(buffer, start, read - start);
        }
        if (line.Length > 0)
            yield return line.ToString();
    }

    private static string FindRoot()
    {
        string folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "OpenEuroLLM.slnx"))) folder = Path.GetDirectoryName(folder)!;
        return folder;
    }
}
