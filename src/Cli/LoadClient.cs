using System.Text.Json;
using OpenEuroLLM.Core;

namespace OpenEuroLLM.Cli;

/// <summary>One client of a server under load: a connection that it keeps, and what it hears and when.</summary>
internal sealed class LoadClient(int port, bool keepsEvents = false) : IDisposable
{
    /// <summary>How long an unused connection is kept: the server closes it after 130 seconds (docs/limits.md).</summary>
    private const int KeptSeconds = 60;

    private readonly byte[] piece = new byte[16 << 10];
    private LoopbackConnection? connection;
    private long used;

    /// <summary>What was heard of the last request, also where the connection ended before the answer; null before any was answered.</summary>
    public LoadAnswer? Last { get; private set; }

    /// <summary>Sends a request and reads all of its answer, whole or streamed.</summary>
    /// <param name="request">As it goes over the wire.</param>
    /// <param name="cancellation">Ends the wait.</param>
    /// <exception cref="IOException">The connection ended before the answer.</exception>
    public async Task<LoadAnswer> AskAsync(byte[] request, CancellationToken cancellation)
    {
        var answer = new LoadAnswer(keepsEvents);
        try
        {
            if (SystemClock.Instance.SecondsSince(used) > KeptSeconds) Close();
            connection ??= await LoopbackConnection.OpenAsync(port, cancellation).ConfigureAwait(false);
            long began = SystemClock.Instance.Timestamp;
            await connection.SendAsync(request, cancellation).ConfigureAwait(false);
            await connection.ReadHeadAsync(cancellation).ConfigureAwait(false);
            (answer.Status, answer.RetryAfter, answer.RequestId, Last) = (connection.Status, connection.RetryAfter, connection.RequestId, answer);
            using var line = new MemoryStream();
            for (int count; (count = await connection.ReadBodyAsync(piece, cancellation).ConfigureAwait(false)) > 0;)
                Take(answer, line, piece.AsSpan(0, count), SystemClock.Instance.SecondsSince(began));
            answer.Seconds = SystemClock.Instance.SecondsSince(began);
            Hear(answer, line, answer.Seconds);
            if (!connection.StaysOpen) Close();
            used = SystemClock.Instance.Timestamp;
            return answer;
        }
        catch
        {
            Close();
            throw;
        }
    }

    public void Dispose() => Close();

    private void Close()
    {
        connection?.Dispose();
        connection = null;
    }

    private static void Take(LoadAnswer answer, MemoryStream line, ReadOnlySpan<byte> bytes, double seconds)
    {
        while (bytes.IndexOf((byte)'\n') is var newline and >= 0)
        {
            line.Write(bytes[..newline]);
            bytes = bytes[(newline + 1)..];
            Hear(answer, line, seconds);
        }
        line.Write(bytes);
    }

    /// <summary>An event of a stream, or the one line that a whole answer is.</summary>
    private static void Hear(LoadAnswer answer, MemoryStream line, double seconds)
    {
        ReadOnlyMemory<byte> text = line.GetBuffer().AsMemory(0, (int)line.Length);
        line.SetLength(0);
        if (text.Span.StartsWith("data: "u8)) text = text[6..];
        if (text.Length > 0 && text.Span[0] == '{') answer.Hear(text, seconds);
        else if (text.Span.SequenceEqual("[DONE]"u8)) answer.SaysDone = true;
    }
}

/// <summary>What a client heard of one request.</summary>
internal sealed class LoadAnswer(bool keepsEvents)
{
    private readonly Dictionary<int, double> last = [];

    public int Status { get; set; }

    public string? RetryAfter { get; set; }

    /// <summary>The server's name for the request.</summary>
    public string? RequestId { get; set; }

    public bool SaysDone { get; set; }

    /// <summary>From the request to the end of the answer.</summary>
    public double Seconds { get; set; }

    /// <summary>From the request to the first piece of text; null when there was none.</summary>
    public double? FirstSeconds { get; private set; }

    /// <summary>Between the pieces of text of one choice.</summary>
    public List<double> Gaps { get; } = [];

    public int PromptTokens { get; private set; }

    public int CompletionTokens { get; private set; }

    public int CachedTokens { get; private set; }

    /// <summary>Tokens whose likelihood came, one by one.</summary>
    public int ScoredTokens { get; private set; }

    /// <summary>Choices that ended by the model's own end or a stop text.</summary>
    public int Stopped { get; private set; }

    /// <summary>Choices that ended.</summary>
    public int Finished { get; private set; }

    /// <summary>The error that was told, before the answer or in the middle of it.</summary>
    public string? Error { get; private set; }

    /// <summary>All that was heard, where that is kept.</summary>
    public List<byte[]> Events { get; } = [];

    public void Hear(ReadOnlyMemory<byte> json, double seconds)
    {
        if (keepsEvents) Events.Add(json.ToArray());
        using JsonDocument document = JsonDocument.Parse(json);
        JsonElement root = document.RootElement;
        if (root.TryGetProperty("error", out JsonElement error)) Error = error.ToString();
        if (root.TryGetProperty("choices", out JsonElement choices))
            foreach (JsonElement choice in choices.EnumerateArray()) HearChoice(choice, seconds);
        if (root.TryGetProperty("usage", out JsonElement usage) && usage.ValueKind == JsonValueKind.Object)
        {
            PromptTokens = usage.GetProperty("prompt_tokens").GetInt32();
            CompletionTokens = usage.GetProperty("completion_tokens").GetInt32();
            CachedTokens = usage.GetProperty("prompt_tokens_details").GetProperty("cached_tokens").GetInt32();
        }
    }

    private void HearChoice(JsonElement choice, double seconds)
    {
        int index = choice.GetProperty("index").GetInt32();
        if (HasText(choice))
        {
            FirstSeconds ??= seconds;
            if (last.TryGetValue(index, out double before)) Gaps.Add(seconds - before);
            last[index] = seconds;
        }
        if (choice.TryGetProperty("logprobs", out JsonElement scores) && scores.ValueKind == JsonValueKind.Object)
            ScoredTokens += scores.GetProperty(scores.TryGetProperty("tokens", out _) ? "tokens" : "content").GetArrayLength();
        if (choice.GetProperty("finish_reason").GetString() is not { } reason) return;
        Finished++;
        if (reason != "length") Stopped++;
    }

    private static bool HasText(JsonElement choice)
    {
        if (choice.TryGetProperty("text", out JsonElement text)) return text.GetString()!.Length > 0;
        JsonElement said = choice.TryGetProperty("delta", out JsonElement delta) ? delta : choice.GetProperty("message");
        return IsText(said, "content") || IsText(said, "reasoning_content") || said.TryGetProperty("tool_calls", out _);
    }

    private static bool IsText(JsonElement said, string field) =>
        said.TryGetProperty(field, out JsonElement text) && text.ValueKind == JsonValueKind.String && text.GetString()!.Length > 0;
}
