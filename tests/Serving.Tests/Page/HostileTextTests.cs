using Microsoft.Playwright;

namespace OpenEuroLLM.Serving.Tests.Page;

/// <summary>Texts that try to become more than text: from the model, from the browser's own database, from a file.</summary>
public sealed class HostileTextTests(Chromium chromium) : IClassFixture<Chromium>
{
    private const string Attack = """
        <script>window.pwned = 1</script><img src=x onerror="window.pwned=2"><svg onload=window.pwned=3></svg>
        <iframe srcdoc="<script>parent.pwned=4</script>"></iframe><style>body{display:none}</style><base href="https://evil.example/">
        <form action="https://evil.example"><input name=a><button>Send</button></form><meta http-equiv="refresh" content="0;url=https://evil.example">

        [one](javascript:window.pwned=5) [two](java
        script:window.pwned=5) [three](  JaVaScRiPt:window.pwned=6) [four](data:text/html,<script>window.pwned=7</script>)
        [five](vbscript:x) [six](&#106;avascript:window.pwned=8) [seven](\x01javascript:window.pwned=9) [eight](java&Tab;script:x) [nine](//evil.example) [ten](/v1/models)
        ![picture](https://evil.example/track.png) ![p](javascript:window.pwned=10) <javascript:window.pwned=11> [x](blob:https://evil.example/1)
        [quote](https://example.org/"onmouseover="window.pwned=12) [good](https://example.org/ok) <https://example.org/angle>
        `<img src=x onerror=window.pwned=13>` **<b onclick=window.pwned=14>** {{constructor.constructor('window.pwned=15')()}} ${window.pwned=16}

        | <img src=x onerror=window.pwned=17> | b |
        |---|---|
        | <script>window.pwned=18</script> | [x](javascript:1) |

        ```html" onclick="window.pwned=19
        </code></pre><script>window.pwned=20</script>
        ```

        # <img src=x onerror=window.pwned=21>
        > - 1. > <script>window.pwned=22</script>
        """;

    [Fact(Timeout = 60_000)]
    public async Task Nothing_in_an_answer_becomes_markup_script_or_a_request()
    {
        await using RunningServer server = await RunningServer.StartAsync(PageScripts.Answering(Attack, pieceLength: 3));
        await using OpenedPage opened = await OpenedPage.OpenAsync(chromium, server);

        await opened.AskAsync(Attack);
        await opened.Page.Locator("#toggle").ClickAsync();
        await AssertHarmlessAsync(opened);
        Assert.Equal(
            ["https://evil.example/", "https://evil.example/", "https://evil.example/", "https://evil.example/track.png", "https://evil.example/1", "https://example.org/%22onmouseover=%22window.pwned=12", "https://example.org/ok", "https://example.org/angle"],
            await opened.ListAsync("[...document.querySelectorAll('.assistant a')].map(x => x.href)"));
        Assert.Equal(0, await opened.IntAsync(
            "[...document.querySelectorAll('.assistant a')].filter(x => x.rel !== 'noopener noreferrer nofollow' || x.target !== '_blank').length"));
        await opened.ReloadAsync();
        await opened.Page.Locator("nav .open").ClickAsync();
        await AssertHarmlessAsync(opened);
    }

    [Fact(Timeout = 60_000)]
    public async Task Spoilt_and_hostile_rows_of_the_database_and_settings_do_nothing()
    {
        await using RunningServer server = await RunningServer.StartAsync(PageScripts.Answering("Good."));
        await using OpenedPage opened = await OpenedPage.OpenAsync(chromium, server);
        await opened.Page.EvaluateAsync("""
            attack => new Promise((resolve, reject) => {
              const turn = (id, parent, more = {}) => ({ id, parent, time: 1, role: 'user', text: attack, ...more });
              const row = (id, turns, more = {}) => ({ id, created: 1, changed: 1, system: '', leaf: null, turns, ...more });
              const rows = [
                row('good', [turn('a', null), turn('b', 'a', { role: 'assistant', model: attack, end: 'failed', error: attack, answerTokens: 1, promptTokens: '<b>', milliseconds: 1 })], { leaf: 'b', system: { a: 1 } }),
                row('circle', [turn('a', 'b'), turn('b', 'a')], { leaf: 'a' }),
                row('role', [turn('a', null, { role: 'system' })]), row('twice', [turn('a', null), turn('a', null)]),
                row('time', [turn('a', null, { time: 'now' })]), row('turns', {}), row('changed', [], { changed: '<b>' }), { id: 'empty' },
              ];
              localStorage.setItem('settings', JSON.stringify({ language: '../../v1', theme: attack, model: attack, system: { toString: 1 }, sampling: 'x' }));
              const open = indexedDB.open('oellm', 1);
              open.onerror = reject;
              open.onsuccess = () => {
                const transaction = open.result.transaction('conversations', 'readwrite');
                for (const row of rows) transaction.objectStore('conversations').put(row);
                transaction.oncomplete = resolve;
              };
            })
            """, Attack);

        await opened.ReloadAsync();
        await Assertions.Expect(opened.Page.Locator("nav .open")).ToHaveCountAsync(1);
        await opened.Page.Locator("nav .open").ClickAsync();
        await Assertions.Expect(opened.Page.Locator("#messages > li")).ToHaveCountAsync(2);
        await AssertHarmlessAsync(opened);
        await opened.AskAsync("Still alive?");
        await Assertions.Expect(opened.LastAnswer).ToHaveTextAsync("Good.");
        await opened.Page.EvaluateAsync("localStorage.setItem('settings', '{spoilt')");
        await opened.ReloadAsync();
        await AssertHarmlessAsync(opened);
    }

