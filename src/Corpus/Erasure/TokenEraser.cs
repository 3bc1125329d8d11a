using OpenEuroLLM.Core;
using OpenEuroLLM.Corpus.Building;
using OpenEuroLLM.Formats;

namespace OpenEuroLLM.Corpus.Erasure;

/// <summary>Writes the successor of a folder of token shards: what tokenizing the corpus without the erased documents would give, without tokenizing it.</summary>
/// <remarks>Documents stand in a shard in the order of the lines of the corpus: <c>train</c> has those of all training files, one file after the other, and <c>heldout-LANGUAGE</c>
/// those of its file.</remarks>
/// <param name="folder">The folder of token shards.</param>
/// <param name="manifest">Its manifest.</param>
/// <param name="erased">The lines that go, of every file of documents of the corpus.</param>
/// <param name="files">The file system.</param>
internal sealed class TokenEraser(string folder, Manifest manifest, IReadOnlyList<ErasedFile> erased, IFileSystem files)
{
    private static readonly string[] Endings = [".bin", ".idx"];

    private readonly HashSet<string> _takenOver = [];
    private readonly Dictionary<ManifestCount, (long Documents, long Bytes, long Tokens)> _counts =
        manifest.Counts.ToDictionary(count => count with { Documents = 0, Bytes = 0, Tokens = 0 }, count => (count.Documents, count.Bytes, count.Tokens));

    /// <summary>The files that were taken over as they are.</summary>
    public IReadOnlySet<string> TakenOver => _takenOver;

    /// <summary>Documents that went, those written once more included.</summary>
    public long Documents { get; private set; }

    /// <summary>Their tokens.</summary>
    public long Tokens { get; private set; }

    /// <summary>Writes the shards and their counts.</summary>
    /// <param name="output">Where to.</param>
    /// <param name="corpus">Hash of the manifest of the corpus as it was.</param>
    /// <param name="successor">Hash of that of its successor.</param>
    /// <param name="runs">The run records of its inputs.</param>
    public void Write(AtomicDirectory output, string corpus, string successor, IEnumerable<RunInput> runs)
    {
        int vocabulary = (int?)manifest.Settings["vocabularySize"] ?? throw new UserErrorException($"{folder}: the manifest names no vocabularySize; make the folder again.");
        HashSet<string> done = [];
        WriteShard(TokenizeStage.TrainShard, [.. erased.Where(file => file.IsTrain)], CorpusReport.Train, vocabulary, output, done);
        foreach (ErasedFile file in erased.Where(file => !file.IsTrain)) WriteShard(TokenizeStage.HeldOutShard(file.Language), [file], CorpusReport.HeldOut, vocabulary, output, done);
        foreach (ManifestOutput other in manifest.Outputs.Where(other => !done.Contains(other.Path))) TakeOver(other.Path, output);
        foreach (ManifestInput input in manifest.Inputs) output.AddInput(input.Sha256 == corpus ? input with { Sha256 = successor, ManifestSha256 = successor } : input);
        foreach (RunInput run in runs) output.AddInput(run);
        foreach ((ManifestCount key, (long documents, long bytes, long tokens)) in _counts)
            if ((documents, bytes, tokens) != default) output.Count(key with { Documents = documents, Bytes = bytes, Tokens = tokens });
    }

    private void WriteShard(string name, ErasedFile[] sources, string reason, int vocabulary, AtomicDirectory output, HashSet<string> done)
    {
        if (!manifest.Outputs.Any(file => file.Path == name + Endings[0])) return;
        foreach (string ending in Endings) done.Add(name + ending);
        string from = Path.Combine(folder, name), to = Path.Combine(output.Path, name);
        using TokenShard shard = TokenShard.Open(from, vocabulary);
        long lines = sources.Sum(file => file.Lines), gone = sources.Sum(file => (long)file.Erased.Count);
        if (shard.Documents != lines)
            throw new UserErrorException(FormattableString.Invariant($"{from}: holds {shard.Documents} documents, but the corpus that it was made from has {lines}; tokenize the corpus again."));
        if (gone == 0)
        {
            foreach (string ending in Endings) TakeOver(name + ending, output);
            return;
        }
        foreach (string ending in Endings)
            if (Manifest.HashFile(files, from + ending) != manifest.Outputs.First(file => file.Path == name + ending).Sha256) throw CorpusEraser.Changed(from + ending);
        TokenShardWriter? writer = gone == lines && reason == CorpusReport.HeldOut ? null : new TokenShardWriter(to, vocabulary);   // of a language without held-out text there is no shard
        try
        {
            Copy(shard, sources, reason, writer);
            writer?.Finish();
        }
        finally
        {
            writer?.Dispose();
        }
    }

    private void TakeOver(string file, AtomicDirectory output)
    {
        files.LinkOrCopy(Path.Combine(folder, file), Path.Combine(output.Path, file));
        _takenOver.Add(file);
    }

    private void Copy(TokenShard shard, ErasedFile[] sources, string reason, TokenShardWriter? writer)
    {
        int document = 0;
        int[] tokens = [];
        foreach (ErasedFile file in sources)
        {
            int next = 0;
            for (long line = 0; line < file.Lines; line++, document++)
            {
                int length = shard.Length(document);
                if (next < file.Erased.Count && file.Erased[next].Line == line)
                {
                    Take(file.Erased[next++], reason, length);
                    continue;
                }
                if (tokens.Length < length) tokens = new int[Math.Max(length, 2 * tokens.Length)];
                shard.Read(document, 0, tokens.AsSpan(0, length));
                writer!.Add(tokens.AsSpan(0, length));
            }
        }
    }

    private void Take(ErasedLine line, string reason, int tokens)
    {
        Documents++;
        Tokens += tokens;
        Origin origin = line.Origin;
        var key = new ManifestCount("tokenize", reason, origin.Language, origin.Source, origin.License);
        (long documents, long bytes, long sum) = _counts.GetValueOrDefault(key);
        _counts[key] = (documents - 1, bytes - line.Bytes, sum - tokens);
    }
}
