using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace OpenEuroLLM.Core;

/// <summary>Something a stage read.</summary>
/// <param name="Path">Relative to the folder of the manifest, with '/'.</param>
/// <param name="Sha256">Of the file.</param>
/// <param name="ManifestSha256">When the input is a finished folder: the hash of its manifest, which stands for all its files.</param>
public sealed record ManifestInput(string Path, string Sha256, string? ManifestSha256 = null);

/// <summary>A file a stage wrote.</summary>
/// <param name="Path">Relative to the folder of the manifest, with '/'.</param>
/// <param name="Bytes">Its length.</param>
/// <param name="Sha256">Of its content.</param>
public sealed record ManifestOutput(string Path, long Bytes, string Sha256);

/// <summary>How much a step kept or dropped, and why.</summary>
/// <param name="Step">The step that counted, <c>min-words</c>.</param>
/// <param name="Reason">The outcome, <c>kept</c> or <c>too-short</c>.</param>
/// <param name="Language">Canonical language code.</param>
/// <param name="Source">Name of the collection.</param>
/// <param name="License">Licence of the collection.</param>
/// <param name="Documents">Number of documents.</param>
/// <param name="Bytes">Bytes of UTF-8 text.</param>
/// <param name="Tokens">Number of tokens, where the stage knows tokens.</param>
public sealed record ManifestCount(
    string Step, string Reason, string? Language = null, string? Source = null, string? License = null,
    long Documents = 0, long Bytes = 0, long Tokens = 0);

