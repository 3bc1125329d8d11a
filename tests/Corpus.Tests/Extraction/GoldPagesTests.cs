using System.IO.Compression;
using System.Text.Json.Nodes;
using OpenEuroLLM.Corpus.Extraction;

namespace OpenEuroLLM.Corpus.Tests.Extraction;

/// <summary>The figures of the project on real pages whose texts people marked (see <see cref="GoldScore"/>), in two halves of the pages so that rules which fit only those they were found on would show.</summary>
public sealed class GoldPagesTests(ITestOutputHelper output) : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Texts_of_real_pages_agree_with_what_people_marked()
    {
        string archive = Path.Combine(SharedData.Web, "pages.warc.gz");
        Assert.SkipUnless(File.Exists(archive), "needs the web pages beside the repository");
        PageExtraction.Run(archive, _folder["out.jsonl"], markdown: false, threads: 2, cancellation: TestContext.Current.CancellationToken);
        var texts = File.ReadLines(_folder["out.jsonl"]).Select(line => JsonNode.Parse(line)!).ToDictionary(line => (string)line["id"]!, line => (string)line["text"]!);
        List<Result> results = [.. Gold().Select(page => Judge(page, texts.GetValueOrDefault((string)page["warc_uri"]!) ?? ""))];
        Assert.Equal(131, results.Count);

        Report("all", results);
        foreach (IGrouping<string, Result> group in results.GroupBy(result => result.Source).OrderBy(group => group.Key, StringComparer.Ordinal)) Report(group.Key, [.. group]);
        foreach (IGrouping<string, Result> group in results.GroupBy(result => result.Language).OrderBy(group => group.Key, StringComparer.Ordinal)) Report(group.Key, [.. group]);
        RequireTargets("all", results);
        foreach (IGrouping<bool, Result> half in results.GroupBy(result => result.IsFirstHalf))
        {
            Report(half.Key ? "first half" : "second half", [.. half]);
            RequireTargets(half.Key ? "first half" : "second half", [.. half]);
        }
    }

    private static void RequireTargets(string name, IReadOnlyCollection<Result> results)
    {
        Assert.True(F1(results) >= 0.95, $"{name}: word F1 {F1(results)}");
        Assert.True(Found(results) >= 0.95, $"{name}: wanted segments found {Found(results)}");
        Assert.True(Absent(results) >= 0.92, $"{name}: unwanted segments absent {Absent(results)}");
    }

    private static double F1(IReadOnlyCollection<Result> results) => results.Where(result => result.F1 is not null).Select(result => result.F1!.Value).DefaultIfEmpty(double.NaN).Average();

    private static double Found(IReadOnlyCollection<Result> results) => (double)results.Sum(result => result.Found) / results.Sum(result => result.Wanted);

    private static double Absent(IReadOnlyCollection<Result> results) => (double)results.Sum(result => result.Absent) / results.Sum(result => result.Unwanted);

    private void Report(string name, IReadOnlyCollection<Result> results) => output.WriteLine(FormattableString.Invariant(
        $"{name,-32} pages {results.Count,3}  full {results.Count(result => result.F1 is not null),2}  F1 {F1(results):0.000}  wanted {Found(results):0.000} of {results.Sum(result => result.Wanted)}  absent {Absent(results):0.000} of {results.Sum(result => result.Unwanted)}"));

    private static IEnumerable<JsonNode> Gold()
    {
        using var file = new GZipStream(File.OpenRead(Path.Combine(SharedData.Web, "pages.gold.jsonl.gz")), CompressionMode.Decompress);
        using var reader = new StreamReader(file);
        while (reader.ReadLine() is string line) yield return JsonNode.Parse(line)!;
    }

    private static Result Judge(JsonNode page, string text)
    {
        string id = (string)page["id"]!;
        JsonNode gold = page["gold"]!;
        string[] wanted = [.. gold["with"]?.AsArray().Select(segment => (string)segment!) ?? []], unwanted = [.. gold["without"]?.AsArray().Select(segment => (string)segment!) ?? []];
        return new Result(
            (string)page["lang"]!, id.Split('-')[0], IsFirstHalf(id), (string)gold["kind"]! == "full" ? GoldScore.WordF1(text, (string)gold["text"]!) : null,
            wanted.Length, wanted.Count(segment => GoldScore.Contains(text, segment)), unwanted.Length, unwanted.Count(segment => !GoldScore.Contains(text, segment)));
    }

    // By a hash of the name: neither the order in the file nor the source decides.
    private static bool IsFirstHalf(string id)
    {
        uint hash = 2166136261;
        foreach (char unit in id) hash = (hash ^ unit) * 16777619;
        return (hash >> 7 & 1) == 0;
    }

    private sealed record Result(string Language, string Source, bool IsFirstHalf, double? F1, int Wanted, int Found, int Unwanted, int Absent);
}
