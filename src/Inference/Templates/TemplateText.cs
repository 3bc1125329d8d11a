using System.Text;

namespace OpenEuroLLM.Inference;

/// <summary>A text that knows of each character whether the template wrote it (trusted) or a conversation brought it. Counted in code points, as
/// templates count; whatever is cut, joined or replaced keeps its origin.</summary>
internal sealed class TemplateText
{
    private readonly int[] _borders;    // UTF-16 positions inside the text where the origin changes, ascending
    private readonly bool _startsTrusted;
    private int _count = -1;

    private TemplateText(string value, bool startsTrusted, int[] borders, bool isSafe = false) => (Value, _startsTrusted, _borders, IsSafe) = (value, startsTrusted, borders, isSafe);

    public static TemplateText Empty { get; } = Trusted("");

    public string Value { get; }

    /// <summary>Whether the filter <c>safe</c> made it: what is added to it is escaped for HTML, as the reference does it.</summary>
    public bool IsSafe { get; }

    /// <summary>Number of code points.</summary>
    public int Count => _count >= 0 ? _count : _count = CountOf(Value);

    public static TemplateText Trusted(string value) => new(value, true, []);

    public static TemplateText Data(string value) => new(value, false, []);

    public override string ToString() => Value;

    public TemplateText AsSafe() => IsSafe ? this : new TemplateText(Value, _startsTrusted, _borders, isSafe: true);

    /// <summary>The stretches of one origin, in order, with UTF-16 positions.</summary>
    public IEnumerable<(int Start, int End, bool Trusted)> Stretches()
    {
        int start = 0;
        bool trusted = _startsTrusted;
        foreach (int border in _borders)
        {
            yield return (start, border, trusted);
            (start, trusted) = (border, !trusted);
        }
        if (start < Value.Length) yield return (start, Value.Length, trusted);
    }

    /// <summary>The part between two UTF-16 positions.</summary>
    public TemplateText Part(int start, int end)
    {
        if (start == 0 && end == Value.Length) return this;
        if (start >= end) return Empty;
        int passed = Array.BinarySearch(_borders, start);
        passed = passed < 0 ? ~passed : passed + 1;     // borders at or before the start
        int inside = passed;
        while (inside < _borders.Length && _borders[inside] < end) inside++;
        int[] borders = inside == passed ? [] : [.. _borders[passed..inside].Select(border => border - start)];
        return new TemplateText(Value[start..end], _startsTrusted ^ (passed % 2 != 0), borders, IsSafe);
    }

    /// <summary>The UTF-16 position of a code point.</summary>
    public int Position(int codePoint)
    {
        if (Count == Value.Length) return codePoint;
        int at = 0;
        for (; codePoint > 0; codePoint--) at += char.IsHighSurrogate(Value[at]) && at + 1 < Value.Length ? 2 : 1;
        return at;
    }

    private static int CountOf(string value)
    {
        int count = value.Length;
        for (int i = 1; i < value.Length; i++)
            if (char.IsLowSurrogate(value[i]) && char.IsHighSurrogate(value[i - 1])) count--;
        return count;
    }

    /// <summary>Puts texts together.</summary>
    public sealed class Builder
    {
        private readonly StringBuilder _text = new();
        private readonly List<int> _borders = [];
        private bool _startsTrusted = true, _trusted = true;

        public Builder Append(string value, bool trusted)
        {
            if (value.Length == 0) return this;
            Turn(trusted);
            _text.Append(value);
            return this;
        }

        public Builder Append(TemplateText text) => Append(text, 0, text.Value.Length);

        public Builder Append(TemplateText text, int start, int end)
        {
            foreach (var (from, to, trusted) in text.Part(start, end) is var part ? part.Stretches() : [])
            {
                Turn(trusted);
                _text.Append(part.Value, from, to - from);
            }
            return this;
        }

        public TemplateText Build() => new(_text.ToString(), _startsTrusted, [.. _borders]);

        private void Turn(bool trusted)
        {
            if (_text.Length == 0) _startsTrusted = trusted;
            else if (_trusted != trusted) _borders.Add(_text.Length);
            _trusted = trusted;
        }
    }
}
