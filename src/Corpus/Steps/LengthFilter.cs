using System.ComponentModel.DataAnnotations;
using OpenEuroLLM.Core;

namespace OpenEuroLLM.Corpus;

/// <summary>Keeps documents of a useful length.</summary>
/// <param name="MinCharacters">The shortest text kept, in characters.</param>
/// <param name="MaxCharacters">The longest text kept, in characters; absent: no limit.</param>
public sealed record LengthFilter(
    [property: Range(0, int.MaxValue)] int MinCharacters = 10,
    [property: Range(1, int.MaxValue)] int? MaxCharacters = null) : Filter
{
    /// <inheritdoc/>
    public override Verdict Judge(Document document)
    {
        int characters = 0;
        foreach (char unit in document.Text)
            if (!char.IsLowSurrogate(unit)) characters++;
        if (characters < MinCharacters) return Verdict.Drop("too-short");
        return characters > MaxCharacters ? Verdict.Drop("too-long") : Verdict.Keep;
    }
}
