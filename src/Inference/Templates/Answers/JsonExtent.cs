namespace OpenEuroLLM.Inference;

/// <summary>Finds where a JSON object or list ends, character by character.</summary>
internal struct JsonExtent
{
    private int _depth;
    private bool _inText, _escaped;

    public bool IsComplete { get; private set; }

    /// <returns>False when what comes is no object and no list.</returns>
    public bool Take(char next)
    {
        if (_inText)
        {
            if (_escaped) _escaped = false;
            else if (next == '\\') _escaped = true;
            else if (next == '"') _inText = false;
            return true;
        }
        switch (next)
        {
            case '{' or '[': _depth++; return true;
            case '}' or ']':
                _depth--;
                IsComplete = _depth == 0;
                return _depth >= 0;
            case '"': _inText = true; break;
        }
        return _depth > 0 || char.IsWhiteSpace(next);
    }
}
