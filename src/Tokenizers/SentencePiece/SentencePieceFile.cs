namespace OpenEuroLLM.Tokenizers;

/// <summary>What a piece is for; the numbers are those of the format.</summary>
internal enum SentencePieceKind
{
    Normal = 1, Unknown = 2, Control = 3, UserDefined = 4, Unused = 5, Byte = 6,
}

/// <summary>How a model finds pieces in text; the numbers are those of the format.</summary>
internal enum SentencePieceAlgorithm
{
    Unigram = 1, Bpe = 2, Word = 3, Character = 4,
}

/// <summary>One entry of the vocabulary.</summary>
/// <param name="Text">As it stands in normalized text (UTF-8).</param>
/// <param name="Score">The logarithm of its probability, or minus the order of its merge.</param>
/// <param name="Kind">What it is for.</param>
/// <param name="Other">Fields that are not known here, as they were read.</param>
internal sealed record SentencePiece(byte[] Text, float Score, SentencePieceKind Kind = SentencePieceKind.Normal, byte[]? Other = null);

/// <summary>What the format keeps beside the pieces because it decides how text is read.</summary>
/// <param name="Algorithm">How pieces are found.</param>
/// <param name="WhitespaceAsSuffix">Whether the mark of a space stands behind a word instead of before it.</param>
/// <param name="ByteFallback">Whether a character without a piece becomes its bytes.</param>
/// <param name="UnknownSurface">What the unknown piece becomes in text; null for the format's own.</param>
/// <param name="BeginId">The piece before a text; negative for none.</param>
/// <param name="EndId">The piece after a text; negative for none.</param>
/// <param name="PaddingId">The piece for filling up; negative for none.</param>
/// <param name="Other">Fields that are not known here, as they were read.</param>
internal sealed record SentencePieceTraining(
    SentencePieceAlgorithm Algorithm = SentencePieceAlgorithm.Unigram, bool WhitespaceAsSuffix = false, bool ByteFallback = false,
    byte[]? UnknownSurface = null, int BeginId = 1, int EndId = 2, int PaddingId = -1, byte[]? Other = null);

/// <summary>How text is rewritten before pieces are found in it.</summary>
/// <param name="Name">The name of the rules.</param>
/// <param name="CharacterMap">The rules; empty for none.</param>
/// <param name="AddDummyPrefix">Whether a space is put before the text (or behind it, see <see cref="SentencePieceTraining.WhitespaceAsSuffix"/>).</param>
/// <param name="RemoveExtraWhitespaces">Whether spaces at both ends go, and several become one.</param>
/// <param name="EscapeWhitespaces">Whether spaces become <c>▁</c>.</param>
/// <param name="Other">Fields that are not known here, as they were read.</param>
internal sealed record SentencePieceNormalization(
    byte[] Name, byte[] CharacterMap, bool AddDummyPrefix = true, bool RemoveExtraWhitespaces = true, bool EscapeWhitespaces = true, byte[]? Other = null)
{
    public static SentencePieceNormalization Identity { get; } = new("identity"u8.ToArray(), []);
}

/// <summary>The content of a SentencePiece <c>.model</c> file.</summary>
/// <param name="Pieces">The vocabulary by id.</param>
/// <param name="Training">How pieces are found.</param>
/// <param name="Normalization">How text is rewritten before.</param>
/// <param name="Denormalization">How it is rewritten after decoding; null for not at all.</param>
/// <param name="Other">Fields that are not known here, as they were read.</param>
internal sealed record SentencePieceFile(
    IReadOnlyList<SentencePiece> Pieces, SentencePieceTraining Training, SentencePieceNormalization Normalization,
    SentencePieceNormalization? Denormalization = null, byte[]? Other = null);
