using System.Text.Json;
using System.Text.Unicode;
using OpenEuroLLM.Core;

namespace OpenEuroLLM.Formats;

/// <summary>The JSON header of a safetensors file, with every check whose absence has let a crafted file read foreign memory.</summary>
internal static class SafetensorsHeader
{
    public const int MaximumBytes = 100_000_000;
    public const string MetadataKey = "__metadata__";

    private const int MaximumDimensions = 32;
    private const int MaximumMessageLetters = 600;

    public static (Dictionary<string, SafetensorsTensor> Tensors, Dictionary<string, string> Metadata) Parse(
        string path, ReadOnlySpan<byte> header, long fileLength)
    {
        if (header.IsEmpty || header[0] != (byte)'{')
            throw Malformed(path, "the header does not start with '{'. Is it really a safetensors file?");
        if (!Utf8.IsValid(header))
            throw Malformed(path, "the header is not valid UTF-8.");
        try
        {
            return ParseJson(path, header, fileLength);
        }
        // The reader reports broken JSON with the first, and an escaped lone surrogate in a name with the second.
        catch (Exception error) when (error is JsonException or InvalidOperationException)
        {
            throw new UserErrorException($"{path}: the header is not valid JSON: {OneLine(error.Message)}", error);
        }
    }

    private static (Dictionary<string, SafetensorsTensor>, Dictionary<string, string>) ParseJson(string path, ReadOnlySpan<byte> header, long fileLength)
    {
        var tensors = new Dictionary<string, SafetensorsTensor>(StringComparer.Ordinal);
        Dictionary<string, string>? metadata = null;
        long dataStart = 8 + header.Length;
        var reader = new Utf8JsonReader(header);
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            string name = reader.GetString()!;
            reader.Read();
            if (name == MetadataKey)
            {
                if (metadata is not null)
                    throw Malformed(path, $"'{MetadataKey}' stands there twice.");
                metadata = ParseMetadata(path, ref reader);
            }
            else if (!tensors.TryAdd(name, ParseTensor(path, name, ref reader, dataStart)))
            {
                throw Malformed(path, $"tensor '{name}' stands there twice.");
            }
        }
        // One more step makes the reader refuse anything but white space after the closing brace.
        reader.Read();
        RequireTiling(path, tensors.Values, dataStart, fileLength);
        return (tensors, metadata ?? []);
    }

    private static Dictionary<string, string> ParseMetadata(string path, ref Utf8JsonReader reader)
    {
        if (reader.TokenType != JsonTokenType.StartObject)
            throw Malformed(path, $"'{MetadataKey}' is no object; expected text values by name.");
        var metadata = new Dictionary<string, string>(StringComparer.Ordinal);
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            string key = reader.GetString()!;
            reader.Read();
            if (reader.TokenType != JsonTokenType.String)
                throw Malformed(path, $"'{MetadataKey}.{key}' is no text; expected only text values.");
            if (!metadata.TryAdd(key, reader.GetString()!))
                throw Malformed(path, $"'{MetadataKey}.{key}' stands there twice.");
        }
        return metadata;
    }

    private static SafetensorsTensor ParseTensor(string path, string name, ref Utf8JsonReader reader, long dataStart)
    {
        if (reader.TokenType != JsonTokenType.StartObject)
            throw Malformed(path, $"tensor '{name}' is no object; expected dtype, shape and data_offsets.");
        SafetensorsType? type = null;
        List<ulong>? shape = null;
        List<ulong>? offsets = null;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            string key = reader.GetString()!;
            reader.Read();
            bool repeated;
            switch (key)
            {
                case "dtype":
                    repeated = type is not null;
                    string found = reader.TokenType == JsonTokenType.String ? reader.GetString()! : reader.TokenType.ToString();
                    type = SafetensorsTypes.Find(found)
                        ?? throw Malformed(path, $"tensor '{name}' has dtype '{found}'; known: {SafetensorsTypes.AllNames}.");
                    break;
                case "shape":
                    repeated = shape is not null;
                    shape = ParseNumbers(path, name, key, ref reader);
                    break;
                case "data_offsets":
                    repeated = offsets is not null;
                    offsets = ParseNumbers(path, name, key, ref reader);
                    break;
                default:
                    throw Malformed(path, $"tensor '{name}' has the unknown field '{key}'; expected dtype, shape and data_offsets.");
            }
            if (repeated)
                throw Malformed(path, $"tensor '{name}' has '{key}' twice.");
        }
        if (type is null || shape is null || offsets is not [ulong begin, ulong end])
            throw Malformed(path, $"tensor '{name}' lacks dtype, shape or two data_offsets.");
        if (end < begin)
            throw Malformed(path, $"tensor '{name}' ends at {end}, before its start {begin}.");
        var size = SafetensorsTensor.Measure(type.Value, shape)
            ?? throw Malformed(path, $"tensor '{name}' has the shape [{string.Join(", ", shape)}] of {SafetensorsTypes.Name(type.Value)}, whose size overflows or fills no whole bytes.");
        if (end - begin != (ulong)size.Bytes)
            throw Malformed(path, $"tensor '{name}' occupies {end - begin} bytes; its shape [{string.Join(", ", shape)}] of {SafetensorsTypes.Name(type.Value)} needs {size.Bytes}.");
        if (begin > (ulong)(long.MaxValue - dataStart))
            throw Malformed(path, $"tensor '{name}' starts at {begin}, beyond any file.");
        return new SafetensorsTensor(name, type.Value, [.. shape.Select(extent => (long)extent)], size.Elements, dataStart + (long)begin, size.Bytes);
    }

    private static List<ulong> ParseNumbers(string path, string name, string key, ref Utf8JsonReader reader)
    {
        if (reader.TokenType != JsonTokenType.StartArray)
            throw Malformed(path, $"tensor '{name}': {key} is no list; expected whole numbers.");
        var numbers = new List<ulong>();
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            if (reader.TokenType != JsonTokenType.Number || !reader.TryGetUInt64(out ulong number) || number > long.MaxValue)
                throw Malformed(path, $"tensor '{name}': {key} holds something that is no whole number from 0 to 2^63-1.");
            if (numbers.Count == MaximumDimensions)
                throw Malformed(path, $"tensor '{name}': {key} holds more than {MaximumDimensions} numbers.");
            numbers.Add(number);
        }
        return numbers;
    }

    private static void RequireTiling(string path, IEnumerable<SafetensorsTensor> tensors, long dataStart, long fileLength)
    {
        // Without holes and overlaps no byte of the file is unaccounted for and none belongs to two tensors.
        long position = dataStart;
        foreach (var tensor in tensors.OrderBy(tensor => tensor.FileOffset).ThenBy(tensor => tensor.SizeBytes))
        {
            if (tensor.FileOffset != position)
                throw Malformed(path, $"tensor '{tensor.Name}' starts at data byte {tensor.FileOffset - dataStart}; expected {position - dataStart}, where the one before it ends.");
            if (tensor.SizeBytes > fileLength - position)
                throw Malformed(path, $"tensor '{tensor.Name}' needs {tensor.SizeBytes} bytes and the file has {fileLength - position} left; it is truncated, fetch or write it again.");
            position += tensor.SizeBytes;
        }
        if (position != fileLength)
            throw Malformed(path, $"the tensors end at byte {position}, but the file has {fileLength}; expected no bytes after the last tensor.");
    }

    // Names come from the file: they may be long, and hold what would steer a terminal.
    private static string OneLine(string text)
    {
        string line = new([.. text.Take(MaximumMessageLetters).Select(letter => char.IsControl(letter) ? ' ' : letter)]);
        return text.Length > MaximumMessageLetters ? line + "..." : line;
    }

    private static UserErrorException Malformed(string path, string what) => new($"{path}: {OneLine(what)}");
}
