namespace OpenEuroLLM.Tokenizers;

/// <summary>How much a language's text says.</summary>
/// <param name="BytesPerContent">Bytes that the language takes for a unit of content; the median of all languages takes 1.</param>
/// <param name="Documents">Parallel documents that say so; 0 where it is taken from the number of characters, as they tell for the other languages.</param>
internal sealed record LanguageContent(double BytesPerContent, int Documents)
{
    public static IReadOnlyList<LanguageContent> Estimate(IReadOnlyList<LanguageWords> languages, ParallelTexts parallel)
    {
        var known = parallel.Expansions();
        var charactersPerContent = languages.Where(language => known.ContainsKey(language.Language))
            .Select(language => known[language.Language].BytesPerContent / BytesPerCharacter(language)).ToList();
        double usual = charactersPerContent.Count == 0 ? 1 : ParallelTexts.Median(charactersPerContent);
        var contents = languages.Select(language => known.TryGetValue(language.Language, out var expansion)
            ? new LanguageContent(expansion.BytesPerContent, expansion.Documents)
            : new LanguageContent(BytesPerCharacter(language) * usual, 0)).ToList();
        double unit = contents.Count == 0 ? 1 : ParallelTexts.Median([.. contents.Select(content => content.BytesPerContent)]);
        return [.. contents.Select(content => content with { BytesPerContent = content.BytesPerContent / unit })];
    }

    public BalancedLanguage Balanced(LanguageWords language, double frequencyWeight)
    {
        double training = Math.Max(1, language.Texts.WeightedBytes) / (double)SourceWeights.Unit / BytesPerContent;
        double measured = (language.IsMeasuredOnTraining ? language.Texts.Bytes : language.Texts.MeasuredBytes) / BytesPerContent;
        return new BalancedLanguage(language.Language, Math.Max(1, frequencyWeight), training, measured);
    }

    private static double BytesPerCharacter(LanguageWords language)
    {
        long bytes = 0;
        long characters = 0;
        for (int number = 0; number < language.List.Words; number++)
        {
            var sum = language.List.Sum(number);
            var word = language.List.Word(number);
            int continuing = 0;
            foreach (byte value in word)
                if ((value & 0xC0) == 0x80)
                    continuing++;
            bytes += word.Length * (sum.Count + sum.Measured);
            characters += (word.Length - continuing) * (sum.Count + sum.Measured);
        }
        return characters == 0 ? 1 : (double)bytes / characters;
    }
}
