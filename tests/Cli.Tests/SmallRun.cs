using OpenEuroLLM.Cli.Tests;

[assembly: AssemblyFixture(typeof(SmallRun))]

namespace OpenEuroLLM.Cli.Tests;

/// <summary>One whole small run, shared by the tests, which must leave it as it is. It was moved after it was made.</summary>
public sealed class SmallRun : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public SmallRun()
    {
        Directory.CreateDirectory(_folder.At("elsewhere"));
        Made = Oellm.Run(["quickstart", .. Settings, "--out", _folder.At("made"), "--threads", "2", "--json"]);
        VerifiedInPlace = Oellm.Run("verify", _folder.At("made"));
        MadeIn = _folder.At("made");
        Root = _folder.At("elsewhere", "moved");
        if (Directory.Exists(MadeIn)) Directory.Move(MadeIn, Root);
    }

    /// <summary>Small enough for every build: three languages, one layer, 16 steps.</summary>
    internal static IReadOnlyList<string> Settings { get; } =
    [
        "corpus.languages=[\"en\",\"ga\",\"mt\"]", "tokenizer.vocabularySize=1024", "model.layers=1", "training.tokens=8192", "training.batchTokens=512",
        "training.microBatchTokens=512", "training.checkpointSteps=3",
    ];

    internal Outcome Made { get; }

    internal Outcome VerifiedInPlace { get; }

    internal string MadeIn { get; }

    internal string Root { get; }

    internal string Model => In("model");

    internal string In(params ReadOnlySpan<string> parts) => Path.Combine([Root, .. parts]);

    public void Dispose() => _folder.Dispose();

    /// <summary>The files of a run that are the same in every run of the same recipe: all but who ran it, when and how long.</summary>
    /// <remarks>From training on, manifests name the run record of the last checkpoint, and with it the time.</remarks>
    internal static SortedDictionary<string, string> Results(string root, params string[] stages) => new((stages.Length > 0 ? stages : ["corpus", "tokenizer", "tokens", "training", "export", "evaluation"])
        .SelectMany(stage => Directory.GetFiles(Path.Combine(root, stage), "*", SearchOption.AllDirectories)).Select(file => Path.GetRelativePath(root, file))
        .Where(file => Path.GetFileName(file) != "run.json" && (Path.GetFileName(file) != "manifest.json" || file.StartsWith("tok", StringComparison.Ordinal) || file.StartsWith("corpus", StringComparison.Ordinal)))
        .ToDictionary(file => file, file => Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(File.ReadAllBytes(Path.Combine(root, file))))), StringComparer.Ordinal);
}
