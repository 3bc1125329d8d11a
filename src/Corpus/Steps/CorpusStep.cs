using System.Collections;
using System.Reflection;
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
[JsonDerivedType(typeof(LengthFilter), "length")]
[JsonDerivedType(typeof(ScriptFilter), "script")]
[JsonDerivedType(typeof(RepetitionFilter), "repetition")]
[JsonDerivedType(typeof(QualityFilter), "quality")]
[JsonDerivedType(typeof(LineFilter), "lines")]
[JsonDerivedType(typeof(PersonalData), "personal-data")]
public abstract record CorpusStep
{
    private static readonly Dictionary<Type, string> Names = typeof(CorpusStep).GetCustomAttributes<JsonDerivedTypeAttribute>(inherit: false)
        .ToDictionary(attribute => attribute.DerivedType, attribute => (string)attribute.TypeDiscriminator!);

    /// <summary>The name in recipes and counts.</summary>
    [JsonIgnore]
    public string Name => Names[GetType()];
}

/// <summary>A step that judges each document by itself, so that it runs anywhere and in any order.</summary>
public abstract record Filter : CorpusStep
{
    /// <summary>What becomes of a document.</summary>
    public abstract Verdict Judge(Document document);
}

/// <summary>A step that judges documents by one another. It is split in two: measuring is done by many workers, deciding once over all
/// measures, so that the outcome depends on the documents and their order alone.</summary>
public abstract record MeasuredStep : CorpusStep
{
    /// <summary>Length of a measure.</summary>
    internal abstract int MeasureBytes { get; }

    /// <summary>Writes what the decision needs to know of a document; a measure left at zeros takes no part.</summary>
    internal abstract void Measure(Document document, Span<byte> measure);

    /// <summary>Marks the documents that are dropped, by their numbers in input order.</summary>
    internal abstract void Decide(MeasureTable table, DecisionRoom room, BitArray dropped);
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

    /// <summary>The document ends here; <paramref name="reason"/> is counted.</summary>
    public static Verdict Drop(string reason) => new() { Reason = reason };

    /// <summary>A changed document goes on.</summary>
    public static Verdict Replace(Document document) => new() { Replacement = document };
}
