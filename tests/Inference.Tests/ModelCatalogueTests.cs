using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using OpenEuroLLM.Core;

namespace OpenEuroLLM.Inference.Tests;

public sealed class ModelCatalogueTests : IDisposable
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(20);
    private readonly SmallLlama _model = new();
    private readonly ConcurrentQueue<string> _report = [];
    private readonly ConcurrentQueue<string> _loads = [];
    private readonly SetClock _clock = new();
    private Func<string, Exception?> _fails = _ => null;
    private long _free = long.MaxValue;

    public void Dispose() => _model.Dispose();

    // Models of 100 bytes each, as far as anybody counts.
    private ModelCatalogue Catalogue(long memory, TimeSpan? idle = null, params string[] names) => new(
        [.. names.Select(name => new ModelPlan(new OfferedModel(_model.Path, name), SmallLlama.Context, 1024, 100))], memory, plan =>
        {
            _loads.Enqueue(plan.Model.Name);
            if (_fails(plan.Model.Name) is { } problem) throw problem;
            return InferenceEngine.Load(plan.Model.Path, 1, new EngineLimits(CacheTokens: plan.CacheTokens), name: plan.Model.Name);
        }, idle, _report.Enqueue, _clock, () => Volatile.Read(ref _free));

    private static async Task Touch(ModelCatalogue catalogue, string name)
    {
        using var lease = await catalogue.UseAsync(name, TestContext.Current.CancellationToken);
        Assert.Equal(name, lease.Engine.Info.Name);
    }

    private static async Task<string> Say(ModelLease lease, ulong seed = 3)
    {
        var events = new List<GenerationEvent>();
        await foreach (var happened in lease.Engine.Generate(SmallLlama.Request([5, 6, 7, 8], 10, seed: seed), TestContext.Current.CancellationToken)) events.Add(happened);
        return SmallLlama.Said(events);
    }

    private static string States(ModelCatalogue catalogue) => string.Join(' ', catalogue.Models.Select(model => $"{model.Name}:{model.State}"));

    [Fact]
    public async Task Fifty_requests_at_once_load_a_model_once_and_off_their_threads()
    {
        await using var catalogue = Catalogue(1000, null, "a", "b");
        using var go = new ManualResetEventSlim();
        _fails = _ =>
        {
            Assert.False(Thread.CurrentThread.IsThreadPoolThread);
            Assert.True(go.Wait(_patience, CancellationToken.None));
            return null;
        };
        // None of the calls waits by itself: all of them return before the loading may begin.
        var asked = Enumerable.Range(0, 50).Select(_ => catalogue.UseAsync("a", TestContext.Current.CancellationToken)).ToArray();
        Assert.Equal("a:Loading b:Unloaded", States(catalogue));
        go.Set();
        var leases = await Task.WhenAll(asked);
        Assert.Equal(["a"], _loads);
        Assert.Single(leases.Select(lease => lease.Engine).Distinct());
        Assert.Equal("a:Loaded b:Unloaded", States(catalogue));
        foreach (var lease in leases) lease.Dispose();
    }

    [Fact]
    public async Task The_model_that_was_unused_longest_makes_room_and_comes_back_with_the_same_answers()
    {
        await using var catalogue = Catalogue(250, null, "a", "b", "c");
        string first;
        using (var lease = await catalogue.UseAsync("a", TestContext.Current.CancellationToken)) first = await Say(lease);
        _clock.Seconds = 1;
        await Touch(catalogue, "b");
        _clock.Seconds = 2;
        await Touch(catalogue, "a");
        _clock.Seconds = 3;
        await Touch(catalogue, "c");
        Assert.Equal("a:Loaded b:Unloaded c:Loaded", States(catalogue));
        _clock.Seconds = 4;
        await Touch(catalogue, "b");
        Assert.Equal("a:Unloaded b:Loaded c:Loaded", States(catalogue));
        Assert.Contains("b: unloaded, 'c' needs the room", _report);
        using (var again = await catalogue.UseAsync("a", TestContext.Current.CancellationToken)) Assert.Equal(first, await Say(again));
        Assert.Equal(["a", "b", "c", "b", "a"], _loads);
        // Tokens that were counted before the model was unloaded still are.
        Assert.Equal(8, catalogue.Models[0].Engine.PromptTokens);
    }

    [Fact]
    public async Task A_model_in_use_is_never_unloaded_and_the_other_is_refused_for_now()
    {
        await using var catalogue = Catalogue(150, null, "a", "b");
        var lease = await catalogue.UseAsync("a", TestContext.Current.CancellationToken);
        string before = await Say(lease);
        var error = await Assert.ThrowsAsync<RequestException>(() => catalogue.UseAsync("b", TestContext.Current.CancellationToken));
        Assert.Equal((RequestErrorCode.ModelUnavailable, "model"), (error.Code, error.Field));
        Assert.InRange(error.RetryAfterSeconds!.Value, 1, 600);
        Assert.Equal("a:Loaded b:Unloaded", States(catalogue));
        Assert.Equal(before, await Say(lease));
        lease.Dispose();
        lease.Dispose(); // once is enough, twice does no harm
        await Touch(catalogue, "b");
        Assert.Equal("a:Unloaded b:Loaded", States(catalogue));
        Assert.Throws<ObjectDisposedException>(() => lease.Engine.Embed([new GenerationInput.TextInput("a")], cancellation: TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task A_loading_that_fails_says_why_in_the_log_and_is_not_tried_again_at_once()
    {
        await using var catalogue = Catalogue(1000, null, "good", "bad");
        await Touch(catalogue, "good");
        _fails = name => name == "bad" ? new UserErrorException("/secret/path: is damaged.") : null;
        var asked = Enumerable.Range(0, 10).Select(_ => catalogue.UseAsync("bad", TestContext.Current.CancellationToken)).ToArray();
        foreach (var each in asked)
        {
            var error = await Assert.ThrowsAsync<RequestException>(() => each);
            Assert.Equal(RequestErrorCode.ModelFailed, error.Code);
            Assert.DoesNotContain("secret", error.Message, StringComparison.Ordinal);
        }

        Assert.Contains(_report, line => line.Contains("bad: could not be loaded: /secret/path: is damaged.", StringComparison.Ordinal));
        Assert.Equal("good:Loaded bad:Failed", States(catalogue));
        _clock.Seconds += 12;
        Assert.Equal(18, (await Assert.ThrowsAsync<RequestException>(() => catalogue.UseAsync("bad", TestContext.Current.CancellationToken))).RetryAfterSeconds);
        int attempts = _loads.Count(name => name == "bad");
        _clock.Seconds += 19;
        await Assert.ThrowsAsync<UserErrorException>(() => catalogue.LoadAsync("bad", TestContext.Current.CancellationToken)); // whoever starts the program sees it all
        Assert.Equal(attempts + 1, _loads.Count(name => name == "bad"));
        _clock.Seconds += 31;
        _fails = _ => null;
        await Touch(catalogue, "bad");
        Assert.Equal("good:Loaded bad:Loaded", States(catalogue));
    }

    [Fact]
    public async Task A_machine_without_the_memory_refuses_before_anything_is_loaded()
    {
        await using var catalogue = Catalogue(1000, null, "a");
        Volatile.Write(ref _free, 99);
        var error = await Assert.ThrowsAsync<RequestException>(() => catalogue.UseAsync("a", TestContext.Current.CancellationToken));
        Assert.Equal(RequestErrorCode.ModelUnavailable, error.Code);
        Assert.Empty(_loads);
        Volatile.Write(ref _free, 100);
        await Touch(catalogue, "a");
    }

    [Fact]
    public async Task A_model_that_nobody_used_for_long_enough_is_unloaded_and_looking_at_it_is_no_use()
    {
        await using var catalogue = Catalogue(1000, TimeSpan.FromMinutes(10), "a", "b");
        await Touch(catalogue, "a");
        var used = await catalogue.UseAsync("b", TestContext.Current.CancellationToken);
        _clock.Seconds += 599;
        using (catalogue.TryUse("a")) catalogue.UnloadIdle();
        catalogue.UnloadIdle();
        Assert.Equal("a:Loaded b:Loaded", States(catalogue));
        _clock.Seconds += 2;
        catalogue.UnloadIdle();
        Assert.True(SpinWait.SpinUntil(() => States(catalogue) == "a:Unloaded b:Loaded", _patience)); // the catalogue's own timer may be just at it
        Assert.Null(catalogue.TryUse("a"));
        used.Dispose();
        catalogue.UnloadIdle();
        Assert.Equal("a:Unloaded b:Loaded", States(catalogue));
    }

    [Fact]
    public async Task Whoever_stops_waiting_does_not_end_the_loading()
    {
        await using var catalogue = Catalogue(1000, null, "a");
        using var go = new ManualResetEventSlim();
        _fails = _ => go.Wait(_patience, CancellationToken.None) ? null : new TimeoutException();
        using var leaving = new CancellationTokenSource();
        var left = catalogue.UseAsync("a", leaving.Token);
        await leaving.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => left);
        go.Set();
        await Touch(catalogue, "a");
        Assert.Equal(["a"], _loads);
    }

    [Fact]
    public async Task Requests_for_more_models_than_fit_are_answered_alike_or_refused_for_now()
    {
        string expected;
        using (var engine = _model.Load()) expected = SmallLlama.Said(await SmallLlama.Collect(engine, SmallLlama.Request([5, 6, 7, 8], 10, seed: 3)));
        await using var catalogue = Catalogue(250, null, "a", "b", "c", "d");
        var random = new CounterRandom(3, 3);
        int answered = 0, refused = 0;
        await Task.WhenAll(Enumerable.Range(0, 6).Select(worker => Task.Run(async () =>
        {
            for (int i = 0; i < 20; i++)
            {
                try
                {
                    using var lease = await catalogue.UseAsync("abcd"[(int)(random.UniformAt((ulong)((worker * 100) + i)) * 4)].ToString(), TestContext.Current.CancellationToken);
                    Assert.Equal(expected, await Say(lease));
                    Interlocked.Increment(ref answered);
                    Assert.True(catalogue.Models.Where(model => model.State is ModelState.Loaded or ModelState.Loading).Sum(model => model.Bytes) <= 250);
                }
                catch (RequestException refusal)
                {
                    Assert.Equal(RequestErrorCode.ModelUnavailable, refusal.Code);
                    Interlocked.Increment(ref refused);
                }
            }
        }, TestContext.Current.CancellationToken)));
        Assert.Equal(120, answered + refused);
        Assert.True(answered > 20 && _loads.Distinct().Count() == 4, $"{answered} answered, {_loads.Count} loadings");
    }

    [Fact]
    public void Caches_shrink_until_all_models_fit_together_and_a_model_that_never_fits_is_refused()
    {
        var limits = new EngineLimits();
        OfferedModel[] two = [new(_model.Path, "a"), new(_model.Path, "b")];
        var ample = ModelPlan.Of(two, limits, long.MaxValue);
        Assert.All(ample, plan => Assert.Equal(8 * 2048, plan.CacheTokens));
        var tight = ModelPlan.Of(two, limits, (2 * ample[0].Bytes) - 1);
        Assert.All(tight, plan => Assert.Equal(4 * 2048, plan.CacheTokens));
        // Not even with one context each: whoever is loaded has the memory for itself.
        long one = ModelPlan.Of(two[..1], limits with { CacheTokens = SmallLlama.Context }, long.MaxValue)[0].Bytes;
        Assert.All(ModelPlan.Of(two, limits, (2 * one) - 1), plan => Assert.InRange(plan.Bytes, one, (2 * one) - 1));
        var error = Assert.Throws<UserErrorException>(() => ModelPlan.Of(two, limits, one - 1));
        Assert.Contains("a key/value cache of 400 tokens needs about", error.Message, StringComparison.Ordinal);
        Assert.Equal(1000, ModelPlan.Of(two, limits with { CacheTokens = 1000 }, long.MaxValue)[0].CacheTokens);
    }

    [Fact]
    public async Task Names_are_of_folders_unless_they_are_given_and_must_differ()
    {
        await using (var catalogue = ModelCatalogue.Open([new OfferedModel(_model.Path), new OfferedModel(_model.Path, "other")]))
        {
            Assert.Equal("tiny:Unloaded other:Unloaded", States(catalogue));
            Assert.True(catalogue.Models[0].Bytes < catalogue.MemoryBytes && catalogue.Models[0].Bytes > ModelMemory.WeightBytes(_model.Path));
            await Touch(catalogue, "other");
            var error = await Assert.ThrowsAsync<RequestException>(() => catalogue.UseAsync("Tiny", TestContext.Current.CancellationToken));
            Assert.Equal("The model 'Tiny' does not exist here; this server has 'tiny', 'other'.", error.Message);
        }

        var twice = Assert.Throws<UserErrorException>(() => ModelCatalogue.Open([new OfferedModel(_model.Path), new OfferedModel(_model.Path)]));
        Assert.Contains("are both called 'tiny'", twice.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Closing_waits_for_a_loading_and_refuses_afterwards()
    {
        var catalogue = Catalogue(1000, null, "a");
        var asked = catalogue.UseAsync("a", TestContext.Current.CancellationToken);
        await catalogue.DisposeAsync();
        try
        {
            using var lease = await asked;
            Assert.Throws<ObjectDisposedException>(() => lease.Engine.Embed([new GenerationInput.TextInput("a")], cancellation: TestContext.Current.CancellationToken));
        }
        catch (ObjectDisposedException)
        {
        }

        await Assert.ThrowsAsync<ObjectDisposedException>(() => catalogue.UseAsync("a", TestContext.Current.CancellationToken));
        await catalogue.DisposeAsync();
    }

    private sealed class SetClock : IClock
    {
        public double Seconds { get; set; }
        public DateTimeOffset UtcNow => DateTimeOffset.UnixEpoch.AddSeconds(Seconds);
        public long Timestamp => (long)(Seconds * 1000);
        public double SecondsSince(long timestamp) => Seconds - (timestamp / 1000.0);
    }
}

/// <summary>Looks at the memory of the whole process, so no other test may run beside it.</summary>
[Collection(nameof(Alone))]
public sealed partial class ModelCatalogueMemoryTests : IDisposable
{
    private readonly SmallLlama _model = new(width: 512, hidden: 3072);

    public void Dispose() => _model.Dispose();

    [Fact]
    public async Task An_unloaded_model_gives_its_memory_back()
    {
        long weights = ModelMemory.WeightBytes(_model.Path);
        Assert.True(weights > 40_000_000);
        var plan = ModelPlan.Of([new OfferedModel(_model.Path, "a")], new EngineLimits(), long.MaxValue)[0];
        await using var catalogue = new ModelCatalogue([plan], long.MaxValue, each => InferenceEngine.Load(each.Model.Path, 1), TimeSpan.FromHours(1), clock: Hours.Instance);
        await Use(catalogue); // once before, so that code and tables are there
        catalogue.UnloadIdle();
        long before = Held();
        var engine = await Use(catalogue);
        long loaded = Held();
        Assert.True(loaded - before > weights * 0.8, $"{before} {loaded}");
        catalogue.UnloadIdle();
        long after = Held();
        Assert.Equal(ModelState.Unloaded, catalogue.Models[0].State);
        Assert.True(after - before < weights * 0.2, $"{before} {loaded} {after}");
        // Threads that have ended may still be on their way out.
        for (int i = 0; i < 50 && IsAlive(engine); i++)
        {
            await Task.Yield();
            Held();
        }

        Assert.False(IsAlive(engine));
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static bool IsAlive(WeakReference<IInferenceEngine> engine) => engine.TryGetTarget(out _);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static async Task<WeakReference<IInferenceEngine>> Use(ModelCatalogue catalogue)
    {
        using var lease = await catalogue.UseAsync("a", TestContext.Current.CancellationToken);
        await foreach (var _ in lease.Engine.Generate(SmallLlama.Request([1, 2, 3], 4), TestContext.Current.CancellationToken)) { }
        return new WeakReference<IInferenceEngine>(lease.Engine);
    }

    // Memory of what was there before is given back in pieces: the least, once it falls no more.
    private static long Held()
    {
        long before, held = long.MaxValue;
        do
        {
            for (int i = 0; i < 3; i++)
            {
                GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
                GC.WaitForPendingFinalizers();
            }

            if (OperatingSystem.IsLinux()) _ = Trim(0); // what other tests gave back to the C library lies there for the next one
            (before, held) = (held, Environment.WorkingSet);
        }
        while (held < before - 1_000_000);
        return held;
    }

    [LibraryImport("libc", EntryPoint = "malloc_trim")]
    private static partial int Trim(nuint kept);

    // Every look is hours after the one before.
    private sealed class Hours : IClock
    {
        private long _looks;
        public static Hours Instance { get; } = new();
        public DateTimeOffset UtcNow => DateTimeOffset.UnixEpoch;
        public long Timestamp => Interlocked.Increment(ref _looks);
        public double SecondsSince(long timestamp) => 7200 * (Interlocked.Increment(ref _looks) - timestamp);
    }
}
