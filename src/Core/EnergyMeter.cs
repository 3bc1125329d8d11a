using System.Globalization;

namespace OpenEuroLLM.Core;

/// <summary>Measures the energy of the processor packages with the machine's own counters, where they can be read.</summary>
public static class EnergyMeter
{
    /// <summary>Starts a measurement; where the machine shows no counters its result is null, never an estimate.</summary>
    public static EnergyMeasurement Start() => new("/sys/class/powercap", TimeSpan.FromSeconds(60));
}

/// <summary>A measurement under way. The counters wrap (a few hundred kilojoules), so they are read once a minute.</summary>
public sealed class EnergyMeasurement : IDisposable
{
    private readonly List<Counter> _counters = [];
    private readonly Lock _gate = new();
    private readonly Timer? _timer;
    private double _joules;
    private bool _failed;

    internal EnergyMeasurement(string root, TimeSpan interval)
    {
        try
        {
            // Whole packages only: their parts (intel-rapl:0:0, cores, memory) are contained in them.
            foreach (string zone in Directory.Exists(root) ? Directory.GetDirectories(root, "intel-rapl:*") : [])
            {
                if (Path.GetFileName(zone).Count(letter => letter == ':') != 1) continue;
                string counter = Path.Combine(zone, "energy_uj");
                _counters.Add(new Counter(counter, Read(Path.Combine(zone, "max_energy_range_uj")), Read(counter)));
            }
        }
        catch (Exception exception) when (StorageFailure.Is(exception) || exception is FormatException)
        {
            _counters.Clear(); // present but closed to this user
        }

        if (_counters.Count > 0) _timer = new Timer(_ => Sample(), null, interval, interval);
    }

    /// <summary>Joules since the start, or null when not measured.</summary>
    public double? Joules
    {
        get
        {
            Sample();
            return _counters.Count == 0 || _failed ? null : _joules;
        }
    }

    /// <summary>Which meter, or that there is none.</summary>
    public string Source => _counters.Count == 0 || _failed ? "not measured: no readable counters" : $"processor package counters ({_counters.Count})";

    /// <summary>Ends the regular readings.</summary>
    public void Dispose() => _timer?.Dispose();

    internal void Sample()
    {
        lock (_gate)
        {
            try
            {
                foreach (var counter in _counters)
                {
                    long now = Read(counter.Path);
                    long used = now - counter.Last;
                    _joules += (used >= 0 ? used : used + counter.Range) * 1e-6;
                    counter.Last = now;
                }
            }
            catch (Exception exception) when (StorageFailure.Is(exception) || exception is FormatException)
            {
                _failed = true;
            }
        }
    }

    private static long Read(string path) => long.Parse(File.ReadAllText(path).Trim(), CultureInfo.InvariantCulture);

    private sealed class Counter(string path, long range, long last)
    {
        public string Path { get; } = path;
        public long Range { get; } = range;
        public long Last { get; set; } = last;
    }
}
