using System.Collections.Concurrent;
using System.Globalization;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;

namespace OpenEuroLLM.Serving.Proving;

/// <summary>An answer whose end a client has seen.</summary>
/// <param name="Id">The request's id.</param>
/// <param name="PromptTokens">Tokens of its prompt as the client was told; null where the connection broke before.</param>
/// <param name="AnswerTokens">Tokens of its answer.</param>
public sealed record AcknowledgedRequest(string Id, int? PromptTokens, int? AnswerTokens);

/// <summary>Clients that send small requests to a server on this machine and note every end that they see, for the proof that none of them is lost.</summary>
/// <param name="address">Where the server answers.</param>
/// <param name="model">Its model.</param>
/// <param name="clients">Clients that ask at the same time; every second one streams.</param>
public sealed class AuditTraffic(Uri address, string model, int clients)
{
    private const string Mark = "data: ";
    private readonly ConcurrentDictionary<string, AcknowledgedRequest> seen = new(StringComparer.Ordinal);

    /// <summary>The ends that were seen so far.</summary>
    public IReadOnlyCollection<AcknowledgedRequest> Acknowledged => [.. seen.Values];

    /// <summary>Whether one was seen.</summary>
    public bool HasAcknowledged => !seen.IsEmpty;

    /// <summary>Asks until the server is gone or <paramref name="cancellation"/> says so.</summary>
    public async Task RunAsync(CancellationToken cancellation)
    {
        if (!address.IsLoopback) throw new InvalidOperationException("The proof asks servers on this machine only.");
        using var client = new HttpClient { BaseAddress = address };
        await Task.WhenAll(Enumerable.Range(0, clients).Select(number => AskAsync(client, number, cancellation))).ConfigureAwait(false);
    }

    private async Task AskAsync(HttpClient client, int number, CancellationToken cancellation)
    {
        bool stream = number % 2 == 1;
        for (int turn = 0; ; turn++)
        {
            try
            {
                if (stream) await StreamAsync(client, Body(number, turn, stream), cancellation).ConfigureAwait(false);
                else await WholeAsync(client, Body(number, turn, stream), cancellation).ConfigureAwait(false);
            }
            catch (Exception gone) when (gone is HttpRequestException or IOException or OperationCanceledException)
            {
                return;
            }
        }
    }

    private string Body(int number, int turn, bool stream) => string.Create(CultureInfo.InvariantCulture,
        $"{{\"model\":{JsonSerializer.Serialize(model, ProofJson.Default.String)},\"prompt\":\"Client {number}, turn {turn}.\",\"max_tokens\":{1 + (turn % 5)},\"stream\":{(stream ? "true,\"stream_options\":{\"include_usage\":true}" : "false")}}}");

    private async Task WholeAsync(HttpClient client, string body, CancellationToken cancellation)
    {
        using HttpRequestMessage request = Request(body);
        using HttpResponseMessage response = await client.SendAsync(request, cancellation).ConfigureAwait(false);
        string answer = await response.Content.ReadAsStringAsync(cancellation).ConfigureAwait(false);
        if (response.IsSuccessStatusCode) Note(IdOf(response), answer);
    }

    private async Task StreamAsync(HttpClient client, string body, CancellationToken cancellation)
    {
        using HttpRequestMessage request = Request(body);
        using HttpResponseMessage response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellation).ConfigureAwait(false);
        if (!response.IsSuccessStatusCode) return;
        string id = IdOf(response);
        Stream lines = await response.Content.ReadAsStreamAsync(cancellation).ConfigureAwait(false);
        using var reader = new StreamReader(lines, Encoding.UTF8);
        while (await reader.ReadLineAsync(cancellation).ConfigureAwait(false) is string line)
        {
            if (line.StartsWith(Mark + '{', StringComparison.Ordinal)) Note(id, line[Mark.Length..]);
        }
    }

    /// <summary>Notes an end, and the counts as soon as they come: an answer has ended when its reason was sent.</summary>
    private void Note(string id, string json)
    {
        JsonElement answer = JsonElement.Parse(json);
        bool ended = answer.TryGetProperty("choices", out JsonElement choices) && choices.EnumerateArray().Any(choice => choice.GetProperty("finish_reason").ValueKind == JsonValueKind.String);
        bool counted = answer.TryGetProperty("usage", out JsonElement usage) && usage.ValueKind == JsonValueKind.Object;
        if (counted) seen[id] = new AcknowledgedRequest(id, usage.GetProperty("prompt_tokens").GetInt32(), usage.GetProperty("completion_tokens").GetInt32());
        else if (ended) seen[id] = new AcknowledgedRequest(id, null, null);
    }

    private static HttpRequestMessage Request(string body) => new(HttpMethod.Post, "/v1/completions") { Content = new StringContent(body, Encoding.UTF8, new MediaTypeHeaderValue("application/json")) };

    private static string IdOf(HttpResponseMessage response) => response.Headers.GetValues(RequestGuard.RequestIdHeader).Single();
}

[System.Text.Json.Serialization.JsonSerializable(typeof(string))]
internal sealed partial class ProofJson : System.Text.Json.Serialization.JsonSerializerContext;
