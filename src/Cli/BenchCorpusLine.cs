using System.Diagnostics;
using OpenEuroLLM.Core;
using OpenEuroLLM.Corpus;
using OpenEuroLLM.Corpus.Readers;

namespace OpenEuroLLM.Cli;

/// <summary>How fast a corpus is built with one worker, and where the time goes.</summary>
/// <param name="Part">line or text.</param>
/// <param name="Input">Name of the file or folder.</param>
/// <param name="Documents">Documents read.</param>
/// <param name="Bytes">Bytes of the input, unpacked.</param>
/// <param name="Seconds">Time of each pass.</param>
/// <param name="ProcessorSeconds">Processor time of the whole process in each pass.</param>
/// <param name="Shares">Shares of the time of one more pass, the largest first.</param>
internal sealed record BenchCorpusLine(
    string Part, string Input, long Documents, long Bytes, IReadOnlyList<double> Seconds, IReadOnlyList<double> ProcessorSeconds, IReadOnlyList<(string Step, double Share)> Shares)
{
    /// <summary>From web archives.</summary>
    public const string Line = "line";

    /// <summary>From documents.</summary>
    public const string Text = "text";

    /// <summary>Measures a part on one input. A pass that is not counted comes first; the one that tells the shares comes last, for looking at the clock costs a little.</summary>
    public static BenchCorpusLine Measure(BenchCorpusRoom room, string part, string input, int passes, CancellationToken cancellation)
    {
        CorpusConfig config = ProveCorpus.Config(input);
        List<double> seconds = [], processorSeconds = [];
        Manifest? manifest = null;
        for (int pass = 0; pass <= passes; pass++)
        {
            using Process process = Process.GetCurrentProcess();
            double before = process.TotalProcessorTime.TotalSeconds;
            long began = SystemClock.Instance.Timestamp;
            manifest = Build(config, room.Target, null, cancellation);
            double passed = SystemClock.Instance.SecondsSince(began);
            process.Refresh();
            if (pass == 0) continue;
            seconds.Add(passed);
            processorSeconds.Add(process.TotalProcessorTime.TotalSeconds - before);
        }
        var times = new StepTimes(SystemClock.Instance);
        long start = SystemClock.Instance.Timestamp;
        Build(config, room.Target, times, cancellation);
        double all = SystemClock.Instance.SecondsSince(start);
        return new BenchCorpusLine(part, Path.GetFileName(input), CorpusReport.Of(manifest!).Sum(row => row.Read), UnpackedBytes(input), seconds, processorSeconds, [.. times.Seconds.Select(step => (step.Step, step.Seconds / all))]);
    }

    private static Manifest Build(CorpusConfig config, string target, StepTimes? times, CancellationToken cancellation)
    {
        if (Directory.Exists(target)) Directory.Delete(target, recursive: true);
        return CorpusStage.Run(config, target, new LocalLauncher(1), cancellation: cancellation, times: times);
    }

    private static long UnpackedBytes(string input)
    {
        byte[] buffer = new byte[1 << 20];
        long bytes = 0;
        foreach (string file in Directory.Exists(input) ? Directory.EnumerateFiles(input, "*", SearchOption.AllDirectories) : [input])
        {
            using Stream stream = UnpackedFile.Open(file);
            for (int read; (read = stream.Read(buffer)) > 0;) bytes += read;
        }
        return bytes;
    }
}
