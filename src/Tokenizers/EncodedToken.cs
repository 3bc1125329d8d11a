namespace OpenEuroLLM.Tokenizers;

/// <summary>A token and the bytes it stands for.</summary>
/// <param name="Id">The token.</param>
/// <param name="Start">Its first byte in the text.</param>
/// <param name="End">The byte after its last; equal to <paramref name="Start"/> where the token stands for nothing in the text.</param>
public readonly record struct EncodedToken(int Id, int Start, int End);
