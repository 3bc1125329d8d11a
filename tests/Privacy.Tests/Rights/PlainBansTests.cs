using System.Diagnostics;
using System.Text;
using OpenEuroLLM.Languages;
using OpenEuroLLM.Privacy.Rights;

namespace OpenEuroLLM.Privacy.Tests.Rights;

public sealed class PlainBansTests
{
    /// <summary>A sentence that forbids and one that only speaks of the matter, in each official language; written for this test.</summary>
    public static TheoryData<string, string, string> Sentences => new()
    {
        { "bg", "Използването на съдържанието за обучение на изкуствен интелект е забранено.", "Учените обясниха как протича обучение на изкуствен интелект." },
        { "cs", "Vytěžování textů a dat je vyhrazeno podle zákona.", "Přednáška o tom, co je vytěžování textů a dat, začíná v pět." },
        { "da", "Træning af kunstig intelligens med vores artikler er ikke tilladt.", "Kurset handler om træning af kunstig intelligens." },
        { "de", "Die Nutzung für Text und Data Mining ist ausdrücklich vorbehalten.", "Das Seminar führt in Text und Data Mining ein." },
        { "el", "Η χρήση των άρθρων για εκπαίδευση τεχνητής νοημοσύνης απαγορεύεται.", "Το πανεπιστήμιο ερευνά την εκπαίδευση τεχνητής νοημοσύνης." },
        { "en", "No part of this site may be copied, and its use for training AI is prohibited.", "We train air crews and write about AI training for teachers." },
        { "es", "Queda prohibido usar estos textos para entrenar inteligencia artificial.", "Un curso para entrenar inteligencia artificial en la escuela." },
        { "et", "Teksti- ja andmekaeve on ilma loata keelatud.", "Raamat räägib, mis on teksti- ja andmekaeve." },
        { "fi", "Sisällön käyttö tekoälyn kouluttamiseen on kielletty.", "Kurssi tekoälyn kouluttamisesta alkaa syksyllä." },
        { "fr", "La fouille de textes et de données de ce site est interdite.", "Un colloque sur la fouille de textes et de données aura lieu à Lyon." },
        { "ga", "Tá cosc ar mhianadóireacht agus ar oiliúint intleachta saorga leis an ábhar seo.", "Labhair an t-ollamh faoi oiliúint intleachta saorga." },
        { "hr", "Rudarenje teksta i podataka nije dopušteno.", "Predavanje objašnjava što je rudarenje teksta i podataka." },
        { "hu", "A szöveg- és adatbányászat tilos.", "Az előadás témája a szöveg- és adatbányászat." },
        { "it", "È vietata l'estrazione di testo e di dati da queste pagine.", "Il corso spiega che cosa sia l'estrazione di testo e di dati." },
        { "lt", "Tekstų ir duomenų gavyba be leidimo draudžiama.", "Straipsnyje aiškinama, kas yra tekstų ir duomenų gavyba." },
        { "lv", "Saturu izmantot mākslīgā intelekta apmācībai ir aizliegts.", "Universitātē notiek kurss par mākslīgā intelekta apmācību." },
        { "mt", "It-taħriġ tal-intelliġenza artifiċjali b'dawn it-testi huwa pprojbit: it-taħriġ tal-intelliġenza artifiċjali mhux permess.", "Konferenza dwar it-taħriġ tal-intelliġenza artifiċjali saret il-Belt." },
        { "nl", "Het trainen van AI met deze teksten is niet toegestaan.", "De universiteit onderzoekt het trainen van AI." },
        { "pl", "Eksploracja tekstów i danych jest zastrzeżona.", "Wykład wyjaśnia, czym jest eksploracja tekstów i danych." },
        { "pt", "É proibido utilizar os conteúdos para treinar inteligência artificial.", "A escola ensina a treinar inteligência artificial." },
        { "ro", "Este interzisă utilizarea articolelor pentru antrenarea inteligenței artificiale.", "Cartea descrie antrenarea inteligenței artificiale." },
        { "sk", "Vyťažovanie textov a dát je zakázané.", "Seminár vysvetľuje, čo je vyťažovanie textov a dát." },
        { "sl", "Rudarjenje besedil in podatkov je prepovedano.", "Predavanje pojasni, kaj je rudarjenje besedil in podatkov." },
        { "sv", "Text- och datautvinning är förbjuden utan avtal.", "Boken beskriver text- och datautvinning." },
    };

    [Theory]
    [MemberData(nameof(Sentences))]
    public void A_ban_is_found_with_its_sentence_and_mere_mention_is_not(string language, string ban, string mention)
    {
        byte[] page = Encoding.UTF8.GetBytes($"<html><body><p>Welcome.</p>\n<footer><small>{ban.Replace(" ", "\n ", StringComparison.Ordinal)}</small></footer></body></html>");
        RightsStatement found = Assert.Single(PlainBans.Find(page, isHtml: true));
        Assert.Equal((StatementSource.Text, language), (found.Source, found.Name));
        Assert.Contains(ban[..10], found.Value, StringComparison.Ordinal);
        Assert.Empty(PlainBans.Find(Encoding.UTF8.GetBytes(mention), isHtml: false));
        Assert.NotEmpty(PlainBans.Find(Encoding.UTF8.GetBytes(ban.ToUpperInvariant()), isHtml: false));
    }

    [Fact]
    public void All_official_languages_have_phrases() =>
        Assert.Equal(LanguageCatalog.All.Where(language => language.Status == LanguageStatus.Official).Select(language => language.Code).Order(StringComparer.Ordinal), Sentences.Select(row => row.Data.Item1).Order(StringComparer.Ordinal));

    [Fact]
    public void A_ban_is_a_flag_and_excludes_nothing()
    {
        RightsVerdict verdict = Sites.Judge("https://example.org/", null, said: [.. PlainBans.Find("Do not use our texts to train AI."u8, isHtml: false)]);
        Assert.False(verdict.Excluded);
        Assert.Equal((RightsRuling.Flag, "Do not use our texts to train AI."), (verdict.Only(RightsProtocol.PlainLanguage).Ruling, verdict.Only(RightsProtocol.PlainLanguage).Raw));
    }

    [Fact]
    public void References_are_read_and_words_within_words_are_not()
    {
        Assert.Single(PlainBans.Find("<p>Das Training k&uuml;nstlicher Intelligenz ist verboten.</p>"u8, isHtml: true));
        Assert.Single(PlainBans.Find("Text&nbsp;and data mining is&#32;not permitted"u8, isHtml: true));
        Assert.Empty(PlainBans.Find("It is prohibited to train aircraft mechanics."u8, isHtml: false));
        Assert.Empty(PlainBans.Find("Entering is forbidden. We speak of text and data mining. Smoking is forbidden."u8, isHtml: false));
    }

    [Fact]
    public void A_page_of_nothing_but_the_words_takes_no_time()
    {
        long started = Stopwatch.GetTimestamp();
        Assert.Empty(PlainBans.Find(Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat("train ai ", 1 << 20))), isHtml: true));
        Assert.Empty(PlainBans.Find(Encoding.UTF8.GetBytes(new string('<', 1 << 22)), isHtml: true));
        Assert.True(Stopwatch.GetElapsedTime(started) < TimeSpan.FromSeconds(5));
    }
}
