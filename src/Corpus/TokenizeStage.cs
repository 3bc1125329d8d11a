using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using OpenEuroLLM.Core;
using OpenEuroLLM.Corpus.Building;
using OpenEuroLLM.Corpus.Readers;
using OpenEuroLLM.Formats;
using OpenEuroLLM.Tokenizers;

namespace OpenEuroLLM.Corpus;

/// <summary>The stage "tokens": a corpus folder's documents as token ids, <c>train</c> and one <c>heldout-LANGUAGE</c> shard each.
/// A document is <c>&lt;|begin_of_text|&gt;</c>, its text, <c>&lt;|end_of_text|&gt;</c>; of a chat each message stands between its role's token and
/// <c>&lt;|end_of_turn|&gt;</c> instead, as a model sees it when it is served.</summary>
public static class TokenizeStage
{
    /// <summary>Name of the stage in manifests.</summary>
    public const string StageName = "tokens";

    /// <summary>Prefix of the training shard.</summary>
    public const string TrainShard = "train";

    private const string HeldOutPrefix = "heldout-";
    private const int BatchBytes = 8 << 20;

    /// <summary>Prefix of a language's held-out shard.</summary>
    public static string HeldOutShard(string language) => HeldOutPrefix + language;

    /// <summary>Tokenizes a corpus. The shards are the same whatever the number of workers. A finished folder made from the same
    /// corpus with the same tokenizer is left as it is.</summary>
    /// <param name="corpus">A folder made by <see cref="CorpusStage"/>.</param>
    /// <param name="tokenizer">The tokenizer's folder or file.</param>
    /// <param name="target">The folder to make.</param>
    /// <param name="launcher">Runs the work.</param>
    /// <param name="progress">Told how far the work is.</param>
    /// <param name="fileSystem">The file system; the machine's own by default.</param>
    /// <param name="clock">The clock; the machine's own by default.</param>
    /// <param name="cancellation">Stops the work; nothing is left of it.</param>
    /// <exception cref="UserErrorException">The corpus or the tokenizer cannot be read, or the output cannot be written.</exception>
    public static Manifest Run(
        string corpus, string tokenizer, string target, ILauncher launcher, IProgress<CorpusProgress>? progress = null,
        IFileSystem? fileSystem = null, IClock? clock = null, CancellationToken cancellation = default)
    {
        IFileSystem files = fileSystem ?? PhysicalFileSystem.Instance;
        try
        {
            return new Work(corpus, tokenizer, Path.GetFullPath(target), launcher, progress, files, clock ?? SystemClock.Instance, cancellation).Run();
        }
        catch (Exception error) when (StorageFailure.Is(error))
        {
            throw StorageFailure.Explain(error, target);
        }
    }