    [Fact(Timeout = 60_000)]
    public async Task Markdown_becomes_elements_of_the_right_kind()
    {
        await using RunningServer server = await RunningServer.StartAsync(PageScripts.Answering(PageScripts.Rich, pieceLength: 5));
        await using OpenedPage opened = await OpenedPage.OpenAsync(chromium, server);
        await opened.AskAsync("Show everything");

        Assert.Equal(
            ["h3", "p", "ol", "div.table", "blockquote", "div.code", "hr", "p"],
            await opened.ListAsync("[...document.querySelector('.assistant .text').children].map(x => x.className ? x.localName + '.' + x.className : x.localName)"));
        Assert.Equal(
            ["em capitals", "strong member states", "code code", "s struck", "a a link", "li on the Tagus", "th Capital", "td 1550", "a https://example.org/end"],
            await opened.ListAsync("""
                ['em', 'strong', 'p > code', 's', 'a', 'li li', 'th.middle', 'td.end', 'p:last-child a'].map(x => document.querySelector('.assistant .text ' + x))
                  .map(x => x.localName + ' ' + x.textContent)
                """));
        await Assertions.Expect(opened.Page.Locator(".code code")).ToContainTextAsync("<b>not bold</b>");
        await opened.AssertCleanAsync();
    }

    [Fact(Timeout = 60_000)]
    public async Task Code_is_copied_as_it_was_written()
    {
        await using RunningServer server = await RunningServer.StartAsync(PageScripts.Answering("```js\nif (a < b) {\n  c(\"é\");\n}\n```"));
        await using OpenedPage opened = await OpenedPage.OpenAsync(chromium, server);
        await opened.AskAsync("Code, please");
        await opened.Button("Copy the code").ClickAsync();

        await Assertions.Expect(opened.Button("Copy the code")).ToHaveTextAsync("Copied");
        Assert.Equal("if (a < b) {\n  c(\"é\");\n}", await opened.Page.EvaluateAsync<string>("navigator.clipboard.readText()"));
        await opened.AssertCleanAsync();
    }

    [Fact(Timeout = 60_000)]
    public async Task Text_made_to_be_slow_is_drawn_in_linear_time()
    {
        await using RunningServer server = await RunningServer.StartAsync(new ScriptedEngine());
        await using OpenedPage opened = await OpenedPage.OpenAsync(chromium, server);
        const string Draw = """
            async text => {
              const { blocks } = await import('/page/markdown.js');
              const started = performance.now();
              for (const block of blocks(text, code => document.createTextNode(code))) block.draw();
              return performance.now() - started;
            }
            """;
        foreach (string part in (string[])["*", "[", "`a``b```", "> ", "- ", "1. ", "[a](", "|a\n|-\n", "a|b\n", "**a_b~~", "<https://a ", "\\`", "#", "~~~\n\n"])
        {
            string text = string.Concat(Enumerable.Repeat(part, 30_000 / part.Length));
            double milliseconds = await opened.Page.EvaluateAsync<double>(Draw, text);

            // Quadratic time would need minutes; the bound is wide, because machines differ.
            Assert.True(milliseconds < 2_000, $"{part} took {milliseconds} ms.");
        }
        await opened.AssertCleanAsync();
    }

    private static async Task AssertHarmlessAsync(OpenedPage opened)
    {
        Assert.Equal(0, await opened.IntAsync("document.querySelectorAll('main script, main img, main iframe, main style, main base, main meta, main form, main svg, main input, nav b, nav script').length"));
        Assert.Equal(0, await opened.IntAsync("[...document.querySelectorAll('*')].flatMap(x => [...x.attributes]).filter(x => x.name.startsWith('on') || /^\\s*(javascript|data|vbscript):/i.test(x.value)).length"));
        Assert.True(await opened.Page.EvaluateAsync<bool>("window.pwned === undefined"));
        await opened.AssertCleanAsync();
    }
}
