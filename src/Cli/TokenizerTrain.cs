using System.CommandLine;
using OpenEuroLLM.Core;
using OpenEuroLLM.Corpus.Readers;
using OpenEuroLLM.Inference;
using OpenEuroLLM.Tokenizers;

namespace OpenEuroLLM.Cli;

/// <summary><c>oellm tokenizer train</c>.</summary>
internal static class TokenizerTrain
{
    private const long LeastMemory = 256_000_000;

    /// <summary>Where no recipe says another: right for combining marks, and for apostrophes that are no English ones.</summary>
    private const string DefaultSplit = "europe";

    public static Command Create()
    {
        var recipe = new Argument<string?>("recipe") { Description = "A recipe file; its section 'tokenizer' holds the settings.", Arity = ArgumentArity.ZeroOrOne };
        var overrides = RunCommand.Overrides();
        var input = new Option<string[]>("--input")
        {
            Description = "Files (.txt: one document; .jsonl, .jsonl.gz: one a line), folders, or patterns with *, ** and ?.",
            HelpName = "GLOB",
            Required = true,
            AllowMultipleArgumentsPerToken = true,
        };
        var algorithm = new Option<string>("--algorithm") { Description = "bpe (byte-level byte-pair encoding) or unigram.", HelpName = "NAME", DefaultValueFactory = _ => "bpe" };
        algorithm.AcceptOnlyFromAmong("bpe", "unigram");
        var size = new Option<int?>("--vocabulary-size") { Description = $"Tokens, control tokens included. Default: {new BpeTrainerConfig().VocabularySize}.", HelpName = "N" };
        var parity = new Option<double?>("--parity") { Description = "0: frequency alone decides; 1: the language that is worst off decides. Default: 0.", HelpName = "X" };
        var parallel = Several("--parallel", "SOURCE", "Collections (field 'source') whose documents of one id are translations: languages are compared on them. A * at the end stands for any ending.");
        var weights = Several("--source-weight", "SOURCE=X", "Texts of a collection count so much.");
        var exponent = new Option<double?>("--language-exponent") { Description = "Weight of a language: bytes to this power; 1 as they are, 0 all equal. Default: 0.5.", HelpName = "X" };
        var minimum = new Option<int?>("--minimum-pair-count") { Description = "A rarer pair is not merged. Default: 2.", HelpName = "N" };
        var split = new Option<string?>("--split") { Description = $"The split pattern: {string.Join(", ", TrainingSplit.Names)}. Default: {DefaultSplit}, or the recipe's.", HelpName = "NAME" };
        var digits = new Option<DigitPolicy?>("--digits") { Description = "Digits in groups of up to three, each alone (single), or in runs. Default: as the pattern has it." };
        var spaces = new Option<int?>("--space-run") { Description = "Runs of 2 to N spaces are tokens, no longer ones are. Default: as the text has them.", HelpName = "N" };
        var longest = new Option<int?>("--longest-token") { Description = "In bytes. Default: 128.", HelpName = "N" };
        var reserve = new Option<int?>("--reserve") { Description = "Control tokens set aside for later.", HelpName = "N" };
        var reserved = Several("--reserved-token", "NAME", "A control token set aside, such as <|tool_call|>.");
        var forbidden = new Option<string?>("--forbidden") { Description = "A file of texts, one a line, that must not become tokens.", HelpName = "FILE" };
        var memory = new Option<string>("--memory") { Description = "What training may hold; words that do not fit are counted on disk, in the folder of --out.", HelpName = "SIZE", DefaultValueFactory = _ => "4GB" };
        var target = new Option<string>("--out") { Description = "The folder to create.", HelpName = "DIR", Required = true };
        var workers = new Option<int>("--workers") { Description = "Threads; the result does not depend on it.", HelpName = "N", DefaultValueFactory = _ => Environment.ProcessorCount };
        var json = TokenizerCommand.Json();
        var command = new Command("train", "Trains a tokenizer: byte-level BPE, if wanted with languages kept level.\n" +
            "Example: oellm tokenizer train --input 'texts/*.jsonl.gz' --vocabulary-size 32768 --parity 0.8 --parallel 'eforms-*' --out tokenizer")
        {
            recipe, overrides, input, algorithm, size, parity, parallel, weights, exponent, minimum, split, digits, spaces, longest, reserve, reserved, forbidden, memory, target, workers, json,
        };
        command.SetAction((parsed, cancellation) => Task.Run(() =>
        {
            var settings = new List<string>(parsed.GetValue(overrides) ?? []);
            var config = parsed.GetValue(recipe) is { } file ? Recipe.Load(file, settings).Tokenizer : new BpeTrainerConfig(Split: DefaultSplit);
            config = config with
            {
                VocabularySize = parsed.GetValue(size) ?? config.VocabularySize,
                Parity = parsed.GetValue(parity) ?? config.Parity,
                ParallelSources = Given(parsed.GetValue(parallel)) ?? config.ParallelSources,
                SourceWeights = Given(parsed.GetValue(weights))?.Select(ParseWeight).ToList() ?? config.SourceWeights,
                LanguageExponent = parsed.GetValue(exponent) ?? config.LanguageExponent,
                MinimumPairCount = parsed.GetValue(minimum) ?? config.MinimumPairCount,
                Split = parsed.GetValue(split) ?? config.Split,
                Digits = parsed.GetValue(digits) ?? config.Digits,
                SpaceRun = parsed.GetValue(spaces) ?? config.SpaceRun,
                LongestTokenBytes = parsed.GetValue(longest) ?? config.LongestTokenBytes,
                Reserve = parsed.GetValue(reserve) ?? config.Reserve,
                ReservedTokens = Given(parsed.GetValue(reserved)) ?? config.ReservedTokens,
                Forbidden = parsed.GetValue(forbidden) is { } list ? ReadForbidden(list) : config.Forbidden,
            };
            long memoryBytes = ByteSize.Parse(parsed.GetValue(memory)!, "--memory");
            RequireRange("--vocabulary-size", config.VocabularySize, 256 + SpecialTokens.All.Count + config.Reserve + config.ReservedTokens.Count, 1 << 22);
            RequireRange("--minimum-pair-count", config.MinimumPairCount, 1, 1_000_000_000);
            RequireRange("--space-run", config.SpaceRun, 0, 256);
            RequireRange("--longest-token", config.LongestTokenBytes, 2, BpeTrainer.LongestWordBytes);
            RequireRange("--reserve", config.Reserve, 0, 65_536);
            RequireRange("--workers", parsed.GetValue(workers), 1, 4096);
            RequireRange("--language-exponent", config.LanguageExponent, 0, 1);
            RequireRange("--parity", config.Parity, 0, 1);
            RequireRange("--memory", memoryBytes, LeastMemory, long.MaxValue);
            bool isUnigram = parsed.GetValue(algorithm) == "unigram";
            if (isUnigram && (config.Parity > 0 || config.SpaceRun > 0 || config.Forbidden.Count > 0 || config.ParallelSources.Count > 0))
                throw new UserErrorException("--algorithm is unigram, which knows no --parity, --parallel, --space-run and --forbidden; leave them out, or take bpe.");
            Train(parsed.GetValue(input)!, config, isUnigram, parsed.GetValue(target)!, parsed.GetValue(workers), memoryBytes, parsed.GetValue(json),
                parsed.InvocationConfiguration.Output, parsed.InvocationConfiguration.Error, cancellation);
            return ExitCode.Success;
        }, CancellationToken.None));
        return command;
    }

