using System.Text.Json;
using System.Text.Json.Nodes;

namespace OpenEuroLLM.Privacy.Rights;

/// <summary>What a page says about its use, and when it was fetched: what a verdict needs beside the address. It travels with the document (<c>metadata.rights</c>) from the reader to
/// the step that gives the verdict.</summary>
/// <param name="Fetched">When the page was fetched; null where nobody said.</param>
/// <param name="Statements">What it says.</param>
public sealed record PageRights(DateTimeOffset? Fetched, IReadOnlyList<RightsStatement> Statements)
{
    /// <summary>The field of a document's metadata.</summary>
    public const string Field = "rights";

    private const int MostStatements = 256;

    private static readonly string[] Sources = ["header", "meta", "link", "embedded", "text"];

    /// <summary>A page of which nothing is known.</summary>
    public static PageRights Nothing { get; } = new(null, []);

    /// <summary>Whether a document's metadata has it, and not something else of that name.</summary>
    public static bool IsIn(JsonObject? metadata) => metadata?[Field] is JsonObject json && json.All(field => field.Key is "fetched" or "said");

    /// <summary>The form in a document: <c>{"fetched": time, "said": [[source, name, value], ...]}</c>.</summary>
    public JsonObject ToJson()
    {
        var json = new JsonObject();
        if (Fetched is { } fetched) json["fetched"] = Timestamp.Write(fetched);
        if (Statements.Count > 0)
            json["said"] = new JsonArray([.. Statements.Take(MostStatements).Select(statement => (JsonNode)new JsonArray(Sources[(int)statement.Source], statement.Name, statement.Value))]);
        return json;
    }

    /// <summary>Reads that form; what is not of it, as in documents of others, is passed over.</summary>
    public static PageRights Read(JsonNode? node)
    {
        if (node is not JsonObject json) return Nothing;
        var statements = new List<RightsStatement>();
        foreach (JsonNode? item in (json["said"] as JsonArray ?? []).Take(MostStatements))
        {
            if (item is not JsonArray { Count: 3 } parts || !Array.TrueForAll([0, 1, 2], part => parts[part]?.GetValueKind() == JsonValueKind.String)) continue;
            int source = Array.IndexOf(Sources, parts[0]!.GetValue<string>());
            if (source >= 0) statements.Add(new RightsStatement((StatementSource)source, parts[1]!.GetValue<string>(), parts[2]!.GetValue<string>()));
        }
        string? fetched = json["fetched"]?.GetValueKind() == JsonValueKind.String ? json["fetched"]!.GetValue<string>() : null;
        return new PageRights(Timestamp.Read(fetched), statements);
    }
}
