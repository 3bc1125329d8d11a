using Microsoft.Playwright;
using OpenEuroLLM.Inference;

namespace OpenEuroLLM.Serving.Tests.Page;

/// <summary>What EN 301 549 and WCAG 2.2 AA ask for, as far as a program can see it.</summary>
public sealed class AccessibilityTests(Chromium chromium) : IClassFixture<Chromium>
{
    /// <summary>Texts and fields whose contrast is below 4.5:1 against the ground that lies behind them, and field borders below 3:1.</summary>
    private const string LowContrast = """
        (() => {
          const parse = color => color.match(/[\d.]+/g).map(Number);
          const clear = color => color === 'transparent' || parse(color)[3] === 0;
          const light = color => { const [r, g, b] = parse(color).map(x => x / 255).map(x => x <= .04045 ? x / 12.92 : ((x + .055) / 1.055) ** 2.4); return .2126 * r + .7152 * g + .0722 * b; };
          const ratio = (a, b) => { const [x, y] = [light(a), light(b)].sort((p, q) => q - p); return (x + .05) / (y + .05); };
          const ground = element => { for (let e = element; e; e = e.parentElement) { const color = getComputedStyle(e).backgroundColor; if (!clear(color)) return color; } return 'rgb(255, 255, 255)'; };
          const found = [];
          const check = (element, color, least, what) => { const value = ratio(color, ground(element)); if (value < least) found.push(`${what} ${element.localName}#${element.id}.${element.className} ${value.toFixed(2)} ${color} on ${ground(element)}`); };
          for (const element of document.querySelectorAll('body *')) {
            if (!element.checkVisibility({ visibilityProperty: true, opacityProperty: true }) || element.disabled || element.closest('.hidden, svg, option')) continue;
            const style = getComputedStyle(element);
            if ([...element.childNodes].some(node => node.nodeType === 3 && node.data.trim()) || element.matches('select, input, textarea')) check(element, style.color, 4.5, 'text');
            if (element.placeholder) check(element, getComputedStyle(element, '::placeholder').color, 4.5, 'placeholder');
            if (element.matches('select, input, textarea') && parseFloat(style.borderTopWidth) > 0) check(element.parentElement, style.borderTopColor, 3, 'border');
          }
          return found;
        })()
        """;

    /// <summary>Faults of names, roles, references, headings, landmarks and target sizes.</summary>
    private const string Faults = """
        (() => {
          const found = [], all = [...document.querySelectorAll('*')], say = (what, element) => found.push(what + ': ' + element.outerHTML.slice(0, 160));
          const seen = element => element.checkVisibility({ visibilityProperty: true });
          const name = element => (element.getAttribute('aria-label') ?? '') + (element.getAttribute('aria-labelledby') ?? '').split(' ').map(id => document.getElementById(id)?.textContent ?? '').join('')
            + [...(element.labels ?? [])].map(label => label.textContent).join('') + (element.matches('button, a, h1, h2, h3, h4, h5, h6, legend') ? element.textContent : '');
          const ids = all.filter(x => x.id).map(x => x.id);
          if (new Set(ids).size !== ids.length) found.push('an id stands twice');
          for (const element of all) {
            for (const attribute of ['aria-labelledby', 'aria-describedby', 'aria-controls', 'for'])
              for (const id of (element.getAttribute(attribute) ?? '').split(' ').filter(Boolean)) if (!document.getElementById(id)) say('reference to nothing', element);
            if (element.tabIndex > 0) say('tabindex above 0', element);
            if (!seen(element)) continue;
            if (element.matches('button, select, input, textarea, a[href], dialog, nav, section, ol#messages, [role=region]') && name(element).trim() === '') say('no name', element);
            if (element.matches('button, select, input, textarea') && !element.closest('.hidden')) {
              const box = element.getBoundingClientRect();
              if (box.width < 24 || box.height < 24) say(`target ${box.width} x ${box.height}`, element);
            }
            if (element.matches('li') && !element.parentElement.matches('ul, ol')) say('item outside a list', element);
            if (element.matches('img') && !element.hasAttribute('alt')) say('no alternative', element);
            if (element.scrollWidth > element.clientWidth + 1 && ['auto', 'scroll'].includes(getComputedStyle(element).overflowX) && element.clientWidth > 0 && element.tabIndex < 0 && !element.matches('nav, main, dialog')) say('scrolls without keys', element);
          }
          for (const landmark of ['header', 'main', 'footer', 'h1']) if (document.querySelectorAll('body > ' + landmark + ', header > ' + landmark).length !== 1) found.push('not one ' + landmark);
          if (!document.documentElement.lang || !document.title) found.push('no language or title');
          let level = 1;
          for (const heading of [...document.querySelectorAll('h1, h2, h3, h4, h5, h6')].filter(seen)) {
            const now = Number(heading.localName[1]);
            if (now > level + 1) say('heading level is skipped', heading);
            level = now;
          }
          return found;
        })()
        """;

