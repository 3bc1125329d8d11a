using System.Text.Json;
using Microsoft.Playwright;
using OpenEuroLLM.Inference;
using OpenEuroLLM.Serving.Security;

namespace OpenEuroLLM.Serving.Tests.Page;

/// <summary>Conversations on the chat page, in a real browser against a real server.</summary>
public sealed class ConversationTests(Chromium chromium) : IClassFixture<Chromium>
{
    [Fact(Timeout = 60_000)]
    public async Task An_answer_comes_piece_by_piece_and_can_be_stopped()
    {
        var gate = new TaskCompletionSource();
        var left = new TaskCompletionSource();
        var engine = new ScriptedEngine
        {
            Script = (_, cancellation) => ScriptedEngine.Gated(gate.Task,
                [new GenerationEvent.Text(0, "Helsinki "), new GenerationEvent.Text(0, "<b>is</b>")],
                [new GenerationEvent.Text(0, " the capital."), new GenerationEvent.Finished(0, FinishReason.Stop, new Usage(9, 6))], cancellation),
        };
        await using RunningServer server = await RunningServer.StartAsync(engine);
        await using OpenedPage opened = await OpenedPage.OpenAsync(chromium, server);

        // The field has the focus from the start.
        await opened.Page.Keyboard.TypeAsync("What is the capital of Finland?");
        await opened.Page.Keyboard.PressAsync("Enter");
        await Assertions.Expect(opened.LastAnswer).ToHaveTextAsync("Helsinki <b>is</b>");
        await Assertions.Expect(opened.Button("Stop")).ToBeVisibleAsync();
        await Assertions.Expect(opened.Prompt).ToBeFocusedAsync();
        gate.SetResult();
        await Assertions.Expect(opened.LastAnswer).ToHaveTextAsync("Helsinki <b>is</b> the capital.");
        await Assertions.Expect(opened.Page.Locator("#log")).ToContainTextAsync("the capital.");
        await Assertions.Expect(opened.Page.Locator(".counts")).ToContainTextAsync("Tokens: 6 (input: 9) · Tokens per second: ");
        await Assertions.Expect(opened.Page.Locator(".counts")).ToContainTextAsync("Context used: 15 of 128 (12%)");

        // The next turn carries the first one, and is stopped by Escape.
        engine.Script = (_, cancellation) =>
        {
            cancellation.Register(left.SetResult);
            return ScriptedEngine.Gated(new TaskCompletionSource().Task, [new GenerationEvent.Text(0, "Yes")], [], cancellation);
        };
        await opened.Page.Keyboard.TypeAsync("Sure?");
        await opened.Page.Keyboard.PressAsync("Enter");
        await Assertions.Expect(opened.LastAnswer).ToHaveTextAsync("Yes");
        await opened.Page.Keyboard.PressAsync("Escape");
        await left.Task.WaitAsync(TestContext.Current.CancellationToken);
        await Assertions.Expect(opened.Page.Locator(".assistant .note").Last).ToHaveTextAsync("Stopped.");
        await opened.DoneAsync();
        Assert.Equal(
            ["user: What is the capital of Finland?", "assistant: Helsinki <b>is</b> the capital.", "user: Sure?"],
            PageScripts.MessagesOf(engine.Requests.Last()));
        await opened.AssertCleanAsync();
    }

    [Fact(Timeout = 60_000)]
    public async Task Retrying_and_editing_make_branches_that_a_reload_keeps()
    {
        int answers = 0;
        var engine = new ScriptedEngine { Script = (_, _) => ScriptedEngine.Events(PageScripts.Pieces($"Answer number {++answers}.")) };
        await using RunningServer server = await RunningServer.StartAsync(engine);
        await using OpenedPage opened = await OpenedPage.OpenAsync(chromium, server);

        await opened.AskAsync("First question");
        await opened.AskAsync("Second question");
        await opened.Page.Locator(".assistant").Last.GetByText("Try again").ClickAsync();
        await Assertions.Expect(opened.LastAnswer).ToHaveTextAsync("Answer number 3.");
        await opened.DoneAsync();
        Assert.Equal(["user: First question", "assistant: Answer number 1.", "user: Second question"], PageScripts.MessagesOf(engine.Requests.Last()));
        await opened.Button("Previous version").ClickAsync();
        await Assertions.Expect(opened.LastAnswer).ToHaveTextAsync("Answer number 2.");
        await Assertions.Expect(opened.Button("Next version")).ToBeFocusedAsync();

        await opened.Page.Locator(".user").First.GetByText("Edit").ClickAsync();
        await opened.Page.GetByLabel("Change your message").FillAsync("Another first question");
        await opened.Page.Keyboard.PressAsync("Enter");
        await Assertions.Expect(opened.LastAnswer).ToHaveTextAsync("Answer number 4.");
        await opened.DoneAsync();
        Assert.Equal(["user: Another first question"], PageScripts.MessagesOf(engine.Requests.Last()));
        await Assertions.Expect(opened.Page.Locator("#messages > li")).ToHaveCountAsync(2);

        await opened.ReloadAsync();
        await opened.Page.Locator("nav .open").ClickAsync();
        await Assertions.Expect(opened.LastAnswer).ToHaveTextAsync("Answer number 4.");
        await Assertions.Expect(opened.Page.Locator(".user")).ToContainTextAsync("Version 2 of 2");
        await opened.Button("Previous version").ClickAsync();
        await Assertions.Expect(opened.Page.Locator("#messages > li")).ToHaveCountAsync(4);
        await Assertions.Expect(opened.LastAnswer).ToHaveTextAsync("Answer number 3.");
        await opened.AssertCleanAsync();
    }

