using System.Xml;

namespace OpenEuroLLM.Privacy.Rights;

/// <summary>Reads XML that others wrote: no document type, no entities of its own, nothing fetched, bounded in length and depth.</summary>
internal static class BoundedXml
{
    private const int MostCharacters = 4 << 20;
    private const int MostDepth = 64;

    private static readonly XmlReaderSettings Settings = new()
    {
        DtdProcessing = DtdProcessing.Prohibit,
        XmlResolver = null,
        MaxCharactersInDocument = MostCharacters,
        MaxCharactersFromEntities = 1024,
        IgnoreComments = true,
        IgnoreProcessingInstructions = true,
        IgnoreWhitespace = true,
    };

    /// <summary>Walks through a document from node to node.</summary>
    /// <param name="content">The document.</param>
    /// <param name="visit">Called for each node.</param>
    /// <returns>What is wrong with it; null when it was read to its end.</returns>
    public static string? Read(ReadOnlyMemory<byte> content, Action<XmlReader> visit)
    {
        try
        {
            using var stream = new MemoryStream(content.ToArray(), writable: false);
            using XmlReader reader = XmlReader.Create(stream, Settings);
            while (reader.Read())
            {
                if (reader.Depth > MostDepth) return "nested too deep";
                visit(reader);
            }
            return null;
        }
        catch (Exception error) when (error is XmlException or ArgumentException or NotSupportedException or InvalidOperationException)   // the others: encodings that are not known here
        {
            return "not well-formed XML, or with a document type";
        }
    }
}