    [Theory(Timeout = 60_000)]
    [InlineData(ColorScheme.Light)]
    [InlineData(ColorScheme.Dark)]
    public async Task Names_roles_targets_and_contrast_hold_in_every_state(ColorScheme scheme)
    {
        string name = scheme == ColorScheme.Light ? "light" : "dark";
        ScriptedEngine engine = PageScripts.Answering(PageScripts.Rich);
        await using RunningServer server = await RunningServer.StartAsync(engine);
        await using OpenedPage opened = await OpenedPage.OpenAsync(chromium, server, scheme: scheme);
        await CheckAsync(opened);
        await opened.PictureAsync("desktop-welcome-" + name);

        await opened.AskAsync("Tell me about the capitals of the member states, please.");
        await opened.Page.Locator("#toggle").ClickAsync();
        await CheckAsync(opened);
        engine.Script = (_, _) => throw new RequestException("messages", "The conversation has 200 tokens; the model takes 128.", RequestErrorCode.ContextLengthExceeded);
        await opened.AskAsync("More");
        await opened.Button("Try again").Last.ClickAsync();
        await opened.DoneAsync();
        await CheckAsync(opened);
        await opened.PictureAsync("desktop-error-" + name);
        await opened.Page.Locator("main").EvaluateAsync("main => main.scrollTop = 0");
        await opened.PictureAsync("desktop-answer-" + name);
        await opened.Page.GetByText("Edit").First.ClickAsync();
        await CheckAsync(opened);
        await opened.Page.Keyboard.PressAsync("Escape");

        await opened.Button("Settings").ClickAsync();
        await CheckAsync(opened);
        await opened.PictureAsync("desktop-settings-" + name);
        await opened.AssertCleanAsync();
    }

    [Fact(Timeout = 60_000)]
    public async Task The_appearance_follows_the_system_until_it_is_chosen()
    {
        await using RunningServer server = await RunningServer.StartAsync(new ScriptedEngine());
        await using OpenedPage opened = await OpenedPage.OpenAsync(chromium, server, scheme: ColorScheme.Dark);
        const string Ground = "getComputedStyle(document.body).backgroundColor";
        string dark = await opened.Page.EvaluateAsync<string>(Ground);
        await opened.Page.EmulateMediaAsync(new() { ColorScheme = ColorScheme.Light });
        string light = await opened.Page.EvaluateAsync<string>(Ground);
        Assert.NotEqual(dark, light);

        await opened.Button("Settings").ClickAsync();
        await opened.Page.GetByLabel("Appearance").SelectOptionAsync("dark");
        await opened.Button("Save").ClickAsync();
        Assert.Equal(dark, await opened.Page.EvaluateAsync<string>(Ground));
        await opened.ReloadAsync();
        Assert.Equal(dark, await opened.Page.EvaluateAsync<string>(Ground));
        Assert.Empty(await opened.ListAsync(LowContrast));
        await opened.AssertCleanAsync();
    }

