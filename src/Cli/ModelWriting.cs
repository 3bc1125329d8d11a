using System.Text.Json;
using OpenEuroLLM.Core;
using OpenEuroLLM.Formats.Quantization;
using OpenEuroLLM.Models;

namespace OpenEuroLLM.Cli;

/// <summary>What <c>convert</c> and <c>init</c> share: progress, the place of the result, and what is said at the end.</summary>
internal static class ModelWriting
{
    /// <summary>Refuses to write where something is already.</summary>
    public static void RequireFree(string target, bool force)
    {
        if (Directory.Exists(target)) throw new UserErrorException($"{target}: is a folder; expected the name of a new .gguf file.");
        if (File.Exists(target) && !force) throw new UserErrorException($"{target}: exists already; choose another name, remove it, or say --force.");
        var folder = Path.GetDirectoryName(Path.GetFullPath(target))!;
        try
        {
            Directory.CreateDirectory(folder);
        }
        catch (Exception exception) when (StorageFailure.Is(exception))
        {
            throw StorageFailure.Explain(exception, folder);
        }
    }

    /// <summary>Refuses weights that the disk has no room for, before anything is written.</summary>
    public static void RequireDisk(string target, ModelConfig config, Func<WeightShape, BlockFormat> formatOf)
    {
        var bytes = config.Weights.Sum(shape => shape.Rows * formatOf(shape).RowBytes(shape.Columns));
        var folder = Path.GetDirectoryName(Path.GetFullPath(target));
        while (folder is not null && !Directory.Exists(folder)) folder = Path.GetDirectoryName(folder);
        long free;
        try
        {
            free = folder is null ? long.MaxValue : new DriveInfo(folder).AvailableFreeSpace;
        }
        catch (Exception exception) when (StorageFailure.Is(exception) || exception is ArgumentException)
        {
            return; // a disk that does not say what it has
        }
        if (bytes > free)
            throw new UserErrorException($"{target}: the weights need {AvailableMemory.Size(bytes)}, the disk has {AvailableMemory.Size(free)} free; choose a smaller model, fewer bits for each weight, or another disk.");
    }

    /// <summary>The format of all weights of a folder, which holds plain types alone.</summary>
    public static Func<WeightShape, BlockFormat> FolderFormat(string type) => BlockFormat.Find(type) is { IsQuantized: false } plain ? _ => plain
        : throw new UserErrorException($"type '{type}' has no place in a model folder; expected f32, f16 or bf16. A .gguf file holds it.");

    /// <summary>Carries weights over, with a line of progress.</summary>
    public static void Run(ModelSource source, ModelTarget target, Func<WeightShape, BlockFormat> formatOf, string what, int threads, StatusLine status, ActivationStatistics? statistics, CancellationToken cancellation)
    {
        var clock = SystemClock.Instance;
        var start = clock.Timestamp;
        ModelConversion.Run(source, target, formatOf, new LocalLauncher(threads), new DirectProgress<ConversionProgress>(now =>
        {
            var seconds = clock.SecondsSince(start);
            status.Update(FormattableString.Invariant(
                $"{what,-11} {now.DoneParameters / 1e6:0} of {now.Parameters / 1e6:0} M parameters, {now.DoneParameters / 1e6 / seconds:0} M/s, {StatusLine.Time(seconds * (now.Parameters - now.DoneParameters) / now.DoneParameters)} left"));
        }), statistics, cancellation);
    }

    /// <summary>The result, in words or as one JSON object.</summary>
    public static string Describe(string target, ModelConfig config, Func<WeightShape, BlockFormat> formatOf, IReadOnlyList<string> notes, double seconds, bool json, Action<Utf8JsonWriter>? more = null)
    {
        var types = config.Weights.GroupBy(shape => formatOf(shape).Name).Select(group => (Name: group.Key, Weights: group.Count())).OrderBy(type => type.Name, StringComparer.Ordinal).ToList();
        var bytes = File.Exists(target) ? new FileInfo(target).Length : Directory.EnumerateFiles(target, "*.safetensors").Sum(file => new FileInfo(file).Length);
        if (!json)
            return FormattableString.Invariant($"{target}: {config.Parameters / 1e6:0.0} M parameters, {bytes / 1e6:0.0} MB, {string.Join(", ", types.Select(type => $"{type.Weights} x {type.Name}"))}, in {StatusLine.Time(seconds)}");
        return JsonLine.Of(writer =>
        {
            writer.WriteString("out", target);
            writer.WriteNumber("parameters", config.Parameters);
            writer.WriteNumber("bytes", bytes);
            writer.WriteStartObject("types");
            foreach (var (name, weights) in types) writer.WriteNumber(name, weights);
            writer.WriteEndObject();
            writer.WriteStartArray("notes");
            foreach (var note in notes) writer.WriteStringValue(note);
            writer.WriteEndArray();
            more?.Invoke(writer);
            writer.WriteNumber("seconds", Math.Round(seconds, 3));
        });
    }
}
