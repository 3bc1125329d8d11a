using System.Collections.Frozen;

namespace OpenEuroLLM.Tokenizers;

/// <summary>The split patterns of published tokenizers that are matched by hand, and the general engine for all others.</summary>
/// <remarks>The language is that of the reference (Oniguruma with Ruby's rules): <c>{1,3}+</c> repeats there and is not possessive, <c>$</c> is
/// the end of a line.</remarks>
internal static class SplitPatterns
{
    private const string Contractions = @"(?i:'s|'t|'re|'ve|'m|'ll|'d)|";
    private const string ShortContractions = @"'(?i:[sdmt]|ll|ve|re)|";
    private const string Word = @"[^\r\n\p{L}\p{N}]?\p{L}+|";
    private const string PossessiveWord = @"[^\r\n\p{L}\p{N}]?+\p{L}+|";
    private const string Punctuation = @" ?[^\s\p{L}\p{N}]+[\r\n]*|";
    private const string PossessivePunctuation = @" ?[^\s\p{L}\p{N}]++[\r\n]*|";
    private const string Spaces = @"\s*[\r\n]+|\s+(?!\S)|\s+";
    private const string SingleBreakSpaces = @"\s*[\r\n]|\s+(?!\S)|\s+";   // means the same: \s* takes the line breaks before the last
    private const string Capitals = @"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]";
    private const string Small = @"[\p{Ll}\p{Lm}\p{Lo}\p{M}]";
    private const string Prefix = @"[^\r\n\p{L}\p{N}]?";
    private const string SlashPunctuation = @" ?[^\s\p{L}\p{N}]+[\r\n/]*|";

    /// <summary>GPT-2, also r50k and p50k; what a <c>ByteLevel</c> pre-tokenizer with <c>use_regex</c> splits by.</summary>
    public const string Gpt2 = @"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+";

    /// <summary>Llama 3, SmolLM 3, OLMo 2 and others.</summary>
    public const string Llama3 = Contractions + Word + @"\p{N}{1,3}|" + Punctuation + Spaces;

    /// <summary>Qwen 2 and 3: each number alone.</summary>
    public const string Qwen2 = Contractions + Word + @"\p{N}|" + Punctuation + Spaces;

    /// <summary>Qwen 3.5: marks belong to words.</summary>
    public const string Qwen35 = Contractions + @"[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|" + Spaces;

    /// <summary>GPT-4o and later.</summary>
    public const string O200k = Prefix + Capitals + "*" + Small + @"+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|"
        + Prefix + Capitals + "+" + Small + @"*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}|" + SlashPunctuation + Spaces;

    /// <summary>Mistral's Tekken, also Apertus.</summary>
    public const string Tekken = Prefix + Capitals + "*" + Small + "+|" + Prefix + Capitals + "+" + Small + @"*|\p{N}|" + SlashPunctuation + Spaces;

    /// <summary>tiktoken's present form of cl100k. There <c>{1,3}+</c> is possessive; in <c>tokenizer.json</c> it repeats.</summary>
    public const string Cl100k = @"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]|\s+(?!\S)|\s";

    /// <summary>What tiktoken means by <see cref="Cl100k"/>, for <c>tokenizer.json</c>.</summary>
    public const string Cl100kThreeNumbers = @"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]|\s+(?!\S)|\s";

    /// <summary>tiktoken's present form of <see cref="Gpt2"/>; it means the same.</summary>
    public const string R50k = @"'(?:[sdmt]|ll|ve|re)| ?\p{L}++| ?\p{N}++| ?[^\s\p{L}\p{N}]++|\s++$|\s+(?!\S)|\s";

    /// <summary>For European text: marks belong to words, numbers in groups, and no English contractions, which would cut Maltese <c>b'mod</c>; an
    /// apostrophe goes with what follows.</summary>
    public const string Europe = EuropeanWord + @"\p{N}{1,3}|" + EuropeanEnd;

    private const string EuropeanWord = @"[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|";
    private const string EuropeanEnd = @" ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|" + Spaces;

    private static readonly FrozenDictionary<string, WordScanner> Known = new Dictionary<string, WordScanner>(StringComparer.Ordinal)
    {
        [Gpt2] = Scanner.Gpt2,
        [@"'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"] = Scanner.Gpt2,
        [R50k] = Scanner.Gpt2,
        [Llama3] = Scanner.Llama3,
        [ShortContractions + PossessiveWord + @"\p{N}{1,3}|" + PossessivePunctuation + SingleBreakSpaces] = Scanner.Llama3,
        [Cl100kThreeNumbers] = Scanner.Cl100k,
        [Cl100k] = WordScanner<PrefixedWordRule<Cl100kRepeatingNumbersOptions>>.Instance,
        [Qwen2] = Scanner.Qwen2,
        [ShortContractions + PossessiveWord + @"\p{N}|" + PossessivePunctuation + SingleBreakSpaces] = Scanner.Qwen2,
        [Word + @"\p{N}|" + Punctuation + Spaces] = WordScanner<PrefixedWordRule<NoContractionsOptions>>.Instance,
        [Contractions + Word + @"\p{N}+|" + Punctuation + Spaces] = WordScanner<PrefixedWordRule<AllNumbersOptions>>.Instance,
        [Contractions + Word + @"\p{N}{1}| ?[^\s\p{L}\p{N}\r\n]+|" + Spaces] = WordScanner<PrefixedWordRule<BarePunctuationOptions>>.Instance,
        [Qwen35] = WordScanner<PrefixedWordRule<Qwen35Options>>.Instance,
        [Europe] = WordScanner<PrefixedWordRule<EuropeOptions>>.Instance,
        [EuropeanWord + @"\p{N}|" + EuropeanEnd] = WordScanner<PrefixedWordRule<EuropeSingleNumbersOptions>>.Instance,
        [EuropeanWord + @"\p{N}+|" + EuropeanEnd] = WordScanner<PrefixedWordRule<EuropeAllNumbersOptions>>.Instance,
        [O200k] = Scanner.O200k,
        [Tekken] = WordScanner<PrefixedWordRule<TekkenOptions>>.Instance,
    }.ToFrozenDictionary(StringComparer.Ordinal);

