namespace OpenEuroLLM.Tokenizers;

/// <summary>A pattern that is matched over UTF-8, character by character (code points, not UTF-16 units). A byte that is no part of valid UTF-8 is one
/// character of no class. Immutable.</summary>
internal interface ISplitPattern
{
    /// <summary>The first match that begins at or after a place, with the rules of a backtracking expression (leftmost, alternatives in order).
    /// What lies before the place can be looked back at.</summary>
    /// <returns>False when there is none.</returns>
    bool TryMatch(ReadOnlySpan<byte> text, int from, out int start, out int end);
}