    private sealed class Work(
        string corpus, string tokenizerPath, string target, ILauncher launcher, IProgress<CorpusProgress>? progress, IFileSystem files, IClock clock,
        CancellationToken cancellation)
    {
        private readonly Tokenizer _tokenizer = Tokenizer.Load(tokenizerPath);

        public Manifest Run()
        {
            Manifest source = Manifest.Read(files, corpus);
            if (source.Stage != CorpusStage.StageName)
                throw new UserErrorException($"{corpus}: is the output of the stage '{source.Stage}'; expected a corpus folder, made by 'oellm corpus build'.");
            var settings = new JsonObject { ["vocabularySize"] = _tokenizer.VocabularySize };
            if (Finished(settings) is { } finished) return finished;

            using AtomicDirectory output = AtomicDirectory.Create(target, StageName, settings, files, clock);
            output.AddInputDirectory(corpus);
            if (TokenizerIsStage) output.AddInputDirectory(tokenizerPath);
            else output.AddInputFile(TokenizerFile, "tokenizer.json");
            List<string> train = [.. Outputs(source, "train/")], heldOut = [.. Outputs(source, "heldout/")];
            var meter = new ProgressMeter(progress, clock, "tokenizing", train.Concat(heldOut).Sum(file => files.FileLength(Path.Combine(corpus, file))));
            WriteShard(TrainShard, train, CorpusReport.Train, output, meter);
            foreach (string file in heldOut)
                WriteShard(HeldOutShard(Path.GetFileNameWithoutExtension(file)), [file], CorpusReport.HeldOut, output, meter);
            meter.Finish();
            return output.Commit(launcher.Workers);
        }

        private static IEnumerable<string> Outputs(Manifest source, string folder) =>
            source.Outputs.Select(file => file.Path).Where(path => path.StartsWith(folder, StringComparison.Ordinal)).Order(StringComparer.Ordinal);

        private bool TokenizerIsStage => files.FileExists(Path.Combine(tokenizerPath, Manifest.FileName));

        private string TokenizerFile => files.DirectoryExists(tokenizerPath) ? Path.Combine(tokenizerPath, "tokenizer.json") : tokenizerPath;

        private Manifest? Finished(JsonObject settings)
        {
            if (!files.FileExists(Path.Combine(target, Manifest.FileName))) return null;
            Manifest manifest = Manifest.Read(files, target);
            string[] read = [Manifest.HashFile(files, Path.Combine(corpus, Manifest.FileName)), Manifest.HashFile(files, TokenizerIsStage ? Path.Combine(tokenizerPath, Manifest.FileName) : TokenizerFile)];
            bool same = manifest.Stage == StageName && JsonNode.DeepEquals(manifest.Settings, settings)
                && manifest.Inputs.Select(input => input.Sha256).Order(StringComparer.Ordinal).SequenceEqual(read.Order(StringComparer.Ordinal));
            return same ? manifest : throw new UserErrorException($"{target}: holds finished tokens of another corpus or tokenizer; choose another folder or remove it.");
        }

        private void WriteShard(string name, List<string> inputs, string reason, AtomicDirectory output, ProgressMeter meter)
        {
            var counts = new Dictionary<Origin, (long Documents, long Bytes, long Tokens)>();
            using var shard = new TokenShardWriter(Path.Combine(output.Path, name), _tokenizer.VocabularySize);
            foreach (List<(byte[] Line, string Where)> batch in inputs.SelectMany(Batches))
            {
                var encoded = new (Origin Origin, int Bytes, int[] Tokens)[batch.Count];
                launcher.Run(launcher.Workers, worker =>
                {
                    var ids = new List<int>();
                    for (int i = worker; i < batch.Count; i += launcher.Workers) encoded[i] = Encode(Document.Parse(batch[i].Line, batch[i].Where), ids);
                }, cancellation);
                foreach ((Origin origin, int bytes, int[] tokens) in encoded)
                {
                    shard.Add(tokens);
                    (long documents, long sum, long count) = counts.GetValueOrDefault(origin);
                    counts[origin] = (documents + 1, sum + bytes, count + tokens.Length);
                }
                meter.Add(batch.Sum(line => line.Line.Length + 1L));
            }
            shard.Finish();
            foreach ((Origin origin, (long documents, long bytes, long tokens)) in counts)
                output.Count(new ManifestCount("tokenize", reason, origin.Language, origin.Source, origin.License, documents, bytes, tokens));
        }

        private IEnumerable<List<(byte[] Line, string Where)>> Batches(string file)
        {
            string path = Path.Combine(corpus, file);
            using Stream stream = files.OpenRead(path);
            var lines = new LineReader(stream);
            var batch = new List<(byte[] Line, string Where)>();
            int bytes = 0;
            while (lines.TryRead(out ReadOnlyMemory<byte> line))
            {
                batch.Add((line.ToArray(), string.Create(CultureInfo.InvariantCulture, $"{path}:{lines.Line}")));
                bytes += line.Length;
                if (bytes < BatchBytes) continue;
                yield return batch;
                (batch, bytes) = ([], 0);
            }
            if (batch.Count > 0) yield return batch;
        }

        private (Origin Origin, int Bytes, int[] Tokens) Encode(Document document, List<int> ids)
        {
            ids.Clear();
            ids.Add(_tokenizer.Chat.BeginOfText);
            byte[] text = Encoding.UTF8.GetBytes(document.Text);
            if (ChatMessages.Of(document.Metadata) is not { } messages) _tokenizer.Encode(text, ids);
            else
            {
                foreach ((string role, string content) in messages)
                {
                    ids.Add(role switch { "system" => _tokenizer.Chat.System, "user" => _tokenizer.Chat.User, _ => _tokenizer.Chat.Assistant });
                    _tokenizer.Encode(Encoding.UTF8.GetBytes(content), ids);
                    ids.Add(_tokenizer.Chat.EndOfTurn);
                }
            }
            ids.Add(_tokenizer.Chat.EndOfText);
            return (new Origin(document.Lang, document.Source, document.License), text.Length, [.. ids]);
        }
    }
}
