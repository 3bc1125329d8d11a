using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using OpenEuroLLM.Core;
using OpenEuroLLM.Corpus.Building;
using OpenEuroLLM.Corpus.Readers;

namespace OpenEuroLLM.Corpus.Erasure;

/// <summary>Writes the successor of a corpus folder: the same without the documents that have to go. Files in which nothing changes get a second name in it and are not read again
/// but for their hashes.</summary>
/// <param name="corpus">The corpus folder.</param>
/// <param name="manifest">Its manifest.</param>
/// <param name="erased">The lines that go, of every file of documents.</param>
/// <param name="tombstones">Everything that has to go: samples are not only of documents that are still there.</param>
/// <param name="texts">The texts that are asked for in this call.</param>
/// <param name="files">The file system.</param>
internal sealed class CorpusEraser(string corpus, Manifest manifest, IReadOnlyList<ErasedFile> erased, Tombstones tombstones, IReadOnlyList<string> texts, IFileSystem files)
{
    private readonly HashSet<string> _takenOver = [];
    private readonly HashSet<string> _names = [.. erased.SelectMany(file => file.Erased).Select(line => line.Name)];

    /// <summary>The files that were taken over as they are.</summary>
    public IReadOnlySet<string> TakenOver => _takenOver;

    /// <summary>Whether anything would change.</summary>
    public bool Changes => erased.Any(file => file.Erased.Count > 0) || Listed(CorpusStage.SamplesFile).Any(path => AnyLine(path, IsErasedSample)) || Listed(WorkUnit.SkippedFile).Any(path => AnyLine(path, IsErasedPlace))
        || Listed(CorpusStage.LedgerFile).Any(path => AnyLine(path, IsErasedEntry));

    /// <summary>Writes the files and records everything but the successor's own name.</summary>
    public void Write(AtomicDirectory output)
    {
        Dictionary<string, ErasedFile> changed = erased.Where(file => file.Erased.Count > 0).ToDictionary(file => file.Path);
        foreach (ManifestOutput file in manifest.Outputs)
        {
            string from = Path.Combine(corpus, file.Path), to = Path.Combine(output.Path, file.Path);
            files.CreateDirectory(Path.GetDirectoryName(to)!);
            Action? rewriting = changed.TryGetValue(file.Path, out ErasedFile? lines) ? () => RewriteDocuments(lines, from, to) : file.Path switch
            {
                CorpusStage.SamplesFile when AnyLine(from, IsErasedSample) => () => RewriteLines(from, to, IsErasedSample),
                WorkUnit.SkippedFile when AnyLine(from, IsErasedPlace) => () => RewriteLines(from, to, IsErasedPlace),
                CorpusStage.LedgerFile when AnyLine(from, IsErasedEntry) => () => RewriteLines(from, to, IsErasedEntry),
                CorpusStage.DomainsFile when changed.Count > 0 => () => RewriteDomains(from, to),
                _ => null,
            };
            if (rewriting is not null)
            {
                if (Manifest.HashFile(files, from) != file.Sha256) throw Changed(from);
                rewriting();
                continue;
            }
            files.LinkOrCopy(from, to);
            _takenOver.Add(file.Path);
        }
        foreach (ManifestInput input in manifest.Inputs) output.AddInput(input);
        foreach (ManifestCount count in Counts()) output.Count(count);
    }

    /// <summary>The counts: what goes is no longer training or held-out text, but forgotten.</summary>
    private IEnumerable<ManifestCount> Counts()
    {
        var counts = new Dictionary<ManifestCount, (long Documents, long Bytes, long Tokens)>();
        void Add(string step, string reason, Origin origin, long documents, long bytes, long tokens)
        {
            var key = new ManifestCount(step, reason, origin.Language, origin.Source, origin.License);
            (long sumOfDocuments, long sumOfBytes, long sumOfTokens) = counts.GetValueOrDefault(key);
            counts[key] = (sumOfDocuments + documents, sumOfBytes + bytes, sumOfTokens + tokens);
        }

        foreach (ManifestCount count in manifest.Counts) counts[count with { Documents = 0, Bytes = 0, Tokens = 0 }] = (count.Documents, count.Bytes, count.Tokens);
        foreach ((ErasedFile file, ErasedLine line, bool repeated) in Placed())
        {
            string reason = !file.IsTrain ? CorpusReport.HeldOut : repeated ? CorpusReport.Repeated : CorpusReport.Train;
            Add(CorpusReport.SplitStep, reason, line.Origin, -1, -line.Bytes, -line.Tokens);
            if (!repeated) Add(CorpusReport.ErasureStep, CorpusReport.Forgotten, line.Origin, 1, line.Bytes, line.Tokens);
        }
        foreach ((ManifestCount key, (long documents, long bytes, long tokens)) in counts)
            if ((documents, bytes, tokens) != default) yield return key with { Documents = documents, Bytes = bytes, Tokens = tokens };
    }

    /// <summary>Every line that goes, and whether it is one of those that were written once more: they come behind all others of their language.</summary>
    private IEnumerable<(ErasedFile File, ErasedLine Line, bool Repeated)> Placed()
    {
        foreach (IGrouping<(bool IsTrain, string Language), ErasedFile> language in erased.GroupBy(file => (file.IsTrain, file.Language)))
        {
            long once = manifest.Counts.Where(count => count.Step == CorpusReport.SplitStep && count.Reason == CorpusReport.Train && count.Language == language.Key.Language).Sum(count => count.Documents);
            long before = 0;
            foreach (ErasedFile file in language.OrderBy(file => file.Path, StringComparer.Ordinal))
            {
                foreach (ErasedLine line in file.Erased) yield return (file, line, file.IsTrain && before + line.Line >= once);
                before += file.Lines;
            }
        }
    }

