using System.Text.Json.Nodes;

namespace OpenEuroLLM.Tokenizers;

/// <summary>What training found out about a language.</summary>
/// <param name="Language">Its key.</param>
/// <param name="Documents">Texts learnt from.</param>
/// <param name="Bytes">Their bytes.</param>
/// <param name="HeldBackDocuments">Texts that languages were compared on instead.</param>
/// <param name="HeldBackBytes">Their bytes.</param>
/// <param name="BytesPerContent">Bytes for the same content, relative to the median language.</param>
/// <param name="ParallelDocuments">Parallel documents that say so; 0 where it is estimated from characters.</param>
/// <param name="TokensPerByteOfContent">Tokens for a unit of content on the text compared on, in the end; null when languages were not compared.</param>
public sealed record LanguageTraining(
    string Language, long Documents, long Bytes, long HeldBackDocuments, long HeldBackBytes, double BytesPerContent, int ParallelDocuments, double? TokensPerByteOfContent);

/// <summary>What training found out, beside the tokenizer.</summary>
/// <param name="MinimumWordCount">Words that occur less often were left out for want of memory; 1 when none was.</param>
/// <param name="DroppedWords">Different words left out, summed over languages.</param>
/// <param name="DroppedOccurrences">How often these occur together.</param>
/// <param name="SpilledRuns">Runs of counted words that were written to disk; depends on memory and threads.</param>
/// <param name="ParallelDocuments">Documents that several languages have.</param>
/// <param name="Languages">By language.</param>
public sealed record TrainingReport(
    long MinimumWordCount, long DroppedWords, long DroppedOccurrences, int SpilledRuns, int ParallelDocuments, IReadOnlyList<LanguageTraining> Languages)
{
    internal static TrainingReport Of(TrainingWords words, IReadOnlyList<LanguageContent> contents, int parallelDocuments, LanguageBalance? balance) => new(
        words.MinimumWordCount, words.DroppedWords, words.DroppedOccurrences, words.SpilledRuns, parallelDocuments,
        [.. words.Languages.Select((language, i) => new LanguageTraining(
            language.Language, language.Texts.Documents, language.Texts.Bytes, language.Texts.MeasuredDocuments, language.Texts.MeasuredBytes,
            contents[i].BytesPerContent, contents[i].Documents, balance?.TokensPerContent(i)))]);

    /// <summary>Whether it says more than the manifest: languages were compared, or words were left out.</summary>
    internal bool IsWorthKeeping => DroppedWords > 0 || Languages.Any(language => language.TokensPerByteOfContent is not null);

    /// <summary>The report without what depends on the machine, for <c>training.json</c>.</summary>
    internal JsonObject ToJson() => new()
    {
        ["minimumWordCount"] = MinimumWordCount,
        ["droppedWords"] = DroppedWords,
        ["droppedOccurrences"] = DroppedOccurrences,
        ["parallelDocuments"] = ParallelDocuments,
        ["languages"] = new JsonObject(Languages.Select(language => KeyValuePair.Create<string, JsonNode?>(language.Language, new JsonObject
        {
            ["documents"] = language.Documents,
            ["bytes"] = language.Bytes,
            ["heldBackDocuments"] = language.HeldBackDocuments,
            ["heldBackBytes"] = language.HeldBackBytes,
            ["bytesPerContent"] = Math.Round(language.BytesPerContent, 4),
            ["parallelDocuments"] = language.ParallelDocuments,
            ["tokensPerByteOfContent"] = language.TokensPerByteOfContent is double tokens ? Math.Round(tokens, 5) : null,
        }))),
    };
}
