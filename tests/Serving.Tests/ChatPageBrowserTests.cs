using Microsoft.Playwright;
using OpenEuroLLM.Inference;

namespace OpenEuroLLM.Serving.Tests;

/// <summary>The chat page in a real browser.</summary>
public sealed class ChatPageBrowserTests(Chromium chromium) : IClassFixture<Chromium>
{
    private readonly List<string> complaints = [];

    [Fact(Timeout = 60_000)]
    public async Task A_message_is_answered_piece_by_piece_and_can_be_stopped()
    {
        var gate = new TaskCompletionSource();
        var left = new TaskCompletionSource();
        var engine = new ScriptedEngine
        {
            Script = (_, cancellation) => ScriptedEngine.Gated(gate.Task,
                [new GenerationEvent.Text(0, "Helsinki "), new GenerationEvent.Text(0, "<b>is</b> ")],
                [new GenerationEvent.Text(0, "the capital."), new GenerationEvent.Finished(0, FinishReason.Stop, new Usage(9, 6))], cancellation),
        };
        await using RunningServer server = await RunningServer.StartAsync(engine);
        IPage page = await OpenAsync(server);

        // A whole turn by keyboard alone: the field has the focus from the start.
        await page.Keyboard.TypeAsync("What is the capital of Finland?");
        await page.Keyboard.PressAsync("Enter");
        ILocator answer = page.Locator(".assistant .text").Last;
        await Assertions.Expect(answer).ToHaveTextAsync("Helsinki <b>is</b> ");
        await Assertions.Expect(page.GetByRole(AriaRole.Button, new() { Name = "Stop" })).ToBeVisibleAsync();
        await Assertions.Expect(page.Locator("#prompt")).ToBeFocusedAsync();
        gate.SetResult();
        await Assertions.Expect(answer).ToHaveTextAsync("Helsinki <b>is</b> the capital.");
        await Assertions.Expect(page.GetByRole(AriaRole.Status)).ToContainTextAsync("the capital.");

        // The next turn carries the first one, and is stopped by Escape.
        engine.Script = (_, cancellation) =>
        {
            cancellation.Register(left.SetResult);
            return ScriptedEngine.Gated(new TaskCompletionSource().Task, [new GenerationEvent.Text(0, "Yes")], [], cancellation);
        };
        await page.Keyboard.TypeAsync("Sure?");
        await page.Keyboard.PressAsync("Enter");
        await Assertions.Expect(answer).ToHaveTextAsync("Yes");
        await page.Keyboard.PressAsync("Escape");
        await left.Task.WaitAsync(TestContext.Current.CancellationToken);
        await Assertions.Expect(page.Locator(".assistant .note").Last).ToHaveTextAsync("Stopped.");
        await Assertions.Expect(page.GetByRole(AriaRole.Button, new() { Name = "Send" })).ToBeVisibleAsync();
        Assert.Equal(
            ["user: What is the capital of Finland?", "assistant: Helsinki <b>is</b> the capital.", "user: Sure?"],
            Assert.IsType<GenerationInput.Messages>(engine.Requests.Last().Input).Items.Select(message => $"{message.Role}: {message.Content}"));

        // A new chat forgets everything.
        await page.GetByRole(AriaRole.Button, new() { Name = "New chat" }).ClickAsync();
        engine.Script = new ScriptedEngine().Script;
        await page.GetByRole(AriaRole.Button, new() { Name = "Was ist die Hauptstadt von Portugal?" }).ClickAsync();
        await Assertions.Expect(answer).ToHaveTextAsync("Dobrý den");
        Assert.Single(Assert.IsType<GenerationInput.Messages>(engine.Requests.Last().Input).Items);
        Assert.Empty(complaints);
    }

    [Fact]
    public async Task An_error_is_shown_in_words_and_the_message_is_kept()
    {
        var engine = new ScriptedEngine
        {
            Script = (_, _) => throw new RequestException("messages", "The conversation has 200 tokens; the model takes 128.", RequestErrorCode.ContextLengthExceeded),
        };
        await using RunningServer server = await RunningServer.StartAsync(engine);
        IPage page = await OpenAsync(server);

        await page.GetByLabel("Your message").FillAsync("much too long");
        await page.GetByRole(AriaRole.Button, new() { Name = "Send" }).ClickAsync();

        await Assertions.Expect(page.Locator(".alarm")).ToHaveTextAsync("Not answered: The conversation has 200 tokens; the model takes 128.");
        await Assertions.Expect(page.Locator(".assistant .note").Last).ToContainTextAsync("A new chat");
        await Assertions.Expect(page.GetByLabel("Your message")).ToHaveValueAsync("much too long");
    }

    [Theory]
    [InlineData(1280, 800)]
    [InlineData(320, 560)]
    public async Task Nothing_is_wider_than_the_window_and_every_control_has_a_name(int width, int height)
    {
        await using RunningServer server = await RunningServer.StartAsync(new ScriptedEngine());
        IPage page = await OpenAsync(server, width, height);
        await page.GetByLabel("Your message").FillAsync(new string('w', 400));
        await page.Keyboard.PressAsync("Enter");
        await Assertions.Expect(page.Locator(".assistant .text")).ToHaveTextAsync("Dobrý den");
        await page.Keyboard.TypeAsync("Once more");
        await page.Keyboard.PressAsync("Enter");
        await Assertions.Expect(page.Locator(".assistant .text").Last).ToHaveTextAsync("Dobrý den");
        await Assertions.Expect(page.Locator(".assistant .note").Last).ToBeInViewportAsync(new() { Ratio = 1 });
        Assert.Equal(width, await page.EvaluateAsync<int>("document.documentElement.scrollWidth"));
        Assert.True(await page.EvaluateAsync<bool>("document.querySelector('main').scrollWidth <= document.querySelector('main').clientWidth"));
        Assert.Equal(0, await page.EvaluateAsync<int>(
            "[...document.querySelectorAll('button, textarea')].filter(x => !(x.textContent.trim() || x.labels?.length)).length"));
        Assert.Empty(complaints);
    }

    private async Task<IPage> OpenAsync(RunningServer server, int width = 1280, int height = 800)
    {
        IPage page = await chromium.Browser.NewPageAsync(new() { ViewportSize = new() { Width = width, Height = height } });
        page.SetDefaultTimeout(10_000);
        page.PageError += (_, problem) => complaints.Add(problem);
        page.Console += (_, message) =>
        {
            if (message.Type is "error" or "warning") complaints.Add(message.Text);
        };
        await page.GotoAsync(server.Address.ToString());
        await Assertions.Expect(page.Locator("#model")).ToHaveTextAsync("test-model");
        return page;
    }
}