    private static void Train(
        string[] patterns, BpeTrainerConfig config, bool isUnigram, string target, int workers, long memoryBytes, bool json, TextWriter output, TextWriter error, CancellationToken cancellation)
    {
        var files = TextFiles.Expand(patterns);
        var status = new StatusLine(error, quiet: false);
        long total = files.Sum(file => new FileInfo(file.Path).Length);
        status.Say(FormattableString.Invariant($"tokenizer   {files.Count} files, {total / 1e6:0.0} MB"));
        var clock = SystemClock.Instance;
        long start = clock.Timestamp;
        TrainingFile[] inputs = [.. files.Select(file => new TrainingFile(file.Path))];
        var progress = new TrainingStatus(status, clock);
        var launcher = new LocalLauncher(workers);
        var (tokenizer, report) = isUnigram
            ? TokenizerStage.Run(inputs, new UnigramTrainerConfig(config.VocabularySize, config.LanguageExponent, config.Split, config.Digits, Reserve: config.Reserve,
                ReservedTokens: config.ReservedTokens, SourceWeights: config.SourceWeights), target, ChatTemplate.Text, RecordInputs, launcher, memoryBytes, progress, cancellation: cancellation)
            : TokenizerStage.Run(inputs, config, target, ChatTemplate.Text, RecordInputs, launcher, memoryBytes, progress, cancellation: cancellation);
        double seconds = clock.SecondsSince(start);
        long textBytes = report.Languages.Sum(language => language.Bytes + language.HeldBackBytes);
        if (tokenizer.VocabularySize < config.VocabularySize)
            status.Say(FormattableString.Invariant($"tokenizer   the texts gave {tokenizer.VocabularySize} of {config.VocabularySize} tokens: no other pair occurs {config.MinimumPairCount} times"));
        if (report.DroppedWords > 0)
            status.Say(FormattableString.Invariant($"tokenizer   for want of memory {report.DroppedWords} different words that occur less than {report.MinimumWordCount} times were left out ({report.DroppedOccurrences} occurrences)"));
        SayLevel(report, status);
        output.WriteLine(json
            ? JsonLine.Of(writer =>
            {
                writer.WriteString("out", target);
                writer.WriteNumber("vocabularySize", tokenizer.VocabularySize);
                writer.WriteNumber("files", files.Count);
                writer.WriteNumber("textBytes", textBytes);
                writer.WriteNumber("seconds", Math.Round(seconds, 3));
                writer.WriteNumber("megabytesPerSecond", Math.Round(textBytes / 1e6 / seconds, 2));
                writer.WriteNumber("spilledRuns", report.SpilledRuns);
                writer.WriteNumber("minimumWordCount", report.MinimumWordCount);
                writer.WriteNumber("droppedWords", report.DroppedWords);
            })
            : FormattableString.Invariant($"{target}: {tokenizer.VocabularySize} tokens from {textBytes / 1e6:0.0} MB in {StatusLine.Time(seconds)}, {textBytes / 1e6 / seconds:0.0} MB/s"));

        void RecordInputs(AtomicDirectory folder)
        {
            foreach (var (path, recordedAs) in files)
                folder.AddInputFile(path, recordedAs);
        }
    }

