using System.Text.Json.Serialization;

namespace OpenEuroLLM.Corpus;

/// <summary>The columns of <c>.csv</c> and <c>.tsv</c> files: names of the first row, or numbers from 1 where the files have no such row.</summary>
/// <param name="Text">The text; the only one that must be there.</param>
/// <param name="Id">What identifies the text within its source.</param>
/// <param name="Lang">Language code.</param>
/// <param name="Source">Name of the collection.</param>
/// <param name="License">Licence of the text.</param>
/// <param name="Url">Where it was found.</param>
/// <param name="Date">When it was published or fetched.</param>
public sealed record ColumnNames(
    string Text = "text", string Id = "id", string Lang = "lang", string Source = "source", string License = "license", string Url = "url", string Date = "date")
{
    /// <summary>Whether the files have no row of names.</summary>
    [JsonIgnore]
    internal bool AreNumbers => Text.Length > 0 && Text.All(char.IsAsciiDigit);

    /// <summary>Whether a column has a meaning.</summary>
    internal bool Has(string name) => name == Text || name == Id || name == Lang || name == Source || name == License || name == Url || name == Date;
}
