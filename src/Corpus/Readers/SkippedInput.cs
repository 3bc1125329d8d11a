using System.Text.Json;
using OpenEuroLLM.Core;

namespace OpenEuroLLM.Corpus.Readers;

/// <summary>Something of the input that is no document and was passed over; the rest was read.</summary>
/// <param name="Reason">The name it is counted under.</param>
/// <param name="Place">The file with the line, or with the place of the record in bytes; absent where a count is enough, as for pictures.</param>
internal readonly record struct SkippedInput(string Reason, string? Place = null)
{
    private static readonly JsonWriterOptions Writing = new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>The entry of the log, without a line feed.</summary>
    public byte[] ToJsonLine()
    {
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream, Writing))
        {
            writer.WriteStartObject();
            writer.WriteString("place", Place);
            writer.WriteString("reason", Reason);
            writer.WriteEndObject();
        }
        return stream.ToArray();
    }
}

/// <summary>Counts the bad lines of a unit, and stops the run when they are too many: then the file is not what it is taken for.</summary>
/// <param name="share">The share of all lines that may be bad.</param>
/// <param name="skipped">Told of each.</param>
internal sealed class BadLines(double share, Action<SkippedInput>? skipped)
{
    private const int Judged = 1_000;

    private long _good, _bad;
    private UserErrorException? _first;

    /// <summary>Counts a document.</summary>
    public void Good() => _good++;

    /// <summary>Counts a bad line.</summary>
    /// <param name="reason">The name it is counted under.</param>
    /// <param name="place">The file and line.</param>
    /// <param name="error">What the user is told when the run stops.</param>
    /// <param name="spoilsFile">Whether the file is to blame, and not the line.</param>
    public void Bad(string reason, string place, UserErrorException error, bool spoilsFile = false)
    {
        if (spoilsFile && share < 1) throw error;   // nobody knows how much is missing
        _bad++;
        _first ??= error;
        skipped?.Invoke(new SkippedInput(reason, place));
        if (_bad >= Judged) Check();
    }

    /// <exception cref="UserErrorException">The bad lines are too many; the message is that of the first.</exception>
    public void Check()
    {
        if (_first is not null && _bad > share * (_good + _bad)) throw _first;
    }
}
