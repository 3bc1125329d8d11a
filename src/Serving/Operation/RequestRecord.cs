using OpenEuroLLM.Serving.Security;

namespace OpenEuroLLM.Serving.Operation;

/// <summary>What is known of one HTTP request while it is answered, for the audit, the log and the metrics; filled by whoever comes to know it.</summary>
internal sealed class RequestRecord(string id, string method, DateTimeOffset at, long arrived)
{
    private static readonly AsyncLocal<RequestRecord?> Ambient = new();
    private readonly Lock adding = new();
    private readonly List<EngineCall> calls = [];

    /// <summary>The request that this code runs for; null outside of requests.</summary>
    public static RequestRecord? Current
    {
        get => Ambient.Value;
        set => Ambient.Value = value;
    }

    public string Id { get; } = id;

    public string Method { get; } = method;

    /// <summary>When it arrived.</summary>
    public DateTimeOffset At { get; } = at;

    /// <summary>The same as a reading of the monotonic clock.</summary>
    public long Arrived { get; } = arrived;

    public string? KeyId { get; private set; }

    public string? KeyName { get; private set; }

    /// <summary>Method and pattern of the address; never what a client wrote as an address.</summary>
    public string? Route { get; set; }

    /// <summary>The error that it was answered with before anything else was sent; null for none.</summary>
    public ApiError? Error { get; set; }

    /// <summary>What it asked of the engine, in order.</summary>
    public IReadOnlyList<EngineCall> Calls
    {
        get { lock (adding) return [.. calls]; }
    }

    public void Identify(ApiKey key) => (KeyId, KeyName) = (key.Id, key.Name);

    /// <summary>Adds a call of the engine; returns its number, from 0.</summary>
    public int Add(EngineCall call)
    {
        lock (adding)
        {
            calls.Add(call);
            return calls.Count - 1;
        }
    }

    /// <summary>Whether the engine began to answer.</summary>
    public bool Begun => Calls.Any(call => !call.Refused);
}
