using System.CommandLine;
using System.Text.Json.Nodes;
using OpenEuroLLM.Core;
using OpenEuroLLM.Formats;
using OpenEuroLLM.Formats.Quantization;
using OpenEuroLLM.Inference;
using OpenEuroLLM.Models;
using OpenEuroLLM.Tokenizers;

namespace OpenEuroLLM.Cli;

/// <summary><c>oellm convert</c>: a model in another container, or with its numbers stored in another way.</summary>
internal static class ConvertCommand
{
    private const string Gguf = "gguf", Safetensors = "safetensors";

    // What other programs need beside the weights; the generation settings of the source replace those made from its shape.
    private static readonly string[] _companions = ["tokenizer.json", "tokenizer_config.json", ChatTemplate.FileName, "generation_config.json"];

    public static Command Create()
    {
        var model = SamplingOptions.Model();
        model.Description = "A model folder or a .gguf file. Default: the built-in model.";
        var to = new Option<string>("--to") { Description = "The container: gguf (one file) or safetensors (a folder in Hugging Face's form).", HelpName = "gguf|safetensors", Required = true };
        var quantize = InitCommand.Quantize(null);
        var target = new Option<string>("--out") { Description = "The file (.gguf) or the folder to create.", HelpName = "PATH", Required = true };
        var force = InitCommand.Force();
        var threads = RunCommand.Threads();
        var json = new Option<bool>("--json") { Description = "One JSON object on standard output." };
        var command = new Command("convert", "Writes a model folder or a .gguf file as the other, or with another type of numbers; the model is never held in memory.\n" +
            "Example: oellm convert --model models/europa-nano --to gguf --quantize q8_0 --out europa-nano-Q8_0.gguf") { model, to, quantize, target, force, threads, json };
        command.SetAction((parsed, cancellation) => Task.Run(() =>
        {
            var work = new Conversion(Source(parsed.GetValue(model)), parsed.GetValue(target)!, parsed.GetValue(quantize), parsed.GetValue(force),
                RunCommand.ThreadCount(parsed.GetValue(threads)), new StatusLine(parsed.InvocationConfiguration.Error, quiet: false), cancellation);
            parsed.InvocationConfiguration.Output.WriteLine(parsed.GetValue(to) switch
            {
                Gguf => work.ToGguf(parsed.GetValue(json)),
                Safetensors => work.ToFolder(parsed.GetValue(json)),
                var other => throw new UserErrorException($"--to is '{other}'; expected {Gguf} or {Safetensors}."),
            });
            return ExitCode.Success;
        }, CancellationToken.None));
        return command;
    }

    private static string Source(string? given) => given is not null && (File.Exists(given) || Directory.Exists(given)) ? given
        : given is null ? ModelPath.Resolve(null)
        : throw new UserErrorException($"{given}: not found; expected a model folder or a .gguf file.");

    /// <summary>One conversion with its settings.</summary>
    private sealed record Conversion(string Path, string Target, string? Type, bool Force, int Threads, StatusLine Status, CancellationToken Cancellation)
    {
        private readonly long start = SystemClock.Instance.Timestamp;
        private readonly List<string> notes = [];

        public string ToGguf(bool json)
        {
            if (!ModelPaths.IsGguf(Target)) throw new UserErrorException($"{Target}: expected a file name that ends in .gguf.");
            ModelWriting.RequireFree(Target, Force);
            if (System.IO.Path.GetFullPath(Target) == System.IO.Path.GetFullPath(Path)) throw new UserErrorException($"{Target}: is the source itself; choose another name.");
            using var source = ModelSource.Open(Path);
            var plan = Type is null ? null : StoragePlan.Of(Type, source.Config);
            // Without a type everything stays as it is, but norms are single precision in this container.
            Func<WeightShape, BlockFormat> formatOf = plan is not null ? plan.FormatOf : shape => shape.IsVector ? BlockFormat.F32 : source.FormatOf(shape);
            Note(plan?.Notes);
            ModelWriting.RequireDisk(Target, source.Config, formatOf);
            using (var target = new GgufTarget(Target, Name(source), plan?.IsMixed ?? WasMixed(source), Metadata(source)))
                ModelWriting.Run(source, target, formatOf, "convert", Threads, Status, Cancellation);
            return Describe(source.Config, formatOf, json);
        }

        public string ToFolder(bool json)
        {
            if (ModelPaths.IsGguf(Target)) throw new UserErrorException($"{Target}: expected the name of a folder; '--to gguf' writes a .gguf file.");
            using var source = ModelSource.Open(Path);
            var formatOf = Type is not null ? ModelWriting.FolderFormat(Type) : source.FormatOf;
            if (source.Config.Weights.Select(formatOf).FirstOrDefault(format => format.IsQuantized) is { } quantized)
                throw new UserErrorException($"{Path}: weights are stored as {quantized}, which has no place in safetensors; say --quantize f32, f16 or bf16.");
            ModelWriting.RequireDisk(Target, source.Config, formatOf);
            using var folder = AtomicDirectory.Create(Target, "convert", new JsonObject { ["to"] = Safetensors, ["type"] = Type }, replace: Force);
            AddInputs(folder);
            using (var target = new FolderTarget(folder.Path)) ModelWriting.Run(source, target, formatOf, "convert", Threads, Status, Cancellation);
            if (source is GgufSource) SaveTokenizer(folder.Path);
            else
                foreach (var name in _companions.Where(name => File.Exists(In(name)))) File.Copy(In(name), System.IO.Path.Combine(folder.Path, name), overwrite: true);
            folder.Commit(Threads);
            return Describe(source.Config, formatOf, json);
        }

        private string In(string name) => System.IO.Path.Combine(Path, name);

        private void Note(IEnumerable<string>? found)
        {
            foreach (var note in found ?? [])
            {
                notes.Add(note);
                Status.Say($"convert     {note}");
            }
        }

        private string Describe(ModelConfig config, Func<WeightShape, BlockFormat> formatOf, bool json) =>
            ModelWriting.Describe(Target, config, formatOf, notes, SystemClock.Instance.SecondsSince(start), json);

        private string Name(ModelSource source) => source is GgufSource file && file.Metadata.FirstOrDefault(entry => entry.Key == "general.name").Value?.Content is string name
            ? name : System.IO.Path.GetFileNameWithoutExtension(System.IO.Path.TrimEndingDirectorySeparator(System.IO.Path.GetFullPath(Path)));

        private static bool WasMixed(ModelSource source) => source is GgufSource file && file.Metadata.FirstOrDefault(entry => entry.Key == "general.file_type").Value?.Integer == 15;

        /// <summary>What goes along: of a GGUF file everything that does not describe the old storage, of a folder the tokenizer and the template.</summary>
        private IEnumerable<KeyValuePair<string, object>> Metadata(ModelSource source)
        {
            if (source is GgufSource file)
                return file.Metadata.Where(entry => entry.Key is not ("general.file_type" or "general.quantization_version" or "general.alignment")).Select(entry => new KeyValuePair<string, object>(entry.Key, entry.Value));
            var metadata = new List<KeyValuePair<string, object>>();
            if (!File.Exists(In("tokenizer.json")))
            {
                Note(["the folder has no tokenizer.json: the file will have no vocabulary"]);
                return metadata;
            }
            var config = source.Config;
            var tokenizer = Tokenizer.Load(Path);
            if (GgufVocabulary.TokensBesideMerges(tokenizer) is > 0 and var count)
                Note([$"{count} tokens are not what their merges give: programs that read the file take whole words at once and may split some otherwise"]);
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
                Note([$"the tokenizer stays behind: {exception.Message}"]);
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
    }
}
