using System.CommandLine;
using System.Text.Json.Nodes;
using OpenEuroLLM.Core;
using OpenEuroLLM.Formats.Quantization;
using OpenEuroLLM.Inference;
using OpenEuroLLM.Models;
using OpenEuroLLM.Tokenizers;

namespace OpenEuroLLM.Cli;

/// <summary><c>oellm init</c>: a model of random weights, for measurements.</summary>
internal static class InitCommand
{
    public static Command Create()
    {
        var family = FamilyOptions.Family();
        var layers = Size("--layers", "Decoder layers.");
        var width = Size("--width", "Numbers of a token's state.");
        var heads = Size("--heads", "Query heads.");
        var keyValueHeads = new Option<int?>("--key-value-heads") { Description = "Key/value heads, dividing the heads. Default: as many as heads.", HelpName = "N" };
        var dimension = new Option<int?>("--head-dimension") { Description = "Numbers of one head. Default: the width over the heads.", HelpName = "N" };
        var hidden = Size("--hidden", "Inner width of the feed-forward part.");
        var vocabulary = Size("--vocabulary-size", "Tokens, control tokens included.");
        var context = new Option<int>("--context-length") { Description = "Longest sequence, in tokens.", HelpName = "N", DefaultValueFactory = _ => 2048 };
        var tied = new Option<bool>("--tied") { Description = "The embedding serves as output head too. Without it: as in the published models of the family." };
        var seed = new Option<ulong>("--seed") { Description = "Chooses the weights; training with this seed begins with the same.", HelpName = "N", DefaultValueFactory = _ => 1 };
        var spread = new Option<double>("--spread") { Description = "Deviation of what is added to gains and biases. Training begins with 0.", HelpName = "X", DefaultValueFactory = _ => 0 };
        var quantize = Quantize("f32");
        var target = new Option<string>("--out") { Description = "The file (.gguf) or the model folder to create.", HelpName = "PATH", Required = true };
        var force = Force();
        var threads = RunCommand.Threads();
        var json = new Option<bool>("--json") { Description = "One JSON object on standard output." };
        var command = new Command("init", "Writes a model of random weights with a made-up vocabulary, to measure speed and memory with.\n" +
            "Example: oellm init --family llama --layers 4 --width 256 --heads 4 --hidden 704 --vocabulary-size 4096 --quantize q4_0 --out random.gguf")
        {
            family, layers, width, heads, keyValueHeads, dimension, hidden, vocabulary, context, tied, seed, spread, quantize, target, force, threads, json,
        };
        command.SetAction((parsed, cancellation) => Task.Run(() =>
        {
            var control = ControlTokens(parsed.GetValue(vocabulary));
            var config = FamilyOptions.Sized(parsed.GetValue(family)!, parsed.GetValue(layers), parsed.GetValue(width), parsed.GetValue(heads), parsed.GetValue(keyValueHeads),
                parsed.GetValue(dimension), parsed.GetValue(hidden), parsed.GetValue(vocabulary), "--context-length", parsed.GetValue(context), parsed.GetValue(tied) ? true : null) with
            {
                BeginOfTextId = control(SpecialTokens.BeginOfText),
                EndIds = [control(SpecialTokens.EndOfText), control(SpecialTokens.EndOfTurn)],
                PaddingId = control(SpecialTokens.Padding),
            };
            Write(config, parsed.GetValue(seed), Spread(parsed.GetValue(spread)), parsed.GetValue(quantize)!, parsed.GetValue(target)!, parsed.GetValue(force), RunCommand.ThreadCount(parsed.GetValue(threads)),
                parsed.GetValue(json), parsed.InvocationConfiguration.Output, parsed.InvocationConfiguration.Error, cancellation);
            return ExitCode.Success;
        }, CancellationToken.None));
        return command;
    }

    internal static Option<string> Quantize(string? normal)
    {
        var option = new Option<string>("--quantize") { Description = $"How matrices are stored: {string.Join(", ", StoragePlan.Names)}.", HelpName = "TYPE" };
        if (normal is not null) option.DefaultValueFactory = _ => normal;
        else option.Description += " Default: as they are.";
        return option;
    }

    internal static Option<bool> Force() => new("--force") { Description = "Replaces what is there already." };

    private static Option<int> Size(string name, string description) => new(name) { Description = description, HelpName = "N", Required = true };

    private static double Spread(double spread) =>
        spread is >= 0 and <= 1 ? spread : throw new UserErrorException(FormattableString.Invariant($"--spread is {spread}; expected 0 to 1."));

    private static Func<string, int> ControlTokens(int vocabulary)
    {
        BenchCommand.RequireRange("--vocabulary-size", vocabulary, MadeUpVocabulary.SmallestSize, 1 << 24);
        return content => vocabulary - SpecialTokens.All.Count + SpecialTokens.All.ToList().IndexOf(content);
    }

    private static void Write(ModelConfig config, ulong seed, double spread, string type, string target, bool force, int threads, bool json, TextWriter output, TextWriter error, CancellationToken cancellation)
    {
        var status = new StatusLine(error, quiet: false);
        var clock = SystemClock.Instance;
        var start = clock.Timestamp;
        var plan = StoragePlan.Of(type, config);
        using var source = new RandomSource(config, seed, spread);
        Func<WeightShape, BlockFormat> formatOf = plan.FormatOf;
        foreach (var note in plan.Notes) status.Say($"init        {note}");
        if (ModelPaths.IsGguf(target))
        {
            ModelWriting.RequireFree(target, force);
            ModelWriting.RequireDisk(target, config, formatOf);
            var tokenizer = MadeUpVocabulary.Create(config.VocabularySize);
            using var file = new GgufTarget(target, Path.GetFileNameWithoutExtension(target), plan.IsMixed,
                GgufVocabulary.Describe(tokenizer, config.VocabularySize, config.BeginOfTextId, config.EndIds, config.PaddingId));
            ModelWriting.Run(source, file, formatOf, "init", threads, status, null, cancellation);
        }
        else
        {
            formatOf = ModelWriting.FolderFormat(type);
            ModelWriting.RequireDisk(target, config, formatOf);
            using var folder = AtomicDirectory.Create(target, "init", new JsonObject { ["config"] = config.ToJson(type), ["seed"] = seed, ["spread"] = spread, ["type"] = type }, replace: force);
            using (var weights = new FolderTarget(folder.Path)) ModelWriting.Run(source, weights, formatOf, "init", threads, status, null, cancellation);
            MadeUpVocabulary.Create(config.VocabularySize).Save(folder.Path);
            File.WriteAllText(Path.Combine(folder.Path, ChatTemplate.FileName), ChatTemplate.Text);
            folder.Commit(threads);
        }
        output.WriteLine(ModelWriting.Describe(target, config, formatOf, plan.Notes, clock.SecondsSince(start), json));
    }
}
