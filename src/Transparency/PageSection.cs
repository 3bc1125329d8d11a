namespace OpenEuroLLM.Transparency;

/// <summary>A section of a page.</summary>
/// <param name="Title">Its heading.</param>
/// <param name="Parts">What it shows, from top to bottom.</param>
public sealed record PageSection(string Title, IReadOnlyList<PagePart> Parts);

/// <summary>Something that a page shows. All texts are plain: what they hold is escaped when it is written.</summary>
public abstract record PagePart;

/// <summary>A paragraph.</summary>
/// <param name="Text">The text, however long.</param>
public sealed record TextPart(string Text) : PagePart;

/// <summary>A table.</summary>
/// <param name="Table">The table; one without rows is left out.</param>
public sealed record TablePart(Table Table) : PagePart;

/// <summary>What is shown when the reader opens it.</summary>
/// <param name="Title">The line that is always seen.</param>
/// <param name="Parts">What stands behind it.</param>
public sealed record FoldPart(string Title, IReadOnlyList<PagePart> Parts) : PagePart;

/// <summary>A drawing of what becomes of documents step by step. A table beside it should have the figures.</summary>
/// <param name="Title">Its name.</param>
/// <param name="Description">What it shows, for those who do not see it.</param>
/// <param name="Bands">The rows, from top to bottom.</param>
public sealed record FunnelPart(string Title, string Description, IReadOnlyList<FunnelBand> Bands) : PagePart;

/// <summary>Texts as they were found.</summary>
/// <param name="Samples">The texts.</param>
public sealed record SamplesPart(IReadOnlyList<TextSample> Samples) : PagePart;

/// <summary>The beginning of a text.</summary>
/// <param name="Language">Its language as a tag, <c>de</c>, for screen readers and for choosing letters.</param>
/// <param name="About">Where it comes from.</param>
/// <param name="Text">The text; of more than 300 characters the beginning is shown.</param>
public sealed record TextSample(string Language, string About, string Text);

/// <summary>Documents and bytes.</summary>
/// <param name="Documents">Number of documents.</param>
/// <param name="Bytes">Their text, in bytes.</param>
public readonly record struct FunnelSize(long Documents, long Bytes);

/// <summary>A step of a funnel.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Stays">What goes on and was here before.</param>
/// <param name="Arrives">What goes on and came from elsewhere.</param>
/// <param name="Leaves">What goes elsewhere.</param>
/// <param name="Lost">What ends here.</param>
/// <param name="IsResult">Whether the row shows what is left at the end, and not a step.</param>
public sealed record FunnelBand(string Name, FunnelSize Stays, FunnelSize Arrives = default, FunnelSize Leaves = default, FunnelSize Lost = default, bool IsResult = false)
{
    internal FunnelSize After => new(Stays.Documents + Arrives.Documents, Stays.Bytes + Arrives.Bytes);

    internal IEnumerable<FunnelSize> Parts => [Stays, Arrives, Leaves, Lost];
}
