using System.Text;
using System.Text.Json;

namespace OpenEuroLLM.Privacy.Rights;

/// <summary>A <c>/.well-known/tdmrep.json</c>: rules in their order, of which the first that matches counts.</summary>
/// <remarks>Source: TDM Reservation Protocol, W3C community group report.</remarks>
internal sealed class TdmRepFile
{
    private readonly List<Rule> _rules = [];

    private sealed record Rule(PathPattern Pattern, RightsRuling Ruling, string? Policy, string Raw);

    private TdmRepFile(string? problem) => Problem = problem;

    /// <summary>Why nothing could be read; null when something could.</summary>
    public string? Problem { get; }

    /// <summary>Reads a file; entries that are no rules are passed over.</summary>
    public static TdmRepFile Parse(ReadOnlyMemory<byte> content)
    {
        if (content.Span.StartsWith("\uFEFF"u8)) content = content[3..];
        try
        {
            using JsonDocument document = JsonDocument.Parse(content);
            if (document.RootElement.ValueKind != JsonValueKind.Array) return new TdmRepFile("not a list");
            var file = new TdmRepFile(problem: null);
            foreach (JsonElement entry in document.RootElement.EnumerateArray()) file.Add(entry);
            return file;
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException)   // the latter: half of a surrogate pair
        {
            return new TdmRepFile("not JSON");
        }
    }

    /// <summary>What the file says of a path in its one spelling, with the entry and the policy it names; null when no rule matches.</summary>
    public (RightsRuling Ruling, string Raw, string? Policy)? Find(ReadOnlySpan<byte> path)
    {
        foreach (Rule rule in _rules)
            if (rule.Pattern.Matches(path)) return (rule.Ruling, rule.Raw, rule.Policy);
        return null;
    }

    /// <summary>What a value of <c>tdm-reservation</c> says: 1 reserves, 0 does not, anything else says nothing.</summary>
    public static RightsRuling Reservation(string value) => value.Trim() switch { "1" => RightsRuling.Deny, "0" => RightsRuling.Allow, _ => RightsRuling.Unset };

    private void Add(JsonElement entry)
    {
        if (entry.ValueKind != JsonValueKind.Object || !entry.TryGetProperty("location", out JsonElement location) || location.ValueKind != JsonValueKind.String) return;
        string path = location.GetString()!;
        if (path is not ['/' or '*', ..]) path = "/" + path;
        RightsRuling ruling = entry.TryGetProperty("tdm-reservation", out JsonElement reservation) && reservation.ValueKind == JsonValueKind.Number
            ? Reservation(reservation.GetRawText())
            : RightsRuling.Unset;
        string? policy = entry.TryGetProperty("tdm-policy", out JsonElement terms) && terms.ValueKind == JsonValueKind.String ? terms.GetString() : null;
        _rules.Add(new Rule(PathPattern.Parse(Encoding.UTF8.GetBytes(path)), ruling, policy, entry.GetRawText()));
    }
}
