using OpenEuroLLM.Core;

namespace OpenEuroLLM.Inference.Tests;

public sealed class InferenceEngineTests : IDisposable
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(20);
    private readonly TestFolder _folder = new();

    private FadingModel Model(int pages = 32) => new(_folder.Tokenizer.VocabularySize, pages: pages);

    private InferenceEngine Engine(FadingModel model, EngineLimits? limits = null, IClock? clock = null) =>
        new(model, _folder.Tokenizer, _folder.Path, limits, clock: clock);

    private static GenerationRequest Text(string text, int maxTokens = 12, ulong seed = 1, double temperature = 1) =>
        new(new GenerationInput.TextInput(text), new Sampling(temperature, Seed: seed), maxTokens);

    private static async Task<List<GenerationEvent>> Collect(InferenceEngine engine, GenerationRequest request)
    {
        var events = new List<GenerationEvent>();
        await foreach (var happened in engine.Generate(request, TestContext.Current.CancellationToken)) events.Add(happened);
        return events;
    }

    private static int[] Ids(IEnumerable<GenerationEvent> events, int choice = 0) =>
        [.. events.OfType<GenerationEvent.Token>().Where(token => token.Choice == choice).Select(token => token.Id)];

    private static string Shown(IEnumerable<GenerationEvent> events, int choice = 0) =>
        string.Concat(events.OfType<GenerationEvent.Text>().Where(text => text.Choice == choice).Select(text => text.Value));

    private static GenerationEvent.Finished End(IEnumerable<GenerationEvent> events, int choice = 0) =>
        events.OfType<GenerationEvent.Finished>().Single(finished => finished.Choice == choice);

    private static Task<T> Background<T>(Func<Task<T>> work) => Task.Run(work, TestContext.Current.CancellationToken);

    private static Task Background(Func<Task> work) => Task.Run(work, TestContext.Current.CancellationToken);

    [Fact]
    public async Task A_greedy_answer_is_the_most_likely_token_of_each_whole_history()
    {
        var model = Model();
        model.Bias[_folder.Tokenizer.Chat.EndOfTurn] = model.Bias[_folder.Tokenizer.Chat.EndOfText] = -1000;
        await using var engine = Engine(model, new EngineLimits(BatchRows: 4, Sequences: 2));
        int[] prompt = [_folder.Tokenizer.Chat.BeginOfText, .. _folder.Tokenizer.Encode("what a hello world")];
        int[] found = Ids(await Collect(engine, Text("what a hello world", temperature: 0)));

        // Without cache, batch and scheduler: the whole history again for every token.
        var history = new List<int>(prompt);
        var logits = new float[model.VocabularySize];
        while (history.Count < prompt.Length + 12)
        {
            using var sequence = model.Begin(history.Count);
            model.Step(history.ToArray(), [new BatchPart(sequence, history.Count)], [history.Count - 1], logits);
            history.Add(logits.AsSpan().IndexOf(logits.Max()));
        }

        Assert.Equal(history.Skip(prompt.Length), found);
    }

    [Fact]
    public async Task An_answer_is_the_same_alone_and_in_company_however_steps_are_cut()
    {
        GenerationRequest[] requests =
        [
            .. Enumerable.Range(0, 24).Select(i => Text(new string((char)('a' + i), 1 + i) + " hello", 3 + i % 9, (ulong)i, i % 3 * 0.7) with
            {
                Choices = 1 + i % 3, Priority = i % 2,
            }),
        ];
        var alone = new List<List<GenerationEvent>>();
        await using (var engine = Engine(Model()))
            foreach (var request in requests) alone.Add(await Collect(engine, request));

        foreach (var limits in (EngineLimits[])[new(BatchRows: 5, Sequences: 5), new(BatchRows: 64, Sequences: 16), new(BatchRows: 9, Sequences: 3)])
        {
            int mostParts = 0, mostRows = 0, mixed = 0;
            var model = Model();
            model.OnStep = rows =>
            {
                (mostParts, mostRows) = (Math.Max(mostParts, rows.Length), Math.Max(mostRows, rows.Sum()));
                if (rows.Contains(1) && rows.Any(count => count > 1)) mixed++;
            };
            await using var engine = Engine(model, limits);
            var together = await Task.WhenAll(requests.Select(request => Background(() => Collect(engine, request))));
            for (int i = 0; i < requests.Length; i++)
                for (int choice = 0; choice < requests[i].Choices; choice++)
                {
                    Assert.Equal(Ids(alone[i], choice), Ids(together[i], choice));
                    Assert.Equal(Shown(alone[i], choice), Shown(together[i], choice));
                    Assert.Equal(End(alone[i], choice), End(together[i], choice));
                }

            Assert.InRange(mostRows, 2, limits.BatchRows);
            Assert.InRange(mostParts, 2, limits.Sequences);
            Assert.True(mixed > 0, "no step held pieces of prompts beside rows of answers");
        }
    }

    [Fact]
    public async Task Choices_differ_and_a_seed_repeats_them()
    {
        await using var engine = Engine(Model());
        var request = Text("hello") with { Choices = 3 };
        var first = await Collect(engine, request);
        var second = await Collect(engine, request);
        Assert.Equal(3, Enumerable.Range(0, 3).Select(choice => string.Join(' ', Ids(first, choice))).Distinct().Count());
        Assert.All(Enumerable.Range(0, 3), choice => Assert.Equal(Ids(first, choice), Ids(second, choice)));
        Assert.NotEqual(Ids(first), Ids(await Collect(engine, Text("hello", seed: 2))));
    }

    [Fact]
    public async Task Usage_counts_prompt_and_answer_and_the_length_ends_it()
    {
        await using var engine = Engine(Model());
        var events = await Collect(engine, Text("hello", maxTokens: 5));
        int prompt = 1 + _folder.Tokenizer.Encode("hello").Length;
        var end = End(events);
        Assert.Equal((FinishReason.Length, new Usage(prompt, 5)), (end.Reason, end.Usage));
        Assert.Equal(5, Ids(events).Length);
        Assert.IsType<GenerationEvent.Finished>(events[^1]);
    }

    [Fact]
    public async Task The_cache_is_free_before_the_end_is_announced()
    {
        var model = Model();
        await using var engine = Engine(model);
        for (int i = 0; i < 50; i++)
        {
            await foreach (var happened in engine.Generate(Text("hello", 2, (ulong)i), TestContext.Current.CancellationToken))
                if (happened is GenerationEvent.Finished) Assert.Equal(32, model.FreePages);
        }
    }

    [Fact]
    public async Task An_answer_without_a_limit_ends_with_the_context()
    {
        var model = Model();
        foreach (int id in (int[])[_folder.Tokenizer.Chat.EndOfTurn, _folder.Tokenizer.Chat.EndOfText]) model.Bias[id] = -1000;
        await using var engine = Engine(model);
        var end = End(await Collect(engine, Text("hello") with { MaxTokens = null }));
        Assert.Equal(model.ContextLength, end.Usage.PromptTokens + end.Usage.CompletionTokens);
        Assert.Equal(FinishReason.Length, end.Reason);
    }

    [Theory]
    [InlineData("<|end_of_turn|>")]
    [InlineData("<|end_of_text|>")]
    public async Task The_models_own_end_stops_the_answer_and_is_no_text(string token)
    {
        var model = Model();
        int ending = _folder.Tokenizer.TokenId(token)!.Value;
        model.Bias[ending] = 1000;
        await using var engine = Engine(model);
        var events = await Collect(engine, Text("hello"));
        Assert.Equal([ending], Ids(events));
        Assert.Equal("", Shown(events));
        Assert.Equal((FinishReason.Stop, null, 1), (End(events).Reason, End(events).StopText, End(events).Usage.CompletionTokens));
    }

    [Fact]
    public async Task End_tokens_named_by_the_folder_stop_as_well()
    {
        _folder.Write("generation_config.json", """{"eos_token_id": [65, 66]}""");
        var model = Model();
        model.Bias[66] = 1000;
        await using var engine = Engine(model);
        var events = await Collect(engine, Text("hello"));
        Assert.Equal([66], Ids(events));
        Assert.Equal(FinishReason.Stop, End(events).Reason);
    }

    [Fact]
    public async Task Other_control_tokens_are_no_text()
    {
        var model = Model();
        model.Bias[_folder.Tokenizer.Chat.User] = 1000;
        await using var engine = Engine(model);
        var events = await Collect(engine, Text("hello", maxTokens: 3));
        Assert.Equal(3, Ids(events).Length);
        Assert.Equal("", Shown(events));
        Assert.Equal(FinishReason.Length, End(events).Reason);
    }

    [Fact]
    public async Task The_pieces_of_text_are_the_decoded_tokens_with_whole_characters_only()
    {
        // Only the two bytes of é, as single tokens: an odd number of them ends within a character.
        var model = Model();
        model.Bias[0xC3] = 500;
        model.Bias[0xA9] = 500;
        await using var engine = Engine(model);
        foreach (int length in (int[])[6, 7])
        {
            var events = await Collect(engine, Text("hello", length));
            Assert.Equal(_folder.Tokenizer.Decode(Ids(events)), Shown(events));
            Assert.DoesNotContain(events.OfType<GenerationEvent.Text>(), text => text.Value.Length == 0);
        }
    }

    [Fact]
    public async Task A_stop_text_across_token_borders_ends_the_answer_before_it()
    {
        await using var engine = Engine(Model());
        var free = await Collect(engine, Text("hello", maxTokens: 30, temperature: 2));
        string whole = Shown(free);
        // The last character of one token and the first of the next, where that is one place only.
        int border = Enumerable.Range(1, whole.Length - 2).First(at => whole.IndexOf(whole.Substring(at, 2), StringComparison.Ordinal) == at
            && char.IsAscii(whole[at]) && char.IsAscii(whole[at + 1]));
        string stop = whole.Substring(border, 2);
        var events = await Collect(engine, Text("hello", maxTokens: 30, temperature: 2) with { Stop = ["never there", stop] });
        Assert.Equal(whole[..border], Shown(events));
        Assert.Equal((FinishReason.Stop, stop), (End(events).Reason, End(events).StopText));
        Assert.True(Ids(events).Length < Ids(free).Length);
        Assert.Equal(Ids(free).Take(Ids(events).Length), Ids(events));
    }

    [Fact]
    public async Task Cancelling_frees_the_cache_within_one_step()
    {
        using var step = new SemaphoreSlim(0);
        var model = Model();
        foreach (int id in (int[])[_folder.Tokenizer.Chat.EndOfTurn, _folder.Tokenizer.Chat.EndOfText]) model.Bias[id] = -1000;
        int steps = 0;
        model.OnStep = _ =>
        {
            Interlocked.Increment(ref steps);
            Assert.True(step.Wait(_patience, CancellationToken.None));
        };
        await using var engine = Engine(model);
        using var cancellation = new CancellationTokenSource();
        step.Release(3);
        int before = -1;
        var error = await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            int tokens = 0;
            await foreach (var happened in engine.Generate(Text("hello", 40), cancellation.Token))
            {
                if (happened is not GenerationEvent.Token || ++tokens < 3) continue;
                await cancellation.CancelAsync();
                before = Volatile.Read(ref steps);
            }
        });
        Assert.NotNull(error);
        step.Release(1000);
        Assert.True(SpinWait.SpinUntil(() => engine.Status is { Running: 0, FreePages: 32 }, _patience));
        Assert.InRange(Volatile.Read(ref steps), before, before + 1);
        Assert.Equal(32, model.FreePages);
    }

    [Fact]
    public async Task Leaving_the_enumeration_frees_the_cache()
    {
        var model = Model();
        await using var engine = Engine(model);
        await foreach (var _ in engine.Generate(Text("hello", 50), TestContext.Current.CancellationToken)) break;
        Assert.True(SpinWait.SpinUntil(() => model.FreePages == 32, _patience));
        Assert.NotEmpty(await Collect(engine, Text("hello"))); // and the engine goes on
    }

    [Fact]
    public async Task Cancelling_one_answer_does_not_touch_another()
    {
        await using var engine = Engine(Model());
        int[] expected = Ids(await Collect(engine, Text("hello", 40)));
        using var cancellation = new CancellationTokenSource();
        var other = Background(async () =>
        {
            await foreach (var _ in engine.Generate(Text("cab", 40), cancellation.Token)) await cancellation.CancelAsync();
        });
        Assert.Equal(expected, Ids(await Collect(engine, Text("hello", 40))));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => other);
    }

    [Fact]
    public async Task Requests_wait_when_pages_are_short_and_all_are_answered()
    {
        int most = 0;
        var model = Model(pages: 8); // 64 tokens: each request below needs 5 pages of 8
        model.OnStep = rows => most = Math.Max(most, rows.Length);
        await using var engine = Engine(model);
        var request = Text("hello world hello", 20);
        int[] expected = Ids(await Collect(engine, request));
        var all = await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => Background(() => Collect(engine, request))));
        Assert.All(all, events => Assert.Equal(expected, Ids(events)));
        Assert.Equal(1, most);
    }

    [Fact]
    public async Task A_higher_priority_goes_first()
    {
        using var gate = new ManualResetEventSlim();
        var model = Model();
        model.OnStep = _ => Assert.True(gate.Wait(_patience, CancellationToken.None));
        await using var engine = Engine(model, new EngineLimits(BatchRows: 1, Sequences: 1));
        var order = new List<int>();
        model.OnTokens = tokens => order.Add(tokens[0]);
        Task Ask(int priority) => Collect(engine, new(new GenerationInput.Tokens([10 + priority]), MaxTokens: 1, Priority: priority));

        var tasks = new List<Task> { Background(() => Ask(100)) };
        Assert.True(SpinWait.SpinUntil(() => Waits(engine, running: 1, waiting: 0), _patience));
        int waiting = 0;
        foreach (int priority in (int[])[0, 5, -1, 6])
        {
            tasks.Add(Background(() => Ask(priority)));
            waiting++;
            Assert.True(SpinWait.SpinUntil(() => engine.Status.Waiting == waiting, _patience));
        }

        gate.Set();
        await Task.WhenAll(tasks);
        Assert.Equal([110, 16, 15, 10, 9], order);
    }

    private static bool Waits(InferenceEngine engine, int running, int waiting) =>
        engine.Status.Running == running && engine.Status.Waiting == waiting;

    [Fact]
    public async Task A_full_queue_refuses_and_says_so()
    {
        using var gate = new ManualResetEventSlim();
        var model = Model();
        model.OnStep = _ => Assert.True(gate.Wait(_patience, CancellationToken.None));
        await using var engine = Engine(model, new EngineLimits(Sequences: 1, WaitingAnswers: 2));
        var first = Background(() => Collect(engine, Text("hello", 2)));
        Assert.True(SpinWait.SpinUntil(() => Waits(engine, 1, 0), _patience));
        var second = Background(() => Collect(engine, Text("hello", 2)));
        Assert.True(SpinWait.SpinUntil(() => engine.Status.Waiting == 1, _patience));
        var error = await Assert.ThrowsAsync<RequestException>(() => Collect(engine, Text("hello", 2) with { Choices = 2 }));
        Assert.Equal(RequestErrorCode.Overloaded, error.Code);
        gate.Set();
        Assert.NotEmpty(await first);
        Assert.NotEmpty(await second);
    }

    [Fact]
    public async Task A_deadline_ends_a_request()
    {
        var clock = new SetClock();
        var model = Model();
        model.OnStep = _ => clock.UtcNow += TimeSpan.FromSeconds(1);
        await using var engine = Engine(model, clock: clock);
        var error = await Assert.ThrowsAsync<RequestException>(() => Collect(engine, Text("hello", 50) with { Deadline = clock.UtcNow.AddSeconds(5) }));
        Assert.Equal(RequestErrorCode.DeadlineExceeded, error.Code);
        Assert.True(SpinWait.SpinUntil(() => model.FreePages == 32, _patience));
    }

    [Fact]
    public void A_request_outside_the_limits_is_refused_at_the_call()
    {
        using var engine = Engine(Model());
        Assert.Throws<RequestException>(() => { engine.Generate(Text("hello", maxTokens: 1000), TestContext.Current.CancellationToken); });
    }

    [Fact]
    public async Task A_damaged_model_fails_the_request_and_not_the_engine()
    {
        var model = Model();
        await using var engine = Engine(model);
        model.Bias[7] = float.NaN;
        var error = await Assert.ThrowsAsync<UserErrorException>(() => Collect(engine, Text("hello")));
        Assert.Contains("token id 7", error.Message, StringComparison.Ordinal);
        model.Bias.Clear();
        Assert.NotEmpty(await Collect(engine, Text("hello")));
    }

    [Fact]
    public async Task A_step_that_throws_fails_its_requests_and_not_the_engine()
    {
        var model = Model();
        await using var engine = Engine(model);
        model.OnStep = _ => throw new InvalidOperationException("broken step");
        Assert.Equal("broken step", (await Assert.ThrowsAsync<InvalidOperationException>(() => Collect(engine, Text("hello")))).Message);
        model.OnStep = null;
        Assert.True(SpinWait.SpinUntil(() => model.FreePages == 32, _patience));
        Assert.NotEmpty(await Collect(engine, Text("hello")));
    }

    // Asks for an answer that nobody waits for.
    private static async Task Leave(InferenceEngine engine)
    {
        await foreach (var _ in engine.Generate(Text("a", 1), new CancellationToken(canceled: true))) { }
    }

    [Fact]
    public async Task Closing_the_engine_ends_what_is_under_way()
    {
        using var gate = new ManualResetEventSlim();
        var model = Model();
        model.OnStep = _ => Assert.True(gate.Wait(_patience, CancellationToken.None));
        var engine = Engine(model, new EngineLimits(Sequences: 1));
        var running = Background(() => Collect(engine, Text("hello", 50)));
        Assert.True(SpinWait.SpinUntil(() => Waits(engine, 1, 0), _patience));
        var waiting = Background(() => Collect(engine, Text("hello", 50)));
        Assert.True(SpinWait.SpinUntil(() => engine.Status.Waiting == 1, _patience));
        var closing = Background(() =>
        {
            engine.Dispose();
            return Task.CompletedTask;
        });
        // The step may end when the closing has begun, or the answers would sometimes be complete before.
        while (await Record.ExceptionAsync(() => Leave(engine)) is not ObjectDisposedException) await Task.Yield();
        gate.Set();
        await closing;
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
        await Assert.ThrowsAsync<ObjectDisposedException>(() => Collect(engine, Text("hello")));
    }

    [Fact]
    public void The_folder_gives_name_and_sampling_defaults()
    {
        _folder.Write("generation_config.json", """{"temperature": 0.6, "top_k": 40, "top_p": 0.9, "repetition_penalty": 1.1, "eos_token_id": 3}""");
        using var engine = Engine(Model());
        Assert.Equal(("tiny", 64, true), (engine.Info.Name, engine.Info.ContextLength, engine.Info.CanChat));
        Assert.Equal(new Sampling(0.6, 40, 0.9, 1.1), engine.Info.DefaultSampling);
        Assert.Null(engine.Info.DefaultMaxTokens);
    }

    [Fact]
    public async Task The_folders_recommendations_hold_where_a_request_says_nothing()
    {
        _folder.Write("generation_config.json", """{"do_sample": false, "temperature": 0.6, "min_p": 0.1, "typical_p": 0.9, "max_new_tokens": 3}""");
        using var engine = Engine(Model());
        Assert.Equal(new Sampling(0, MinP: 0.1, TypicalP: 0.9), engine.Info.DefaultSampling);
        Assert.Equal(3, End(await Collect(engine, new GenerationRequest(new GenerationInput.TextInput("hello"), IgnoreEnd: true))).Usage.CompletionTokens);
        Assert.Equal(5, End(await Collect(engine, new GenerationRequest(new GenerationInput.TextInput("hello"), MaxTokens: 5, IgnoreEnd: true))).Usage.CompletionTokens);
    }

    [Theory]
    [InlineData("""{"temperature": 7}""", "temperature is 7; expected 0 to 2")]
    [InlineData("""{"top_p": "much"}""", "top_p is \"much\"; expected a number")]
    [InlineData("""{"eos_token_id": 100000}""", "eos_token_id is 100000; expected a token id")]
    [InlineData("""{"do_sample": 1}""", "do_sample is 1; expected true or false")]
    [InlineData("""{"max_new_tokens": 0}""", "max_new_tokens is 0; expected a whole number from 1")]
    [InlineData("""{"min_p": 2}""", "min_p is 2; expected 0 to 1")]
    [InlineData("[]", "JSON that is not an object")]
    [InlineData("{", "is not valid JSON (line 1)")]
    public void A_malformed_generation_config_is_an_error(string json, string message)
    {
        _folder.Write("generation_config.json", json);
        var error = Assert.Throws<UserErrorException>(() => Engine(Model()));
        Assert.Contains("generation_config.json: ", error.Message, StringComparison.Ordinal);
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_tokenizer_of_another_model_is_refused()
    {
        var error = Assert.Throws<UserErrorException>(() => Engine(new FadingModel(100)));
        Assert.Contains($"vocab_size 100, the tokenizer has {_folder.Tokenizer.VocabularySize}", error.Message, StringComparison.Ordinal);
    }

    public void Dispose() => _folder.Dispose();

    private sealed class SetClock : IClock
    {
        public DateTimeOffset UtcNow { get; set; } = DateTimeOffset.UnixEpoch;
        public long Timestamp => UtcNow.Ticks;
        public double SecondsSince(long timestamp) => new TimeSpan(UtcNow.Ticks - timestamp).TotalSeconds;
    }
}