    [Fact(Timeout = 60_000)]
    public async Task Conversations_are_listed_opened_and_deleted()
    {
        await using RunningServer server = await RunningServer.StartAsync(PageScripts.Answering("Good."));
        await using OpenedPage opened = await OpenedPage.OpenAsync(chromium, server);
        await opened.AskAsync("About the sea");
        await opened.Button("New chat").ClickAsync();
        await opened.AskAsync("About the mountains");
        await opened.Page.Locator("#toggle").ClickAsync();

        ILocator rows = opened.Page.Locator("nav .open");
        await Assertions.Expect(rows).ToHaveTextAsync(["About the mountains", "About the sea"]);
        await rows.Nth(1).ClickAsync();
        await Assertions.Expect(opened.Page.Locator(".user .text")).ToHaveTextAsync("About the sea");
        await Assertions.Expect(rows.Nth(1)).ToHaveAttributeAsync("aria-current", "true");

        await opened.Button("Delete “About the sea”").ClickAsync();
        await opened.Button("Cancel").ClickAsync();
        await Assertions.Expect(rows).ToHaveCountAsync(2);
        await opened.Button("Delete “About the sea”").ClickAsync();
        await opened.Button("Delete").ClickAsync();
        await Assertions.Expect(rows).ToHaveTextAsync(["About the mountains"]);
        await Assertions.Expect(opened.Page.Locator("#welcome")).ToBeVisibleAsync();
        await opened.ReloadAsync();
        await Assertions.Expect(rows).ToHaveTextAsync(["About the mountains"]);

        await opened.Button("Delete all").ClickAsync();
        await opened.Button("Delete").ClickAsync();
        await opened.ReloadAsync();
        await Assertions.Expect(rows).ToHaveCountAsync(0);
        await opened.AssertCleanAsync();
    }

    [Fact(Timeout = 60_000)]
    public async Task A_conversation_leaves_as_a_file_and_comes_back()
    {
        await using RunningServer server = await RunningServer.StartAsync(PageScripts.Answering("It is **Helsinki**."));
        await using OpenedPage opened = await OpenedPage.OpenAsync(chromium, server);
        await opened.AskAsync("What is the capital of Finland?");
        await opened.Page.Locator("#toggle").ClickAsync();

        string markdown = await DownloadAsync(opened, "Export as Markdown", "What-is-the-capital-of-Finland.md");
        Assert.StartsWith("# What is the capital of Finland?\n", markdown, StringComparison.Ordinal);
        Assert.Contains("\n## You\n\nWhat is the capital of Finland?\n\n## Answer (test-model)\n\nIt is **Helsinki**.\n", markdown, StringComparison.Ordinal);
        string json = await DownloadAsync(opened, "Export as JSON", "What-is-the-capital-of-Finland.json");
        using JsonDocument document = JsonDocument.Parse(json);
        Assert.Equal("It is **Helsinki**.", document.RootElement.GetProperty("conversations")[0].GetProperty("turns")[1].GetProperty("text").GetString());

        await opened.Button("Delete all").ClickAsync();
        await opened.Button("Delete").ClickAsync();
        await ImportAsync(opened, """{ "format": "oellm-conversations", "version": 1, "conversations": [{ "id": "x", "turns": 7 }] }""");
        await Assertions.Expect(opened.Page.Locator("#notice")).ToHaveTextAsync("This file holds no conversations that can be read here.");
        await ImportAsync(opened, json);
        await Assertions.Expect(opened.Page.Locator("#notice")).ToHaveTextAsync("Conversations imported: 1");
        await opened.Page.Locator("nav .open").ClickAsync();
        await Assertions.Expect(opened.LastAnswer.Locator("strong")).ToHaveTextAsync("Helsinki");
        Assert.Equal(json, await DownloadAsync(opened, "Export all", "What-is-the-capital-of-Finland.json"));
        await opened.AssertCleanAsync();
    }

