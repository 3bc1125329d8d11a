using System.Globalization;
using Microsoft.AspNetCore.Http;

namespace OpenEuroLLM.Serving;

/// <summary>What the address says behind its question mark; a name that is not known is refused as a field of a body is.</summary>
internal sealed class ListQuery
{
    private readonly IQueryCollection query;

    /// <exception cref="ApiException">A name is unknown.</exception>
    public ListQuery(IQueryCollection query, params string[] known)
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

    /// <summary>Whether <c>order</c> asks for the newest first, as it does where it is not given.</summary>
    public bool NewestFirst() => Text("order") switch
    {
        null or "desc" => true,
        "asc" => false,
        string other => throw ApiException.Invalid("order", $"'order' is '{RequestBody.Shown(other)}'; expected asc or desc."),
    };

    /// <summary>The part of a list between the ids of two parameters, as long as <c>limit</c> says at most, and whether more follows.</summary>
    public (IReadOnlyList<T> Page, bool More) PageOf<T>(IReadOnlyList<T> items, Func<T, string> id, string after, string before, int usual, int most)
    {
        int limit = usual;
        if (Text("limit") is { } given && (!int.TryParse(given, NumberStyles.None, CultureInfo.InvariantCulture, out limit) || limit == 0 || limit > most))
            throw ApiException.Invalid("limit", FormattableString.Invariant($"'limit' is '{RequestBody.Shown(given)}'; expected 1 to {most}."));
        int start = PlaceOf(after) is int last ? last + 1 : 0, end = PlaceOf(before) ?? items.Count;
        int count = Math.Clamp(end - start, 0, limit);
        return ([.. items.Skip(start).Take(count)], start + count < end);

        int? PlaceOf(string name)
        {
            if (Text(name) is not { } wanted) return null;
            for (int place = 0; place < items.Count; place++)
                if (string.Equals(id(items[place]), wanted, StringComparison.Ordinal)) return place;
            throw ApiException.Invalid(name, $"'{name}' is '{RequestBody.Shown(wanted)}', which is not in this list.");
        }
    }
}
