using System.Text;

namespace OpenEuroLLM.Cli.Tests;

/// <summary>Hands on each line as it is written.</summary>
internal sealed class ListeningWriter(Action<string> listen) : TextWriter
{
    private readonly StringBuilder _line = new();
    private readonly List<string> _lines = [];
    private readonly Lock _gate = new();

    public override Encoding Encoding => Encoding.UTF8;

    public IReadOnlyList<string> Lines
    {
        get
        {
            lock (_gate) return [.. _lines];
        }
    }

    public override void Write(char value)
    {
        string line;
        lock (_gate)
        {
            if (value == '\r') return;
            if (value != '\n')
            {
                _line.Append(value);
                return;
            }
            line = _line.ToString();
            _line.Clear();
            _lines.Add(line);
        }
        listen(line);
    }
}
