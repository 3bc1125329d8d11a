using System.Reflection;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using OpenEuroLLM.Core;
using OpenEuroLLM.Corpus.Deduplication;

namespace OpenEuroLLM.Corpus;

/// <summary>One step of the pipeline: settings and behaviour in one value. To add a step, write a record that derives from
/// <see cref="Filter"/> or <see cref="MeasuredStep"/> and register its name here.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "step")]
[JsonDerivedType(typeof(UnicodeNormalization), "unicode-normalization")]
[JsonDerivedType(typeof(MojibakeRepair), "mojibake")]
[JsonDerivedType(typeof(LanguageIdentification), "identification")]
[JsonDerivedType(typeof(ExactDuplicates), "exact-duplicates")]
[JsonDerivedType(typeof(UrlDuplicates), "url-duplicates")]
[JsonDerivedType(typeof(NearDuplicates), "near-duplicates")]
[JsonDerivedType(typeof(SubstringRepeats), "substring-repeats")]
[JsonDerivedType(typeof(LineRepeats), "line-repeats")]
[JsonDerivedType(typeof(LengthFilter), "length")]
[JsonDerivedType(typeof(ScriptFilter), "script")]
[JsonDerivedType(typeof(RepetitionFilter), "repetition")]
[JsonDerivedType(typeof(QualityFilter), "quality")]
[JsonDerivedType(typeof(LineFilter), "lines")]
[JsonDerivedType(typeof(RightsReserved), "rights-reserved")]
[JsonDerivedType(typeof(Decontamination), "decontamination")]
[JsonDerivedType(typeof(StopWordFilter), "stop-words")]
[JsonDerivedType(typeof(SegmentIdentification), "segment-identification")]
[JsonDerivedType(typeof(PersonalData), "personal-data")]
public abstract record CorpusStep
{
    private static readonly Dictionary<Type, string> Names = typeof(CorpusStep).GetCustomAttributes<JsonDerivedTypeAttribute>(inherit: false)
        .ToDictionary(attribute => attribute.DerivedType, attribute => (string)attribute.TypeDiscriminator!);

    /// <summary>The name in recipes and counts.</summary>
    [JsonIgnore]
    public string Name => Names.GetValueOrDefault(GetType()) ?? GetType().Name;

    /// <summary>Files that the step reads: what comes out depends on their content, not on their names alone.</summary>
    internal virtual IReadOnlyList<string> Files => [];

    /// <summary>What the step counts of the whole corpus, beside the ways of its documents.</summary>
    /// <param name="records">What steps of its name recorded in the ledger, in order; read as they are taken.</param>
    internal virtual IEnumerable<ManifestCount> Totals(IEnumerable<JsonObject> records) => [];
}

/// <summary>A step that judges each document by itself, so that it runs anywhere and in any order.</summary>
public abstract record Filter : CorpusStep
{
    /// <summary>What becomes of a document.</summary>
    public abstract Verdict Judge(Document document);
}

/// <summary>A step that judges documents by one another. It is split in three: measuring is done by many workers, comparing in parts that do not depend on
/// one another, and what was found is applied unit by unit, so that the outcome depends on the documents and their order alone.</summary>
public abstract record MeasuredStep : CorpusStep
{
    /// <summary>Length of a row of measures.</summary>
    internal abstract int MeasureBytes { get; }

    /// <summary>Length of a key.</summary>
    internal abstract int KeyBytes { get; }

    /// <summary>How many keys a row has.</summary>
    internal virtual int Kinds => 1;

    /// <summary>Whether documents that repeat one are one another's repetitions, so that pairs must be joined to clusters.</summary>
    internal virtual bool Joins => false;

    /// <summary>Writes what the comparison needs to know of a document; a row left at zeros takes no part.</summary>
    internal abstract void Measure(Document document, MeasureRows rows);

    /// <summary>Finds the rows of a part that repeat others.</summary>
    internal abstract void Compare(MeasureTable table, KeyPart part, RowPairs found, CancellationToken cancellation);

    /// <summary>What becomes of the documents of a unit.</summary>
    internal abstract UnitVerdicts Verdicts(Comparison comparison, int unit);
}

/// <summary>A step that drops documents which repeat others, and has one row for each document.</summary>
public abstract record DuplicateStep : MeasuredStep
{
    /// <summary>Why its documents are dropped.</summary>
    internal const string Duplicate = "duplicate";

    internal sealed override void Measure(Document document, MeasureRows rows) => Measure(document, rows.Add());

    internal abstract void Measure(Document document, Span<byte> measure);

    internal sealed override UnitVerdicts Verdicts(Comparison comparison, int unit) => new DroppedDuplicates(comparison, unit);

    private sealed class DroppedDuplicates(Comparison comparison, int unit) : UnitVerdicts
    {
        private readonly HashSet<int> _dropped = [.. comparison.Pairs(unit).Select(pair => pair.Later - comparison.Table.FirstRow(unit))];

        public override UnitVerdict Of(int number, Document document) => _dropped.Contains(number) ? UnitVerdict.Drop(Duplicate) : default;
    }
}

/// <summary>A step that cuts out what other documents have said before, and has a <see cref="RepeatRow"/> for each part of a document.</summary>
public abstract record RepeatStep : MeasuredStep
{
    internal sealed override int MeasureBytes => RepeatRow.Bytes;

    internal sealed override int KeyBytes => sizeof(ulong);
}

/// <summary>What a <see cref="Filter"/> says of a document: kept as it is, kept changed, or dropped for a reason that is counted.</summary>
public readonly record struct Verdict
{
    /// <summary>The document goes on as it is.</summary>
    public static Verdict Keep => default;

    /// <summary>Why the document is dropped; null when it goes on.</summary>
    public string? Reason { get; private init; }

    /// <summary>The document that goes on instead; null when it goes on as it is.</summary>
    public Document? Replacement { get; private init; }

    /// <summary>What is recorded of the document in the ledger; null when there is nothing to say.</summary>
    public LedgerEntry? Entry { get; private init; }

    /// <summary>The same verdict with what is recorded of it.</summary>
    public Verdict Recorded(LedgerEntry? entry) => this with { Entry = entry };

    /// <summary>The document ends here; <paramref name="reason"/> is counted.</summary>
    public static Verdict Drop(string reason) => new() { Reason = reason };

    /// <summary>A changed document goes on.</summary>
    public static Verdict Replace(Document document) => new() { Replacement = document };
}
