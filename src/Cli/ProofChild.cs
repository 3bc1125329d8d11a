using System.Diagnostics;

namespace OpenEuroLLM.Cli;

/// <summary>This program in a process of its own.</summary>
internal sealed class ProofChild : IDisposable
{
    private static readonly TimeSpan Glance = TimeSpan.FromMilliseconds(100);

    private readonly Process _process;
    private string? _lastWords;

    private ProofChild(ProcessStartInfo start, Action<string>? heard)
    {
        _process = Process.Start(start)!;
        _process.OutputDataReceived += (_, line) =>
        {
            if (line.Data is not null) heard?.Invoke(line.Data);
        };
        _process.ErrorDataReceived += (_, line) => _lastWords = string.IsNullOrEmpty(line.Data) ? _lastWords : line.Data;
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    public int Id => _process.Id;

    public bool HasExited => _process.HasExited;

    public int ExitCode => _process.ExitCode;

    /// <summary>Its last line on the error stream.</summary>
    public string? LastWords => _lastWords;

    /// <summary>The memory that it holds now, in bytes.</summary>
    public long MemoryBytes
    {
        get
        {
            _process.Refresh();
            return _process.WorkingSet64;
        }
    }

    /// <summary>The most memory it was seen to hold, in bytes.</summary>
    public long PeakMemoryBytes { get; private set; }

    /// <param name="arguments">The command line.</param>
    /// <param name="switchedOff">A variable of its environment that is set to 0.</param>
    /// <param name="heard">Gets each line that it says on its standard output.</param>
    public static ProofChild Start(IReadOnlyList<string> arguments, string? switchedOff, Action<string>? heard = null)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!) { RedirectStandardError = true, RedirectStandardOutput = true };
        if (Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet") start.ArgumentList.Add(typeof(ProveCommand).Assembly.Location);
        foreach (string argument in arguments) start.ArgumentList.Add(argument);
        if (switchedOff is not null) start.Environment[switchedOff] = "0";
        return new ProofChild(start, heard);
    }

    /// <summary>Waits for its end, with an eye on its memory.</summary>
    /// <returns>False when the time was over first; it runs on.</returns>
    public bool Wait(CancellationToken cancellation, TimeSpan? most = null)
    {
        var watch = Stopwatch.StartNew();
        while (true)
        {
            cancellation.ThrowIfCancellationRequested();
            TimeSpan left = most is { } limit ? limit - watch.Elapsed : Glance;
            if (left <= TimeSpan.Zero) return _process.HasExited;
            if (_process.WaitForExit(left < Glance ? left : Glance))
            {
                _process.WaitForExit();   // what it said is read to its end
                return true;
            }
            Look();
        }
    }

    /// <summary>Ends it as a power cut would: with SIGKILL, where there is one.</summary>
    public void Kill()
    {
        _process.Kill();
        _process.WaitForExit();
    }

    public void Dispose()
    {
        if (!_process.HasExited) Kill();
        _process.Dispose();
    }

    private void Look()
    {
        try
        {
            _process.Refresh();
            PeakMemoryBytes = Math.Max(PeakMemoryBytes, _process.PeakWorkingSet64);
        }
        catch (InvalidOperationException)
        {
            // it has ended meanwhile
        }
    }
}
