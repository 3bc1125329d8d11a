using System.Text;
using OpenEuroLLM.Corpus.Encodings;

namespace OpenEuroLLM.Corpus.Tests.Encodings;

public sealed class EncodingDetectorTests
{
    private const string Czech = "Příliš žluťoučký kůň úpěl ďábelské ódy, a proto se nikdo nedivil, že šel raději domů.";
    private const string Maltese = "Il-ġurnata kienet sabiħa ħafna u t-tfal ħarġu jilagħbu fil-ġnien, fejn iż-żgħar ċempel il-qanpiena.";
    private const string Irish = "Bhí an lá go hálainn agus chuaigh na páistí amach ag súgradh sa ghairdín, áit a raibh éin ag canadh.";
    private const string OldIrish = "Ḃí an lá go hálainn agus ċuaiḋ na páistí amaċ ag súgraḋ sa ġairdín, áit a raiḃ éin ag canaḋ.";

    private static DetectedText Detect(string text, string encoding, string? http = null, bool html = false) =>
        EncodingDetector.ToUtf8(CharacterEncoding.Of(encoding).TryEncode(text) ?? throw new ArgumentException(encoding), http, html);

    private static void Finds(string text, string encoding, string? http = null, bool html = false)
    {
        DetectedText found = Detect(text, encoding, http, html);
        Assert.Equal(text, Encoding.UTF8.GetString(found.Utf8));   // not the name: several encodings may have the same bytes for it
    }

    [Theory]
    [InlineData(Czech, "windows-1250")]
    [InlineData(Czech, "iso-8859-2")]
    [InlineData(Czech, "ibm852")]
    [InlineData(Maltese, "iso-8859-3")]
    [InlineData(Irish, "windows-1252")]
    [InlineData(OldIrish, "iso-8859-14")]
    [InlineData("Mae'r tŷ ar y bryn a'r ŵyn yn y cae, a dŵr yr afon yn llifo heibio i'r môr.", "iso-8859-14")]
    [InlineData("Η ημέρα ήταν πολύ όμορφη και τα παιδιά βγήκαν να παίξουν στον κήπο.", "iso-8859-7")]
    [InlineData("Денят беше много хубав и децата излязоха да играят в градината.", "windows-1251")]
    [InlineData("Денят беше много хубав и децата излязоха да играят в градината.", "ibm866")]
    [InlineData("День був дуже гарний, і діти вийшли гратися в садок, де їли яблука.", "koi8-u")]
    [InlineData("Дан је био веома леп и деца су изашла да се играју у башти, ђак њише љуљашку.", "iso-8859-5")]
    [InlineData("Diena bija ļoti skaista, un bērni izgāja spēlēties dārzā, kur dziedāja putni, šķērsojot ceļu.", "windows-1257")]
    [InlineData("Päev oli väga ilus ja lapsed läksid õue mängima, kus žürii öösel šokolaadi sõi.", "windows-1252")]
    [InlineData("Gün çok güzeldi ve çocuklar oynamak için bahçeye çıktılar, kuşlar ağaçta ötüyordu.", "windows-1254")]
    [InlineData("დღე ძალიან ლამაზი იყო და ბავშვები ბაღში სათამაშოდ გავიდნენ.", "georgian-ps")]
    [InlineData("დღე ძალიან ლამაზი იყო და ბავშვები ბაღში სათამაშოდ გავიდნენ.", "utf-16le")]
    [InlineData("Η ημέρα ήταν πολύ όμορφη και τα παιδιά βγήκαν να παίξουν.", "utf-16be")]
    [InlineData("The day was fine, and the children went out.", "utf-16le")]
    [InlineData("День був дуже гарний, і діти вийшли гратися в садок.", "utf-32be")]
    public void An_undeclared_encoding_is_found(string text, string encoding) => Finds(text, encoding);

    [Fact]
    public void A_declaration_is_believed_where_the_bytes_allow_it()
    {
        Assert.Equal((EncodingEvidence.Http, "iso-8859-2"), Found(Detect("Žluť", "iso-8859-2", "ISO-8859-2")));
        Assert.Equal((EncodingEvidence.Meta, "iso-8859-2"), Found(Detect("<html><head><meta http-equiv=\"Content-Type\" content=\"text/html; charset=iso-8859-2\">" + Czech, "iso-8859-2", null, html: true)));
        Assert.Equal((EncodingEvidence.Xml, "iso-8859-2"), Found(Detect("<?xml version=\"1.0\" encoding='ISO-8859-2'?>" + Czech, "iso-8859-2", null, html: true)));
        Assert.Equal((EncodingEvidence.Http, "shift_jis"), Found(EncodingDetector.ToUtf8([0x93, 0xFA, 0x96, 0x7B, 0x8C, 0xEA], "Shift_JIS")));
        Assert.Equal((EncodingEvidence.Mark, "utf-16le"), Found(EncodingDetector.ToUtf8([0xFF, 0xFE, 0x17, 0x01, 0x20, 0], "utf-8")));
        Assert.Equal("ė ", Encoding.UTF8.GetString(EncodingDetector.ToUtf8([0xFF, 0xFE, 0x17, 0x01, 0x20, 0]).Utf8));
    }

