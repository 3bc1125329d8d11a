namespace OpenEuroLLM.Cli;

/// <summary>One line that is written over and over on a terminal, and now and then where the output goes to a file.</summary>
internal sealed class StatusLine(TextWriter error, bool quiet)
{
    private readonly bool terminal = !Console.IsErrorRedirected;
    private readonly Lock gate = new();
    private long lastTicks;
    private int width;

    /// <summary>Says how far the work is; most calls are left out.</summary>
    public void Update(string text)
    {
        if (quiet || !terminal) return;
        lock (gate)
        {
            var now = Environment.TickCount64;
            if (now - lastTicks < 200) return;
            lastTicks = now;
            error.Write('\r' + text.PadRight(width));
            width = text.Length;
        }
    }

    /// <summary>A line that stays.</summary>
    public void Say(string text)
    {
        if (quiet) return;
        lock (gate)
        {
            if (width > 0) error.Write('\r' + new string(' ', width) + '\r');
            width = 0;
            error.WriteLine(text);
        }
    }

    /// <summary>Seconds as a person reads them.</summary>
    public static string Time(double seconds) => double.IsNaN(seconds) ? "?" : seconds switch
    {
        < 60 => FormattableString.Invariant($"{seconds:0} s"),
        < 3600 => FormattableString.Invariant($"{Math.Floor(seconds / 60):0} min {seconds % 60:00} s"),
        _ => FormattableString.Invariant($"{Math.Floor(seconds / 3600):0} h {seconds % 3600 / 60:00} min"),
    };
}

/// <summary>Progress that is reported on the thread where it happens, so that lines keep their order.</summary>
internal sealed class DirectProgress<T>(Action<T> report) : IProgress<T>
{
    public void Report(T value) => report(value);
}