    [Fact(Timeout = 60_000)]
    public async Task A_conversation_is_led_by_keyboard_alone()
    {
        int answers = 0;
        var engine = new ScriptedEngine { Script = (_, _) => ScriptedEngine.Events(PageScripts.Pieces($"Answer number {++answers}.")) };
        await using RunningServer server = await RunningServer.StartAsync(engine);
        await using OpenedPage opened = await OpenedPage.OpenAsync(chromium, server);
        IKeyboard keys = opened.Page.Keyboard;

        await keys.TypeAsync("One");
        await keys.PressAsync("Shift+Enter");
        await keys.TypeAsync("question");
        await keys.PressAsync("Enter");
        await Assertions.Expect(opened.LastAnswer).ToHaveTextAsync("Answer number 1.");
        await opened.DoneAsync();
        Assert.Equal(["user: One\nquestion"], PageScripts.MessagesOf(engine.Requests.Last()));

        await ReachAsync(opened, "Shift+Tab", "Try again");
        await keys.PressAsync("Enter");
        await Assertions.Expect(opened.LastAnswer).ToHaveTextAsync("Answer number 2.");
        await opened.DoneAsync();
        await ReachAsync(opened, "Shift+Tab", "Previous version");
        await keys.PressAsync("Space");
        await Assertions.Expect(opened.LastAnswer).ToHaveTextAsync("Answer number 1.");
        await ReachAsync(opened, "Shift+Tab", "Edit");
        await keys.PressAsync("Enter");
        await keys.PressAsync("Escape");
        await Assertions.Expect(opened.Button("Edit")).ToBeFocusedAsync();
        await keys.PressAsync("Enter");
        await keys.PressAsync("Control+A");
        await keys.TypeAsync("Another");
        await keys.PressAsync("Enter");
        await Assertions.Expect(opened.LastAnswer).ToHaveTextAsync("Answer number 3.");
        await opened.DoneAsync();

        await ReachAsync(opened, "Shift+Tab", "Conversations");
        await keys.PressAsync("Enter");
        await ReachAsync(opened, "Tab", "Delete “One question”");
        await keys.PressAsync("Enter");
        await Assertions.Expect(opened.Button("Cancel")).ToBeFocusedAsync();
        await keys.PressAsync("Escape");
        await Assertions.Expect(opened.Button("Delete “One question”")).ToBeFocusedAsync();
        await ReachAsync(opened, "Shift+Tab", "Settings");
        await keys.PressAsync("Enter");
        await ReachAsync(opened, "Tab", "Save");
        await keys.PressAsync("Escape");
        await Assertions.Expect(opened.Button("Settings")).ToBeFocusedAsync();
        await opened.AssertCleanAsync();
    }

    [Fact(Timeout = 60_000)]
    public async Task The_focus_goes_through_the_page_in_reading_order_and_is_seen()
    {
        await using RunningServer server = await RunningServer.StartAsync(PageScripts.Answering(PageScripts.Rich));
        await using OpenedPage opened = await OpenedPage.OpenAsync(chromium, server);
        await opened.AskAsync("Everything");
        await opened.Page.Locator("#toggle").ClickAsync();
        await opened.Page.Keyboard.PressAsync("Tab");
        await opened.Page.EvaluateAsync("document.querySelector('.skip').focus(); window.order = [...document.querySelectorAll('*')]");

        // The first stop leads past everything to the message field.
        Assert.True(await opened.Page.EvaluateAsync<bool>("document.activeElement.getBoundingClientRect().top >= 0 && document.activeElement.hash === '#prompt'"));
        int last = -1, stops = 0;
        while (true)
        {
            int place = await opened.IntAsync("document.activeElement === document.body ? -1 : window.order.indexOf(document.activeElement)");
            if (place < 0 || place < last) break;
            Assert.True(place > last);
            Assert.True(await opened.Page.EvaluateAsync<bool>("""
                (() => { const focused = document.activeElement, ring = focused.closest('#composer') && focused.id === 'prompt' ? focused.closest('#composer') : focused;
                  const style = getComputedStyle(ring), box = focused.getBoundingClientRect();
                  return style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2 && box.bottom > 0 && box.top < innerHeight; })()
                """), await opened.Page.EvaluateAsync<string>("document.activeElement.outerHTML"));
            last = place;
            stops++;
            await opened.Page.Keyboard.PressAsync("Tab");
        }
        Assert.Equal(stops, await opened.IntAsync("""
            [...document.querySelectorAll('a[href], button, select, input, textarea, [tabindex="0"]')].filter(x => x.checkVisibility() && !x.disabled && x.tabIndex >= 0).length
            """));
    }

