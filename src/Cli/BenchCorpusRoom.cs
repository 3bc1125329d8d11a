using OpenEuroLLM.Corpus.Making;

namespace OpenEuroLLM.Cli;

/// <summary>The input of a measurement, given or made, and a temporary folder for what is built.</summary>
internal sealed class BenchCorpusRoom(IReadOnlyList<string> given, IReadOnlyList<string> texts, long bytes) : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("oellm-bench-").FullName;
    private CorpusMaker? _maker;

    /// <summary>Where a corpus can be built.</summary>
    public string Target => Path.Combine(_folder, "corpus");

    /// <summary>The pages to extract from.</summary>
    public IReadOnlyList<string> Pages => given.Count > 0 ? given : [Made(".warc.gz")];

    /// <summary>The inputs of a part, each measured by itself.</summary>
    public IReadOnlyList<string> Inputs(string part) => given.Count > 0 ? given
        : part == BenchCorpusLine.Line ? [Made(".warc.gz")]
        : CorpusMaker.CanPackZstandard ? [Made(".jsonl"), Made(".jsonl.zst")]
        : [Made(".jsonl")];

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private string Made(string ending)
    {
        string path = Path.Combine(_folder, "made" + ending);
        if (File.Exists(path)) return path;
        _maker ??= CorpusMaker.Open(texts, [], seed: 1);
        _maker.Write(path, 0, long.MaxValue, bytes);
        return path;
    }
}