/// <summary>What a stage did, without anything that may differ between two equal runs: <c>manifest.json</c>.</summary>
/// <param name="Stage">Name of the stage, <c>corpus</c>.</param>
/// <param name="Settings">The effective settings.</param>
/// <param name="Inputs">What was read.</param>
/// <param name="Outputs">What was written.</param>
/// <param name="Counts">What was kept and dropped.</param>
/// <param name="CodeVersion">See <see cref="BuildVersion"/>.</param>
/// <param name="Replaces">Hashes of the manifests of which this one is the successor, oldest first: the folder as it was before documents were erased from it. Absent: of none.</param>
public sealed record Manifest(
    string Stage, JsonObject Settings, IReadOnlyList<ManifestInput> Inputs, IReadOnlyList<ManifestOutput> Outputs,
    IReadOnlyList<ManifestCount> Counts, string CodeVersion, IReadOnlyList<string>? Replaces = null)
{
    /// <summary>The first field of every manifest.</summary>
    public const string FormatName = "oellm-manifest-1";

    /// <summary>The file's name in its folder.</summary>
    public const string FileName = "manifest.json";

    /// <summary>The file's content: lists sorted, settings with sorted keys, so that equal manifests have equal bytes.</summary>
    public byte[] ToJson() => CanonicalJson.Write(writer =>
    {
        writer.WriteStartObject();
        writer.WriteString("format", FormatName);
        writer.WriteString("stage", Stage);
        writer.WritePropertyName("settings");
        CanonicalJson.WriteSorted(writer, Settings);
        writer.WriteStartArray("inputs");
        foreach (var input in Inputs.OrderBy(input => input.Path, StringComparer.Ordinal))
        {
            writer.WriteStartObject();
            writer.WriteString("path", input.Path);
            writer.WriteString("sha256", input.Sha256);
            if (input.ManifestSha256 is not null) writer.WriteString("manifestSha256", input.ManifestSha256);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
        writer.WriteStartArray("outputs");
        foreach (var output in Outputs.OrderBy(output => output.Path, StringComparer.Ordinal))
        {
            writer.WriteStartObject();
            writer.WriteString("path", output.Path);
            writer.WriteNumber("bytes", output.Bytes);
            writer.WriteString("sha256", output.Sha256);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
        writer.WriteStartArray("counts");
        foreach (var count in SortedCounts()) Write(writer, count);
        writer.WriteEndArray();
        if (Replaces is { Count: > 0 })
        {
            writer.WriteStartArray("replaces");
            foreach (string hash in Replaces) writer.WriteStringValue(hash);
            writer.WriteEndArray();
        }

        writer.WriteString("codeVersion", CodeVersion);
        writer.WriteEndObject();
    });

    /// <summary>Hash of <see cref="ToJson"/>: the identity of the folder.</summary>
    public string Sha256() => Hash(ToJson());

    /// <summary>Reads the manifest of a finished folder and checks that its files are there with their lengths
    /// (their content is <see cref="ManifestVerifier"/>'s affair).</summary>
    /// <exception cref="UserErrorException">There is no manifest, it is malformed, or it does not match the folder.</exception>
    public static Manifest Read(IFileSystem files, string directory)
    {
        string path = Path.Combine(directory, FileName);
        if (!files.FileExists(path))
            throw new UserErrorException($"{directory}: no {FileName}; expected the finished output folder of a stage, make it again or check the path.");
        var manifest = Parse(ReadAll(files, path), path);
        foreach (var output in manifest.Outputs)
        {
            string file = Path.Combine(directory, output.Path);
            if (!files.FileExists(file))
                throw new UserErrorException($"{file}: missing, but {FileName} lists it; make the folder again.");
            long length = files.FileLength(file);
            if (length != output.Bytes && !Succeeds(files, file, output.Sha256))
                throw new UserErrorException($"{file}: {length} bytes; {FileName} says {output.Bytes}, make the folder again.");
        }

        return manifest;
    }

    /// <summary>Whether a file is the manifest of a folder that has since taken the place of the one whose manifest had the hash.</summary>
    /// <remarks>What was made from the older folder, or lies around it, still names that one.</remarks>
    public static bool Succeeds(IFileSystem files, string path, string sha256)
    {
        ArgumentNullException.ThrowIfNull(files);
        if (Path.GetFileName(path) != FileName || !files.FileExists(path)) return false;
        try
        {
            return Parse(ReadAll(files, path), path).Replaces?.Contains(sha256) == true;
        }
        catch (UserErrorException)
        {
            return false;   // whatever it is, it is no successor; its reader says what is wrong
        }
    }

    /// <summary>Reads the content of a manifest.</summary>
    /// <param name="json">The file's bytes.</param>
    /// <param name="where">The file's name, for the error message.</param>
    /// <exception cref="UserErrorException">It is not a manifest of this format.</exception>
    public static Manifest Parse(ReadOnlySpan<byte> json, string where)
    {
        try
        {
            var root = StrictJson.Parse(json);
            string format = Text(root, "format");
            if (format != FormatName) throw new UserErrorException($"{where}: format is '{format}'; expected '{FormatName}', use the version of oellm that wrote it.");
            return new Manifest(
                Text(root, "stage"),
                root["settings"]!.DeepClone().AsObject(),
                [.. Items(root, "inputs").Select(item => new ManifestInput(SafePath(Text(item, "path"), up: true), Text(item, "sha256"), (string?)item["manifestSha256"]))],
                [.. Items(root, "outputs").Select(item => new ManifestOutput(SafePath(Text(item, "path"), up: false), (long)item["bytes"]!, Text(item, "sha256")))],
                [.. Items(root, "counts").Select(item => new ManifestCount(
                    Text(item, "step"), Text(item, "reason"), (string?)item["language"], (string?)item["source"], (string?)item["license"],
                    (long)item["documents"]!, (long)item["bytes"]!, (long)item["tokens"]!))],
                Text(root, "codeVersion"),
                root["replaces"] is null ? null : [.. Items(root, "replaces").Select(item => (string)item!)]);
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException or FormatException or NullReferenceException or ArgumentNullException)
        {
            throw new UserErrorException($"{where}: not a manifest ({exception.Message.ReplaceLineEndings(" ").TrimEnd('.')}); make the folder again.", exception);
        }
    }

    /// <summary>SHA-256 of a file as 64 lower-case hexadecimal digits.</summary>
    public static string HashFile(IFileSystem files, string path)
    {
        using var stream = files.OpenRead(path);
        return Convert.ToHexStringLower(SHA256.HashData(stream));
    }

    /// <summary>SHA-256 of bytes as 64 lower-case hexadecimal digits.</summary>
    public static string Hash(ReadOnlySpan<byte> bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes));

    internal static byte[] ReadAll(IFileSystem files, string path)
    {
        using var stream = files.OpenRead(path);
        using var content = new MemoryStream();
        stream.CopyTo(content);
        return content.ToArray();
    }

    private IEnumerable<ManifestCount> SortedCounts() => Counts
        .GroupBy(count => count with { Documents = 0, Bytes = 0, Tokens = 0 })
        .Select(group => group.Key with { Documents = group.Sum(count => count.Documents), Bytes = group.Sum(count => count.Bytes), Tokens = group.Sum(count => count.Tokens) })
        .OrderBy(count => count.Step, StringComparer.Ordinal).ThenBy(count => count.Reason, StringComparer.Ordinal)
        .ThenBy(count => count.Language, StringComparer.Ordinal).ThenBy(count => count.Source, StringComparer.Ordinal)
        .ThenBy(count => count.License, StringComparer.Ordinal);

    private static void Write(Utf8JsonWriter writer, ManifestCount count)
    {
        writer.WriteStartObject();
        writer.WriteString("step", count.Step);
        writer.WriteString("reason", count.Reason);
        if (count.Language is not null) writer.WriteString("language", count.Language);
        if (count.Source is not null) writer.WriteString("source", count.Source);
        if (count.License is not null) writer.WriteString("license", count.License);
        writer.WriteNumber("documents", count.Documents);
        writer.WriteNumber("bytes", count.Bytes);
        writer.WriteNumber("tokens", count.Tokens);
        writer.WriteEndObject();
    }

    private static string Text(JsonNode item, string key) => (string?)item[key] ?? throw new FormatException($"'{key}' is missing");

    private static IEnumerable<JsonNode> Items(JsonNode root, string key) =>
        (root[key] ?? throw new FormatException($"'{key}' is missing")).AsArray().Select(item => item ?? throw new FormatException($"an entry of '{key}' is null"));

    // A manifest from elsewhere must not make a reader open files outside the folder.
    private static string SafePath(string path, bool up)
    {
        if (path.Length == 0 || path.Contains('\\') || path.Contains('\0') || (!up && (path[0] == '/' || path.Split('/').Any(part => part is "" or "." or ".."))))
            throw new FormatException($"'{path}' is not a path inside the folder");
        return path;
    }
}
