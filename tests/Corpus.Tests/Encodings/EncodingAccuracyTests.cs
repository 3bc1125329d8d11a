using System.IO.Compression;
using System.Text;
using OpenEuroLLM.Corpus.Encodings;

namespace OpenEuroLLM.Corpus.Tests.Encodings;

/// <summary>Sentences that the model has not seen, 200 bytes at a time; the full measurement is in docs/results/encodings.md.</summary>
public sealed class EncodingAccuracyTests
{
    [Theory]
    [InlineData("mt", "iso-8859-3", 0.97)]
    [InlineData("ga", "iso-8859-14", 0.97)]
    [InlineData("ga", "windows-1252", 0.97)]
    [InlineData("en", "windows-1252", 0.97)]
    [InlineData("fr", "windows-1252", 0.97)]
    [InlineData("de", "iso-8859-15", 0.97)]
    [InlineData("pl", "iso-8859-2", 0.98)]
    [InlineData("hu", "windows-1250", 0.98)]
    [InlineData("lt", "windows-1257", 0.98)]
    [InlineData("lv", "iso-8859-13", 0.97)]
    [InlineData("el", "windows-1253", 0.99)]
    [InlineData("bg", "windows-1251", 0.99)]
    [InlineData("uk", "koi8-u", 0.99)]
    [InlineData("tr", "windows-1254", 0.98)]
    [InlineData("ka", "georgian-ps", 0.99)]
    public void Undeclared_text_is_read_as_it_was_written(string language, string encoding, double least)
    {
        Assert.SkipUnless(File.Exists(SharedData.Sentences), "needs the shared sentences");
        CharacterEncoding written = CharacterEncoding.Of(encoding);
        int right = 0, all = 0;
        string wrong = "";
        using var reader = new StreamReader(new GZipStream(File.OpenRead(SharedData.Sentences), CompressionMode.Decompress));
        while (reader.ReadLine() is { } line && all < 150)
        {
            if (!line.StartsWith(language + "\t", StringComparison.Ordinal)) continue;
            string text = line[(language.Length + 1)..];
            text = text[..Math.Min(200, text.Length)];
            if (written.TryEncode(text) is not { } bytes || !bytes.Any(value => value >= 0x80)) continue;
            all++;
            DetectedText found = EncodingDetector.ToUtf8(bytes);
            if (Encoding.UTF8.GetString(found.Utf8) == text) right++;
            else wrong = $"{found.Encoding}: {Encoding.UTF8.GetString(found.Utf8)}";
        }
        Assert.InRange(all, 10, 150);
        Assert.True(right >= least * all, $"{right} of {all}, the last one taken for {wrong}");
    }
}
