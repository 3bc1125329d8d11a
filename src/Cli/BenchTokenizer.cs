using System.CommandLine;
using OpenEuroLLM.Core;
using OpenEuroLLM.Tokenizers;

namespace OpenEuroLLM.Cli;

/// <summary><c>oellm bench tokenizer</c>: how fast a tokenizer encodes and decodes whole documents, and whether they come back.</summary>
internal static class BenchTokenizer
{
    private const long MaximumBytes = 1L << 30;

    public static Command Create()
    {
        var path = new Option<string>("--tokenizer") { Description = "The tokenizer: a folder, a file, or the name of a built-in one.", HelpName = "PATH", Required = true };
        var input = new Option<string[]>("--input")
        {
            Description = "Texts (.txt: one document; .jsonl, .jsonl.gz: one a line), folders, or patterns with *, ** and ?.",
            HelpName = "FILE",
            Required = true,
            AllowMultipleArgumentsPerToken = true,
        };
        var runs = BenchCommand.Number("--runs", "Measured passes over all documents; the median counts. One more comes before.", 5);
        var threads = BenchCommand.Number("--threads", "Threads; each takes its share of the documents.", 1);
        var json = BenchCommand.Json("encodeMegabytesPerSecond, decodeMegabytesPerSecond, bytesPerToken, threads, documents, bytes, tokens, differentDocuments");
        var command = new Command("tokenizer", "Measures how many megabytes (10^6 bytes) of UTF-8 a tokenizer encodes and decodes in a second, document by document, and checks that they come back.\n" +
            "Example: oellm bench tokenizer --tokenizer runs/europe/tokenizer --input texts --json") { path, input, runs, threads, json };
        command.SetAction((parsed, cancellation) => Task.Run(() =>
        {
            BenchCommand.RequireRange("--runs", parsed.GetValue(runs), 1, 1000);
            BenchCommand.RequireRange("--threads", parsed.GetValue(threads), 1, 1024);
            var tokenizer = BuiltInTokenizer.Load(parsed.GetValue(path)!);
            var documents = Documents(parsed.GetValue(input)!);
            var result = Measure(tokenizer, documents, parsed.GetValue(runs), parsed.GetValue(threads), cancellation);
            parsed.InvocationConfiguration.Output.WriteLine(parsed.GetValue(json) ? result.ToJson() : result.ToText());
            return ExitCode.Success;
        }, CancellationToken.None));
        return command;
    }

    private static List<byte[]> Documents(string[] patterns)
    {
        var documents = new List<byte[]>();
        long bytes = 0;
        foreach (var text in TextFiles.Expand(patterns).SelectMany(file => TextFiles.Texts(file.Path)))
        {
            bytes += text.Utf8.Length;
            if (bytes > MaximumBytes)
                throw new UserErrorException("--input holds more than 1 GiB of text; name fewer files.");
            documents.Add(text.Utf8.ToArray());
        }
        return bytes > 0 ? documents : throw new UserErrorException("--input holds no text; name files that hold some.");
    }

    private static Result Measure(Tokenizer tokenizer, List<byte[]> documents, int runs, int threads, CancellationToken cancellation)
    {
        var clock = SystemClock.Instance;
        int[][] tokens = new int[documents.Count][];
        int different = 0;
        InShares(documents.Count, threads, document =>      // the first pass fills caches, keeps the tokens and checks them
        {
            tokens[document] = Encode(tokenizer, documents[document], []).ToArray();
            if (!tokenizer.DecodeBytes(tokens[document], skipSpecial: false).AsSpan().SequenceEqual(documents[document]))
                Interlocked.Increment(ref different);
        });
        var (encode, decode) = (new double[runs], new double[runs]);
        long bytes = documents.Sum(document => (long)document.Length);
        long decoded = tokens.Sum(ids => (long)tokenizer.DecodeBytes(ids, skipSpecial: false).Length);
        for (int run = 0; run < runs; run++)
        {
            cancellation.ThrowIfCancellationRequested();
            long began = clock.Timestamp;
            InShares(documents.Count, threads, document => Encode(tokenizer, documents[document], Buffer));
            encode[run] = bytes / clock.SecondsSince(began) / 1e6;
            began = clock.Timestamp;
            InShares(documents.Count, threads, document => tokenizer.DecodeBytes(tokens[document], skipSpecial: false));
            decode[run] = decoded / clock.SecondsSince(began) / 1e6;
        }
        return new Result(threads, documents.Count, bytes, tokens.Sum(ids => (long)ids.Length), different, BenchCommand.Median(encode), BenchCommand.Median(decode));
    }

    private static List<int> Encode(Tokenizer tokenizer, byte[] document, List<int> ids)
    {
        ids.Clear();
        tokenizer.Encode(document, ids);
        return ids;
    }

    [field: ThreadStatic]
    private static List<int> Buffer => field ??= [];

    /// <summary>Runs an action for every number below a count; each thread takes one range of them, the first is the caller's.</summary>
    private static void InShares(int count, int threads, Action<int> action)
    {
        var others = Enumerable.Range(1, threads - 1).Select(share => Task.Factory.StartNew(() => Run(share), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default)).ToArray();
        Run(0);
        Task.WaitAll(others);

        void Run(int share)
        {
            int end = (int)((long)count * (share + 1) / threads);
            for (int number = (int)((long)count * share / threads); number < end; number++)
                action(number);
        }
    }

    private sealed record Result(int Threads, int Documents, long Bytes, long Tokens, int Different, double Encode, double Decode)
    {
        public string ToText() => string.Join(Environment.NewLine,
            FormattableString.Invariant($"threads    {Threads}"),
            FormattableString.Invariant($"documents  {Documents}, {Bytes / 1e6:0.0} MB, {Tokens} tokens, {(double)Bytes / Tokens:0.000} bytes per token"),
            FormattableString.Invariant($"encode     {Encode:0.0} MB/s"),
            FormattableString.Invariant($"decode     {Decode:0.0} MB/s"),
            Different == 0 ? "round trip every document comes back byte for byte" : FormattableString.Invariant($"round trip {Different} documents do not come back byte for byte"));

        public string ToJson() => JsonLine.Of(writer =>
        {
            writer.WriteFigure("encodeMegabytesPerSecond", Encode);
            writer.WriteFigure("decodeMegabytesPerSecond", Decode);
            writer.WriteFigure("bytesPerToken", (double)Bytes / Tokens);
            writer.WriteNumber("threads", Threads);
            writer.WriteNumber("documents", Documents);
            writer.WriteNumber("bytes", Bytes);
            writer.WriteNumber("tokens", Tokens);
            writer.WriteNumber("differentDocuments", Different);
        });
    }
}
