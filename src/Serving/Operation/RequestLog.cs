using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Threading.Channels;
using OpenEuroLLM.Core;
using OpenEuroLLM.Core.Auditing;
using OpenEuroLLM.Inference;

namespace OpenEuroLLM.Serving.Operation;

/// <summary>One line of JSON for each request. Whatever a client sent is escaped, so that no line can be forged; without
/// <see cref="WithContent"/> nothing that was asked or answered is written. A reader of the log that is slow or gone holds up no request: lines that
/// find no room are dropped and counted.</summary>
public sealed class RequestLog : IAsyncDisposable
{
    private const int Room = 8192;
    private readonly TextWriter writer;
    private readonly bool owned;
    private readonly Channel<string> lines = Channel.CreateBounded<string>(new BoundedChannelOptions(Room) { SingleReader = true, FullMode = BoundedChannelFullMode.Wait });
    private readonly Task writing;
    private long dropped;

    /// <summary>A log that goes to a writer, which stays the caller's.</summary>
    /// <param name="writer">Gets the lines.</param>
    /// <param name="withContent">Whether prompts and answers are written too.</param>
    public RequestLog(TextWriter writer, bool withContent = false) : this(writer, withContent, owned: false) { }

    private RequestLog(TextWriter writer, bool withContent, bool owned)
    {
        (this.writer, WithContent, this.owned) = (writer, withContent, owned);
        writing = Task.Factory.StartNew(WriteLines, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
    }

    /// <summary>Whether prompts and answers are written too.</summary>
    public bool WithContent { get; }

    /// <summary>Lines that found no room, or could not be written.</summary>
    public long Dropped => Interlocked.Read(ref dropped);

    /// <summary>A log at the end of a file, which nobody but the owner reads when it is made here.</summary>
    /// <exception cref="UserErrorException">The file cannot be written.</exception>
    public static RequestLog ToFile(string path, bool withContent = false)
    {
        try
        {
            var options = new FileStreamOptions { Mode = FileMode.Append, Access = FileAccess.Write, Share = FileShare.Read | FileShare.Delete };
            if (!OperatingSystem.IsWindows()) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
            return new RequestLog(new StreamWriter(path, new UTF8Encoding(false), options) { NewLine = "\n" }, withContent, owned: true);
        }
        catch (Exception failure) when (StorageFailure.Is(failure))
        {
            throw StorageFailure.Explain(failure, path);
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        lines.Writer.TryComplete();
        await writing.ConfigureAwait(false);
        if (owned) await writer.DisposeAsync().ConfigureAwait(false);
    }

    internal void Write(RequestRecord record, int? status, TimeSpan whole)
    {
        if (!lines.Writer.TryWrite(LineOf(record, status, whole))) Interlocked.Increment(ref dropped);
    }

    private void WriteLines()
    {
        ChannelReader<string> reader = lines.Reader;
        while (reader.WaitToReadAsync().AsTask().GetAwaiter().GetResult())
        {
            try
            {
                while (reader.TryRead(out string? line)) writer.WriteLine(line);
                writer.Flush();
            }
            catch (Exception failure) when (StorageFailure.Is(failure) || failure is ObjectDisposedException)
            {
                Interlocked.Increment(ref dropped); // a full disk: the audit decides whether requests are answered, the log does not
            }
        }
    }

    private string LineOf(RequestRecord record, int? status, TimeSpan whole)
    {
        var buffer = new ArrayBufferWriter<byte>();
        IReadOnlyList<EngineCall> calls = record.Calls;
        using (var json = new Utf8JsonWriter(buffer)) // the strict encoder: ASCII only
        {
            json.WriteStartObject();
            json.WriteString("time", record.At.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture));
            json.WriteString("requestId", record.Id);
            if (record.KeyId is not null) json.WriteString("keyId", record.KeyId);
            json.WriteString("route", record.Route);
            if (status is int code) json.WriteNumber("status", code);
            json.WriteString("outcome", OutcomeOf(record, calls, status));
            if (record.Error?.Code is string error) json.WriteString("code", error);
            else if (calls.Count > 0) json.WriteString("code", string.Join(',', calls.Select(call => call.Code)));
            if (calls.Count > 0)
            {
                json.WriteString("model", calls[0].Model.Name);
                json.WriteNumber("promptTokens", calls.Sum(call => call.PromptTokens ?? 0));
                json.WriteNumber("cachedTokens", calls.Sum(call => call.CachedTokens ?? 0));
                json.WriteNumber("answerTokens", calls.Sum(call => call.AnswerTokens));
                if (calls.Min(call => call.FirstTokenMicroseconds) is long first) json.WriteNumber("firstTokenMs", Math.Round(first / 1e3, 3));
            }
            json.WriteNumber("wholeMs", Math.Round(whole.TotalMilliseconds, 3));
            if (Dropped is > 0 and long lost) json.WriteNumber("droppedLines", lost);
            if (WithContent) WriteContent(json, calls);
            json.WriteEndObject();
        }
        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    private static string OutcomeOf(RequestRecord record, IReadOnlyList<EngineCall> calls, int? status)
    {
        if (calls.FirstOrDefault(call => call.Outcome is not (null or AuditOutcome.Completed or AuditOutcome.Refused)) is { } early) return early.Outcome!;
        if (record.Error is not null) return record.Error.Status >= 500 && record.Error.Status != 503 ? AuditOutcome.Failed : AuditOutcome.Refused;
        return status is null ? AuditOutcome.Cancelled : AuditOutcome.Completed;
    }

    private static void WriteContent(Utf8JsonWriter json, IReadOnlyList<EngineCall> calls)
    {
        json.WriteStartArray("content");
        foreach (EngineCall call in calls)
        {
            json.WriteStartObject();
            json.WriteStartArray("input");
            foreach (var (role, text) in Turns(call.Input))
            {
                json.WriteStartObject();
                json.WriteString("role", role);
                json.WriteString("text", text);
                json.WriteEndObject();
            }
            json.WriteEndArray();
            json.WriteString("output", call.Output);
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }

    private static IEnumerable<(string Role, string Text)> Turns(GenerationInput? input) => input switch
    {
        GenerationInput.Messages conversation => conversation.Items.Select(turn => (turn.Role, turn.Content)),
        GenerationInput.TextInput text => [("text", text.Value)],
        GenerationInput.Tokens tokens => [("tokens", string.Join(' ', tokens.Ids.Select(id => id.ToString(CultureInfo.InvariantCulture))))],
        _ => [],
    };
}
