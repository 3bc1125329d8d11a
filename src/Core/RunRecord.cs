using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;

namespace OpenEuroLLM.Core;

/// <summary>The run record of an input folder.</summary>
/// <param name="Path">Relative to the folder of this record, with '/'.</param>
/// <param name="Sha256">Of that <c>run.json</c>.</param>
public sealed record RunInput(string Path, string Sha256);

/// <summary>What may differ between two equal runs of a stage: <c>run.json</c>, beside its manifest and no part of the folder's identity.</summary>
/// <param name="ManifestSha256">Hash of the manifest it belongs to.</param>
/// <param name="Inputs">The run records of the input folders.</param>
/// <param name="StartedUtc">When the stage began.</param>
/// <param name="EndedUtc">When it was finished.</param>
/// <param name="Seconds">How long it took, by a monotonic clock.</param>
/// <param name="Host">Platform and processor; no name of a machine, for folders are published.</param>
/// <param name="Processors">Logical processors of the machine.</param>
/// <param name="Workers">How many the stage was told to use.</param>
/// <param name="EnergyJoules">Measured energy of the processor packages, or null when not measured.</param>
/// <param name="EnergySource">Which meter, or why none.</param>
/// <param name="PeakMemoryBytes">Peak resident memory of the process.</param>
public sealed record RunRecord(
    string ManifestSha256, IReadOnlyList<RunInput> Inputs, DateTimeOffset StartedUtc, DateTimeOffset EndedUtc, double Seconds, string Host,
    int Processors, int Workers, double? EnergyJoules, string EnergySource, long PeakMemoryBytes)
{
    /// <summary>The first field of every run record.</summary>
    public const string FormatName = "oellm-run-1";

    /// <summary>The file's name in its folder.</summary>
    public const string FileName = "run.json";

    private const string TimeFormat = "yyyy-MM-dd'T'HH:mm:ss.fff'Z'";
    private static readonly string _noHash = new('0', 64);
    private static readonly string _seal = "\"recordSha256\": \"";

    /// <summary>Platform and processor of this machine: <c>linux-x64, AMD EPYC 9354</c>.</summary>
    public static string ThisHost { get; } = $"{RuntimeInformation.RuntimeIdentifier}{ProcessorName()}";

    /// <summary>The file's content. Its last field is the hash of the rest, so that a changed byte shows even where nothing refers to the file.</summary>
    public byte[] ToJson()
    {
        byte[] json = CanonicalJson.Write(writer =>
        {
            writer.WriteStartObject();
            writer.WriteString("format", FormatName);
            writer.WriteString("manifestSha256", ManifestSha256);
            writer.WriteStartArray("inputs");
            foreach (var input in Inputs.OrderBy(input => input.Path, StringComparer.Ordinal))
            {
                writer.WriteStartObject();
                writer.WriteString("path", input.Path);
                writer.WriteString("sha256", input.Sha256);
                writer.WriteEndObject();
            }

            writer.WriteEndArray();
            writer.WriteString("startedUtc", StartedUtc.UtcDateTime.ToString(TimeFormat, System.Globalization.CultureInfo.InvariantCulture));
            writer.WriteString("endedUtc", EndedUtc.UtcDateTime.ToString(TimeFormat, System.Globalization.CultureInfo.InvariantCulture));
            writer.WriteNumber("seconds", Math.Round(Seconds, 3));
            writer.WriteString("host", Host);
            writer.WriteNumber("processors", Processors);
            writer.WriteNumber("workers", Workers);
            if (EnergyJoules is double joules) writer.WriteNumber("energyJoules", Math.Round(joules, 1));
            else writer.WriteNull("energyJoules");
            writer.WriteString("energySource", EnergySource);
            writer.WriteNumber("peakMemoryBytes", PeakMemoryBytes);
            writer.WriteString("recordSha256", _noHash);
            writer.WriteEndObject();
        });
        Encoding.ASCII.GetBytes(Manifest.Hash(json)).CopyTo(json, SealOffset(json));
        return json;
    }

    /// <summary>Reads the content of a run record and checks the hash it carries of itself.</summary>
    /// <exception cref="UserErrorException">It is no run record, or was changed after it was written.</exception>
    public static RunRecord Parse(ReadOnlySpan<byte> json, string where)
    {
        byte[] content = json.ToArray();
        int offset = SealOffset(content);
        if (offset < 0) throw new UserErrorException($"{where}: not a run record; make the folder again.");
        string found = Encoding.ASCII.GetString(content, offset, 64);
        Encoding.ASCII.GetBytes(_noHash).CopyTo(content, offset);
        if (Manifest.Hash(content) != found) throw new UserErrorException($"{where}: does not match the hash it carries of itself; it was changed, make the folder again.");
        try
        {
            var root = StrictJson.Parse(json);
            if ((string?)root["format"] != FormatName) throw new FormatException($"format is '{root["format"]}', not '{FormatName}'");
            return new RunRecord(
                (string)root["manifestSha256"]!,
                [.. root["inputs"]!.AsArray().Select(item => new RunInput((string)item!["path"]!, (string)item["sha256"]!))],
                (DateTimeOffset)root["startedUtc"]!, (DateTimeOffset)root["endedUtc"]!, (double)root["seconds"]!, (string)root["host"]!,
                (int)root["processors"]!, (int)root["workers"]!, (double?)root["energyJoules"], (string)root["energySource"]!,
                (long)root["peakMemoryBytes"]!);
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException or FormatException or NullReferenceException or ArgumentNullException)
        {
            throw new UserErrorException($"{where}: not a run record ({exception.Message.ReplaceLineEndings(" ").TrimEnd('.')}); make the folder again.", exception);
        }
    }

    private static int SealOffset(ReadOnlySpan<byte> json)
    {
        int start = json.LastIndexOf(Encoding.ASCII.GetBytes(_seal));
        return start >= 0 && start + _seal.Length + 64 <= json.Length ? start + _seal.Length : -1;
    }

    private static string ProcessorName()
    {
        try
        {
            string? line = OperatingSystem.IsLinux() ? File.ReadLines("/proc/cpuinfo").FirstOrDefault(line => line.StartsWith("model name", StringComparison.Ordinal)) : null;
            return line is null ? "" : $", {line[(line.IndexOf(':', StringComparison.Ordinal) + 1)..].Trim()}";
        }
        catch (Exception exception) when (StorageFailure.Is(exception))
        {
            return "";
        }
    }
}
