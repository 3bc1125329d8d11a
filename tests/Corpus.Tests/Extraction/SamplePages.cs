namespace OpenEuroLLM.Corpus.Tests.Extraction;

/// <summary>A page written for these tests.</summary>
internal sealed record SamplePage(string Name, string Language, string Html, string[] Wanted, string[] Unwanted);

/// <summary>Pages of several kinds and languages, with what sites put around their texts.</summary>
internal static class SamplePages
{
    public static IReadOnlyList<SamplePage> All { get; } =
    [
        News("el", "Νέα γέφυρα στο λιμάνι",
            ["Η νέα γέφυρα του λιμανιού άνοιξε χθες το πρωί για τους πεζούς και τους ποδηλάτες.", "Ο δήμαρχος είπε ότι τα έργα κράτησαν δύο χρόνια, παρά τις δυσκολίες του χειμώνα.", "Από την επόμενη εβδομάδα θα περνούν και τα λεωφορεία της γραμμής πέντε."],
            "Διαβάστε επίσης", "Σχόλια", "Αυτός ο ιστότοπος χρησιμοποιεί cookies για τη λειτουργία του.", "Εγγραφείτε στο newsletter"),
        News("bg", "Нов парк край реката",
            ["Край реката беше открит нов парк, в който има повече от триста млади дървета.", "Жителите на квартала чакаха това място дълго време, каза кметицата на града.", "През лятото там ще се провеждат концерти, а входът ще бъде свободен за всички."],
            "Прочетете още", "Коментари", "Сайтът използва бисквитки, за да работи по-добре.", "Абонирайте се за новини"),
        News("mt", "Librerija ġdida fil-belt",
            ["Il-librerija l-ġdida fetħet il-bibien tagħha lbieraħ filgħodu, b'aktar minn għoxrin elf ktieb.", "Is-sindku qal li x-xogħlijiet damu sentejn, għalkemm il-pjan kien lest ħafna qabel.", "Mill-ġimgħa d-dieħla l-istudenti jkunu jistgħu jistudjaw hemm sa tard filgħaxija."],
            "Aqra wkoll", "Kummenti", "Dan is-sit juża l-cookies biex jaħdem aħjar.", "Abbona għall-aħbarijiet"),
        News("ga", "Droichead nua thar an abhainn",
            ["Osclaíodh an droichead nua thar an abhainn inné, agus tháinig na céadta duine amach chun siúl air.", "Dúirt an méara gur thóg an obair dhá bhliain, cé go raibh an aimsir go dona sa gheimhreadh.", "Beidh na busanna ag dul trasna an droichid ón tseachtain seo chugainn amach."],
            "Léigh freisin", "Tráchtanna", "Úsáideann an suíomh seo fianáin chun oibriú i gceart.", "Cláraigh don nuachtlitir"),
        News("cs", "Stará tržnice znovu ožila",
            ["Stará tržnice v centru města se po třech letech oprav znovu otevřela návštěvníkům.", "Podle starostky stály práce méně, než se čekalo, a hotové byly o měsíc dříve.", "V přízemí najdou lidé pekárnu, květinářství a malou kavárnu s výhledem na řeku."],
            "Mohlo by vás zajímat", "Komentáře", "Tento web používá cookies, aby správně fungoval.", "Přihlaste se k odběru novinek"),
        News("fi", "Uusi uimahalli avattiin",
            ["Kaupungin uusi uimahalli avattiin eilen, ja ensimmäiset uimarit tulivat paikalle jo aamulla.", "Rakennustyöt kestivät kaksi vuotta, vaikka talvi oli kylmä ja pitkä.", "Ensi viikosta alkaen lapset pääsevät uimaan ilmaiseksi joka lauantai."],
            "Lue myös", "Kommentit", "Tämä sivusto käyttää evästeitä toimiakseen oikein.", "Tilaa uutiskirje"),
        News("hu", "Megújult a régi malom",
            ["Két év munka után megújult a falu régi malma, amelyet tegnap délután adtak át.", "A polgármester szerint a felújítás kevesebbe került, mint ahogyan azt tervezték.", "A jövő héttől iskolai csoportok is meglátogathatják, a belépés ingyenes lesz."],
            "Kapcsolódó cikkek", "Hozzászólások", "Ez az oldal sütiket használ a működéséhez.", "Iratkozzon fel hírlevelünkre"),
        News("lt", "Prie ežero atidarytas takas",
            ["Prie ežero vakar atidarytas naujas pėsčiųjų takas, kurio ilgis siekia septynis kilometrus.", "Merė sakė, kad darbai truko ilgiau, nei planuota, nes pavasaris buvo labai šlapias.", "Vasarą čia vyks ekskursijos, per kurias bus pasakojama apie ežero paukščius."],
            "Skaitykite taip pat", "Komentarai", "Ši svetainė naudoja slapukus, kad tinkamai veiktų.", "Prenumeruokite naujienlaiškį"),
        new("blog", "de",
            """
            <html lang="de-AT"><head><title>Brot aus dem Steinofen – Backblog</title></head><body class="home">
            <div id="header"><a href="/">Backblog</a><p>Geschichten aus einer kleinen Küche am Rand der Stadt.</p></div>
            <ul class="menu"><li><a href="/a">Start</a><li><a href="/b">Rezepte</a><li><a href="/c">Über mich</a></ul>
            <div id="content"><div class="post hentry"><h2 class="entry-title">Brot aus dem Steinofen</h2>
            <div class="post-meta">Von Anna am 3. Mai 2021 in <a href="/k">Rezepte</a></div>
            <div class="entry-content"><p>Am Wochenende haben wir den alten Steinofen hinter dem Haus wieder angeheizt.</p>
            <p>Der Teig braucht Zeit: zwölf Stunden im Keller, dann noch einmal zwei in der Form.</p>
            <h3>Was man braucht</h3><ul><li>Roggenmehl<li>Wasser<li>Salz und etwas Geduld</ul>
            <p>Nach vierzig Minuten war die Kruste dunkel, und das ganze Haus roch nach Brot.</p>
            <div class="sharedaddy"><a href="f">Facebook</a> <a href="t">Twitter</a> Teile das gern mit deinen Freunden, wenn es dir gefällt.</div></div></div>
            <div id="comments"><h3>3 Kommentare</h3><ol class="commentlist"><li>Peter: Das habe ich auch schon probiert, aber mein Brot wurde leider viel zu trocken.
            <li>Maria: Danke für das schöne Rezept, ich werde es am nächsten Wochenende ausprobieren.</ol></div></div>
            <div id="sidebar"><h3>Archiv</h3><ul><li><a href="1">April</a><li><a href="2">März</a></ul><p>Ich backe seit vielen Jahren und schreibe hier über das, was mir gelingt.</p></div>
            <div id="footer">© Backblog. Alle Rechte vorbehalten, auch die der Übersetzung.</div></body></html>
            """,
            ["Am Wochenende haben wir den alten Steinofen", "zwölf Stunden im Keller", "Was man braucht", "Roggenmehl", "Salz und etwas Geduld", "das ganze Haus roch nach Brot."],
            ["Über mich", "Von Anna", "Teile das gern", "viel zu trocken", "Danke für das schöne Rezept", "Archiv", "seit vielen Jahren", "Alle Rechte"]),
        new("forum", "nl",
            """
            <html lang="nl"><head><title>Welke fiets voor lange tochten? - Fietsforum</title></head><body>
            <div class="topbar"><a href="/">Forum</a> <a href="/l">Inloggen</a> <a href="/r">Registreren</a></div>
            <h1>Welke fiets voor lange tochten?</h1>
            <div class="topic"><div class="post"><div class="author">Jan</div><div class="postbody">Ik zoek een fiets waarmee ik elke dag veertig kilometer kan rijden, ook bij regen en wind.</div></div>
            <div class="post"><div class="author">Els</div><div class="postbody">Neem een stalen frame, dat is zwaarder, maar het gaat veel langer mee dan de meeste andere.</div></div>
            <div class="post"><div class="author">Piet</div><div class="postbody">En vergeet de banden niet: brede banden rijden op slechte wegen een stuk prettiger.</div></div></div>
            <div class="pagination"><a href="1">1</a> <a href="2">2</a> <a href="3">3</a></div>
            <div class="footer"><a href="/v">Voorwaarden</a> <a href="/p">Privacy</a></div></body></html>
            """,
            ["elke dag veertig kilometer", "Neem een stalen frame", "brede banden rijden"], ["Inloggen", "Voorwaarden", "Registreren"]),
        new("wiki", "sv",
            """
            <html lang="sv"><head><title>Sjön – Uppslagsboken</title><link rel="license" href="//creativecommons.org/licenses/by-sa/4.0/"></head><body>
            <div id="mw-navigation"><ul><li><a href="/1">Huvudsida</a><li><a href="/2">Slumpartikel</a><li><a href="/3">Hjälp</a></ul></div>
            <div id="content" class="mw-body"><h1 id="firstHeading">Sjön</h1><div id="bodyContent"><div class="mw-parser-output">
            <p><b>Sjön</b> är den största i landskapet och ligger mellan två åsar, omgiven av tät <a href="/skog">barrskog</a>.</p>
            <div id="toc" class="toc"><ul><li><a href="#1">Historia</a><li><a href="#2">Djurliv</a><li><a href="#3">Mått</a></ul></div>
            <h2>Historia<span class="mw-editsection">[<a href="e">redigera</a>]</span></h2><p>Redan på medeltiden fanns här fiskelägen, och spår av dem har hittats på den norra stranden.</p>
            <h2>Mått<span class="mw-editsection">[<a href="e">redigera</a>]</span></h2>
            <table class="wikitable"><tr><th>Mått</th><th>Värde</th></tr><tr><td>Längd</td><td>12 km</td></tr><tr><td><a href="/djup">Djup</a></td><td>31 m</td></tr></table></div></div></div>
            <div id="footer"><a href="/om">Om uppslagsboken</a> Texten är fri att använda, med angivande av källan.</div></body></html>
            """,
            ["Sjön är den största i landskapet", "Historia", "på den norra stranden", "12 km", "Djup", "31 m"], ["Slumpartikel", "redigera", "Djurliv", "Om uppslagsboken"]),
        new("product", "es",
            """
            <html lang="es"><body><header><nav><a href="/">Inicio</a><a href="/c">Cestas</a><a href="/o">Ofertas</a></nav></header>
            <main><div class="product"><h1>Cesta de mimbre</h1><form action="/cart"><select><option>1<option>2</select><button>Añadir</button></form>
            <div class="description"><p>Una cesta de mimbre hecha a mano, con asas de cuero, para llevar la compra o guardar la leña.</p>
            <table><tr><th>Alto</th><td>30 cm</td></tr><tr><th>Peso</th><td>900 g</td></tr></table></div></div>
            <div class="related-products"><h2>También te puede interesar</h2><ul><li><a href="1">Cesta redonda</a><li><a href="2">Cesta con tapa</a><li><a href="3">Bolsa de tela</a></ul></div></main>
            <footer><p>Tienda abierta de lunes a viernes, de nueve a dos, en la plaza mayor.</p></footer></body></html>
            """,
            ["Una cesta de mimbre hecha a mano", "30 cm", "900 g"], ["Añadir", "Cesta redonda", "Ofertas", "Tienda abierta"]),
        new("layout table", "it",
            """
            <HTML><HEAD><TITLE>Il faro</TITLE></HEAD><BODY BGCOLOR=white><TABLE WIDTH=100%><TR><TD COLSPAN=2><A HREF=i.htm>Indice</A> | <A HREF=f.htm>Foto</A> | <A HREF=m.htm>Mappa</A>
            <TR><TD WIDTH=120><A HREF=1.htm>Il porto</A><BR><A HREF=2.htm>La chiesa</A><BR><A HREF=3.htm>Il mercato</A><BR>
            <TD><H1>Il faro</H1><FONT SIZE=2>Il faro fu costruito nel secolo scorso, quando il porto era ancora piccolo.<P>Per molti anni il guardiano visse qui da solo, con due capre e un cane.
            <P>Oggi si può salire fino alla lanterna: la vista, nelle giornate chiare, arriva alle isole.</FONT></TABLE></BODY></HTML>
            """,
            ["Il faro fu costruito", "con due capre e un cane.", "arriva alle isole."], ["Indice", "La chiesa", "Mappa"]),
        new("script page", "pl",
            """
            <html lang="pl"><head><title>Most</title><script type="application/ld+json">{"@type":"NewsArticle","headline":"Most","datePublished":"2023-04-05T10:00:00+02:00",
            "articleBody":"Nowy most nad rzeką otwarto wczoraj rano.\nPierwsi przejechali nim rowerzyści, a po południu także autobusy."}</script></head>
            <body><div id="root"></div><noscript>Włącz JavaScript.</noscript></body></html>
            """,
            ["Nowy most nad rzeką otwarto wczoraj rano.", "a po południu także autobusy."], ["JavaScript"]),
    ];

