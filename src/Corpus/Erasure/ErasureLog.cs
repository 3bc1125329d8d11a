using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using OpenEuroLLM.Core;
using OpenEuroLLM.Corpus.Readers;

namespace OpenEuroLLM.Corpus.Erasure;

/// <summary>The record of requests, decisions and dates that the law asks for: <c>erasures.jsonl</c> beside the tombstones. A line when a request is taken, a line when it is done;
/// counts and hashes, nothing of what was asked for.</summary>
internal sealed class ErasureLog(string tombstones, IFileSystem files, IClock clock)
{
    /// <summary>The file's name.</summary>
    public const string FileName = "erasures.jsonl";

    private const int LongestLine = 16 << 20;

    private readonly string _path = Path.Combine(Path.GetDirectoryName(tombstones)!, FileName);

    /// <summary>Writes that a request is taken, unless an earlier call did and was cut off.</summary>
    /// <returns>How many documents the corpus had lost to erasure when it was taken.</returns>
    public long Taken(string request, string corpus, Manifest manifest, IReadOnlyList<ForgottenKey> keys, string tombstonesSha256)
    {
        if (Open(request, corpus, manifest) is { } before) return before;
        long forgotten = ForgottenIn(manifest);
        var asked = new JsonObject();
        foreach (IGrouping<KeyKind, ForgottenKey> kind in keys.GroupBy(key => key.Kind).OrderBy(kind => kind.Key)) asked[JsonNamingPolicy.CamelCase.ConvertName(kind.Key.ToString())] = kind.Count();
        Add(new JsonObject
        {
            ["event"] = "taken",
            ["request"] = request,
            ["utc"] = Now,
            ["asked"] = asked,
            ["corpusManifestSha256"] = corpus,
            ["forgottenBefore"] = forgotten,
            ["tombstonesSha256"] = tombstonesSha256,
        });
        return forgotten;
    }

    /// <summary>Writes that a request is done.</summary>
    public void Done(string request, string corpus, ErasureReport report)
    {
        Add(new JsonObject
        {
            ["event"] = "done",
            ["request"] = request,
            ["utc"] = Now,
            ["corpusManifestSha256"] = corpus,
            ["documents"] = report.Documents,
            ["notFound"] = report.NotFound.Count,
            ["folders"] = new JsonArray([.. report.Erased.Select(folder => (JsonNode)new JsonObject
            {
                ["stage"] = folder.Stage,
                ["before"] = folder.Before,
                ["after"] = folder.After,
                ["documents"] = folder.Documents,
                ["tokens"] = folder.Tokens,
            })]),
            ["affected"] = new JsonArray([.. report.Affected.Select(folder => (JsonNode)new JsonObject { ["stage"] = folder.Stage, ["manifestSha256"] = folder.ManifestSha256 })]),
        });
    }

    /// <summary>How many documents a corpus has lost to erasure.</summary>
    public static long ForgottenIn(Manifest manifest) =>
        manifest.Counts.Where(count => count.Step == CorpusReport.ErasureStep && count.Reason == CorpusReport.Forgotten).Sum(count => count.Documents);

    private string Now => clock.UtcNow.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    private long? Open(string request, string corpus, Manifest manifest)
    {
        if (!files.FileExists(_path)) return null;
        long? open = null;
        using Stream stream = files.OpenRead(_path);
        var lines = new LineReader(stream, LongestLine);
        try
        {
            while (lines.TryRead(out ReadOnlyMemory<byte> line))
            {
                JsonNode root = JsonNode.Parse(line.Span)!;
                if ((string?)root["request"] != request || (string?)root["corpusManifestSha256"] is not { } before) continue;
                if ((string?)root["event"] == "done") open = null;
                else if (before == corpus || manifest.Replaces?.Contains(before) == true) open = (long?)root["forgottenBefore"];
            }
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException or InvalidDataException or NullReferenceException or FormatException)
        {
            throw new UserErrorException(string.Create(CultureInfo.InvariantCulture, $"{_path}:{lines.Line}: is no entry of the record; the file was changed or cut, bring it back from a copy."), error);
        }
        return open;
    }

    private void Add(JsonObject entry) => AppendOnlyFile.Add(files, _path, Encoding.UTF8.GetBytes(entry.ToJsonString() + "\n"));
}
