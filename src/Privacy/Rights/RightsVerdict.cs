using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace OpenEuroLLM.Privacy.Rights;

/// <summary>Whether a resource may be learned from, and everything that was said about it. Any denial leaves it out, unless a licence that the user names lifts it.</summary>
/// <param name="Excluded">Whether it is left out.</param>
/// <param name="Reason">The protocol that leaves it out, the first in the order of <see cref="RightsNames.All"/>; null when it is kept.</param>
/// <param name="Signals">All statements, in the same order; of site files that say nothing too, as evidence that they were asked.</param>
/// <param name="License">The licence that lifted a denial; null where none did.</param>
/// <param name="Rules">Version of parsers and lists.</param>
public sealed record RightsVerdict(bool Excluded, string? Reason, IReadOnlyList<RightsSignal> Signals, string? License, string Rules)
{
    private static readonly JsonWriterOptions Compact = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>The statement that decides: the first denial; null when there is none.</summary>
    public RightsSignal? Decisive => Signals.FirstOrDefault(signal => signal.Denies);

    /// <summary>Writes the entry of a ledger: <c>{"excluded", "reason"?, "license"?, "rules", "signals": [...]}</c>.</summary>
    public void WriteTo(Utf8JsonWriter writer)
    {
        ArgumentNullException.ThrowIfNull(writer);
        writer.WriteStartObject();
        WriteFields(writer);
        writer.WriteEndObject();
    }

    /// <summary>The same without the braces, for an object that says more.</summary>
    public void WriteFields(Utf8JsonWriter writer)
    {
        ArgumentNullException.ThrowIfNull(writer);
        writer.WriteBoolean("excluded", Excluded);
        if (Reason is not null) writer.WriteString("reason", Reason);
        if (License is not null) writer.WriteString("license", License);
        writer.WriteString("rules", Rules);
        writer.WriteStartArray("signals");
        foreach (RightsSignal signal in Signals) signal.WriteTo(writer);
        writer.WriteEndArray();
    }

    /// <summary>The entry as one line, letters unescaped.</summary>
    public string ToJson()
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer, Compact)) WriteTo(writer);
        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }
}
