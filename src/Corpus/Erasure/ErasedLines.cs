using System.Collections.Concurrent;
using System.Globalization;
using OpenEuroLLM.Core;
using OpenEuroLLM.Corpus.Building;
using OpenEuroLLM.Corpus.Readers;
using OpenEuroLLM.Tokenizers;

namespace OpenEuroLLM.Corpus.Erasure;

/// <summary>A document that has to go.</summary>
/// <param name="Line">Its line in its file, from 0.</param>
/// <param name="Origin">What it is counted by.</param>
/// <param name="Bytes">Length of its text as UTF-8.</param>
/// <param name="Tokens">Its tokens; 0 where the corpus counts none.</param>
/// <param name="Host">Of its address, where it has one.</param>
/// <param name="Name">Its source and identifier.</param>
internal readonly record struct ErasedLine(long Line, Origin Origin, int Bytes, int Tokens, string? Host, string Name);

/// <summary>Which lines of a file have to go.</summary>
/// <param name="Path">The file, relative to the corpus folder.</param>
/// <param name="Lines">How many it has.</param>
/// <param name="Erased">Those that go, in their order.</param>
internal sealed record ErasedFile(string Path, long Lines, IReadOnlyList<ErasedLine> Erased)
{
    public const string TrainFolder = "train/", HeldOutFolder = "heldout/";

    public bool IsTrain => Path.StartsWith(TrainFolder, StringComparison.Ordinal);

    /// <summary>The language that its name says: <c>train/LANGUAGE-00000.jsonl</c>, <c>heldout/LANGUAGE.jsonl</c>.</summary>
    public string Language
    {
        get
        {
            string name = System.IO.Path.GetFileNameWithoutExtension(Path);
            return IsTrain && name.LastIndexOf('-') is > 0 and int dash ? name[..dash] : name;
        }
    }
}

/// <summary>Finds the documents of a corpus that are in the tombstones.</summary>
internal static class ErasedLines
{
    /// <summary>Looks through all files of documents.</summary>
    /// <param name="corpus">The corpus folder.</param>
    /// <param name="manifest">Its manifest.</param>
    /// <param name="tombstones">What has to go.</param>
    /// <param name="found">Receives the entries under which documents were found.</param>
    /// <param name="files">The file system.</param>
    /// <param name="launcher">Runs the work.</param>
    /// <param name="cancellation">Stops it.</param>
    public static ErasedFile[] Find(
        string corpus, Manifest manifest, Tombstones tombstones, ConcurrentDictionary<UInt128, bool> found, IFileSystem files, ILauncher launcher, CancellationToken cancellation)
    {
        string[] paths = [.. manifest.Outputs.Select(output => output.Path)
            .Where(path => path.StartsWith(ErasedFile.TrainFolder, StringComparison.Ordinal) || path.StartsWith(ErasedFile.HeldOutFolder, StringComparison.Ordinal))
            .Order(StringComparer.Ordinal)];
        var counter = new Lazy<TokenCounter?>(() => Counter(corpus, manifest, files));
        var result = new ErasedFile[paths.Length];
        launcher.Run(paths.Length, number => result[number] = Find(Path.Combine(corpus, paths[number]), paths[number], tombstones, found, counter, files, cancellation), cancellation);
        return result;
    }

    private static ErasedFile Find(
        string path, string name, Tombstones tombstones, ConcurrentDictionary<UInt128, bool> found, Lazy<TokenCounter?> counter, IFileSystem files, CancellationToken cancellation)
    {
        var erased = new List<ErasedLine>();
        using Stream stream = files.OpenRead(path);
        var lines = new LineReader(stream);
        while (lines.TryRead(out ReadOnlyMemory<byte> line))
        {
            cancellation.ThrowIfCancellationRequested();
            Document document = Document.Parse(line.Span, string.Create(CultureInfo.InvariantCulture, $"{path}:{lines.Line}"));
            bool goes = false;
            foreach (UInt128 entry in tombstones.EntriesOf(document))
            {
                if (!tombstones.Contains(entry)) continue;
                goes = true;
                found[entry] = true;
            }
            if (!goes) continue;
            var passing = new PassingDocument(document, Side.ByHash);
            erased.Add(new ErasedLine(
                lines.Line - 1, passing.Origin, passing.Bytes, counter.Value?.Counted(passing).Tokens ?? 0, Domains.HostOf(document.Url), ForgottenKey.OfSourceAndId(document.Source, document.Id)));
        }
        return new ErasedFile(name, lines.Line, erased);
    }

    /// <summary>Counts tokens as they were counted when the corpus was built.</summary>
    private static TokenCounter? Counter(string corpus, Manifest manifest, IFileSystem files)
    {
        if ((string?)manifest.Settings["tokenizer"] is not { } name) return null;
        string path = BuiltInTokenizer.Resolve(name, "corpus.tokenizer"), file = files.DirectoryExists(path) ? Path.Combine(path, "tokenizer.json") : path;
        if (!files.FileExists(file) || Manifest.HashFile(files, file) != (string?)manifest.Settings["tokenizerSha256"])
            throw new UserErrorException($"{corpus}: its tokens were counted with the tokenizer '{name}', and the one there now is another or none; expected the same, to count what goes. Bring it back, or run from the folder the corpus was built from.");
        return new TokenCounter(Tokenizer.Load(path));
    }
}
