using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json.Nodes;
using OpenEuroLLM.Core.Auditing;
using OpenEuroLLM.Serving.Auditing;

namespace OpenEuroLLM.Cli.Tests;

/// <summary>A real server process that is told to stop, as Kubernetes does it.</summary>
public sealed partial class ServeSignalTests(SmallRun run) : IDisposable
{
    private const int Sigterm = 15, Sigint = 2;

    // Tokens: several megabytes of events, more than the buffers between server and client hold, so that the answer cannot end before the client reads it.
    private const int LongAnswer = 20_000;

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact(Timeout = 120_000)]
    public async Task On_SIGTERM_a_running_answer_comes_to_its_end_new_ones_are_refused_and_every_row_is_there()
    {
        await using Served server = await Served.StartAsync(PatientModel(), _folder, "--drain-seconds", "60");
        using HttpResponseMessage running = await server.StreamAsync();
        server.Signal(Sigterm);

        HttpResponseMessage ready;
        do ready = await server.Client.GetAsync(new Uri("/ready", UriKind.Relative), TestContext.Current.CancellationToken);
        while (ready.StatusCode != HttpStatusCode.ServiceUnavailable && !server.HasEnded);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, ready.StatusCode);
        using HttpResponseMessage refused = await server.Client.SendAsync(Served.Request(4), TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, refused.StatusCode);
        Assert.NotNull(refused.Headers.RetryAfter);
        Assert.EndsWith("data: [DONE]\n\n", await running.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);

        Assert.Equal(0, await server.EndAsync());
        AuditEntry[] rows = Rows();
        AuditEntry answered = Assert.Single(rows, row => row.Kind == AuditKind.Request);
        Assert.Equal(AuditOutcome.Completed, answered.Outcome);
        Assert.Equal(AuditKind.Stopped, rows[^1].Kind);
        Assert.Contains("\nStopped.\n", server.Output, StringComparison.Ordinal);
        Assert.Contains("The audit ends at ", server.Error, StringComparison.Ordinal);
        Assert.Equal(2, (await File.ReadAllLinesAsync(_folder.At("requests.jsonl"), TestContext.Current.CancellationToken)).Select(line => JsonNode.Parse(line)).Count());
    }

    [Fact(Timeout = 120_000)]
    public async Task A_second_signal_ends_answers_at_once_with_an_error_and_in_order()
    {
        await using Served server = await Served.StartAsync(PatientModel(), _folder, "--drain-seconds", "600");
        using HttpResponseMessage running = await server.StreamAsync();
        server.Signal(Interrupts ? Sigint : Sigterm);
        while ((await server.Client.GetAsync(new Uri("/ready", UriKind.Relative), TestContext.Current.CancellationToken)).IsSuccessStatusCode) { }
        server.Signal(Sigterm);

        string text = await running.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.Equal(0, await server.EndAsync());
        AuditEntry row = Assert.Single(Rows(), row => row.Kind == AuditKind.Request);
        Assert.Contains("server_stopping", text, StringComparison.Ordinal);
        Assert.Equal((AuditOutcome.Cancelled, "server_stopping"), (row.Outcome, row.Code));
    }

    [Fact]
    public void Contradictions_are_refused_before_anything_is_loaded()
    {
        Oellm.Refuses(["serve", "--model", run.Model, "--audit", "a.db", "--no-audit"], "--audit and --no-audit");
        Oellm.Refuses(["serve", "--model", run.Model, "--log", "none", "--log-content"], "--log-content needs a log");
        Oellm.Refuses(["serve", "--model", run.Model, "--drain-seconds", "-1"], "--drain-seconds is -1");
        Oellm.Refuses(["serve", "--model", run.Model, "--audit", _folder.Write("letter.txt", new string('x', 5000))], "letter.txt", "is no audit");
    }

    [Fact(Timeout = 120_000)]
    public async Task Keys_bring_an_audit_beside_them_and_content_in_the_log_is_said_loudly()
    {
        string keys = _folder.At("keys.json");
        string key = Oellm.Succeeds("keys", "add", "--store", keys, "--name", "a test").Output.TrimEnd('\n');
        await using Served server = await Served.StartAsync(run.Model, _folder, "--keys", keys, "--log-content");
        server.Client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
        using (HttpResponseMessage answered = await server.Client.SendAsync(Served.Request(2), TestContext.Current.CancellationToken)) Assert.Equal(HttpStatusCode.OK, answered.StatusCode);
        server.Signal(Sigterm);
        Assert.Equal(0, await server.EndAsync());

        Assert.Contains("WARNING: --log-content is on", server.Error, StringComparison.Ordinal);
        Assert.Contains("Vienna", await File.ReadAllTextAsync(_folder.At("requests.jsonl"), TestContext.Current.CancellationToken), StringComparison.Ordinal);
        string audit = _folder.At(AuditCommand.DefaultFile);
        Assert.Contains("a test", Oellm.Succeeds("audit", "show", "--audit", audit).Output, StringComparison.Ordinal);
        Assert.DoesNotContain("Vienna", Oellm.Succeeds("audit", "show", "--audit", audit, "--json").Output, StringComparison.Ordinal);
    }

    /// <summary>Whether children take SIGINT: what runs in the background of a shell ignores it, and hands that on.</summary>
    private static bool Interrupts => !File.Exists("/proc/self/status") ||
        (Convert.ToUInt64(File.ReadLines("/proc/self/status").First(line => line.StartsWith("SigIgn:", StringComparison.Ordinal))[7..].Trim(), 16) & (1ul << (Sigint - 1))) == 0;

    /// <summary>The small model with room for <see cref="LongAnswer"/>.</summary>
    private string PatientModel()
    {
        string model = Directory.CreateDirectory(_folder.At("model")).FullName;
        foreach (string file in Directory.GetFiles(run.Model)) File.Copy(file, Path.Combine(model, Path.GetFileName(file)));
        string settings = Path.Combine(model, "config.json");
        JsonNode config = JsonNode.Parse(File.ReadAllText(settings))!;
        config["max_position_embeddings"] = LongAnswer + 1000;
        File.WriteAllText(settings, config.ToJsonString());
        return model;
    }

    private AuditEntry[] Rows()
    {
        using var reader = new SqliteAuditReader(_folder.At("audit.db"));
        Assert.True(AuditChain.Verify(reader, cancellation: TestContext.Current.CancellationToken).Holds);
        return [.. reader.Read().Select(row => row.Entry())];
    }

    /// <summary>The program, serving.</summary>
    private sealed partial class Served : IAsyncDisposable
    {
        private readonly Process process;
        private readonly StringBuilder output = new(), error = new();

        private Served(Process process) => this.process = process;

        public HttpClient Client { get; } = new();

        public bool HasEnded => process.HasExited;

        public string Output => Read(output);

        public string Error => Read(error);

        public static async Task<Served> StartAsync(string model, TemporaryFolder folder, params string[] options)
        {
            Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no signals");
            var start = new ProcessStartInfo(Oellm.Host) { RedirectStandardOutput = true, RedirectStandardError = true };
            string[] audit = options.Contains("--keys") ? [] : ["--audit", folder.At("audit.db")];
            foreach (string argument in (string[])[Path.Combine(AppContext.BaseDirectory, "oellm.dll"), "serve", "--model", model, "--port", "0", "--threads", "1", "--log", folder.At("requests.jsonl"), .. audit, .. options]) start.ArgumentList.Add(argument);
            var server = new Served(new Process { StartInfo = start });
            var address = new TaskCompletionSource<Uri>(TaskCreationOptions.RunContinuationsAsynchronously);
            server.process.OutputDataReceived += (_, line) =>
            {
                Add(server.output, line.Data);
                if (line.Data?.Split(" answers at ") is [_, var where]) address.TrySetResult(new Uri(where));
            };
            server.process.ErrorDataReceived += (_, line) => Add(server.error, line.Data);
            server.process.EnableRaisingEvents = true;
            server.process.Exited += (_, _) => address.TrySetException(new InvalidOperationException("The server ended: " + server.Error));
            Assert.True(server.process.Start());
            server.process.BeginOutputReadLine();
            server.process.BeginErrorReadLine();
            server.Client.BaseAddress = await address.Task;
            return server;
        }

        public static HttpRequestMessage Request(int tokens, bool stream = false) => new(HttpMethod.Post, "/v1/completions")
        {
            Content = new StringContent($$"""{"model":"model","prompt":"Vienna","max_tokens":{{tokens}},"temperature":0,"ignore_eos":true,"stream":{{(stream ? "true" : "false")}}}""", Encoding.UTF8, new MediaTypeHeaderValue("application/json")),
        };

        /// <summary>Begins an answer that does not end before it is read.</summary>
        public async Task<HttpResponseMessage> StreamAsync()
        {
            HttpResponseMessage response = await Client.SendAsync(Request(LongAnswer, stream: true), HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken);
            Assert.True(response.StatusCode == HttpStatusCode.OK, await (response.IsSuccessStatusCode ? Task.FromResult("") : response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)));
            return response;
        }

        public void Signal(int signal) => Assert.Equal(0, Kill(process.Id, signal));

        public async Task<int> EndAsync()
        {
            await process.WaitForExitAsync(TestContext.Current.CancellationToken);
            process.WaitForExit(); // what it said is read to its end
            return process.ExitCode;
        }

        public ValueTask DisposeAsync()
        {
            Client.Dispose();
            if (!process.HasExited) process.Kill();
            process.Dispose();
            return ValueTask.CompletedTask;
        }

        [LibraryImport("libc", EntryPoint = "kill")]
        private static partial int Kill(int process, int signal);

        private static void Add(StringBuilder text, string? line)
        {
            lock (text) text.Append(line).Append('\n');
        }

        private static string Read(StringBuilder text)
        {
            lock (text) return text.ToString();
        }
    }
}