    private static SamplePage News(string language, string title, string[] paragraphs, string related, string comments, string consent, string subscribe) => new(
        "news", language,
        $"""
        <!DOCTYPE html><html lang="{language}"><head><meta charset="utf-8"><title>{title} | Gazeta</title><meta property="article:published_time" content="2022-06-01T08:00:00Z"></head><body>
        <div class="cookie-banner"><p>{consent} {consent}</p><button>OK</button></div>
        <header><a href="/">Gazeta</a><nav><ul><li><a href="/1">Alpha</a></li><li><a href="/2">Beta</a></li><li><a href="/3">Gamma</a></li></ul></nav></header>
        <main><article><h1>{title}</h1><p class="byline">A. B., 1. 6. 2022</p>
        <p>{paragraphs[0]}</p><figure><img src="x"><figcaption>Foto: C. D.</figcaption></figure><p>{paragraphs[1]}</p>
        <p>{related}: <a href="/x">Omikron Sigma Tau</a></p><p>{paragraphs[2]}</p><p><a href="/n">{subscribe}</a></p></article>
        <section><h2>{comments}</h2><div><p>E. F.: {paragraphs[1].ToUpperInvariant()}</p></div></section>
        <section><h3>{related}</h3><ul><li><a href="/y">Lambda Kappa</a></li><li><a href="/z">Zeta Eta Theta</a></li></ul></section></main>
        <footer><p>Delta Epsilon, 12345 Upsilon, Phi 7. Chi Psi, Omega: 0123 456 789.</p></footer></body></html>
        """,
        paragraphs, ["Omikron", "Lambda", "Zeta", "Gamma", "Delta", consent, subscribe, paragraphs[1].ToUpperInvariant(), "Foto: C. D."]);
}