    [Fact(Timeout = 60_000)]
    public async Task Settings_reach_the_engine_within_the_ranges_that_are_shown()
    {
        ScriptedEngine engine = PageScripts.Answering("Yes.");
        await using RunningServer server = await RunningServer.StartAsync(engine);
        await using OpenedPage opened = await OpenedPage.OpenAsync(chromium, server);

        await opened.Button("Settings").ClickAsync();
        await Assertions.Expect(opened.Page.Locator("#sampling-temperature-range")).ToHaveTextAsync("0 to 2");
        await opened.Page.GetByLabel("System prompt").FillAsync("Answer in one word.");
        await opened.Page.GetByLabel("Temperature").FillAsync("3");
        await opened.Button("Save").ClickAsync();
        await Assertions.Expect(opened.Page.Locator("#settings-problem")).ToHaveTextAsync("Temperature: 0 to 2");
        await Assertions.Expect(opened.Page.GetByLabel("Temperature")).ToBeFocusedAsync();
        await opened.Page.GetByLabel("Temperature").FillAsync("0.5");
        await opened.Page.GetByLabel("Number of candidates").FillAsync("40");
        await opened.Page.GetByLabel("Share of likelihood").FillAsync("0.9");
        await opened.Page.GetByLabel("Least likelihood").FillAsync("0.05");
        await opened.Page.GetByLabel("Repetition penalty").FillAsync("1.1");
        await Assertions.Expect(opened.Page.Locator("#sampling-presence_penalty-range")).ToHaveTextAsync("-2 to 2");
        await opened.Page.GetByLabel("Presence penalty").FillAsync("-0.5");
        await opened.Page.GetByLabel("Frequency penalty").FillAsync("0.25");
        await opened.Page.GetByLabel("Random seed").FillAsync("7");
        await opened.Page.GetByLabel("Longest answer").FillAsync("20");
        await opened.Page.GetByLabel("Texts that end").FillAsync("###\nEND");
        await opened.Button("Save").ClickAsync();
        await opened.AskAsync("Well?");
        await opened.ReloadAsync();
        await opened.AskAsync("And now?");

        Assert.Equal(["system: Answer in one word.", "user: And now?"], PageScripts.MessagesOf(engine.Requests.Last()));
        Assert.All(engine.Requests, request =>
        {
            Assert.Equal((0.5, 40, 0.9, 1.1, 7UL), (request.Sampling!.Temperature, request.Sampling.TopK, request.Sampling.TopP, request.Sampling.RepetitionPenalty, request.Sampling.Seed));
            Assert.Equal((0.05, -0.5, 0.25), (request.Sampling.MinP, request.Sampling.PresencePenalty, request.Sampling.FrequencyPenalty));
            Assert.Equal(20, request.MaxTokens);
            Assert.Equal(["###", "END"], request.Stop);
        });
        await opened.AssertCleanAsync();
    }

    [Fact(Timeout = 60_000)]
    public async Task An_error_is_shown_in_the_servers_words_and_the_question_can_be_tried_again()
    {
        var engine = new ScriptedEngine
        {
            Script = (_, _) => throw new RequestException("messages", "The conversation has 200 tokens; the model takes 128.", RequestErrorCode.ContextLengthExceeded),
        };
        await using RunningServer server = await RunningServer.StartAsync(engine);
        await using OpenedPage opened = await OpenedPage.OpenAsync(chromium, server);

        await opened.AskAsync("much too long");
        await Assertions.Expect(opened.Page.Locator(".assistant .alarm")).ToHaveTextAsync(
            "Not answered: The conversation has 200 tokens; the model takes 128. A new chat forgets the earlier messages and makes room.");
        engine.Script = new ScriptedEngine().Script;
        await opened.Button("Try again").ClickAsync();
        await Assertions.Expect(opened.LastAnswer).ToHaveTextAsync("Dobrý den");
        await opened.DoneAsync();
        await server.StopAsync();
        await opened.AskAsync("Still there?");
        await Assertions.Expect(opened.Page.Locator(".assistant .alarm")).ToHaveTextAsync("Not answered: The server does not answer. Is it still running?");
    }