    [Fact]
    public void A_declaration_that_the_bytes_contradict_is_overruled()
    {
        foreach (string declared in (string[])["utf-8", "latin1", "koi8-r", "no-such-thing", "gb18030", "windows-1251"]) Finds(Czech, "windows-1250", declared);
        foreach (string declared in (string[])["iso-8859-1", "windows-1250", "shift_jis", "utf-16"])
            Assert.Equal((EncodingEvidence.Valid, "utf-8"), Found(EncodingDetector.ToUtf8(Encoding.UTF8.GetBytes(Czech), declared)));
        Finds("<meta charset=utf-8><p>" + Irish, "windows-1252", "utf-8", html: true);
        Finds("<meta charset=\"iso-8859-1\"><p>" + Maltese, "iso-8859-3", "ISO-8859-1", html: true);
    }

    [Fact]
    public void Utf8_with_some_wrong_bytes_stays_utf8()
    {
        byte[] text = Encoding.UTF8.GetBytes(Czech);
        DetectedText cut = EncodingDetector.ToUtf8([.. text, 0xC5], "iso-8859-2");
        Assert.Equal(("utf-8", Czech + "\uFFFD"), (cut.Encoding, Encoding.UTF8.GetString(cut.Utf8)));
        Assert.Equal("utf-8", EncodingDetector.ToUtf8([.. text, 0xE9, (byte)' ', .. text]).Encoding);
    }

    [Theory]
    [InlineData("<meta charset=iso-8859-2>", "iso-8859-2")]
    [InlineData("<META CHARSET = 'Latin2' >", "iso-8859-2")]
    [InlineData("<!-- <meta charset=koi8-r> --><meta name=x content='charset=koi8-r'><meta content=\"text/html; charset='iso-8859-2'\" http-equiv=Content-Type>", "iso-8859-2")]
    [InlineData("<meta http-equiv=content-type content='text/html charset=iso-8859-2'>", "iso-8859-2")]
    [InlineData("<metal charset=koi8-r><meta charset=\"x\"><meta/charset=\"iso-8859-2\"/>", "iso-8859-2")]
    [InlineData("<meta charset=utf-16>", "utf-8")]
    [InlineData("<meta charset='koi8-r", null)]
    [InlineData("<meta charset", null)]
    [InlineData("<meta ==charset=koi8-r", null)]
    public void Meta_elements_are_read_as_browsers_do(string html, string? encoding) => Assert.Equal(encoding, DeclaredEncoding.FromMeta(Encoding.ASCII.GetBytes(html)));

    [Theory]
    [InlineData("latin1", "windows-1252")]
    [InlineData(" UTF8 ", "utf-8")]
    [InlineData("ISO_8859-9:1989", "windows-1254")]
    [InlineData("x-mac-ukrainian", "x-mac-cyrillic")]
    [InlineData("KOI8-RU", "koi8-u")]
    [InlineData("cp852", "ibm852")]
    [InlineData("", null)]
    [InlineData("klingon", null)]
    public void Labels_stand_for_encodings(string label, string? encoding) => Assert.Equal(encoding, EncodingLabels.Find(label));

    [Fact]
    public void Every_encoding_turns_all_bytes_into_valid_text()
    {
        byte[] all = [.. Enumerable.Range(0, 256).Select(value => (byte)value)];
        foreach (string name in EncodingStatistics.Encodings)
        {
            CharacterEncoding encoding = CharacterEncoding.Of(name);
            string text = Encoding.UTF8.GetString(encoding.ToUtf8(all));
            Assert.Equal(256, text.Length);
            Assert.DoesNotContain('\uFFFD', text);
            Assert.Equal(new string([.. encoding.Characters!]), text);
            string letters = new([.. text.Where(char.IsLetter)]);
            Assert.Equal(letters, Encoding.UTF8.GetString(encoding.ToUtf8(encoding.TryEncode(letters)!)));
        }
    }

    [Fact]
    public void Any_bytes_become_valid_text()
    {
        var random = new Random(51);
        string?[] labels = [null, "utf-8", "latin2", "shift_jis", "gb18030", "utf-16", "iso-2022-jp", "x"];
        for (int turn = 0; turn < 1000; turn++)
        {
            byte[] bytes = new byte[random.Next(200)];
            random.NextBytes(bytes);
            if (turn % 3 == 0) Encoding.ASCII.GetBytes("<meta charset='").AsSpan()[..Math.Min(15, bytes.Length)].CopyTo(bytes);
            DetectedText found = EncodingDetector.ToUtf8(bytes, labels[random.Next(labels.Length)], html: turn % 2 == 0);
            Assert.True(System.Text.Unicode.Utf8.IsValid(found.Utf8));
        }
    }

    [Fact]
    public void The_model_of_letters_is_the_one_its_trainer_makes()
    {
        var trainer = new LetterModelTrainer();
        trainer.Add("fi", "Hyvää päivää, äiti! Älä mene.");
        trainer.Add("sr", "Добар дан, ђаче. Dobar dan.");
        trainer.Add("sr", "Dobar dan, đače.");
        LetterModel model = trainer.Build();
        Assert.Equal(["fi", "sr", "sr-Latn"], model.Languages.Select(language => language.Language));
        LetterPairs finnish = model.Languages[0];
        Assert.Contains('ä', finnish.Letters);
        int a = finnish.SymbolOf('Ä'), v = finnish.SymbolOf('v'), t = finnish.SymbolOf('t');
        Assert.True(finnish.Costs[(v * finnish.Symbols) + a] < finnish.Costs[(t * finnish.Symbols) + a]);
        Assert.Equal(LetterPairs.Foreign, finnish.SymbolOf('ø'));
        Assert.Equal(LetterPairs.Latin, model.Languages[1].SymbolOf('a'));
        Assert.Equal(39 + 2, LetterModel.Default.Languages.Count);
    }

    private static (EncodingEvidence, string) Found(DetectedText text) => (text.Evidence, text.Encoding);
}
