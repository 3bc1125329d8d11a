using System.CommandLine;
using OpenEuroLLM.Core;
using OpenEuroLLM.Inference;
using OpenEuroLLM.Tokenizers;

namespace OpenEuroLLM.Cli;

/// <summary><c>oellm tokenizer train</c>.</summary>
internal static class TokenizerTrain
{
    public static Command Create()
    {
        var defaults = new BpeTrainerConfig();
        var input = new Option<string[]>("--input")
        {
            Description = "Files (.txt: one document; .jsonl, .jsonl.gz: one a line), folders, or patterns with *, ** and ?.",
            HelpName = "GLOB",
            Required = true,
            AllowMultipleArgumentsPerToken = true,
        };
        var size = new Option<int>("--vocabulary-size") { Description = "Tokens, special tokens included.", HelpName = "N", DefaultValueFactory = _ => defaults.VocabularySize };
        var exponent = new Option<double>("--language-exponent")
        {
            Description = "Weight of a language: bytes to this power; 1 as they are, 0 all equal.",
            HelpName = "X",
            DefaultValueFactory = _ => defaults.LanguageExponent,
        };
        var minimum = new Option<int>("--minimum-pair-count") { Description = "A rarer pair is not merged.", HelpName = "N", DefaultValueFactory = _ => defaults.MinimumPairCount };
        var target = new Option<string>("--out") { Description = "The folder to create.", HelpName = "DIR", Required = true };
        var workers = new Option<int>("--workers") { Description = "Threads; the result does not depend on it.", HelpName = "N", DefaultValueFactory = _ => Environment.ProcessorCount };
        var json = TokenizerCommand.Json();
        var command = new Command("train", "Trains a byte-level BPE tokenizer.\n" +
            "Example: oellm tokenizer train --input 'texts/*.jsonl' --vocabulary-size 16384 --out tokenizer") { input, size, exponent, minimum, target, workers, json };
        command.SetAction((parsed, cancellation) => Task.Run(() =>
        {
            var config = new BpeTrainerConfig(parsed.GetValue(size), parsed.GetValue(minimum), parsed.GetValue(exponent));
            RequireRange("--vocabulary-size", config.VocabularySize, 256 + SpecialTokens.All.Count, 1 << 22);
            RequireRange("--minimum-pair-count", config.MinimumPairCount, 1, 1_000_000_000);
            RequireRange("--workers", parsed.GetValue(workers), 1, 4096);
            if (config.LanguageExponent is not (>= 0 and <= 1))
                throw new UserErrorException(FormattableString.Invariant($"--language-exponent is {config.LanguageExponent}; expected 0 to 1."));
            Train(parsed.GetValue(input)!, config, parsed.GetValue(target)!, parsed.GetValue(workers), parsed.GetValue(json),
                parsed.InvocationConfiguration.Output, parsed.InvocationConfiguration.Error, cancellation);
            return ExitCode.Success;
        }, CancellationToken.None));
        return command;
    }

    private static void Train(
        string[] patterns, BpeTrainerConfig config, string target, int workers, bool json, TextWriter output, TextWriter error, CancellationToken cancellation)
    {
        var files = TextFiles.Expand(patterns);
        var status = new StatusLine(error, quiet: false);
        long total = files.Sum(file => new FileInfo(file.Path).Length);
        status.Say(FormattableString.Invariant($"tokenizer   {files.Count} files, {total / 1e6:0.0} MB"));
        var clock = SystemClock.Instance;
        long start = clock.Timestamp;
        var tokenizer = TokenizerStage.Run(files.SelectMany(file => TextFiles.Texts(file.Path)), config, target, ChatTemplate.Text, folder =>
        {
            foreach (var (path, recordedAs) in files)
                folder.AddInputFile(path, recordedAs);
        }, new LocalLauncher(workers), new DirectProgress<BpeTrainingProgress>(now =>
        {
            double seconds = clock.SecondsSince(start);
            status.Update(now.Total is long all
                ? FormattableString.Invariant($"tokenizer   {now.Phase} {now.Done} of {all} tokens")
                : FormattableString.Invariant($"tokenizer   {now.Phase} {now.Done / 1e6:0.0} MB of text, {now.Done / 1e6 / seconds:0.0} MB/s"));
        }), cancellation: cancellation);
        if (tokenizer.VocabularySize < config.VocabularySize)
            status.Say(FormattableString.Invariant($"tokenizer   the texts gave {tokenizer.VocabularySize} of {config.VocabularySize} tokens: no other pair occurs {config.MinimumPairCount} times"));
        output.WriteLine(json
            ? JsonLine.Of(writer =>
            {
                writer.WriteString("out", target);
                writer.WriteNumber("vocabularySize", tokenizer.VocabularySize);
                writer.WriteNumber("files", files.Count);
                writer.WriteNumber("seconds", Math.Round(clock.SecondsSince(start), 3));
            })
            : FormattableString.Invariant($"{target}: {tokenizer.VocabularySize} tokens in {StatusLine.Time(clock.SecondsSince(start))}"));
    }

    private static void RequireRange(string name, int value, int least, int most)
    {
        if (value < least || value > most)
            throw new UserErrorException(FormattableString.Invariant($"{name} is {value}; expected {least} to {most}."));
    }
}
