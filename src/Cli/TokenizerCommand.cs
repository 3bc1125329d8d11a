using System.Buffers;
using System.Buffers.Binary;
using System.CommandLine;
using System.Globalization;
using System.IO.Compression;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.RegularExpressions;
using System.Text.Unicode;
using OpenEuroLLM.Core;
using OpenEuroLLM.Inference;
using OpenEuroLLM.Languages;
using OpenEuroLLM.Tokenizers;

namespace OpenEuroLLM.Cli;

/// <summary><c>oellm tokenizer</c>: trains a tokenizer, and turns text into ids and back.</summary>
internal static class TokenizerCommand
{
    private const int MaximumLineBytes = 1 << 28;
    private const long MaximumTextBytes = 1L << 30;

    public static Command Create() => new("tokenizer", "Trains a tokenizer, and turns text into token ids and back.\n" +
        "Example: oellm tokenizer train --input 'texts/*.jsonl' --vocabulary-size 16384 --out tokenizer")
    {
        CreateTrain(), CreateEncode(), CreateDecode(),
    };

    private static Command CreateTrain()
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
        var json = Json();
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
        var files = Expand(patterns);
        var status = new StatusLine(error, quiet: false);
        long total = files.Sum(file => new FileInfo(file.Path).Length);
        status.Say(FormattableString.Invariant($"tokenizer   {files.Count} files, {total / 1e6:0.0} MB"));
        var clock = SystemClock.Instance;
        long start = clock.Timestamp;
        var tokenizer = TokenizerStage.Run(files.SelectMany(file => Texts(file.Path)), config, target, ChatTemplate.Text, folder =>
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
            ? Line(writer =>
            {
                writer.WriteString("out", target);
                writer.WriteNumber("vocabularySize", tokenizer.VocabularySize);
                writer.WriteNumber("files", files.Count);
                writer.WriteNumber("seconds", Math.Round(clock.SecondsSince(start), 3));
            })
            : FormattableString.Invariant($"{target}: {tokenizer.VocabularySize} tokens in {StatusLine.Time(clock.SecondsSince(start))}"));
    }

    private static Command CreateEncode()
    {
        var (tokenizer, file, json) = (TokenizerPath(), FileArgument(), Json());
        var special = new Option<bool>("--allow-special") { Description = "Control tokens that are written out in the text become those tokens." };
        var command = new Command("encode", "Turns each line of text into one line of token ids.\nExample: oellm tokenizer encode --tokenizer tokenizer letter.txt")
        {
            tokenizer, file, special, json,
        };
        command.SetAction((parsed, cancellation) => Task.Run(() =>
        {
            var loaded = Tokenizer.Load(parsed.GetValue(tokenizer)!);
            var output = parsed.InvocationConfiguration.Output;
            var ids = new List<int>();
            using var input = Open(parsed.GetValue(file));
            foreach (byte[] line in Lines(input, parsed.GetValue(file) ?? "standard input"))
            {
                cancellation.ThrowIfCancellationRequested();
                ids.Clear();
                loaded.Encode(line, ids, parsed.GetValue(special));
                output.WriteLine(parsed.GetValue(json) ? Line(writer =>
                {
                    writer.WriteStartArray("ids");
                    foreach (int id in ids)
                        writer.WriteNumberValue(id);
                    writer.WriteEndArray();
                }) : string.Join(' ', ids.Select(id => id.ToString(CultureInfo.InvariantCulture))));
            }
            output.Flush();
            return ExitCode.Success;
        }, CancellationToken.None));
        return command;
    }

    private static Command CreateDecode()
    {
        var (tokenizer, file, json) = (TokenizerPath(), FileArgument(), Json());
        var command = new Command("decode", "Turns each line of token ids into one line of text, byte for byte; control tokens are written out.\n" +
            "Example: oellm tokenizer encode --tokenizer tokenizer letter.txt | oellm tokenizer decode --tokenizer tokenizer") { tokenizer, file, json };
        command.SetAction((parsed, cancellation) => Task.Run(() =>
        {
            var loaded = Tokenizer.Load(parsed.GetValue(tokenizer)!);
            var output = parsed.InvocationConfiguration.Output;
            string where = parsed.GetValue(file) ?? "standard input";
            // Text can hold bytes that are no valid UTF-8, which a text writer would replace: on the console they pass as they are.
            using var console = ReferenceEquals(output, Console.Out) && !parsed.GetValue(json) ? new BufferedStream(Console.OpenStandardOutput(), 1 << 16) : null;
            using var input = Open(parsed.GetValue(file));
            int number = 0;
            foreach (byte[] line in Lines(input, where))
            {
                cancellation.ThrowIfCancellationRequested();
                byte[] bytes = loaded.DecodeBytes(ParseIds(line, where, ++number), skipSpecial: false);
                if (console is not null)
                {
                    console.Write(bytes);
                    console.WriteByte((byte)'\n');
                }
                else
                {
                    output.WriteLine(parsed.GetValue(json) ? Line(writer =>
                    {
                        writer.WriteString("text", Encoding.UTF8.GetString(bytes));
                        if (!Utf8.IsValid(bytes))
                            writer.WriteBase64String("base64", bytes);
                    }) : Encoding.UTF8.GetString(bytes));
                }
            }
            output.Flush();
            return ExitCode.Success;
        }, CancellationToken.None));
        return command;
    }

    private static Option<bool> Json() => new("--json") { Description = "One JSON object a line on standard output." };

    private static Option<string> TokenizerPath() => new("--tokenizer") { Description = "A tokenizer.json, or the folder that holds it.", HelpName = "PATH", Required = true };

    private static Argument<string?> FileArgument() => new("file") { Description = "The lines; standard input when left out.", HelpName = "FILE", Arity = ArgumentArity.ZeroOrOne };

    private static int[] ParseIds(byte[] line, string where, int number)
    {
        string[] words = Encoding.UTF8.GetString(line).Split((char[])[' ', '\t', '\r'], StringSplitOptions.RemoveEmptyEntries);
        int[] ids = new int[words.Length];
        for (int i = 0; i < words.Length; i++)
            if (!int.TryParse(words[i], NumberStyles.None, CultureInfo.InvariantCulture, out ids[i]))
                throw new UserErrorException(FormattableString.Invariant($"{where}:{number}: '{words[i]}' is no token id; expected whole numbers with spaces between them."));
        return ids;
    }

    private static void RequireRange(string name, int value, int least, int most)
    {
        if (value < least || value > most)
            throw new UserErrorException(FormattableString.Invariant($"{name} is {value}; expected {least} to {most}."));
    }

    private static string Line(Action<Utf8JsonWriter> fields)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            writer.WriteStartObject();
            fields(writer);
            writer.WriteEndObject();
        }
        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    /// <summary>The files that patterns mean, and their names in the manifest: seen from the pattern's fixed part, so that a moved folder gives the same manifest.</summary>
    private static List<(string Path, string RecordedAs)> Expand(string[] patterns)
    {
        var found = new SortedDictionary<string, string>(StringComparer.Ordinal);
        for (int number = 0; number < patterns.Length; number++)
        {
            string pattern = patterns[number].Replace('\\', '/');
            var (root, files) = Match(pattern);
            int before = found.Count;
            foreach (string file in files)
                found.TryAdd(Path.GetFullPath(file), FormattableString.Invariant($"input-{number + 1}/{Path.GetRelativePath(root, file).Replace('\\', '/')}"));
            if (found.Count == before && files.Count == 0)
                throw new UserErrorException($"--input '{patterns[number]}' means no file; expected .txt, .jsonl or .jsonl.gz files.");
        }
        return [.. found.Select(file => (file.Key, file.Value))];
    }

    private static (string Root, List<string> Files) Match(string pattern)
    {
        if (File.Exists(pattern))
            return (Path.GetDirectoryName(Path.GetFullPath(pattern))!, [IsText(pattern) ? pattern : throw new UserErrorException($"{pattern}: is no text file; expected .txt, .jsonl or .jsonl.gz.")]);
        if (Directory.Exists(pattern))
            return (pattern, [.. Directory.EnumerateFiles(pattern, "*", SearchOption.AllDirectories).Where(IsText)]);
        int wildcard = pattern.IndexOfAny(['*', '?']);
        if (wildcard < 0)
            throw new UserErrorException($"--input '{pattern}' is not there; expected a file, a folder, or a pattern with *, ** or ?.");
        int cut = pattern.LastIndexOf('/', wildcard);
        string root = cut < 0 ? "." : cut == 0 ? "/" : pattern[..cut];
        if (!Directory.Exists(root))
            throw new UserErrorException($"--input '{pattern}': the folder {root} is not there.");
        string rest = Regex.Escape(pattern[(cut + 1)..]).Replace(@"\*\*/", "(.*/)?", StringComparison.Ordinal).Replace(@"\*\*", ".*", StringComparison.Ordinal)
            .Replace(@"\*", "[^/]*", StringComparison.Ordinal).Replace(@"\?", "[^/]", StringComparison.Ordinal);
        var expression = new Regex($"^{rest}$", RegexOptions.CultureInvariant | RegexOptions.NonBacktracking);
        return (root, [.. Directory.EnumerateFiles(root, "*", SearchOption.AllDirectories)
            .Where(file => IsText(file) && expression.IsMatch(Path.GetRelativePath(root, file).Replace('\\', '/')))]);
    }

    private static bool IsText(string path) =>
        path.EndsWith(".txt", StringComparison.Ordinal) || path.EndsWith(".jsonl", StringComparison.Ordinal) || path.EndsWith(".jsonl.gz", StringComparison.Ordinal);

    private static IEnumerable<TrainingText> Texts(string path)
    {
        if (path.EndsWith(".txt", StringComparison.Ordinal))
        {
            if (new FileInfo(path).Length > MaximumTextBytes)
                throw new UserErrorException($"{path}: is larger than 1 GiB, too large for one document; split it, or use .jsonl.");
            // The beginning of the name may say the language (cs.txt, cs-letters.txt); texts of unknown language are weighted together.
            string language = LanguageCatalog.TryFind(Path.GetFileName(path).Split('.', '-', '_')[0])?.Code ?? "und";
            yield return new TrainingText(Read(() => File.ReadAllBytes(path), path), language);
            yield break;
        }
        using var file = Open(path);
        using var content = path.EndsWith(".gz", StringComparison.Ordinal) ? new GZipStream(file, CompressionMode.Decompress, leaveOpen: true) : file;
        int number = 0;
        long length = 0;
        foreach (byte[] line in Lines(content, path))
        {
            number++;
            length += line.Length + 1L;
            if (line.AsSpan().Trim(" \t\r"u8).IsEmpty)
                continue;
            var document = Document.Parse(line, FormattableString.Invariant($"{path}:{number}"));
            yield return new TrainingText(Encoding.UTF8.GetBytes(document.Text), document.Lang);
        }
        if (!ReferenceEquals(content, file))
            RequireWhole(file, path, length);
    }

    /// <summary>The platform takes a gzip file that was cut for a shorter one; but its last four bytes are the length of what was packed.</summary>
    private static void RequireWhole(Stream file, string path, long length)
    {
        byte[] end = new byte[4];
        if (file.Length >= 18)
        {
            file.Position = file.Length - 4;
            file.ReadExactly(end);
        }
        // The last line need not end in a line feed, which was counted with it.
        uint packed = BinaryPrimitives.ReadUInt32LittleEndian(end);
        if (file.Length < 18 || (packed != (uint)length && packed != (uint)(length - 1)))
            throw new UserErrorException($"{path}: the gzip data is cut short, damaged or in several parts; fetch it again, or unpack it.");
    }

    private static Stream Open(string? path) =>
        path is null ? Console.OpenStandardInput() : Read(() => new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 16), path);

    /// <summary>The lines of a stream as bytes, without their line feed; nothing else is taken for a line's end, so nothing is lost.</summary>
    private static IEnumerable<byte[]> Lines(Stream stream, string where)
    {
        byte[] buffer = new byte[1 << 16];
        int start = 0;
        int end = 0;
        while (true)
        {
            int searched = start;
            for (int feed; (feed = Array.IndexOf(buffer, (byte)'\n', searched, end - searched)) >= 0; searched = start)
            {
                yield return buffer[start..feed];
                start = feed + 1;
            }
            if (start > 0)
                Buffer.BlockCopy(buffer, start, buffer, 0, end - start);
            (start, end) = (0, end - start);
            if (end == buffer.Length)
            {
                if (end >= MaximumLineBytes)
                    throw new UserErrorException($"{where}: a line is longer than {MaximumLineBytes} bytes; split it.");
                Array.Resize(ref buffer, end * 2);
            }
            int read = Read(() => stream.Read(buffer, end, buffer.Length - end), where);
            if (read == 0)
                break;
            end += read;
        }
        if (end > start)
            yield return buffer[start..end];
    }

    private static T Read<T>(Func<T> read, string where)
    {
        try
        {
            return read();
        }
        catch (InvalidDataException error)
        {
            throw new UserErrorException($"{where}: the gzip data is damaged; fetch it again, or unpack it.", error);
        }
        catch (Exception error) when (StorageFailure.Is(error))
        {
            throw StorageFailure.Explain(error, where);
        }
    }
}