    [Fact(Timeout = 60_000)]
    public async Task Screen_readers_get_sentences_and_not_every_token()
    {
        string text = string.Concat(Enumerable.Range(1, 100).Select(number => $"Sentence {number} is here. "));
        await using RunningServer server = await RunningServer.StartAsync(PageScripts.Answering(text, pieceLength: 5));
        await using OpenedPage opened = await OpenedPage.OpenAsync(chromium, server);
        await opened.AskAsync("Speak");

        ILocator said = opened.Page.Locator("#log p");
        Assert.Equal("polite", await opened.Page.Locator("#log").GetAttributeAsync("aria-live"));
        Assert.InRange(await said.CountAsync(), 1, 5);
        Assert.Equal(text.Trim(), string.Join(' ', await said.AllTextContentsAsync()));
        await Assertions.Expect(opened.Page.GetByRole(AriaRole.Status)).ToHaveTextAsync("The answer is complete.");
    }

    [Theory(Timeout = 60_000)]
    [InlineData(320, 640, "phone-small")]
    [InlineData(390, 844, "phone")]
    [InlineData(1280, 800, "desktop")]
    public async Task Nothing_is_wider_than_the_window(int width, int height, string name)
    {
        await using RunningServer server = await RunningServer.StartAsync(PageScripts.Answering(PageScripts.Rich + "\n\n" + new string('w', 400)));
        await using OpenedPage opened = await OpenedPage.OpenAsync(chromium, server, width, height);
        await opened.PictureAsync(name + "-welcome");
        await opened.AskAsync(new string('w', 400));
        await opened.AskAsync("Once more");
        await Assertions.Expect(opened.Page.Locator(".assistant .note").Last).ToBeInViewportAsync(new() { Ratio = 1 });
        await opened.PictureAsync(name + "-answer");
        await opened.Page.Locator("#toggle").ClickAsync();
        await opened.PictureAsync(name + "-conversations");

        Assert.Empty(await opened.ListAsync(
            "[document.documentElement, ...document.querySelectorAll('main, nav, header, footer, #messages, #messages > li')].filter(x => x.scrollWidth > x.clientWidth).map(x => x.outerHTML.slice(0, 100))"));
        Assert.Equal(width, await opened.IntAsync("document.documentElement.scrollWidth"));
        await CheckAsync(opened);
        await opened.AssertCleanAsync();
    }

    [Fact(Timeout = 60_000)]
    public async Task Nothing_moves_where_the_user_wants_no_motion()
    {
        var gate = new TaskCompletionSource();
        var engine = new ScriptedEngine
        {
            Script = (_, cancellation) => ScriptedEngine.Gated(gate.Task, [new GenerationEvent.Text(0, "So")],
                [new GenerationEvent.Finished(0, FinishReason.Stop, new Usage(1, 1))], cancellation),
        };
        await using RunningServer server = await RunningServer.StartAsync(engine);
        await using OpenedPage opened = await OpenedPage.OpenAsync(chromium, server);
        await opened.Prompt.FillAsync("Move");
        await opened.Prompt.PressAsync("Enter");
        await Assertions.Expect(opened.LastAnswer).ToHaveTextAsync("So");
        Assert.Equal(1, await opened.IntAsync("document.getAnimations().length"));
        await opened.Page.EmulateMediaAsync(new() { ReducedMotion = ReducedMotion.Reduce });
        Assert.Equal(0, await opened.IntAsync("document.getAnimations().length"));
        gate.SetResult();
        await opened.DoneAsync();
    }

    private static async Task CheckAsync(OpenedPage opened)
    {
        Assert.Empty(await opened.ListAsync(Faults));
        Assert.Empty(await opened.ListAsync(LowContrast));
    }

    /// <summary>Presses a key until the element of a name has the focus.</summary>
    private static async Task ReachAsync(OpenedPage opened, string key, string name)
    {
        for (int press = 0; press < 40; press++)
        {
            await opened.Page.Keyboard.PressAsync(key);
            if (await opened.Page.EvaluateAsync<string>("document.activeElement.ariaLabel ?? document.activeElement.textContent.trim()") == name) return;
        }
        Assert.Fail($"'{name}' is not reached by {key}.");
    }
}
