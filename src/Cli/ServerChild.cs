using System.Globalization;
using System.Text;
using System.Text.Json;
using OpenEuroLLM.Core;

namespace OpenEuroLLM.Cli;

/// <summary><c>oellm serve</c> in a process of its own, on a free port of this machine, for measuring and proving.</summary>
internal sealed class ServerChild : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);
    private static readonly TimeSpan Glance = TimeSpan.FromMilliseconds(5);

    private readonly ProofChild process;

    private ServerChild(ProofChild process, int port, double secondsToReady, string model) => (this.process, Port, SecondsToReady, Model) = (process, port, secondsToReady, model);

    public int Port { get; }

    /// <summary>From the start of the process until /ready said yes.</summary>
    public double SecondsToReady { get; }

    /// <summary>The name that requests give its model.</summary>
    public string Model { get; }

    /// <summary>Threads of the process.</summary>
    public int Threads => Directory.GetDirectories(Of("task")).Length;

    /// <summary>Open sockets of the process: connections, and the few that listen.</summary>
    public int Sockets => Directory.GetFileSystemEntries(Of("fd")).Count(file => new FileInfo(file).LinkTarget?.StartsWith("socket:", StringComparison.Ordinal) == true);

    /// <summary>Memory that the process holds.</summary>
    public long ResidentBytes => process.MemoryBytes;

    public int ProcessId => process.Id;

    /// <param name="arguments">Options of <c>serve</c>; its port is chosen here.</param>
    /// <param name="cancellation">Ends the wait.</param>
    /// <exception cref="UserErrorException">It ended instead, or is not ready after minutes.</exception>
    public static async Task<ServerChild> StartAsync(IReadOnlyList<string> arguments, CancellationToken cancellation)
    {
        long began = SystemClock.Instance.Timestamp;
        var address = new TaskCompletionSource<int>(TaskCreationOptions.RunContinuationsAsynchronously);
        ProofChild process = ProofChild.Start(["serve", "--port", "0", "--log", "none", .. arguments], switchedOff: null, line =>
        {
            if (PortIn(line) is int port) address.TrySetResult(port);
        });
        try
        {
            while (!address.Task.IsCompleted)
            {
                if (process.HasExited) throw new UserErrorException($"the server did not start: {process.LastWords}");
                if (SystemClock.Instance.SecondsSince(began) > Patience.TotalSeconds) throw new UserErrorException("the server did not begin to listen within minutes.");
                await Task.WhenAny(address.Task, Task.Delay(Glance, cancellation)).ConfigureAwait(false);
                cancellation.ThrowIfCancellationRequested();
            }
            int port = await address.Task.ConfigureAwait(false);
            await AwaitReadyAsync(port, began, cancellation).ConfigureAwait(false);
            double seconds = SystemClock.Instance.SecondsSince(began);
            using JsonDocument models = JsonDocument.Parse(await GetAsync(port, "/v1/models", cancellation).ConfigureAwait(false));
            return new ServerChild(process, port, seconds, models.RootElement.GetProperty("data")[0].GetProperty("id").GetString()!);
        }
        catch
        {
            process.Dispose();
            throw;
        }
    }

    /// <summary>All values of /metrics without buckets, by name; those of one name with several labels summed up.</summary>
    public async Task<IReadOnlyDictionary<string, double>> MetricsAsync(CancellationToken cancellation)
    {
        var values = new Dictionary<string, double>(StringComparer.Ordinal);
        foreach (string line in Encoding.UTF8.GetString(await GetAsync(Port, "/metrics", cancellation).ConfigureAwait(false)).Split('\n'))
        {
            if (line.Length == 0 || line[0] == '#') continue;
            int brace = line.IndexOf('{', StringComparison.Ordinal), space = line.LastIndexOf(' ');
            string name = line[..(brace >= 0 ? brace : space)];
            values[name] = values.GetValueOrDefault(name) + double.Parse(line.AsSpan(space + 1), NumberStyles.Float, CultureInfo.InvariantCulture);
        }
        return values;
    }

    /// <summary>Answers that run or wait, and the share of the cache that they hold.</summary>
    public async Task<(double Running, double Waiting, double HeldShare)> LoadAsync(CancellationToken cancellation)
    {
        var metrics = await MetricsAsync(cancellation).ConfigureAwait(false);
        return (metrics["vllm:num_requests_running"], metrics["vllm:num_requests_waiting"], metrics["vllm:kv_cache_usage_perc"]);
    }

    /// <summary>Waits until nothing runs, waits or holds pages.</summary>
    /// <returns>The seconds that it took; null when the time was over first.</returns>
    public async Task<double?> AwaitIdleAsync(TimeSpan most, CancellationToken cancellation)
    {
        long began = SystemClock.Instance.Timestamp;
        while (await LoadAsync(cancellation).ConfigureAwait(false) is not (0, 0, 0))
        {
            if (SystemClock.Instance.SecondsSince(began) > most.TotalSeconds) return null;
            await Task.Delay(50, cancellation).ConfigureAwait(false);
        }
        return SystemClock.Instance.SecondsSince(began);
    }

    /// <summary>Bytes of the managed objects that are alive: what a collection of everything leaves.</summary>
    public async Task<long> LiveBytesAsync(CancellationToken cancellation)
    {
        double before = (await MetricsAsync(cancellation).ConfigureAwait(false))["oellm_heap_collection"];
        await HeapCollection.CollectAsync(ProcessId, cancellation).ConfigureAwait(false);
        for (int attempt = 0; attempt < 200; attempt++)
        {
            var now = await MetricsAsync(cancellation).ConfigureAwait(false);
            if (now["oellm_heap_collection"] > before) return (long)now["oellm_heap_live_bytes"];
            await Task.Delay(50, cancellation).ConfigureAwait(false);
        }
        throw new UserErrorException("the server did not collect its heap within seconds.");
    }

    /// <summary>Ends it as a power cut would.</summary>
    public void Kill() => process.Kill();

    /// <inheritdoc cref="Kill"/>
    public void Dispose() => process.Dispose();

    /// <summary>The port in the line that tells the address, or null in any other line.</summary>
    internal static int? PortIn(string line)
    {
        const string Before = "://127.0.0.1:";
        int place = line.IndexOf(Before, StringComparison.Ordinal);
        if (place < 0) return null;
        ReadOnlySpan<char> rest = line.AsSpan(place + Before.Length);
        int digits = rest.IndexOfAnyExceptInRange('0', '9');
        return int.Parse(digits < 0 ? rest : rest[..digits], NumberStyles.None, CultureInfo.InvariantCulture);
    }

    private static async Task AwaitReadyAsync(int port, long began, CancellationToken cancellation)
    {
        using LoopbackConnection connection = await LoopbackConnection.OpenAsync(port, cancellation).ConfigureAwait(false);
        do
        {
            if (SystemClock.Instance.SecondsSince(began) > Patience.TotalSeconds) throw new UserErrorException("the server was not ready within minutes.");
            await connection.AskAsync(LoopbackConnection.Request("/ready"), cancellation).ConfigureAwait(false);
        }
        while (connection.Status != 200);
    }

    private static async Task<byte[]> GetAsync(int port, string path, CancellationToken cancellation)
    {
        using LoopbackConnection connection = await LoopbackConnection.OpenAsync(port, cancellation).ConfigureAwait(false);
        byte[] body = await connection.AskAsync(LoopbackConnection.Request(path), cancellation).ConfigureAwait(false);
        return connection.Status == 200 ? body : throw new UserErrorException(FormattableString.Invariant($"the server answered {connection.Status} to {path}."));
    }

    private string Of(string what) => FormattableString.Invariant($"/proc/{ProcessId}/{what}");
}
