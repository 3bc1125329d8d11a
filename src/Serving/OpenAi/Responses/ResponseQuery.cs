using System.Globalization;
using Microsoft.AspNetCore.Http;

namespace OpenEuroLLM.Serving.OpenAi.Responses;

/// <summary>What the address says behind its question mark; a name that is not known is refused as a field of a body is.</summary>
internal sealed class ResponseQuery
{
    private const int UsualLimit = 20, MaxLimit = 100;

    private readonly IQueryCollection query;

    /// <exception cref="ApiException">A name is unknown.</exception>
    public ResponseQuery(IQueryCollection query, params string[] known)
    {
        this.query = query;
        foreach (string name in query.Keys)
        {
            if (known.Contains(name, StringComparer.Ordinal)) continue;
            string shown = RequestBody.Shown(name);
            throw new ApiException(400, "unknown_parameter", $"'{shown}' is unknown here; expected {string.Join(", ", known)}.", shown);
        }
    }

    public string? Text(string name) => query[name] switch
    {
        [] => null,
        [string value] => value,
        _ => throw ApiException.Invalid(name, $"'{name}' stands twice in the address."),
    };

    public bool Flag(string name) => Text(name) switch
    {
        null => false,
        string value when bool.TryParse(value, out bool flag) => flag,
        _ => throw ApiException.Invalid(name, $"'{name}' must be true or false."),
    };

    /// <summary>The part of a list that <c>order</c>, <c>after</c>, <c>before</c> and <c>limit</c> ask for, and whether more follows.</summary>
    public (List<ResponseItem> Page, bool More) PageOf(List<ResponseItem> items)
    {
        bool backwards = Text("order") switch
        {
            null or "desc" => true,
            "asc" => false,
            string other => throw ApiException.Invalid("order", $"'order' is '{RequestBody.Shown(other)}'; expected asc or desc."),
        };
        int limit = UsualLimit;
        if (Text("limit") is { } given && (!int.TryParse(given, NumberStyles.None, CultureInfo.InvariantCulture, out limit) || limit is 0 or > MaxLimit))
            throw ApiException.Invalid("limit", FormattableString.Invariant($"'limit' is '{RequestBody.Shown(given)}'; expected 1 to {MaxLimit}."));
        if (backwards) items.Reverse();
        int start = PlaceOf(items, "after") is int after ? after + 1 : 0, end = PlaceOf(items, "before") ?? items.Count;
        int count = Math.Clamp(end - start, 0, limit);
        return (items.GetRange(Math.Min(start, items.Count), count), start + count < end);
    }

    private int? PlaceOf(List<ResponseItem> items, string name)
    {
        if (Text(name) is not { } id) return null;
        int place = items.FindIndex(item => string.Equals(item.Id, id, StringComparison.Ordinal));
        return place >= 0 ? place : throw ApiException.Invalid(name, $"'{name}' is '{RequestBody.Shown(id)}', which is no item of this response.");
    }
}
