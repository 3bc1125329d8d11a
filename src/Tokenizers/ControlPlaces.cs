namespace OpenEuroLLM.Tokenizers;

/// <summary>Where in a text a control token that is written out becomes that token.</summary>
internal readonly struct ControlPlaces
{
    private readonly (int Start, int End)[]? _ranges;   // of bytes, ascending, without overlaps

    private ControlPlaces(bool everywhere, (int Start, int End)[]? ranges) => (IsEverywhere, _ranges) = (everywhere, ranges);

    public static ControlPlaces Everywhere { get; } = new(true, null);

    public bool IsEverywhere { get; }

    /// <summary>Whether only parts of the text can become control tokens.</summary>
    public bool IsLimited => _ranges is not null;

    public bool Any => IsEverywhere || _ranges is { Length: > 0 };

    public static ControlPlaces Of(bool everywhere) => new(everywhere, null);

    public static ControlPlaces Inside((int Start, int End)[] ranges) => new(false, ranges);

    public bool Holds(int start, int end) => IsEverywhere || EndAt(start) >= end;

    /// <summary>The end of the part that holds a byte, or -1.</summary>
    public int EndAt(int position)
    {
        if (_ranges is null) return IsEverywhere ? int.MaxValue : -1;
        int low = 0, high = _ranges.Length - 1;
        while (low <= high)
        {
            int middle = (low + high) / 2;
            if (_ranges[middle].End <= position) low = middle + 1;
            else if (_ranges[middle].Start > position) high = middle - 1;
            else return _ranges[middle].End;
        }
        return -1;
    }

    /// <summary>Whether a part begins between two bytes.</summary>
    public bool BeginsBetween(int start, int end)
    {
        for (int at = start + 1; _ranges is not null && at < end; at++)
            if (EndAt(at) >= 0) return true;
        return false;
    }
}
