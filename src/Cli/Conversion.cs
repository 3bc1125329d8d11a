using System.Text.Json.Nodes;
using OpenEuroLLM.Core;
using OpenEuroLLM.Formats;
using OpenEuroLLM.Formats.Quantization;
using OpenEuroLLM.Inference;
using OpenEuroLLM.Models;
using OpenEuroLLM.Models.Adapters;
using OpenEuroLLM.Tokenizers;

namespace OpenEuroLLM.Cli;

/// <summary>What is to be converted, and how.</summary>
/// <param name="Path">A model folder or a GGUF file.</param>
/// <param name="Target">The folder or file to create.</param>
/// <param name="To">The container.</param>
/// <param name="Type">Name of a <see cref="StoragePlan"/>; null leaves numbers as they are.</param>
/// <param name="Force">Replaces what is there already.</param>
/// <param name="Threads">Threads that encode and compute.</param>
/// <param name="Calibration">Patterns of texts, empty for the built-in sample; null for no calibration.</param>
/// <param name="CalibrationBytes">Text of each language, in bytes.</param>
/// <param name="Gates">Bounds of the loss.</param>
/// <param name="Adapters">Adapter folders that are merged into the model.</param>
internal sealed record ConversionSettings(string Path, string Target, string To, string? Type, bool Force, int Threads, string[]? Calibration, long CalibrationBytes, IReadOnlyList<LossGate> Gates, IReadOnlyList<string>? Adapters = null);

/// <summary>One conversion: looks at the source, writes the target under another name, reads it again, and gives it its name when it is what it should be.</summary>
internal sealed class Conversion(ConversionSettings settings, StatusLine status, CancellationToken cancellation)
{
    public const string Gguf = "gguf", Safetensors = "safetensors";

    /// <summary>Text of each language that is looked at when nothing else is said.</summary>
    public const long CalibrationBytes = 4096;

    // What other programs need beside the weights; the generation settings of the source replace those made from its shape.
    private static readonly string[] _companions = ["tokenizer.json", "tokenizer_config.json", ChatTemplate.FileName, "generation_config.json", "vocab.json", "merges.txt", "tokenizer.model", "added_tokens.json", "special_tokens_map.json"];

    private readonly long start = SystemClock.Instance.Timestamp;
    private readonly List<string> notes = [];
    private QuantizationLoss? loss;
    private ModelConfig? config;
    private Func<WeightShape, BlockFormat>? formatOf;

    private string Path => settings.Path;

    private string Target => settings.Target;

    /// <summary>Carries the conversion out.</summary>
    /// <exception cref="UserErrorException">It cannot be done, or a language lost more than it may; nothing is left behind then.</exception>
    public void Run()
    {
        var toFile = settings.To switch
        {
            Gguf => true,
            Safetensors => false,
            var other => throw new UserErrorException($"--to is '{other}'; expected {Gguf} or {Safetensors}."),
        };
        if (toFile != ModelPaths.IsGguf(Target))
            throw new UserErrorException(toFile ? $"{Target}: expected a file name that ends in .gguf." : $"{Target}: expected the name of a folder; '--to gguf' writes a .gguf file.");
        if (settings.Gates.Count > 0 && settings.Calibration is null) throw new UserErrorException("--gate bounds the loss of each language, which --calibration measures; say --calibration too.");
        if (settings.CalibrationBytes < 256) throw new UserErrorException(FormattableString.Invariant($"--calibration-bytes is {settings.CalibrationBytes}; expected at least 256."));
        if (System.IO.Path.GetFullPath(Target) == System.IO.Path.GetFullPath(Path)) throw new UserErrorException($"{Target}: is the source itself; choose another name.");
        if (toFile) ModelWriting.RequireFree(Target, settings.Force);
        using var source = ModelSource.Open(Path, settings.Adapters);
        config = source.Config;
        var plan = toFile && settings.Type is not null ? StoragePlan.Of(settings.Type, config) : null;
        formatOf = toFile ? FileFormat(source, plan) : FolderFormat(source);
        foreach (var note in (plan?.Notes ?? []).Concat((source as AdaptedSource)?.Notes ?? [])) Note(note);
        ModelWriting.RequireDisk(Target, config, formatOf);

        var texts = settings.Calibration is null ? null : CalibrationTexts.Read(settings.Calibration, settings.CalibrationBytes);
        status.Say("convert     looking at what the source says to a probe text");
        var check = ExportCheck.Of(Path, config, settings.Threads, settings.Adapters);
        var before = texts is null ? null : LookAt(texts, formatOf);
        if (toFile) ToFile(source, plan, before, check, texts);
        else ToFolder(source, before, check, texts);
    }