    /// <summary>Writes the lines that stay, byte for byte; of a file of which none stays nothing is left, as if it had never been begun.</summary>
    private void RewriteDocuments(ErasedFile lines, string from, string to)
    {
        if (lines.Erased.Count == lines.Lines) return;
        int next = 0;
        CopyLines(from, to, number =>
        {
            if (next == lines.Erased.Count || lines.Erased[next].Line != number) return true;
            next++;
            return false;
        });
    }

    /// <summary>What a file should be, and is not.</summary>
    internal static UserErrorException Changed(string path) => new($"{path}: is not the file that the manifest names; 'oellm verify' says more. Make the folder again.");

    private void CopyLines(string from, string to, Func<long, bool> stays)
    {
        using Stream input = files.OpenRead(from), output = files.CreateFile(to);
        var lines = new LineReader(input);
        for (long number = 0; lines.TryRead(out ReadOnlyMemory<byte> line); number++)
        {
            if (!stays(number)) continue;
            output.Write(line.Span);
            output.WriteByte((byte)'\n');
        }
    }

    private void RewriteLines(string from, string to, Func<JsonObject, bool> goes)
    {
        HashSet<long> gone = [.. Objects(from).Index().Where(line => goes(line.Item)).Select(line => (long)line.Index)];
        CopyLines(from, to, number => !gone.Contains(number));
    }

    private IEnumerable<string> Listed(string name) => manifest.Outputs.Where(output => output.Path == name).Select(output => Path.Combine(corpus, name));

    private bool AnyLine(string path, Func<JsonObject, bool> goes) => Objects(path).Any(goes);

    private IEnumerable<JsonObject> Objects(string path)
    {
        using Stream stream = files.OpenRead(path);
        var lines = new LineReader(stream);
        while (lines.TryRead(out ReadOnlyMemory<byte> line))
        {
            JsonObject? root;
            try
            {
                root = JsonNode.Parse(line.Span) as JsonObject;
            }
            catch (JsonException)
            {
                root = null;
            }
            yield return root ?? throw new UserErrorException(string.Create(CultureInfo.InvariantCulture, $"{path}:{lines.Line}: is not a JSON object; make the folder again."));
        }
    }

    /// <summary>Samples are also of documents that were dropped, and hold the beginning of a text only.</summary>
    private bool IsErasedSample(JsonObject sample)
    {
        string source = (string?)sample["source"] ?? "", id = (string?)sample["id"] ?? "", text = (string?)sample["text"] ?? "";
        if (_names.Contains(ForgottenKey.OfSourceAndId(source, id)) || tombstones.Has(source, id, (string?)sample["url"])) return true;
        bool whole = (long?)sample["bytes"] == Encoding.UTF8.GetByteCount(text);
        if (whole) return tombstones.HasText(text);
        return texts.Count > 0 && ForgottenKey.OfText(text) is { Length: > 0 } beginning && texts.Any(asked => asked.StartsWith(beginning, StringComparison.Ordinal));
    }

    /// <summary>Places name documents on which a step failed.</summary>
    private bool IsErasedPlace(JsonObject skipped)
    {
        const string start = "document '", between = "' of '";
        if ((string?)skipped["place"] is not { } place || !place.StartsWith(start, StringComparison.Ordinal) || !place.EndsWith('\'') || place.LastIndexOf(between, StringComparison.Ordinal) is not (> 0 and int at)) return false;
        string id = place[start.Length..at], source = place[(at + between.Length)..^1];
        return _names.Contains(ForgottenKey.OfSourceAndId(source, id)) || tombstones.Has(source, id, null);
    }

    /// <summary>The ledger names documents; what was found in them stays in the counts.</summary>
    private bool IsErasedEntry(JsonObject entry)
    {
        string source = (string?)entry["source"] ?? "", id = (string?)entry["id"] ?? "";
        return _names.Contains(ForgottenKey.OfSourceAndId(source, id)) || tombstones.Has(source, id, (string?)entry["url"]);
    }

    private void RewriteDomains(string from, string to)
    {
        var less = new Dictionary<(string Language, string Host), (long Documents, long Bytes)>();
        foreach ((ErasedFile file, ErasedLine line, bool repeated) in Placed())
        {
            if (!file.IsTrain || repeated || line.Host is null) continue;
            (long documents, long bytes) = less.GetValueOrDefault((file.Language, line.Host));
            less[(file.Language, line.Host)] = (documents + 1, bytes + line.Bytes);
        }
        using Stream input = files.OpenRead(from), output = files.CreateFile(to);
        var lines = new LineReader(input);
        while (lines.TryRead(out ReadOnlyMemory<byte> line))
        {
            string[] fields = Encoding.UTF8.GetString(line.Span).Split('\t');
            if (fields.Length != 4 || !long.TryParse(fields[2], NumberStyles.None, CultureInfo.InvariantCulture, out long documents) || !long.TryParse(fields[3], NumberStyles.None, CultureInfo.InvariantCulture, out long bytes))
                throw new UserErrorException(string.Create(CultureInfo.InvariantCulture, $"{from}:{lines.Line}: expected a language, a host, documents and bytes; make the folder again."));
            (long lessDocuments, long lessBytes) = less.GetValueOrDefault((fields[0], fields[1]));
            if (documents == lessDocuments) continue;
            output.Write(Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{fields[0]}\t{fields[1]}\t{documents - lessDocuments}\t{bytes - lessBytes}\n")));
        }
    }
}
