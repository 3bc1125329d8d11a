using System.Text.Json;

namespace OpenEuroLLM.Serving.OpenAi.Responses;

/// <summary>Puts a conversation together from what was kept of it and what a request adds.</summary>
/// <param name="store">Where responses are kept.</param>
/// <param name="owner">Who asks.</param>
/// <param name="left">Ends when the client leaves.</param>
internal sealed class ResponseHistory(IResponseStore store, string? owner, CancellationToken left)
{
    // One request may name many items of the same response.
    private readonly Dictionary<string, Dictionary<string, ResponseItem>> opened = new(StringComparer.Ordinal);

    /// <summary>The items of a request, with those that it only names in their places.</summary>
    /// <exception cref="ApiException">A named item is not kept here.</exception>
    public async Task<IReadOnlyList<ResponseItem>> ResolveAsync(IReadOnlyList<ResponseItem> input)
    {
        if (!input.Any(item => item is ResponseItem.Reference)) return input;
        var items = new List<ResponseItem>(input.Count);
        foreach (ResponseItem item in input) items.Add(item is ResponseItem.Reference reference ? await FindAsync(reference).ConfigureAwait(false) : item);
        return items;
    }

    /// <summary>All items before a request, from the beginning of the conversation.</summary>
    /// <exception cref="ApiException">A response that the conversation goes on from is not kept here, or no longer.</exception>
    public async Task<List<ResponseItem>> BeforeAsync(string? previous)
    {
        var responses = new List<List<ResponseItem>>();
        for (string? id = previous; id is not null;)
        {
            StoredResponse response = await store.FindAsync(owner, id, left).ConfigureAwait(false) ?? throw NotFound(id, previous!);
            responses.Add(ItemsOf(response, answer: true));
            id = response.Previous;
        }
        responses.Reverse();
        return [.. responses.SelectMany(items => items)];
    }

    /// <summary>The items that a kept response was made from.</summary>
    /// <exception cref="ApiException">A response that it goes on from is no longer kept.</exception>
    public async Task<List<ResponseItem>> InputOfAsync(StoredResponse response)
    {
        List<ResponseItem> items = await BeforeAsync(response.Previous).ConfigureAwait(false);
        items.AddRange(ItemsOf(response, answer: false));
        return items;
    }

    /// <summary>A name that stands twice would make it impossible to say which item is meant.</summary>
    /// <exception cref="ApiException">Two items have the same name.</exception>
    public static void RequireDifferentIds(IEnumerable<ResponseItem> items)
    {
        var ids = new HashSet<string>(StringComparer.Ordinal);
        foreach (ResponseItem item in items)
            if (!ids.Add(item.Id)) throw ApiException.Invalid("input", $"The conversation has two items with the id '{RequestBody.Shown(item.Id)}'; send it once, or leave ids out.");
    }

    private async Task<ResponseItem> FindAsync(ResponseItem.Reference reference)
    {
        string id = ResponseId.OfItem(reference.Id) ?? "";
        if (!opened.TryGetValue(id, out Dictionary<string, ResponseItem>? items))
        {
            items = new(StringComparer.Ordinal);
            if (await store.FindAsync(owner, id, left).ConfigureAwait(false) is { } response)
                foreach (ResponseItem item in ItemsOf(response, answer: true)) items[item.Id] = item;
            opened.Add(id, items);
        }
        return items.GetValueOrDefault(reference.Id)
            ?? throw new ApiException(404, "item_not_found", $"There is no item '{RequestBody.Shown(reference.Id)}' here: it was never stored, was deleted, or has expired.", reference.Where);
    }

    private static List<ResponseItem> ItemsOf(StoredResponse response, bool answer)
    {
        using JsonDocument input = JsonDocument.Parse(response.Input);
        List<ResponseItem> items = ResponseItemReader.Read(input.RootElement, "input", default, []);
        if (!answer) return items;
        using JsonDocument whole = JsonDocument.Parse(response.Response);
        items.AddRange(ResponseItemReader.Read(whole.RootElement.GetProperty("output"), "output", default, []));
        return items;
    }

    private static ApiException NotFound(string id, string previous) => new(404, "previous_response_not_found", id == previous
        ? $"There is no response '{RequestBody.Shown(id)}' here: it was never stored, was deleted, or has expired."
        : $"'{RequestBody.Shown(previous)}' goes on from '{RequestBody.Shown(id)}', which was deleted or has expired; send the conversation as items.", "previous_response_id");
}