    /// <summary>How level the languages are in the end, and for which of them that rests on an estimate.</summary>
    private static void SayLevel(TrainingReport report, StatusLine status)
    {
        var compared = report.Languages.Where(language => language.TokensPerByteOfContent is not null).OrderBy(language => language.TokensPerByteOfContent).ToList();
        if (compared.Count < 2)
            return;
        double median = compared[compared.Count / 2].TokensPerByteOfContent!.Value;
        status.Say(FormattableString.Invariant($"tokenizer   tokens for the same content, median 1: {compared[0].Language} {compared[0].TokensPerByteOfContent / median:0.00} to ")
            + FormattableString.Invariant($"{compared[^1].Language} {compared[^1].TokensPerByteOfContent / median:0.00}, from {report.ParallelDocuments} parallel documents"));
        string estimated = string.Join(' ', compared.Where(language => language.ParallelDocuments == 0).Select(language => language.Language));
        if (estimated.Length > 0)
            status.Say($"tokenizer   without parallel documents, content estimated from characters: {estimated}");
        string trained = string.Join(' ', compared.Where(language => language.HeldBackDocuments == 0).Select(language => language.Language));
        if (trained.Length > 0)
            status.Say($"tokenizer   without documents held back, compared on what was learnt from: {trained}");
    }

    private static Option<string[]> Several(string name, string helpName, string description) =>
        new(name) { Description = description, HelpName = helpName, AllowMultipleArgumentsPerToken = true };

    private static string[]? Given(string[]? values) => values is { Length: > 0 } ? values : null;

    private static SourceWeight ParseWeight(string text)
    {
        int equals = text.LastIndexOf('=');
        if (equals <= 0 || !double.TryParse(text.AsSpan(equals + 1), System.Globalization.NumberStyles.Float, System.Globalization.CultureInfo.InvariantCulture, out double weight) || weight is not (> 0 and <= 1000))
            throw new UserErrorException($"--source-weight is '{text}'; expected a collection's name, = and a weight above 0, such as ELTeC-*=0.5.");
        return new SourceWeight(text[..equals], weight);
    }

    private static List<string> ReadForbidden(string path)
    {
        using var stream = TextFiles.Open(path);
        return [.. TextFiles.Lines(stream, path).Select(line => System.Text.Encoding.UTF8.GetString(line).TrimEnd('\r')).Where(line => line.Length > 0)];
    }

    private static void RequireRange(string name, double value, double least, double most)
    {
        if (!(value >= least && value <= most))
            throw new UserErrorException(FormattableString.Invariant($"{name} is {value}; expected {least} to {most}."));
    }

    /// <summary>Says how far training is, how fast, and how long it will take.</summary>
    private sealed class TrainingStatus(StatusLine status, IClock clock) : IProgress<TokenizerTrainingProgress>
    {
        private readonly Lock _gate = new();
        private string? _phase;
        private long _start;

        public void Report(TokenizerTrainingProgress now)
        {
            double seconds;
            lock (_gate)
            {
                if (_phase != now.Phase)
                    (_phase, _start) = (now.Phase, clock.Timestamp);
                seconds = clock.SecondsSince(_start);
            }
            string left = now.Total is long all && now.Done > 0 ? $", {StatusLine.Time(seconds * (all - now.Done) / now.Done)} left" : "";
            status.Update(now.Phase is "merging" or "pruning"
                ? FormattableString.Invariant($"tokenizer   {now.Phase} {now.Done} of {now.Total} tokens{left}")
                : FormattableString.Invariant($"tokenizer   {now.Phase} {now.Done / 1e6:0.0} of {now.Total / 1e6:0.0} MB, {now.Done / 1e6 / seconds:0.0} MB/s{left}"));
        }
    }
}
