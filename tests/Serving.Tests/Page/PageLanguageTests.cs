using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.Playwright;

namespace OpenEuroLLM.Serving.Tests.Page;

/// <summary>The interface in the 24 official languages of the Union.</summary>
public sealed partial class PageLanguageTests(Chromium chromium) : IClassFixture<Chromium>
{
    private static readonly string[] Official =
        ["bg", "cs", "da", "de", "el", "en", "es", "et", "fi", "fr", "ga", "hr", "hu", "it", "lt", "lv", "mt", "nl", "pl", "pt", "ro", "sk", "sl", "sv"];

    [Fact]
    public void Every_language_has_every_text_with_the_same_places_and_none_copies_another()
    {
        Dictionary<string, Dictionary<string, string>> all = Official.ToDictionary(code => code, Read);
        Dictionary<string, string> english = all["en"];

        foreach ((string code, Dictionary<string, string> texts) in all)
        {
            Assert.Equal(english.Keys, texts.Keys);
            foreach ((string key, string text) in texts)
            {
                Assert.True(text.Trim() == text && text.Length > 0, $"{code}.json: {key} is empty or has blanks around it.");
                Assert.True(PlacesOf(text).SequenceEqual(PlacesOf(english[key])), $"{code}.json: {key} has other places than English: {text}");
                Assert.True(code == "en" || text != english[key], $"{code}.json: {key} is English: {text}");
            }
            foreach ((string other, Dictionary<string, string> theirs) in all)
            {
                int same = texts.Count(text => theirs[text.Key] == text.Value);
                Assert.True(other == code || same < texts.Count / 3, $"{code}.json and {other}.json share {same} of {texts.Count} texts.");
            }
        }
    }

    [Fact]
    public void The_page_holds_the_24_languages_and_uses_every_text()
    {
        Assert.Equal(Official, Resources("languages/").Select(name => Path.GetFileNameWithoutExtension(name)).Order(StringComparer.Ordinal));
        string source = string.Concat(Resources("").Where(name => name.EndsWith(".js", StringComparison.Ordinal) || name.EndsWith(".html", StringComparison.Ordinal)).Select(ReadText));
        var mentioned = QuotedWord().Matches(source).Select(match => match.Groups[1].Value).ToHashSet(StringComparer.Ordinal);

        Assert.DoesNotContain(Read("en").Keys, key => !mentioned.Contains(key));
        Assert.Empty(AskedText().Matches(source).Select(match => match.Groups[1].Value).Except(Read("en").Keys));
    }

    [Fact(Timeout = 120_000)]
    public async Task Every_language_starts_whole_from_the_browsers_wish_and_fits_a_phone()
    {
        await using RunningServer server = await RunningServer.StartAsync(PageScripts.Answering("Good."));
        await using OpenedPage opened = await OpenedPage.OpenAsync(chromium, server, 320, 560);
        ICDPSession browser = await opened.Page.Context.NewCDPSessionAsync(opened.Page);
        string agent = await opened.Page.EvaluateAsync<string>("navigator.userAgent");
        foreach (string code in Official)
        {
            Dictionary<string, string> texts = Read(code);
            await browser.SendAsync("Emulation.setUserAgentOverride", new Dictionary<string, object> { ["userAgent"] = agent, ["acceptLanguage"] = $"{code}-EU,en" });
            await opened.ReloadAsync();

            Assert.Equal($"{code} ltr", await opened.Page.EvaluateAsync<string>("document.documentElement.lang + ' ' + document.documentElement.dir"));
            Assert.Equal(texts["welcomeTitle"], await opened.Page.Locator("#welcome-title").TextContentAsync());
            await opened.Page.Locator("#settings-open").ClickAsync();
            Assert.Empty(await opened.ListAsync("""
                [...document.querySelectorAll('[data-text],[data-label],[data-placeholder],button,label,small')]
                  .filter(x => x.id !== 'key-problem' && ((x.textContent + (x.ariaLabel ?? '') + (x.placeholder ?? '')).trim() === '' || /undefined|\{\w+\}/.test(x.textContent + x.ariaLabel)))
                  .map(x => x.outerHTML.slice(0, 200))
                """));
            Assert.Empty(await opened.ListAsync("""
                [document.documentElement, ...document.querySelectorAll('dialog, main, header, nav, footer')]
                  .filter(x => x.scrollWidth > x.clientWidth && x.clientWidth > 0).map(x => x.localName + ' ' + x.scrollWidth + ' > ' + x.clientWidth)
                """));
            if (code is "mt") await opened.PictureAsync("phone-settings-mt");
        }
        await opened.AssertCleanAsync();
    }

    [Fact(Timeout = 60_000)]
    public async Task A_language_chosen_by_hand_is_kept_and_an_unknown_wish_means_English()
    {
        await using RunningServer server = await RunningServer.StartAsync(new ScriptedEngine());
        await using OpenedPage opened = await OpenedPage.OpenAsync(chromium, server, locale: "ja-JP");
        await opened.Button("Settings").ClickAsync();
        await opened.Page.GetByLabel("Language", new() { Exact = true }).SelectOptionAsync(new SelectOptionValue { Label = "Gaeilge" });
        await opened.Button("Save").ClickAsync();

        await Assertions.Expect(opened.Page.Locator("html")).ToHaveAttributeAsync("lang", "ga");
        await opened.ReloadAsync();
        await Assertions.Expect(opened.Page.Locator("#welcome-title")).ToHaveTextAsync("Cuir ceist i do theanga féin");
        await opened.AssertCleanAsync();
    }

    private static IEnumerable<string> Resources(string start) => typeof(GatewayHost).Assembly.GetManifestResourceNames()
        .Where(name => name.StartsWith("Page/" + start, StringComparison.Ordinal));

    private static string ReadText(string resource)
    {
        using var reader = new StreamReader(typeof(GatewayHost).Assembly.GetManifestResourceStream(resource)!);
        return reader.ReadToEnd();
    }

    private static Dictionary<string, string> Read(string code)
    {
        using JsonDocument document = JsonDocument.Parse(ReadText($"Page/languages/{code}.json"));
        return document.RootElement.EnumerateObject().ToDictionary(text => text.Name, text => text.Value.GetString()!, StringComparer.Ordinal);
    }

    private static IEnumerable<string> PlacesOf(string text) => Place().Matches(text).Select(match => match.Value).Order(StringComparer.Ordinal);

    [GeneratedRegex(@"\{\w+\}")]
    private static partial Regex Place();

    [GeneratedRegex("\"(\\w+)\"")]
    private static partial Regex QuotedWord();

    [GeneratedRegex("(?:\\btext\\(|data-(?:text|label|placeholder)=)\"(\\w+)\"")]
    private static partial Regex AskedText();
}
