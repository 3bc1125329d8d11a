using System.Text;
using OpenEuroLLM.Core;
using OpenEuroLLM.Languages;

namespace OpenEuroLLM.Corpus.Tests.Steps;

public sealed class MojibakeTests
{
    private static readonly int[] CodePages = [1252, 1250, 1251, 1253, 1254, 1257, 28591];

    public static TheoryData<string> Languages => [.. LanguageCatalog.All.Select(language => language.Code)];

    private static string Repair(string text, string language) =>
        new MojibakeRepair().Judge(new Document("1", text, language, "test", "CC0-1.0")).Replacement?.Text ?? text;

    private static string? Misread(string text, int codePage)
    {
        Encoding encoding = CodePagesEncodingProvider.Instance.GetEncoding(codePage, EncoderFallback.ExceptionFallback, DecoderFallback.ExceptionFallback)
            ?? Encoding.GetEncoding(codePage, EncoderFallback.ExceptionFallback, DecoderFallback.ExceptionFallback);
        try
        {
            return encoding.GetString(Encoding.UTF8.GetBytes(text));
        }
        catch (DecoderFallbackException)
        {
            return null;   // such a text would have lost characters for good
        }
    }

    [Theory]
    [MemberData(nameof(Languages))]
    public void Right_text_stays_and_misread_text_is_read_anew(string language)
    {
        int misread = 0;
        foreach (string example in LanguageCatalog.Find(language).Examples.Append("„–“ 5 €…"))
        {
            Assert.Equal(example, Repair(example, language));
            foreach (int codePage in CodePages)
            {
                if (Misread(example, codePage) is not { } broken || broken == example) continue;
                misread++;
                Assert.Equal(example, Repair(broken, language));
                if (codePage == 1252 && Misread(broken, codePage) is { } twice) Assert.Equal(example, Repair(twice, language));
            }
        }
        Assert.True(misread > 0);
    }

    [Theory]
    [InlineData("cafÃ© in an English text", "café in an English text", "en")]
    [InlineData("DÃ©jÃ\u00A0 vu", "Déjà vu", "fr")]
    [InlineData("ð\u009F\u0098\u0080 and ðŸ™‚", "😀 and 🙂", "en")]
    [InlineData("Ã a va, Â«dÃ©filÃ©Â»", "Ã a va, «défilé»", "fr")]          // a lost no-break space cannot be told from a blank
    [InlineData("ATENÇÃO: NÃO É…", "ATENÇÃO: NÃO É…", "pt")]
    [InlineData("SÃO «JOÃO»", "SÃO «JOÃO»", "pt")]
    [InlineData("Ä“ und Ö”", "Ä“ und Ö”", "de")]
    [InlineData("РУССКИЙ «БЂ»", "РУССКИЙ «БЂ»", "bg")]
    public void Only_what_can_be_nothing_else_is_changed(string text, string expected, string language) => Assert.Equal(expected, Repair(text, language));

    [Fact]
    public void Real_text_stays_as_it_is()
    {
        Assert.SkipUnless(Directory.Exists(SharedData.Corpus), "needs the shared text corpora");
        foreach (string path in Directory.GetFiles(SharedData.Corpus, "*.jsonl.gz").Order(StringComparer.Ordinal))
        {
            using var unpacked = new System.IO.Compression.GZipStream(File.OpenRead(path), System.IO.Compression.CompressionMode.Decompress);
            using var lines = new StreamReader(unpacked);
            for (int read = 0; read < 100 && lines.ReadLine() is { } line; read++)
            {
                var document = Document.Parse(Encoding.UTF8.GetBytes(line), path);
                Assert.Equal(document.Text, Repair(document.Text, document.Lang));
            }
        }
    }
}
