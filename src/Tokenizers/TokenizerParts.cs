using System.Diagnostics.CodeAnalysis;

namespace OpenEuroLLM.Tokenizers;

/// <summary>Everything that makes a tokenizer, step by step.</summary>
/// <param name="Model">Makes tokens of pieces.</param>
/// <param name="Added">Tokens that are matched as a whole.</param>
/// <param name="Normalizer">Rewrites text; null leaves it.</param>
/// <param name="PreTokenizer">Splits text; null leaves it whole.</param>
/// <param name="PostProcessor">Adds control tokens around texts, for those that ask for it; null adds none.</param>
/// <param name="Decoder">Makes text of tokens; null puts spaces between them.</param>
/// <param name="Truncation">The JSON of <c>truncation</c>, which is for other programs; null for none.</param>
/// <param name="Padding">The JSON of <c>padding</c>, likewise.</param>
internal sealed record TokenizerParts(
    ModelSettings Model, IReadOnlyList<AddedToken> Added, INormalizer? Normalizer = null, IPreTokenizer? PreTokenizer = null, IPostProcessor? PostProcessor = null,
    IDecoder? Decoder = null, string? Truncation = null, string? Padding = null)
{
    /// <summary>The steps of the tokenizers that are trained here: the split pattern of Llama 3 and bytes.</summary>
    public static IPreTokenizer ByteLevelSteps { get; } = new PreTokenizerSequence(
    [
        new SplitPreTokenizer(new TextPattern(SplitPattern.Regex, SplitPatterns.Compile(SplitPattern.Regex, "Split")), SplitBehavior.Isolated, Invert: false),
        new ByteLevelPreTokenizer(AddPrefixSpace: false, TrimOffsets: true, UseRegex: false),
    ]);

    /// <summary>The control tokens: text never becomes one of these ids by way of the model.</summary>
    public IReadOnlySet<int> Reserved { get; } = Added.Where(token => token.Special).Select(token => token.Id).ToHashSet();

    /// <summary>Whether bytes that are no valid UTF-8 come through unharmed.</summary>
    public bool KeepsBytes => (Steps(PreTokenizer).Any(step => step is ByteLevelPreTokenizer) || Steps(Normalizer).Any(step => step is ByteLevelNormalizer))
        && !Steps(Normalizer).Any(step => step is PrecompiledNormalizer);

    /// <summary>The way to encode: the fast one where the steps are no more than a split of bytes.</summary>
    /// <param name="bytePairs">The model of the fast way; null where it is not taken.</param>
    public TokenizerPipeline BuildPipeline(out BpeModel? bytePairs)
    {
        var added = new AddedTokens(Added, Normalizer);
        if (TryBuildBytePairs(out bytePairs))
            return new BytePairPipeline(added, Normalizer as UnicodeForm, bytePairs);
        return Normalizer is SentencePieceNormalizer normalizer && PreTokenizer is null
            ? new SentencePiecePipeline(added, normalizer, Model.Build(Reserved)) : BuildGeneralPipeline(added);
    }

    /// <summary>The way to encode that any steps have.</summary>
    public GeneralPipeline BuildGeneralPipeline(AddedTokens added) => new(added, Normalizer, PreTokenizer, Model.Build(Reserved), KeepsBytes);

    private bool TryBuildBytePairs([NotNullWhen(true)] out BpeModel? model)
    {
        model = null;
        if (Normalizer is not (null or UnicodeForm) || Model is not BpeSettings settings)
            return false;
        var steps = Steps(PreTokenizer).ToList();
        if (steps.Count == 0 || steps[^1] is not ByteLevelPreTokenizer { AddPrefixSpace: false } last)
            return false;
        var patterns = new List<ISplitPattern>();
        foreach (var step in steps[..^1])
        {
            if (step is SplitPreTokenizer { Behavior: SplitBehavior.Isolated, Invert: false, Pattern.Regex: { } regex })
                patterns.Add(regex);
            else if (step is DigitsPreTokenizer { Individual: true })
                patterns.Add(SingleNumbers.Instance);
            else
                return false;
        }
        if (last.UseRegex)
            patterns.Add(SplitPatterns.Scanner.Gpt2);
        model = settings.ToByteLevel(Reserved, SplitPatterns.Chain(patterns));
        return model is not null;
    }

    private static IEnumerable<IPreTokenizer> Steps(IPreTokenizer? preTokenizer) => preTokenizer switch
    {
        null => [],
        PreTokenizerSequence sequence => sequence.Steps.SelectMany(Steps),
        _ => [preTokenizer],
    };

    private static IEnumerable<INormalizer> Steps(INormalizer? normalizer) => normalizer switch
    {
        null => [],
        NormalizerSequence sequence => sequence.Steps.SelectMany(Steps),
        _ => [normalizer],
    };
}