    /// <summary>The result, in words or as one JSON object.</summary>
    public void Report(bool json, TextWriter output)
    {
        output.WriteLine(ModelWriting.Describe(Target, config!, formatOf!, notes, SystemClock.Instance.SecondsSince(start), json, writer => loss?.WriteTo(writer)));
        if (json || loss is null) return;
        foreach (var line in loss.Lines()) output.WriteLine(line);
    }

    private void ToFile(ModelSource source, StoragePlan? plan, Before? before, ExportCheck check, IReadOnlyList<CalibrationTexts>? texts)
    {
        // Another name in the same folder, which becomes the target's own in one step when everything was found right.
        var written = FormattableString.Invariant($"{Target}.partial-{Environment.ProcessId}.gguf");
        try
        {
            var metadata = Metadata(source).ToList();
            using (var target = new GgufTarget(written, Name(source), plan?.IsMixed ?? WasMixed(source), metadata))
                ModelWriting.Run(source, target, formatOf!, "convert", settings.Threads, status, before?.Statistics, cancellation);
            Examine(written, source, metadata.Any(entry => entry.Key == "tokenizer.ggml.model"), before, check, texts);
            File.Move(written, Target, overwrite: true);
        }
        catch (Exception exception) when (StorageFailure.Is(exception))
        {
            throw StorageFailure.Explain(exception, Target);
        }
        finally
        {
            File.Delete(written);
        }
    }

    private void ToFolder(ModelSource source, Before? before, ExportCheck check, IReadOnlyList<CalibrationTexts>? texts)
    {
        using var folder = AtomicDirectory.Create(Target, "convert", new JsonObject { ["to"] = Safetensors, ["type"] = settings.Type }, replace: settings.Force);
        AddInputs(folder);
        using (var target = new FolderTarget(folder.Path)) ModelWriting.Run(source, target, formatOf!, "convert", settings.Threads, status, null, cancellation);
        if (Stored(source) is GgufSource) SaveTokenizer(folder.Path);
        else
            foreach (var name in _companions.Where(name => File.Exists(In(name)))) File.Copy(In(name), System.IO.Path.Combine(folder.Path, name), overwrite: true);
        Examine(folder.Path, source, File.Exists(System.IO.Path.Combine(folder.Path, "tokenizer.json")), before, check, texts);
        folder.Commit(settings.Threads);
    }

    /// <summary>Reads what was written and compares it with the source.</summary>
    private void Examine(string written, ModelSource source, bool hasTokenizer, Before? before, ExportCheck check, IReadOnlyList<CalibrationTexts>? texts)
    {
        status.Say("convert     reading it again");
        Note(check.Compare(written, hasTokenizer, config!.Weights.Select(shape => (source.FormatOf(shape), formatOf!(shape))), settings.Threads));
        if (texts is null) return;
        using (var engine = InferenceEngine.Load(written, settings.Threads))
            loss = QuantizationLoss.Of(texts, before!.Scores, QuantizationLoss.Measure(engine, texts, Show("after"), cancellation));
        var broken = loss.Broken(settings.Gates).ToList();
        if (broken.Count == 0) return;
        foreach (var line in loss.Lines()) status.Say($"convert     {line}");
        throw new UserErrorException($"{Target} was not kept: {string.Join("; ", broken)}. Choose a type with more bits, or calibrate with more text of that language.");
    }

    /// <summary>Activations and scores of the source.</summary>
    private Before LookAt(IReadOnlyList<CalibrationTexts> texts, Func<WeightShape, BlockFormat> formats)
    {
        using var engine = InferenceEngine.Load(Path, settings.Threads, adapters: settings.Adapters);
        ActivationStatistics? statistics = null;
        if (config!.Weights.Any(shape => formats(shape).IsQuantized))
        {
            statistics = new ActivationStatistics();
            var scorer = new Scorer(engine);
            engine.Observe(statistics);
            foreach (var language in texts)
            {
                Show("activations")(language.Language);
                scorer.Score(language.Calibration, cancellation);
                statistics.EndGroup();
            }
            engine.Observe(null);
        }
        return new Before(statistics, QuantizationLoss.Measure(engine, texts, Show("before"), cancellation));
    }

