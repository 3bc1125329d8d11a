namespace OpenEuroLLM.Tokenizers.Tests;

/// <summary>Text written for these tests: the 24 official languages, symbols, and code.</summary>
internal static class Texts
{
    public static readonly (string Language, string Text)[] Languages =
    [
        ("bg", "Реката тече бавно през старата гора, а над нея летят 12 бели птици. Кой ще купи хляб утре сутринта? „Аз“, каза Мария."),
        ("cs", "Žluťoučký kůň stál u řeky a čekal na vlak v 17:45. Přijdeš zítra k večeři, nebo zůstaneš doma? Dům má 1234 oken."),
        ("da", "Båden sejlede ud på søen, før solen stod op. Hvor mange æbler ligger der i kurven? Jeg tror, der er 25."),
        ("de", "Die Straße führt über den Fluß zum größten Schloss der Gegend. Möchten Sie um 8:30 Uhr Äpfel und Brötchen kaufen?"),
        ("el", "Το παιδί περπατά στην ακρογιαλιά και μαζεύει κοχύλια. Πόσα βιβλία διάβασες φέτος; Εγώ διάβασα 42, είπε ο Νίκος."),
        ("en", "I'm sure they've seen it, but she'll say it isn't hers. We'd walk 10 miles before breakfast, wouldn't you? IT'S LATE, DON'T WAIT."),
        ("es", "¿Cuándo llegará el tren de Córdoba? Mañana comeremos pan, queso y 3 manzanas. ¡Qué niño tan pequeño!"),
        ("et", "Jõe ääres kasvab suur õunapuu, mille all mängivad lapsed. Kas sa tuled homme öösel kell 23.15 koju?"),
        ("fi", "Järven yllä lentää yksinäinen joutsen, ja metsässä on hiljaista. Lähdetkö huomenna kello 6.20 kävelylle kanssamme?"),
        ("fr", "L'été, j'aime l'odeur des forêts où nous allions. Est-ce qu'il n'a pas déjà vu 7 œuvres à l'hôtel ? « Si », répond-elle."),
        ("ga", "Tá an ghrian ag taitneamh ar an bhfarraige inniu. Cá mhéad úll atá sa chiseán? Tá 9 n-úll ann, a dúirt Seán."),
        ("hr", "Čamac plovi rijekom dok djeca skaču s mosta. Hoćeš li sutra kupiti kruh i đumbir? Cijena je 15,50 eura."),
        ("hu", "Az öreg kertész tűző napon öntözte a rózsákat. Hány órakor indul a győri vonat? Talán 5-kor, mondta Őrsi."),
        ("it", "Perché l'acqua del lago è così chiara? Domani andrò all'università con 2 amici; poi c'è un caffè in città."),
        ("lt", "Ąžuolas prie ežero yra šimto metų senumo. Ar rytoj žadi pirkti duonos ir sūrio? Kainuoja 4,80 euro."),
        ("lv", "Vecā ķieģeļu māja stāv pie ūdens, un logā deg gaisma. Cik ābolu ir grozā? Šķiet, ka 11."),
        ("mt", "Il-ħajja fil-gżira hija kwieta, u l-baħar jidher ikħal. X'ħin titlaq il-vapur għada filgħodu? Fis-6:00."),
        ("nl", "'s Ochtends drinkt zij koffie op het dak en leest de krant. Zijn foto's liggen in 't kistje met 31 brieven."),
        ("pl", "Zażółć gęślą jaźń, powiedział dziadek i poszedł nad rzekę. Ile książek przeczytałaś w 2024 roku?"),
        ("pt", "A criança não quis pão, mas pediu três maçãs. Amanhã o avião partirá às 14h05 de São Miguel, não é?"),
        ("ro", "Țăranul își vinde merele și brânza în piață. Câți oameni știu că trenul pleacă la 19.30 în fiecare zi?"),
        ("sk", "Vŕba pri potoku je vyššia než náš dom. Koľko ľudí príde zajtra na slávnosť? Asi 60, povedala Ľudmila."),
        ("sl", "Češnje zorijo počasi, čebele pa že brenčijo okoli hiše. Boš jutri prišel ob 16. uri na večerjo?"),
        ("sv", "Åskan gick över sjön medan vi åt äpplen på bryggan. Hur många böcker får plats på hyllan? Kanske 88."),
    ];

    public const string Symbols =
        "🙂👩‍👩‍👧‍👦🇪🇺 €5 + £3 ≠ ¥8 … “quoted” ½ ² Ⅷ ①②③ 3.14159 12345678 №7 ☂️ ẞ ﬁ ǅ ʰ a\u0301e\u0308 \u00A0x\u2003y\u3000z";

    public const string Code =
        "for (int i = 0; i < 100; i++)\n{\n\tif (names[i] == \"it's\")   // don't\n\t\treturn $\"{i:D4}\";\r\n}\n\n\n    def f(x):\n        return x**2  \n<|user|> </s> <tag attr='value'/>  \t \n";

    public static IEnumerable<string> All => [.. Languages.Select(text => text.Text), Symbols, Code];

    public static IEnumerable<TrainingText> Training =>
        Languages.Select(text => new TrainingText(System.Text.Encoding.UTF8.GetBytes(text.Text), text.Language))
            .Append(new TrainingText(System.Text.Encoding.UTF8.GetBytes(Symbols), "symbols"))
            .Append(new TrainingText(System.Text.Encoding.UTF8.GetBytes(Code), "code"));

    /// <summary>A vocabulary trained on these texts, the same for all tests.</summary>
    public static Tokenizer Tokenizer { get; } =
        BpeTrainer.Train(Training, new BpeTrainerConfig(VocabularySize: 900, MinimumPairCount: 1, LanguageExponent: 1), new Core.LocalLauncher(1));

    /// <summary>Bytes that are no valid UTF-8: random ones, encoded surrogates, and cut and interrupted texts.</summary>
    public static IEnumerable<byte[]> Broken()
    {
        yield return [0xED, 0xA0, 0x80, 0xED, 0xB0, 0x80];
        yield return [0xC0, 0x80, 0xF8, 0x88, 0x80, 0x80, 0x80, 0xFE, 0xFF];
        for (ulong seed = 0; seed < 20; seed++)
            yield return [.. Numbers(seed).Take((int)seed * 3).Select(number => (byte)number)];
        foreach (string text in All)
        {
            byte[] utf8 = System.Text.Encoding.UTF8.GetBytes(text);
            yield return utf8[1..^1];
            yield return [.. utf8[..(utf8.Length / 2)], 0x80, .. utf8[(utf8.Length / 2)..]];
        }
    }

    /// <summary>Pseudo-random numbers with a fixed seed.</summary>
    public static IEnumerable<uint> Numbers(ulong seed)
    {
        var random = new Core.CounterRandom(seed, 0);
        for (ulong index = 0; ; index++)
            yield return (uint)random.At(index);
    }
}
