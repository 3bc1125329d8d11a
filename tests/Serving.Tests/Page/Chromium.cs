using Microsoft.Playwright;

namespace OpenEuroLLM.Serving.Tests.Page;

/// <summary>One headless browser for a class of tests; a test that asks for it is skipped where there is none.</summary>
public sealed class Chromium : IAsyncLifetime
{
    private const string Program = "/usr/bin/chromium";
    private IPlaywright? playwright;
    private IBrowser? browser;
    private string? obstacle;

    public IBrowser Browser
    {
        get
        {
            Assert.SkipWhen(obstacle is not null, obstacle ?? "");
            return browser!;
        }
    }

    public async ValueTask InitializeAsync()
    {
        if (!File.Exists(Program))
        {
            obstacle = "needs the Debian package chromium";
            return;
        }
        try
        {
            playwright = await Playwright.CreateAsync();
        }
        catch (PlaywrightException problem)
        {
            obstacle = "needs the driver that comes with Microsoft.Playwright: " + problem.Message;
            return;
        }
        browser = await playwright.Chromium.LaunchAsync(new BrowserTypeLaunchOptions
        {
            ExecutablePath = Program,
            Args = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"],
        });
    }

    public async ValueTask DisposeAsync()
    {
        if (browser is not null) await browser.DisposeAsync();
        playwright?.Dispose();
    }
}
