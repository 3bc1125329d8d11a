using System.Text.Json;

namespace OpenEuroLLM.Serving.Tests.OpenAi.Responses;

/// <summary>The events of a streamed response as they came over the wire.</summary>
internal static class ResponseEvents
{
    /// <summary>Reads the events; each has its type twice and the next number.</summary>
    public static IReadOnlyList<JsonElement> Parse(string stream)
    {
        Assert.EndsWith("\n\n", stream, StringComparison.Ordinal);
        var events = new List<JsonElement>();
        foreach (string block in stream.Split("\n\n", StringSplitOptions.RemoveEmptyEntries))
        {
            string[] lines = block.Split('\n');
            if (lines is [": ping"]) continue;
            Assert.Equal(2, lines.Length);
            JsonElement data = JsonElement.Parse(lines[1]["data: ".Length..]);
            Assert.Equal(lines[0], "event: " + data.GetProperty("type").GetString());
            Assert.Equal(events.Count, data.GetProperty("sequence_number").GetInt32());
            events.Add(data);
        }
        return events;
    }

    public static string[] TypesOf(IEnumerable<JsonElement> events) => [.. events.Select(each => each.GetProperty("type").GetString()!)];

    public static async Task<IReadOnlyList<JsonElement>> StreamAsync(this RunningServer server, string body) => Parse(await server.PostTextAsync("/v1/responses", body));

    public static Task<JsonElement> RespondAsync(this RunningServer server, string body) => server.PostAsync("/v1/responses", body);

    public static async Task<JsonElement> GetAsync(this RunningServer server, string path) =>
        JsonElement.Parse(await server.Client.GetStringAsync(path, TestContext.Current.CancellationToken));

    public static Task<ReceivedError> ErrorAsync(this RunningServer server, string body) => server.ErrorAsync(RunningServer.Request("/v1/responses", body));

    /// <summary>All that an answer says.</summary>
    public static string TextOf(JsonElement response) => string.Concat(response.GetProperty("output").EnumerateArray()
        .Where(item => item.GetProperty("type").GetString() == "message")
        .SelectMany(item => item.GetProperty("content").EnumerateArray()).Select(part => part.GetProperty("text").GetString()));

    public static string IdOf(JsonElement response) => response.GetProperty("id").GetString()!;
}
