using System.Text;
using OpenEuroLLM.Core;

namespace OpenEuroLLM.Corpus.Building;

/// <summary>A document on its way through the steps, with what has been found out about it.</summary>
/// <param name="Document">As it is now.</param>
/// <param name="Side">Which side its source puts it on.</param>
/// <param name="Tokens">Its tokens; null while nobody has counted them.</param>
internal sealed record PassingDocument(Document Document, Side Side, int? Tokens = null)
{
    private int? _bytes;

    /// <summary>Length of the text as UTF-8.</summary>
    public int Bytes => _bytes ??= Encoding.UTF8.GetByteCount(Document.Text);

    /// <summary>What it is counted by.</summary>
    public Origin Origin => new(Document.Lang, Document.Source, Document.License);

    /// <summary>The same with another document in its place.</summary>
    public PassingDocument With(Document replacement)
    {
        bool sameText = ReferenceEquals(replacement.Text, Document.Text) || replacement.Text == Document.Text;
        return new PassingDocument(replacement, Side, sameText ? Tokens : null) { _bytes = sameText ? _bytes : null };
    }
}
