using System.Text;
using OpenEuroLLM.Core;
using OpenEuroLLM.Formats;

namespace OpenEuroLLM.Tokenizers;

/// <summary>SentencePiece vocabularies in GGUF files: <c>llama</c> is pair encoding with byte fallback and no rules, <c>t5</c> is Unigram with rules.</summary>
/// <remarks>Texts are read as SentencePiece reads them. llama.cpp differs in one point: it puts the dummy space behind every control or user-defined token
/// too, where SentencePiece has it at the beginning of the text alone.</remarks>
internal static class GgufSentencePiece
{
    public const string Llama = "llama";
    public const string T5 = "t5";

    /// <summary>The metadata of a tokenizer; without the named tokens, which all kinds share.</summary>
    /// <exception cref="UserErrorException">The format cannot say what the model does.</exception>
    public static IEnumerable<KeyValuePair<string, object>> Describe(SentencePieceFile file, int size)
    {
        bool isUnigram = file.Training.Algorithm == SentencePieceAlgorithm.Unigram;
        var normalization = file.Normalization;
        Require(isUnigram || file.Training.Algorithm == SentencePieceAlgorithm.Bpe, "has one piece a word or character");
        Require(!file.Training.WhitespaceAsSuffix, "has its spaces behind words");
        Require(normalization.EscapeWhitespaces, "keeps spaces as they are");
        Require(isUnigram || (normalization.CharacterMap.Length == 0 && !normalization.RemoveExtraWhitespaces && file.Training.ByteFallback),
            "has normalization rules, leaves out spaces, or has no byte fallback, and is pair encoding");
        // Readers of this kind make the unknown token of what has no piece.
        Require(!isUnigram || !file.Training.ByteFallback, "has byte fallback and is Unigram");
        yield return new(GgufTokens.Prefix + "model", isUnigram ? T5 : Llama);
        yield return new(GgufTokens.Prefix + "pre", "default");
        yield return new(GgufTokens.Prefix + "tokens", (string[])[.. file.Pieces.Select(piece => Encoding.UTF8.GetString(piece.Text)), .. Holes().Select(GgufTokens.Hole)]);
        yield return new(GgufTokens.Prefix + "scores", (float[])[.. file.Pieces.Select(piece => piece.Score), .. Holes().Select(_ => 0f)]);
        yield return new(GgufTokens.Prefix + "token_type", (int[])[.. file.Pieces.Select(piece => (int)piece.Kind), .. Holes().Select(_ => GgufTokenType.Unused)]);
        yield return new(GgufTokens.Prefix + "unknown_token_id", (uint)file.Pieces.ToList().FindIndex(piece => piece.Kind == SentencePieceKind.Unknown));
        yield return new(GgufTokens.Prefix + "add_space_prefix", normalization.AddDummyPrefix);
        if (!isUnigram)
            yield break;
        yield return new(GgufTokens.Prefix + "remove_extra_whitespaces", normalization.RemoveExtraWhitespaces);
        if (normalization.CharacterMap.Length > 0)
            yield return new(GgufTokens.Prefix + "precompiled_charsmap", normalization.CharacterMap);

        IEnumerable<int> Holes() => Enumerable.Range(file.Pieces.Count, size - file.Pieces.Count);

        static void Require(bool fits, string what)
        {
            if (!fits)
                throw new UserErrorException($"The SentencePiece model {what}, which GGUF cannot say. Keep its .model file, or train another.");
        }
    }

    /// <summary>Reads a vocabulary.</summary>
    /// <param name="tokens">The metadata.</param>
    /// <param name="model">Which of the two kinds.</param>
    /// <exception cref="UserErrorException">It contradicts itself.</exception>
    public static Tokenizer Read(GgufTokens tokens, string model)
    {
        float[] scores = tokens.Items<float>("scores");
        if (scores.Length != tokens.Texts.Length)
            throw tokens.Refuse($"scores has {scores.Length} items and tokens {tokens.Texts.Length}; expected as many");
        int used = tokens.Texts.Length;
        while (used > 0 && tokens.IsHole(used - 1))
            used--;
        var pieces = new SentencePiece[used];
        for (int id = 0; id < used; id++)
        {
            if (tokens.Texts[id].Length == 0 || !float.IsFinite(scores[id]) || tokens.Types[id] is < GgufTokenType.Normal or > GgufTokenType.Byte)
                throw tokens.Refuse($"token {id} ('{GgufFile.Shown(tokens.Texts[id])}') has the score {scores[id]} and the type {tokens.Types[id]}; expected text, a finite score, and 1 to 6");
            pieces[id] = new SentencePiece(Encoding.UTF8.GetBytes(tokens.Texts[id]), scores[id], (SentencePieceKind)tokens.Types[id]);
        }
        bool isUnigram = model == T5;
        var training = new SentencePieceTraining(isUnigram ? SentencePieceAlgorithm.Unigram : SentencePieceAlgorithm.Bpe,
            ByteFallback: pieces.Any(piece => piece.Kind == SentencePieceKind.Byte),
            BeginId: tokens.Id("bos_token_id") ?? -1, EndId: tokens.Id("eos_token_id") ?? -1, PaddingId: tokens.Id("padding_token_id") ?? -1);
        var normalization = SentencePieceNormalization.Identity with
        {
            CharacterMap = isUnigram && tokens.Has("precompiled_charsmap") ? CharacterMap(tokens) : [],
            AddDummyPrefix = tokens.Flag("add_space_prefix", absent: true),
            RemoveExtraWhitespaces = isUnigram && tokens.Flag("remove_extra_whitespaces", absent: true),
        };
        var parts = SentencePieceTokenizer.ToParts(new SentencePieceFile(pieces, training, normalization), tokens.Where);
        return new Tokenizer(parts with { PostProcessor = tokens.Surroundings(addsBegin: !isUnigram, addsEnd: isUnigram) });
    }

    private static byte[] CharacterMap(GgufTokens tokens)
    {
        try
        {
            return tokens.Items<byte>("precompiled_charsmap");
        }
        catch (UserErrorException)
        {
            // Some writers have it as signed bytes.
            return [.. tokens.Items<sbyte>("precompiled_charsmap").Select(value => (byte)value)];
        }
    }
}
