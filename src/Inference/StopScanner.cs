namespace OpenEuroLLM.Inference;

/// <summary>Finds stop texts in an answer that arrives in pieces, and holds back what may be the beginning of one.</summary>
/// <remarks>Which stop text is found does not depend on how the answer is cut into pieces: it is the one that is complete first,
/// the longest of those that are complete at the same place. Pieces and stop texts are well-formed, so comparing UTF-16 units finds
/// the same places as comparing characters and never cuts one.</remarks>
internal sealed class StopScanner(IReadOnlyList<string> stops)
{
    private string _held = "";

    /// <summary>The stop text that was found, or null.</summary>
    public string? Found { get; private set; }

    /// <summary>Takes the next piece and returns what can be shown by now.</summary>
    public string Push(string piece)
    {
        if (Found is not null) return "";
        if (stops.Count == 0) return piece;
        string text = _held + piece;
        int start = -1, end = int.MaxValue;
        foreach (string stop in stops)
        {
            int at = text.IndexOf(stop, StringComparison.Ordinal);
            if (at < 0) continue;
            int after = at + stop.Length;
            if (after > end || (after == end && at >= start)) continue;
            (start, end, Found) = (at, after, stop);
        }

        if (Found is not null)
        {
            _held = "";
            return text[..start];
        }

        int shown = text.Length - HeldLength(text);
        _held = text[shown..];
        return text[..shown];
    }

    /// <summary>The answer is over: what was held back belongs to it.</summary>
    public string Flush()
    {
        string rest = _held;
        _held = "";
        return rest;
    }

    // The longest end of the text with which some stop text begins.
    private int HeldLength(string text)
    {
        int held = 0;
        foreach (string stop in stops)
        {
            for (int length = Math.Min(stop.Length - 1, text.Length); length > held; length--)
            {
                if (!text.AsSpan(text.Length - length).SequenceEqual(stop.AsSpan(0, length))) continue;
                held = length;
                break;
            }
        }

        return held;
    }
}
