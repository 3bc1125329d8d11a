using OpenEuroLLM.Core;

namespace OpenEuroLLM.Tokenizers;

/// <summary>The split patterns that a tokenizer can be trained with, by name.</summary>
public static class TrainingSplit
{
    /// <summary>The pattern taken when none is named.</summary>
    public const string Default = "llama-3";

    private const string NumberGroups = @"\p{N}{1,3}";

    // A run of numbers is written in the way of each pattern, so that another policy can take its place.
    private static readonly (string Name, string Regex, string Numbers)[] Known =
    [
        ("europe", SplitPatterns.Europe, NumberGroups),
        ("llama-3", SplitPatterns.Llama3, NumberGroups),
        ("qwen-2", SplitPatterns.Qwen2, @"|\p{N}|"),
        ("gpt-4o", SplitPatterns.O200k, NumberGroups),
        ("tekken", SplitPatterns.Tekken, @"|\p{N}|"),
        ("gpt-2", SplitPatterns.Gpt2, @"\p{N}+"),
    ];

    /// <summary>All names.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. Known.Select(known => known.Name)];

    /// <summary>The pattern of a name, and its regular expression.</summary>
    /// <param name="name">One of <see cref="Names"/>.</param>
    /// <param name="digits">How numbers are split; null as the pattern has it.</param>
    internal static (ISplitPattern Pattern, string Regex) Find(string name, DigitPolicy? digits)
    {
        var known = Known.FirstOrDefault(known => known.Name == name);
        if (known.Name is null)
            throw new UserErrorException($"The split pattern '{name}' is unknown{SuggestedName.Hint(name, [.. Names])}");
        string numbers = digits switch
        {
            DigitPolicy.Groups => NumberGroups,
            DigitPolicy.Single => @"\p{N}",
            DigitPolicy.Runs => @"\p{N}+",
            _ => known.Numbers.Trim('|'),
        };
        string regex = known.Numbers.StartsWith('|')
            ? known.Regex.Replace(known.Numbers, $"|{numbers}|", StringComparison.Ordinal)
            : known.Regex.Replace(known.Numbers, numbers, StringComparison.Ordinal);
        return (SplitPatterns.Compile(regex, $"the split pattern '{name}'"), regex);
    }

    /// <summary>The steps of a byte-level tokenizer that splits by a pattern.</summary>
    internal static IPreTokenizer Steps(ISplitPattern pattern, string regex) => new PreTokenizerSequence(
    [
        new SplitPreTokenizer(new TextPattern(regex, pattern), SplitBehavior.Isolated, Invert: false),
        new ByteLevelPreTokenizer(AddPrefixSpace: false, TrimOffsets: true, UseRegex: false),
    ]);
}