    private Action<string> Show(string what) => language => status.Update($"convert     {what}: {language}");

    private static Func<WeightShape, BlockFormat> FileFormat(ModelSource source, StoragePlan? plan) => plan is not null ? plan.FormatOf
        : shape => shape.IsVector ? BlockFormat.F32 : source.FormatOf(shape); // norms are single precision in this container

    private Func<WeightShape, BlockFormat> FolderFormat(ModelSource source)
    {
        Func<WeightShape, BlockFormat> found = settings.Type is not null ? ModelWriting.FolderFormat(settings.Type) : source.FormatOf;
        return source.Config.Weights.Select(found).FirstOrDefault(format => format.IsQuantized) is { } quantized
            ? throw new UserErrorException($"{Path}: weights are stored as {quantized}, which has no place in safetensors; say --quantize f32, f16 or bf16.") : found;
    }

    private string In(string name) => System.IO.Path.Combine(Path, name);

    private void Note(string note)
    {
        notes.Add(note);
        status.Say($"convert     {note}");
    }

    private static ModelSource Stored(ModelSource source) => source is AdaptedSource adapted ? adapted.Base : source;

    private string Name(ModelSource source) => Stored(source) is GgufSource file && file.Metadata.FirstOrDefault(entry => entry.Key == "general.name").Value?.Content is string name
        ? name : System.IO.Path.GetFileNameWithoutExtension(System.IO.Path.TrimEndingDirectorySeparator(System.IO.Path.GetFullPath(Path)));

    private static bool WasMixed(ModelSource source) => Stored(source) is GgufSource file && file.Metadata.FirstOrDefault(entry => entry.Key == "general.file_type").Value?.Integer is 15 or 17;

    /// <summary>What goes along: of a GGUF file everything that does not describe the old storage, of a folder the tokenizer and the template.</summary>
    private IEnumerable<KeyValuePair<string, object>> Metadata(ModelSource source)
    {
        if (Stored(source) is GgufSource file)
            return file.Metadata.Where(entry => entry.Key is not ("general.file_type" or "general.quantization_version" or "general.alignment")).Select(entry => new KeyValuePair<string, object>(entry.Key, entry.Value));
        var metadata = new List<KeyValuePair<string, object>>();
        if (!ModelPath.HasTokenizer(Path))
        {
            Note("the folder has no tokenizer: the file will have no vocabulary");
            return metadata;
        }
        var config = source.Config;
        var tokenizer = Tokenizer.Load(Path);
        if (GgufVocabulary.TokensBesideMerges(tokenizer) is > 0 and var count)
            Note($"{count} tokens are not what their merges give: programs that read the file take whole words at once and may split some otherwise");
        metadata.AddRange(GgufVocabulary.Describe(tokenizer, config.VocabularySize, config.BeginOfTextId, config.EndIds, config.PaddingId));
        if (File.Exists(In(ChatTemplate.FileName))) metadata.Add(new("tokenizer.chat_template", File.ReadAllText(In(ChatTemplate.FileName))));
        return metadata;
    }

    private void SaveTokenizer(string folder)
    {
        using var file = GgufFile.Open(Path);
        try
        {
            GgufVocabulary.Read(file).Save(folder);
        }
        catch (UserErrorException exception)
        {
            Note($"the tokenizer stays behind: {exception.Message}");
            return;
        }
        if (file.Text("tokenizer.chat_template") is { } template) File.WriteAllText(System.IO.Path.Combine(folder, ChatTemplate.FileName), template);
    }

    private void AddInputs(AtomicDirectory folder)
    {
        if (File.Exists(Path)) folder.AddInputFile(Path, System.IO.Path.GetFileName(Path));
        else if (File.Exists(In(Manifest.FileName))) folder.AddInputDirectory(Path);
        else
            foreach (var file in Directory.EnumerateFiles(Path).Where(file => System.IO.Path.GetExtension(file) is ".safetensors" or ".json").Order(StringComparer.Ordinal))
                folder.AddInputFile(file, System.IO.Path.GetFileName(file));
    }

    /// <summary>What the source showed.</summary>
    private sealed record Before(ActivationStatistics? Statistics, IReadOnlyList<TextScore> Scores);
}
