using System.Text.Json;
using OpenEuroLLM.Core;
using OpenEuroLLM.Corpus.Readers;

namespace OpenEuroLLM.Corpus.Reporting;

/// <summary>The lines of a file of a corpus folder; what is wrong with one is said with its number.</summary>
internal static class FolderLines
{
    private const int MostLineBytes = 1 << 20;

    private static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false };

    /// <summary>Gives every line to <paramref name="take"/>, which throws <see cref="FormatException"/> where it finds something else.</summary>
    /// <returns>False when there is no such file.</returns>
    /// <exception cref="UserErrorException">A line is not what the file should hold, or the file cannot be read.</exception>
    public static bool Read(IFileSystem files, string path, string what, Action<ReadOnlyMemory<byte>> take)
    {
        if (!files.FileExists(path)) return false;
        try
        {
            using Stream stream = files.OpenRead(path);
            var reader = new LineReader(stream, MostLineBytes);
            try
            {
                while (reader.TryRead(out ReadOnlyMemory<byte> line)) take(line);
            }
            catch (Exception error) when (error is FormatException or JsonException or InvalidDataException or InvalidOperationException)
            {
                string found = error is JsonException ? "no valid JSON" : error is InvalidOperationException ? "text that is not valid Unicode" : error.Message.TrimEnd('.');
                throw new UserErrorException(FormattableString.Invariant($"{path}:{reader.Line}: {found}; expected {what}, make the folder again."), error);
            }
        }
        catch (Exception error) when (StorageFailure.Is(error))
        {
            throw StorageFailure.Explain(error, path);
        }
        return true;
    }

    /// <summary>The object of a line.</summary>
    public static JsonDocument Object(ReadOnlyMemory<byte> line)
    {
        JsonDocument document = JsonDocument.Parse(line, Strict);
        if (document.RootElement.ValueKind == JsonValueKind.Object) return document;
        document.Dispose();
        throw new FormatException("not a JSON object");
    }

    /// <summary>A field that must be there.</summary>
    public static string Text(JsonDocument line, string field) =>
        OptionalText(line, field) ?? throw new FormatException($"the field '{field}' is missing");

    /// <summary>A field that may be absent.</summary>
    public static string? OptionalText(JsonDocument line, string field) =>
        !line.RootElement.TryGetProperty(field, out JsonElement value) || value.ValueKind == JsonValueKind.Null ? null
        : value.ValueKind == JsonValueKind.String ? value.GetString()
        : throw new FormatException($"the field '{field}' is not text");

    /// <summary>A whole number that must be there.</summary>
    public static long Whole(JsonDocument line, string field) =>
        line.RootElement.TryGetProperty(field, out JsonElement value) && value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out long number) && number >= 0
            ? number
            : throw new FormatException($"the field '{field}' is missing or no whole number");
}