    /// <summary>The patterns that are matched by hand, as they stand in <c>tokenizer.json</c>.</summary>
    public static IEnumerable<string> WellKnown => Known.Keys;

    /// <summary>The hand-written scanner of a well-known pattern, or null.</summary>
    public static WordScanner? Find(string regex) => Known.GetValueOrDefault(regex);

    /// <summary>A pattern that can be matched.</summary>
    /// <param name="regex">The expression, as it stands in <c>tokenizer.json</c>.</param>
    /// <param name="where">The file and the place in it, for messages.</param>
    /// <exception cref="Core.UserErrorException">It is malformed, or holds what is not supported.</exception>
    public static ISplitPattern Compile(string regex, string where) => Find(regex) ?? (ISplitPattern)RegexPattern.Compile(regex, where);

    /// <summary>Splits by one pattern after the other, as a sequence of <c>Split</c> pre-tokenizers with the behavior <c>Isolated</c> does:
    /// matches and what lies between them are cut again by the next.</summary>
    public static WordSplitter Chain(IReadOnlyList<ISplitPattern> patterns) =>
        patterns is [WordSplitter single] ? single
        : patterns is [SingleNumbers, WordScanner<SpacedWordRule<Gpt2Options>>] ? Scanner.SingleNumbersThenGpt2
        : new SplitChain([.. patterns]);

    /// <summary>The scanners that are used by name.</summary>
    public static class Scanner
    {
        public static WordScanner Gpt2 => WordScanner<SpacedWordRule<Gpt2Options>>.Instance;

        public static WordScanner Llama3 => WordScanner<PrefixedWordRule<Llama3Options>>.Instance;

        public static WordScanner Qwen2 => WordScanner<PrefixedWordRule<Qwen2Options>>.Instance;

        public static WordScanner O200k => WordScanner<PrefixedWordRule<O200kOptions>>.Instance;

        /// <summary>cl100k as tiktoken means it: at most three numbers.</summary>
        public static WordScanner Cl100k => WordScanner<PrefixedWordRule<Cl100kOptions>>.Instance;

        /// <summary>Every number alone, then <see cref="Gpt2"/>: <c>Digits{individual_digits}</c> before <c>ByteLevel</c> (StarCoder, SmolLM).</summary>
        public static WordScanner SingleNumbersThenGpt2 => WordScanner<SpacedWordRule<SingleNumbersGpt2Options>>.Instance;
    }

    private readonly struct Gpt2Options : ISpacedWordOptions
    {
        public static bool SingleNumbers => false;
    }

    private readonly struct SingleNumbersGpt2Options : ISpacedWordOptions
    {
        public static bool SingleNumbers => true;
    }

    private readonly struct Llama3Options : IPrefixedWordOptions;

    private readonly struct Cl100kOptions : IPrefixedWordOptions
    {
        public static bool WholeSpacesAtEnd => true;
    }

    private readonly struct Cl100kRepeatingNumbersOptions : IPrefixedWordOptions
    {
        public static int MostNumbers => int.MaxValue;

        public static bool WholeSpacesAtEnd => true;
    }

    private readonly struct Qwen2Options : IPrefixedWordOptions
    {
        public static int MostNumbers => 1;
    }

    private readonly struct NoContractionsOptions : IPrefixedWordOptions
    {
        public static bool Contractions => false;

        public static int MostNumbers => 1;
    }

    private readonly struct AllNumbersOptions : IPrefixedWordOptions
    {
        public static int MostNumbers => int.MaxValue;
    }

    private readonly struct BarePunctuationOptions : IPrefixedWordOptions
    {
        public static int MostNumbers => 1;

        public static bool BreaksEndPunctuation => false;
    }

    private readonly struct Qwen35Options : IPrefixedWordOptions
    {
        public static CharacterClass Word => CharacterClass.Letter | CharacterClass.Mark;

        public static int MostNumbers => 1;
    }

    private readonly struct EuropeOptions : IPrefixedWordOptions
    {
        public static bool Contractions => false;

        public static CharacterClass Word => CharacterClass.Letter | CharacterClass.Mark;
    }

    private readonly struct EuropeSingleNumbersOptions : IPrefixedWordOptions
    {
        public static bool Contractions => false;

        public static CharacterClass Word => CharacterClass.Letter | CharacterClass.Mark;

        public static int MostNumbers => 1;
    }

    private readonly struct EuropeAllNumbersOptions : IPrefixedWordOptions
    {
        public static bool Contractions => false;

        public static CharacterClass Word => CharacterClass.Letter | CharacterClass.Mark;

        public static int MostNumbers => int.MaxValue;
    }

    private readonly struct O200kOptions : IPrefixedWordOptions
    {
        public static bool Contractions => false;

        public static bool Cased => true;

        public static bool ContractionsEndWords => true;

        public static bool SlashesEndPunctuation => true;
    }

    private readonly struct TekkenOptions : IPrefixedWordOptions
    {
        public static bool Contractions => false;

        public static bool Cased => true;

        public static int MostNumbers => 1;

        public static bool SlashesEndPunctuation => true;
    }
}
