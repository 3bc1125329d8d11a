using System.Text.Json;
using System.Xml;

namespace OpenEuroLLM.Privacy.Rights;

/// <summary>Statements that travel inside a document, where it can be read as text: XMP and EPUB packages, C2PA assertions as JSON. What is packed into pictures, PDF or other binary
/// files is not read here.</summary>
/// <remarks>Sources: IPTC/PLUS vocabulary, TDM Reservation Protocol for EPUB and XMP, C2PA and CAWG training-and-data-mining assertions.</remarks>
public static class EmbeddedMarkers
{
    private const string Plus = "http://ns.useplus.org/ldf/xmp/1.0/";
    private const int MostStatements = 32;

    /// <summary>Statements in XML; none where it is not well-formed.</summary>
    public static IReadOnlyList<RightsStatement> OfXml(ReadOnlyMemory<byte> xml)
    {
        var found = new List<RightsStatement>();
        string? open = null;   // the name whose value is the text that comes next
        void Add(string name, string value)
        {
            if (found.Count < MostStatements) found.Add(new RightsStatement(StatementSource.Embedded, name, value.Trim()));
        }
        string? problem = BoundedXml.Read(xml, reader =>
        {
            if (reader.NodeType is XmlNodeType.Text or XmlNodeType.CDATA)
            {
                if (open is not null) Add(open, reader.Value);
                open = null;
            }
            else if (reader.NodeType == XmlNodeType.Element)
            {
                open = NameOf(reader.NamespaceURI, reader.LocalName);
                string? value = reader.GetAttribute("resource", "http://www.w3.org/1999/02/22-rdf-syntax-ns#");
                if (open is not null && value is not null) Add(open, value);
                bool isMeta = reader.LocalName == "meta";
                string? meta = isMeta ? reader.GetAttribute("name") ?? reader.GetAttribute("property") : null;
                if (meta is RightsStatement.TdmReservation or RightsStatement.TdmPolicy)
                {
                    if (reader.GetAttribute("content") is { } content) Add(meta, content);
                    else open = meta;
                }
                while (reader.MoveToNextAttribute())
                    if (NameOf(reader.NamespaceURI, reader.LocalName) is { } name) Add(name, reader.Value);
            }
            else open = null;
        });
        return problem is null ? found : [];
    }

    /// <summary>Statements in JSON: the entries of training-and-data-mining assertions.</summary>
    public static IReadOnlyList<RightsStatement> OfJson(ReadOnlyMemory<byte> json)
    {
        var found = new List<RightsStatement>();
        try
        {
            using JsonDocument document = JsonDocument.Parse(json);
            Search(document.RootElement, found);
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException)
        {
            found.Clear();
        }
        return found;
    }

    private static string? NameOf(string space, string name) => (space, name) switch
    {
        (Plus, "DataMining") => RightsStatement.PlusDataMining,
        ("http://www.w3.org/ns/tdmrep/" or "http://www.w3.org/ns/tdmrep#", "reservation") => RightsStatement.TdmReservation,
        ("http://www.w3.org/ns/tdmrep/" or "http://www.w3.org/ns/tdmrep#", "policy") => RightsStatement.TdmPolicy,
        _ => null,
    };

    /// <summary>An assertion is an object with its label, or the value under it. The reader of JSON bounds the depth.</summary>
    private static void Search(JsonElement element, List<RightsStatement> found)
    {
        if (element.ValueKind == JsonValueKind.Array)
        {
            foreach (JsonElement item in element.EnumerateArray()) Search(item, found);
            return;
        }
        if (element.ValueKind != JsonValueKind.Object) return;
        bool labelled = element.TryGetProperty("label", out JsonElement label) && label.ValueKind == JsonValueKind.String && IsAssertion(label.GetString()!);
        foreach (JsonProperty property in element.EnumerateObject())
        {
            if (IsAssertion(property.Name) || (labelled && property.Name == "data")) Entries(property.Value, found);
            else Search(property.Value, found);
        }
    }

    private static void Entries(JsonElement assertion, List<RightsStatement> found)
    {
        if (assertion.ValueKind != JsonValueKind.Object || !assertion.TryGetProperty("entries", out JsonElement entries) || entries.ValueKind != JsonValueKind.Object) return;
        foreach (JsonProperty entry in entries.EnumerateObject())
        {
            if (found.Count == MostStatements) return;
            if (RightsData.C2pa.Entries.Contains(entry.Name) && entry.Value.ValueKind == JsonValueKind.Object && entry.Value.TryGetProperty("use", out JsonElement use) && use.ValueKind == JsonValueKind.String)
                found.Add(new RightsStatement(StatementSource.Embedded, entry.Name, use.GetString()!));
        }
    }

    /// <summary>A label may carry an instance number: <c>c2pa.training-mining__2</c>.</summary>
    private static bool IsAssertion(string label)
    {
        int instance = label.IndexOf("__", StringComparison.Ordinal);
        return RightsData.C2pa.Assertions.Contains(instance < 0 ? label : label[..instance]);
    }
}
