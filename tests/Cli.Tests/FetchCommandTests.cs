using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using OpenEuroLLM.Core;
using OpenEuroLLM.Formats.Hub;

namespace OpenEuroLLM.Cli.Tests;

/// <summary>Fetching from a real server on this machine, with everything that goes wrong on the way.</summary>
public sealed class FetchCommandTests : IAsyncLifetime
{
    private const string Weights = "model.safetensors", Settings = "config.json";

    private readonly TemporaryFolder _folder = new();
    private readonly List<TimeSpan> _waits = [];
    private readonly StringWriter _said = new();
    private LoopbackHub _hub = null!;

    private string Cache => _folder.At("hub");

    private string Repository => _folder.At("hub", "models--org--name");

    private string Blob(string file) => Path.Combine(Repository, "blobs", LoopbackHub.HashOf(file, _hub.Files[file]));

    private string Snapshot => Path.Combine(Repository, "snapshots", LoopbackHub.Commit);

    public async ValueTask InitializeAsync()
    {
        _hub = await LoopbackHub.StartAsync();
        _hub.Files[Settings] = "{}"u8.ToArray();
        _hub.Files[Weights] = [.. Enumerable.Range(0, 300_000).Select(i => (byte)(i * 31 >> 3))];
    }

    public async ValueTask DisposeAsync()
    {
        await _hub.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public async Task Lays_files_out_as_other_programs_expect_and_fetches_nothing_twice()
    {
        _hub.Files["additional_chat_templates/tool_use.jinja"] = "x"u8.ToArray();
        _hub.Files["pytorch_model.bin"] = [0x80];
        var result = await Fetch();
        Assert.Equal(Snapshot, result.Path);
        Assert.Equal(LoopbackHub.Commit, File.ReadAllText(Path.Combine(Repository, "refs", "main")));
        Assert.Equal(["additional_chat_templates/tool_use.jinja", Settings, Weights], result.Files.Select(file => file.File.Name));
        Assert.Equal("pytorch_model.bin", Assert.Single(result.Skipped).Name);
        Assert.Equal($"../../blobs/{LoopbackHub.HashOf(Weights, _hub.Files[Weights])}", new FileInfo(Path.Combine(Snapshot, Weights)).LinkTarget);
        Assert.Equal("x", File.ReadAllText(Path.Combine(Snapshot, "additional_chat_templates", "tool_use.jinja")));
        Assert.Equal(_hub.Files[Weights], File.ReadAllBytes(Path.Combine(Snapshot, Weights)));
        Assert.Equal(Snapshot, new HubCache(Cache).Find(HubName.Parse("org/name")));
        Assert.Empty(Directory.EnumerateFiles(Path.Combine(Repository, "blobs"), "*.incomplete"));
        int contents = _hub.Requests.Count(request => request.Method == "GET");
        var again = await Fetch();
        Assert.Equal(contents + 1, _hub.Requests.Count(request => request.Method == "GET")); // the list alone
        Assert.DoesNotContain(again.Files, file => file.Fetched);
        Assert.Equal(0, again.FetchedBytes);
    }

    [Fact]
    public async Task The_token_goes_to_the_hub_and_not_to_where_it_leads()
    {
        await Fetch(token: LoopbackHub.Token);
        Assert.All(_hub.Requests, request => Assert.Equal(request.FromStore ? null : "Bearer " + LoopbackHub.Token, request.Token));
        Assert.Contains(_hub.Requests, request => request.FromStore);
        Assert.DoesNotContain(LoopbackHub.Token, _said.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_lost_connection_goes_on_where_it_ended()
    {
        int cuts = 0;
        _hub.Fault = async (context, file) =>
        {
            if (file != Weights || context.Request.Method != "GET" || new Uri(_hub.StoreAddress).Port != context.Request.Host.Port || cuts++ > 2) return false;
            int from = cuts == 1 ? 0 : int.Parse(context.Request.Headers.Range.Single()!["bytes=".Length..].TrimEnd('-'), CultureInfo.InvariantCulture);
            context.Response.StatusCode = from > 0 ? 206 : 200;
            if (from > 0) context.Response.Headers.ContentRange = string.Create(CultureInfo.InvariantCulture, $"bytes {from}-299999/300000");
            context.Response.ContentLength = 300_000 - from;
            await context.Response.Body.WriteAsync(_hub.Files[Weights].AsMemory(from, 50_000));
            await context.Response.Body.FlushAsync();
            // What was sent would be lost with the connection: it ends when the other side has stored it.
            var unfinished = new FileInfo(Blob(Weights) + ".incomplete");
            SpinWait.SpinUntil(() =>
            {
                unfinished.Refresh();
                return unfinished.Exists && unfinished.Length == from + 50_000;
            }, TimeSpan.FromMinutes(1));
            context.Abort();
            return true;
        };
        await Fetch();
        Assert.Equal(_hub.Files[Weights], File.ReadAllBytes(Path.Combine(Snapshot, Weights)));
        string?[] ranges = [.. _hub.Gets(Weights).Select(request => request.Range)];
        Assert.Equal(4, ranges.Length);
        Assert.Null(ranges[0]);
        Assert.All(ranges[1..], range => Assert.StartsWith("bytes=", range, StringComparison.Ordinal));
        Assert.All(_waits, wait => Assert.Equal(1, wait.TotalSeconds)); // bytes came each time, so patience begins anew
    }

    [Fact]
    public async Task A_killed_process_leaves_what_the_next_one_goes_on_with()
    {
        var half = new TaskCompletionSource();
        _hub.Fault = async (context, file) =>
        {
            if (file != Weights || context.Request.Method != "GET" || context.Request.Headers.Range.Count > 0 || !context.Request.Host.ToString().Equals(new Uri(_hub.StoreAddress).Authority, StringComparison.Ordinal)) return false;
            context.Response.ContentLength = 300_000;
            await context.Response.Body.WriteAsync(_hub.Files[Weights].AsMemory(0, 150_000));
            await context.Response.Body.FlushAsync();
            await half.Task.WaitAsync(TimeSpan.FromMinutes(2));
            context.Abort();
            return true;
        };
        using (var child = Child("fetch", "org/name"))
        {
            var unfinished = new FileInfo(Blob(Weights) + ".incomplete");
            Assert.True(SpinWait.SpinUntil(() =>
            {
                unfinished.Refresh();
                return (unfinished.Exists && unfinished.Length == 150_000) || child.HasExited;
            }, TimeSpan.FromMinutes(1)));
            Assert.False(child.HasExited);
            child.Kill();
            child.WaitForExit();
        }
        half.SetResult();
        Assert.False(Directory.Exists(Snapshot));
        _hub.Fault = (_, _) => Task.FromResult(false);
        using (var child = Child("fetch", "org/name", "--json"))
        {
            var json = JsonNode.Parse(await child.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken))!;
            child.WaitForExit();
            Assert.Equal(0, child.ExitCode);
            Assert.Equal(150_000, (int)json["fetchedBytes"]!);
            Assert.Equal(Snapshot, (string)json["path"]!);
        }
        Assert.Equal("bytes=150000-", _hub.Gets(Weights).Last().Range);
        Assert.Equal(_hub.Files[Weights], File.ReadAllBytes(Path.Combine(Snapshot, Weights)));
    }

    [Fact]
    public async Task What_an_earlier_run_left_wrong_is_fetched_anew()
    {
        Directory.CreateDirectory(Path.Combine(Repository, "blobs"));
        File.WriteAllBytes(Blob(Weights) + ".incomplete", new byte[1000]);
        File.WriteAllText(Blob(Settings), "damaged");
        await Fetch();
        Assert.Equal(["bytes=1000-", null], _hub.Gets(Weights).Select(request => request.Range));
        Assert.Equal(_hub.Files[Weights], File.ReadAllBytes(Path.Combine(Snapshot, Weights)));
        Assert.Equal("{}", File.ReadAllText(Path.Combine(Snapshot, Settings)));
    }

    [Fact]
    public async Task A_whole_unfinished_file_needs_no_content()
    {
        Directory.CreateDirectory(Path.Combine(Repository, "blobs"));
        File.WriteAllBytes(Blob(Weights) + ".incomplete", _hub.Files[Weights]);
        await Fetch();
        Assert.Empty(_hub.Gets(Weights));
        Assert.Equal(_hub.Files[Weights], File.ReadAllBytes(Path.Combine(Snapshot, Weights)));
    }

    [Fact]
    public async Task A_content_with_another_hash_is_refused_and_not_kept()
    {
        _hub.Description = file => (LoopbackHub.HashOf(file, [1]), _hub.Files[file].Length);
        await Refuses("the content does not have the hash", "nothing of it was kept");
        Assert.False(Directory.Exists(Snapshot));
        Assert.All(Directory.EnumerateFiles(Path.Combine(Repository, "blobs")), file => Assert.Equal(0, new FileInfo(file).Length));
    }

    [Fact]
    public async Task An_overloaded_server_is_given_the_time_that_it_asks_for()
    {
        int answers = 0;
        _hub.Fault = (context, file) =>
        {
            if (answers++ > 2) return Task.FromResult(false);
            context.Response.StatusCode = answers == 2 ? 503 : 429;
            if (answers != 2) context.Response.Headers.RetryAfter = "7";
            return Task.FromResult(true);
        };
        await Fetch();
        Assert.Equal([7, 2, 7], _waits.Select(wait => wait.TotalSeconds));
        Assert.Contains("the server answers 429; again in 7 s", _said.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(401, null, "not to be had without a token"), InlineData(403, null, "access is granted on request only"), InlineData(401, "GatedRepo", "access is granted on request only"), InlineData(404, "RepoNotFound", "not found on 127.0.0.1")]
    [InlineData(404, "RevisionNotFound", "has no branch, tag or commit 'main'"), InlineData(418, null, "answers 418; expected 200"), InlineData(500, null, "the server answers 500"), InlineData(502, null, "the same command goes on there")]
    public async Task Refusals_say_what_to_do(int status, string? code, string message)
    {
        _hub.Fault = (context, _) =>
        {
            context.Response.StatusCode = status;
            if (code is not null) context.Response.Headers["X-Error-Code"] = code;
            return Task.FromResult(true);
        };
        await Refuses(message);
        Assert.Equal(status >= 500 ? 6 : 1, _hub.Requests.Count);
    }

    [Fact]
    public async Task A_server_that_asks_for_an_hour_is_left()
    {
        _hub.Fault = (context, _) =>
        {
            context.Response.StatusCode = 429;
            context.Response.Headers.RetryAfter = "3600";
            return Task.FromResult(true);
        };
        await Refuses("asks to come back in 3600 s");
        Assert.Empty(_waits);
    }

    [Fact]
    public async Task Silence_counts_as_a_lost_connection()
    {
        var silence = new TaskCompletionSource();
        int answers = 0;
        _hub.Fault = async (context, file) =>
        {
            if (file != Settings || context.Request.Method != "GET" || answers++ > 0) return false;
            context.Response.ContentLength = 2;
            await context.Response.Body.WriteAsync("{"u8.ToArray());
            await context.Response.Body.FlushAsync();
            await Task.WhenAny(silence.Task, Task.Delay(Timeout.Infinite, context.RequestAborted));
            return true;
        };
        await Fetch(silence: TimeSpan.FromMilliseconds(300));
        silence.SetResult();
        Assert.Equal(["bytes=1-"], _hub.Gets(Settings).Skip(1).Select(request => request.Range));
        Assert.Contains("no byte for 0.3 s", _said.ToString(), StringComparison.Ordinal);
    }

    public static TheoryData<string> Lies => [.. Hostile.Keys];

    private static readonly Dictionary<string, (Func<HttpContext, string?, Task<bool>> Answer, string Message)> Hostile = new()
    {
        ["a list that is no JSON"] = (List("<html>"), "the answer is not the list of files that a hub gives"),
        ["a list without files"] = (List("{\"sha\":\"" + LoopbackHub.Commit + "\"}"), "the answer is not the list of files"),
        ["a commit that is a path"] = (List("{\"sha\":\"../../../etc\",\"siblings\":[]}"), "names the commit '../../../etc'"),
        ["a file outside"] = (Listed("../../../.ssh/authorized_keys"), "names a file '../../../.ssh/authorized_keys'; expected a relative path"),
        ["a file by its full path"] = (Listed("/etc/passwd"), "names a file '/etc/passwd'"),
        ["a file by a path of Windows"] = (Listed("..\\\\x"), "names a file '..\\x'"),
        ["a file with a line break"] = (Listed("a\\nb"), "expected a relative path"),
        ["no files"] = (List("{\"sha\":\"" + LoopbackHub.Commit + "\",\"siblings\":[]}"), "nothing that a model is read from"),
        ["no hash"] = (Head(response => { }), "the server gives no hash to check it by"),
        ["a hash of another kind"] = (Head(response => response.Headers.ETag = "\"d41d8cd98f00b204e9800998ecf8427e\""), "the server gives no hash"),
        ["a hash that is a path"] = (Head(response => response.Headers["X-Linked-Etag"] = "../../../etc/passwd"), "the server gives no hash"),
        ["another commit"] = (Head(response => { response.Headers["X-Repo-Commit"] = new string('f', 40); response.Headers.ETag = $"\"{new string('a', 40)}\""; }), "the server answers from commit ffff"),
        ["no size"] = (Head(response => { response.Headers.ETag = $"\"{new string('a', 40)}\""; response.Headers["X-Linked-Size"] = "many"; }), "does not say how large it is"),
        ["a negative size"] = (Head(response => { response.Headers.ETag = $"\"{new string('a', 40)}\""; response.Headers["X-Linked-Size"] = "-5"; }), "does not say how large it is"),
        ["an exabyte"] = (Head(response => { response.Headers.ETag = $"\"{new string('a', 40)}\""; response.Headers["X-Linked-Size"] = "1000000000000000000"; }), "are to be fetched, the disk of"),
        ["a way in a circle"] = ((context, file) => { context.Response.Redirect(context.Request.Path.Value!); return Task.FromResult(true); }, "leads to more than 10 other places"),
        ["a way to a file of this machine"] = ((context, file) => { context.Response.Redirect("file:///etc/passwd"); return Task.FromResult(true); }, "it was not followed"),
        ["a way to nowhere"] = ((context, file) => { context.Response.StatusCode = 302; return Task.FromResult(true); }, "the server leads to nowhere"),
        ["more bytes than announced"] = (async (context, file) =>
        {
            if (file != Settings || context.Request.Method != "GET") return false;
            await context.Response.WriteAsync("{} and more");
            return true;
        }, "sends more than the 2 bytes that it announced"),
        ["another part than asked for"] = (async (context, file) =>
        {
            if (file != Settings || context.Request.Method != "GET") return false;
            context.Response.StatusCode = 206;
            context.Response.Headers.ContentRange = "bytes 1-1/2";
            await context.Response.WriteAsync("}");
            return true;
        }, "answers with another part than was asked for"),
    };

    [Theory, MemberData(nameof(Lies))]
    public async Task Refuses_a_server_that_lies(string lie)
    {
        _hub.Fault = Hostile[lie].Answer;
        await Refuses(Hostile[lie].Message);
        Assert.False(Directory.Exists(Snapshot));
    }

    [Fact]
    public async Task Links_that_someone_put_into_the_cache_are_not_followed()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "making links needs a privilege on Windows");
        string victim = _folder.Write("victim", "precious");
        Directory.CreateDirectory(Path.Combine(Repository, "blobs"));
        File.CreateSymbolicLink(Blob(Weights) + ".incomplete", victim);
        File.CreateSymbolicLink(Blob(Settings), victim);
        await Fetch();
        Assert.Equal("precious", File.ReadAllText(victim));
        Assert.Equal(_hub.Files[Weights], File.ReadAllBytes(Path.Combine(Snapshot, Weights)));
        Directory.Delete(Snapshot, true);
        Directory.CreateSymbolicLink(Snapshot, _folder.Root);
        await Refuses("is a link to");
    }

    [Fact]
    public async Task Patterns_choose_and_pickles_are_never_fetched()
    {
        foreach (string name in (string[])["a-Q4_0.gguf", "a-Q8_0-00001-of-00002.gguf", "a-Q8_0-00002-of-00002.gguf", "old.bin", "weights.pt"]) _hub.Files[name] = [1];
        Assert.Equal([Settings, "a-Q4_0.gguf"], (await Fetch(["*Q4*", "*.json"])).Files.Select(file => file.File.Name).Order(StringComparer.Ordinal).Reverse());
        Assert.Equal(2, (await Fetch(["*Q8_0*"])).Files.Count);
        Assert.Equal(["old.bin", "weights.pt"], (await Fetch(["*"])).Skipped.Select(file => file.Name));
        await Refuses("old.bin: is a pickle, which runs the code it contains", patterns: ["old.bin"]);
        await Refuses("is a pickle", patterns: ["*.pt"]);
        await Refuses("no file fits '*.onnx'; there are", patterns: ["*.onnx"]);
        _hub.Files.Remove(Weights);
        await Refuses("there are 2 GGUF models; say which with --include");
        foreach (string name in _hub.Files.Keys.Where(name => name.EndsWith(".gguf", StringComparison.Ordinal)).ToList()) _hub.Files.Remove(name);
        await Refuses("old.bin: is a pickle");
        Assert.All(_hub.Requests, request => Assert.False(request.Path.EndsWith(".bin", StringComparison.Ordinal) || request.Path.EndsWith(".pt", StringComparison.Ordinal)));
    }

    [Theory, InlineData("model.safetensors", "*.safetensors", true), InlineData("a/b.json", "*", true), InlineData("a/b.json", "a/?.json", true), InlineData("a", "", false), InlineData("", "*", true), InlineData("abc", "a*c*", true), InlineData("abc", "a*d", false), InlineData("aab", "*ab", true), InlineData("x[1]", "x[1]", true), InlineData("A", "a", false)]
    public void Patterns_fit(string name, string pattern, bool fits) => Assert.Equal(fits, FetchSelection.Fits(name, pattern));

    [Fact]
    public void A_pattern_of_many_stars_takes_no_time() => Assert.False(FetchSelection.Fits(new string('a', 1000), string.Concat(Enumerable.Repeat("a*", 200)) + "b"));

    [Fact]
    public async Task A_folder_gets_plain_files_and_nothing_else()
    {
        _hub.Files["additional_chat_templates/rag.jinja"] = "x"u8.ToArray();
        string target = _folder.At("plain");
        var result = await Fetch(folder: target);
        Assert.Equal(target, result.Path);
        Assert.Equal(["additional_chat_templates/rag.jinja", Settings, Weights], Directory.EnumerateFiles(target, "*", SearchOption.AllDirectories).Select(file => Path.GetRelativePath(target, file)).Order(StringComparer.Ordinal));
        Assert.Null(new FileInfo(Path.Combine(target, Weights)).LinkTarget);
        Assert.False(Directory.Exists(Cache));
        File.WriteAllText(Path.Combine(target, Settings), "[]");
        Assert.Equal([Settings], (await Fetch(folder: target)).Files.Where(file => file.Fetched).Select(file => file.File.Name));
    }

    [Fact]
    public async Task A_file_that_another_process_fetches_is_waited_for()
    {
        string locks = _folder.At("hub", ".locks", "models--org--name");
        Directory.CreateDirectory(locks);
        var held = new FileStream(Path.Combine(locks, LoopbackHub.HashOf(Settings, _hub.Files[Settings]) + ".lock"), FileMode.Create, FileAccess.ReadWrite, FileShare.None);
        await Fetch(waiting: () => held.Dispose());
        Assert.Contains("another process is fetching config.json", _said.ToString(), StringComparison.Ordinal);
        Assert.Single(_waits);
    }

    [Theory, InlineData("ftp://x", null, "expected an address such as"), InlineData("https://user:word@x", null, "without user name and query"), InlineData("http://example.org", "hf_x", "would travel there unprotected"), InlineData("https://example.org", "hf_x\nHost: y", "holds blanks or letters that no token has"), InlineData("not an address", null, "HF_ENDPOINT is 'not an address'")]
    public void Addresses_and_tokens_are_checked_before_anything_is_sent(string endpoint, string? token, string message) =>
        Assert.Contains(message, Assert.Throws<UserErrorException>(() => new FetchHub(endpoint, token, HubName.Parse("org/name"), FetchPatience.Usual)).Message, StringComparison.Ordinal);

    [Fact]
    public void Offline_means_no_request()
    {
        Oellm.Refuses(["fetch", "org/name", "--offline"], "'fetch' is the one command that opens a connection");
        Oellm.Refuses(["--offline", "fetch", "org/name"], "--offline");
        foreach (string value in (string[])["1", "true", "ON", "Yes"])
            Assert.Contains("HF_HUB_OFFLINE is", Assert.Throws<UserErrorException>(() => FetchCommand.RequireOnline(false, _ => value)).Message, StringComparison.Ordinal);
        FetchCommand.RequireOnline(false, _ => "0");
        FetchCommand.RequireOnline(false, _ => null);
        Oellm.Succeeds("languages", "--offline");
        using var child = Child("fetch", "org/name", "HF_HUB_OFFLINE=1");
        Assert.Contains("HF_HUB_OFFLINE is 1", child.StandardError.ReadToEnd(), StringComparison.Ordinal);
        child.WaitForExit();
        Assert.Equal(2, child.ExitCode);
        Assert.Empty(_hub.Requests);
    }

    [Fact]
    public void Names_and_revisions_are_checked()
    {
        Oellm.Refuses(["fetch", "../../etc"], "'../../etc' is no name of a repository");
        Oellm.Refuses(["fetch", "org/name@x", "--revision", "y"], "the revision is given twice");
        Oellm.Refuses(["fetch", "org/name", "--revision", "../x"], "is no name of a repository");
    }

    private Task<FetchResult> Fetch(IReadOnlyList<string>? patterns = null, string? folder = null, string? token = null, TimeSpan? silence = null, Action? waiting = null) =>
        FetchCommand.RunAsync(HubName.Parse(LoopbackHub.Repository), patterns ?? [], folder, name => name switch
        {
            "HF_ENDPOINT" => _hub.Address,
            "HF_TOKEN" => token,
            "HF_HUB_CACHE" => Cache,
            _ => null,
        }, new FetchPatience(silence ?? TimeSpan.FromSeconds(30), (wait, _) =>
        {
            _waits.Add(wait);
            waiting?.Invoke();
            return Task.CompletedTask;
        }), new StatusLine(_said, quiet: false), TestContext.Current.CancellationToken);

    private async Task Refuses(string message, string other = "", IReadOnlyList<string>? patterns = null)
    {
        var error = await Assert.ThrowsAsync<UserErrorException>(() => Fetch(patterns));
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
        Assert.Contains(other, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
    }

    /// <summary>The program as a process of its own; arguments of the form NAME=VALUE are variables.</summary>
    private Process Child(params string[] arguments)
    {
        var start = new ProcessStartInfo(Oellm.Host) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.ArgumentList.Add(Path.Combine(AppContext.BaseDirectory, "oellm.dll"));
        start.Environment["HF_ENDPOINT"] = _hub.Address;
        start.Environment["HF_HUB_CACHE"] = Cache;
        start.Environment.Remove("HF_TOKEN");
        start.Environment.Remove("HF_HUB_OFFLINE");
        foreach (string argument in arguments)
        {
            if (argument.Split('=') is [var name, var value]) start.Environment[name] = value;
            else start.ArgumentList.Add(argument);
        }
        return Process.Start(start)!;
    }

    private static Func<HttpContext, string?, Task<bool>> List(string answer) => async (context, file) =>
    {
        if (file is not null) return false;
        await context.Response.WriteAsync(answer);
        return true;
    };

    private static Func<HttpContext, string?, Task<bool>> Listed(string name) => List($"{{\"sha\":\"{LoopbackHub.Commit}\",\"siblings\":[{{\"rfilename\":\"{name}\"}}]}}");

    private static Func<HttpContext, string?, Task<bool>> Head(Action<HttpResponse> answer) => (context, file) =>
    {
        if (file is null || context.Request.Method != "HEAD") return Task.FromResult(false);
        answer(context.Response);
        return Task.FromResult(true);
    };
}
