using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;
using OpenEuroLLM.Corpus.Sample;

namespace OpenEuroLLM.Corpus;

/// <summary>What the corpus is made from, and how: the section <c>corpus</c> of a recipe.</summary>
/// <param name="Source"><c>sample</c> for the built-in sample, otherwise a folder or a file, relative to the current folder:
/// <c>.jsonl</c> holds a document a line (also chats and preferences), <c>.csv</c> and <c>.tsv</c> a document a row, <c>.warc</c>, <c>.wet</c> and <c>.arc</c> are web archives, <c>.html</c> files are pages, all of
/// them plain or with <c>.gz</c> or <c>.zst</c> behind; a <c>.txt</c> file is one document, whose language is the folder
/// it lies in or the beginning of its name (<c>cs/letter.txt</c>, <c>cs-letter.txt</c>, <c>cs.txt</c>).</param>
/// <param name="Languages">The languages kept; absent: the 24 official languages of the European Union.</param>
/// <param name="Steps">The steps each document goes through, in order.</param>
/// <param name="Seed">Decides which documents are held out, and the mixes of the sample.</param>
/// <param name="HeldOutShare">Share of each language's documents that is kept from training, chosen by the hash of their text; at least
/// one document when there are two. The sample holds out documents of its own instead.</param>
/// <param name="HeldOutDocuments">The most documents held out in a language.</param>
/// <param name="BytesPerLanguage">The most training text of a language, in bytes of UTF-8, so that large languages do not crowd out
/// small ones; absent: no limit.</param>
/// <param name="TextLicense">Licence of <c>.txt</c> files, which cannot name their own.</param>
/// <param name="ShardBytes">A training file is closed when it has reached this size, in bytes.</param>
/// <param name="IncludeSample">Adds the built-in sample to another source, before its texts: a model of real text then also learns to
/// answer, and can be examined on the sample's facts.</param>
/// <param name="UnitBytes">Files that can be divided (<c>.jsonl</c>, <c>.warc</c>, <c>.warc.gz</c>) are read in ranges of about this many bytes, each a unit of work.</param>
/// <param name="BadLineShare">The share of the lines of a file (or range) that may be no documents: they are passed over, counted, and listed in <c>skipped.jsonl</c>. With more, the
/// run stops with the place of the first; 0 stops at every one. Of <c>.txt</c> files, each of which is a document, it is the share of the files. A file that is cut short or damaged stops it too, unless the share is 1.</param>
/// <param name="Columns">What the columns of <c>.csv</c> and <c>.tsv</c> files are.</param>
/// <param name="Tokenizer">A tokenizer that counts the tokens of every document, for reports and budgets in tokens: its file or folder, or the name of a built-in one such as <c>europa-64k</c>;
/// absent: tokens are not counted.</param>
/// <param name="Mixing">How much of each language the training text gets; absent: all there is, once. Needs <paramref name="Tokenizer"/>.</param>
/// <param name="SamplesKept">How many documents of each outcome and language are kept in <c>samples.jsonl</c> for people to look at.</param>
/// <param name="Tombstones">The list of what is to be forgotten that <c>oellm corpus forget</c> leaves, with its key beside it: no document in it, by its identifier, address or text, comes in;
/// absent: nothing is to be forgotten.</param>
/// <param name="Sample">The built-in sample; unused without it.</param>
public sealed record CorpusConfig(
    string Source = CorpusConfig.SampleSource,
    IReadOnlyList<string>? Languages = null,
    IReadOnlyList<CorpusStep>? Steps = null,
    ulong Seed = 1,
    [property: Range(0.0, 0.5)] double HeldOutShare = 0.02,
    [property: Range(0, 1_000_000)] int HeldOutDocuments = 50,
    [property: Range(1, long.MaxValue)] long? BytesPerLanguage = null,
    string TextLicense = "unknown",
    [property: Range(1, long.MaxValue)] long ShardBytes = 256L << 20,
    bool IncludeSample = false,
    [property: Range(1, long.MaxValue)] long UnitBytes = 256L << 20,
    [property: Range(0.0, 1.0)] double BadLineShare = 0.01,
    ColumnNames? Columns = null,
    string? Tokenizer = null,
    Mixing? Mixing = null,
    [property: Range(0, 1000)] int SamplesKept = 3,
    string? Tombstones = null,
    SampleConfig? Sample = null)
{
    /// <summary>The name of the built-in sample as a source.</summary>
    public const string SampleSource = "sample";

    /// <summary>The languages in which the built-in sample is read: all when it is the source, those it has when it comes besides.</summary>
    [JsonIgnore]
    internal IEnumerable<string> SampleLanguages => Source == SampleSource ? Languages
        : IncludeSample ? Languages.Where(SampleText.Languages.Contains) : [];

    /// <summary>The languages kept.</summary>
    public IReadOnlyList<string> Languages { get; init; } = Languages ?? CorpusLanguages.Official;

    /// <summary>The steps each document goes through, in order.</summary>
    public IReadOnlyList<CorpusStep> Steps { get; init; } =
        Steps ?? [new UnicodeNormalization(), new ExactDuplicates(), new LengthFilter(), new ScriptFilter()];

    /// <summary>What the columns of tables are.</summary>
    public ColumnNames Columns { get; init; } = Columns ?? new();

    /// <summary>The built-in sample.</summary>
    public SampleConfig Sample { get; init; } = Sample ?? new();
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(CorpusConfig))]
internal sealed partial class CorpusJson : JsonSerializerContext;
