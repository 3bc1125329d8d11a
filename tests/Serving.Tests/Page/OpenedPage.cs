using Microsoft.Playwright;

namespace OpenEuroLLM.Serving.Tests.Page;

/// <summary>The chat page of a running server in a browser context of its own, with everything that went wrong in it.</summary>
internal sealed class OpenedPage : IAsyncDisposable
{
    /// <summary>Counts what the page's policy stopped; runs before the page's own scripts.</summary>
    private const string CountViolations = """
        window.violations = [];
        document.addEventListener('securitypolicyviolation', event => window.violations.push(event.violatedDirective + ' ' + event.blockedURI));
        """;

    private readonly List<string> complaints = [];
    private readonly IBrowserContext context;

    private OpenedPage(IBrowserContext context, IPage page)
    {
        this.context = context;
        Page = page;
    }

    public IPage Page { get; }

    public ILocator Prompt => Page.Locator("#prompt");

    public ILocator LastAnswer => Page.Locator(".assistant .text").Last;

    public static async Task<OpenedPage> OpenAsync(
        Chromium chromium, RunningServer server, int width = 1280, int height = 800, string locale = "en-GB", ColorScheme scheme = ColorScheme.Light,
        bool ready = true)
    {
        IBrowserContext context = await chromium.Browser.NewContextAsync(new()
        {
            ViewportSize = new() { Width = width, Height = height },
            Locale = locale,
            ColorScheme = scheme,
            AcceptDownloads = true,
            Permissions = ["clipboard-read", "clipboard-write"],
        });
        await context.AddInitScriptAsync(CountViolations);
        IPage page = await context.NewPageAsync();
        page.SetDefaultTimeout(10_000);
        var opened = new OpenedPage(context, page);
        page.PageError += (_, problem) => opened.complaints.Add(problem);
        page.Dialog += (_, dialog) => opened.complaints.Add("a dialog of the browser: " + dialog.Message);
        page.Console += (_, message) =>
        {
            // A refused request is the test's own doing; the page shows it in words.
            if (message.Type is "error" or "warning" && !message.Text.StartsWith("Failed to load resource", StringComparison.Ordinal)) opened.complaints.Add(message.Text);
        };
        page.Request += (_, request) =>
        {
            if (!request.Url.StartsWith(server.Address.ToString(), StringComparison.Ordinal) && !request.Url.StartsWith("blob:", StringComparison.Ordinal))
                opened.complaints.Add("a request to elsewhere: " + request.Url);
        };
        await page.GotoAsync(server.Address.ToString());
        if (ready) await opened.ReadyAsync();
        return opened;
    }

    /// <summary>Waits until the page has found its models.</summary>
    public Task ReadyAsync() => Assertions.Expect(Page.Locator("body[data-ready]")).ToBeAttachedAsync();

    public async Task ReloadAsync()
    {
        await Page.ReloadAsync();
        await ReadyAsync();
    }

    public ILocator Button(string name) => Page.GetByRole(AriaRole.Button, new() { Name = name, Exact = true });

    /// <summary>Sends a message and waits until its answer is complete.</summary>
    public async Task AskAsync(string text)
    {
        int answers = await Page.Locator(".assistant").CountAsync();
        await Prompt.FillAsync(text);
        await Prompt.PressAsync("Enter");
        await Assertions.Expect(Page.Locator(".assistant")).ToHaveCountAsync(answers + 1);
        await DoneAsync();
    }

    /// <summary>Waits until no answer is being written.</summary>
    public async Task DoneAsync()
    {
        await Assertions.Expect(Page.Locator("#send")).ToBeVisibleAsync();
        await Assertions.Expect(Page.Locator("[aria-busy]")).ToHaveCountAsync(0);
    }

    public Task<int> IntAsync(string script) => Page.EvaluateAsync<int>(script);

    public Task<string[]> ListAsync(string script) => Page.EvaluateAsync<string[]>(script);

    /// <summary>Fails when the page has complained about anything, or its policy had to stop something.</summary>
    public async Task AssertCleanAsync()
    {
        Assert.Empty(await ListAsync("window.violations"));
        Assert.Empty(complaints);
    }

    /// <summary>Saves a picture in the folder that OELLM_SCREENSHOTS names, to be looked at.</summary>
    public async Task PictureAsync(string name)
    {
        if (Environment.GetEnvironmentVariable("OELLM_SCREENSHOTS") is not { Length: > 0 } folder) return;
        await Page.ScreenshotAsync(new() { Path = Path.Combine(folder, name + ".png") });
    }

    public async ValueTask DisposeAsync() => await context.DisposeAsync();
}