    [Fact(Timeout = 60_000)]
    public async Task A_key_that_the_server_demands_is_asked_for_and_lives_as_long_as_the_tab()
    {
        DirectoryInfo folder = Directory.CreateTempSubdirectory("oellm-keys-");
        string store = Path.Combine(folder.FullName, "keys.json");
        var keys = new KeyStore(store);
        (ApiKey Key, string Text) Add() => keys.Add(new ApiKey("", "a test", "", KeyScope.Usual, default, null, null, null, null, null));
        (ApiKey first, string text) = Add();
        string second = Add().Text;
        ScriptedEngine engine = PageScripts.Answering("Yes.");
        await using (RunningServer server = await RunningServer.StartAsync(engine, new ServerOptions(Security: new SecurityOptions(store))))
        {
            await using OpenedPage opened = await OpenedPage.OpenAsync(chromium, server, ready: false);
            ILocator field = opened.Page.GetByLabel("Key", new() { Exact = true });
            foreach (string key in (string[])["wrong", text])
            {
                await Assertions.Expect(opened.Page.Locator("#key-problem")).ToContainTextAsync("key");
                await Assertions.Expect(field).ToBeFocusedAsync();
                await Assertions.Expect(field).ToHaveValueAsync("");
                await opened.Page.Keyboard.TypeAsync(key);
                await opened.Page.Keyboard.PressAsync("Enter");
            }
            await opened.ReadyAsync();
            await opened.AskAsync("Open?");
            await Assertions.Expect(opened.LastAnswer).ToHaveTextAsync("Yes.");
            Assert.Equal(first.Id, engine.Requests.Last().CacheSalt);

            await opened.ReloadAsync();
            Assert.Equal("test-model", await opened.Page.Locator("#model").InputValueAsync());
            Assert.Equal(0, await opened.IntAsync("Object.values(localStorage).filter(value => value.includes('oellm_')).length"));

            // A key that is revoked while the page is open: it asks for another one, and the question waits.
            keys.Revoke(first.Id);
            await opened.Prompt.FillAsync("Still open?");
            await opened.Prompt.PressAsync("Enter");
            await field.FillAsync(second);
            await opened.PictureAsync("key");
            await opened.Page.Keyboard.PressAsync("Enter");
            await Assertions.Expect(opened.LastAnswer).ToHaveTextAsync("Yes.");
            await opened.DoneAsync();

            await opened.Button("Settings").ClickAsync();
            await opened.Button("Forget the key").ClickAsync();
            Assert.Equal(0, await opened.IntAsync("sessionStorage.length"));
            await opened.AssertCleanAsync();
        }
        folder.Delete(recursive: true);
    }

    [Fact(Timeout = 60_000)]
    public async Task A_browser_that_keeps_nothing_is_told_and_still_converses()
    {
        await using RunningServer server = await RunningServer.StartAsync(PageScripts.Answering("Good."));
        await using OpenedPage opened = await OpenedPage.OpenAsync(chromium, server);
        await opened.Page.AddInitScriptAsync("for (const name of ['indexedDB', 'localStorage', 'sessionStorage']) Object.defineProperty(window, name, { get() { throw new DOMException('off', 'SecurityError'); } });");
        await opened.ReloadAsync();

        await Assertions.Expect(opened.Page.Locator("#notice")).ToHaveTextAsync("This browser keeps nothing here: the conversations end with this tab.");
        await opened.AskAsync("Well?");
        await Assertions.Expect(opened.LastAnswer).ToHaveTextAsync("Good.");
        await opened.Page.Locator("#toggle").ClickAsync();
        await Assertions.Expect(opened.Page.Locator("nav .open")).ToHaveTextAsync(["Well?"]);
        await opened.AssertCleanAsync();
    }

    private static async Task<string> DownloadAsync(OpenedPage opened, string button, string name)
    {
        IDownload download = await opened.Page.RunAndWaitForDownloadAsync(() => opened.Button(button).ClickAsync());
        Assert.Equal(name, download.SuggestedFilename);
        return await File.ReadAllTextAsync(await download.PathAsync(), TestContext.Current.CancellationToken);
    }

    private static Task ImportAsync(OpenedPage opened, string json) => opened.Page.Locator("#import-file").SetInputFilesAsync(
        new FilePayload { Name = "conversations.json", MimeType = "application/json", Buffer = System.Text.Encoding.UTF8.GetBytes(json) });
}
