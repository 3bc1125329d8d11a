using System.Buffers.Binary;
using System.ClientModel;
using System.Text;
using System.Text.Json;
using OpenAI;
using OpenAI.Embeddings;

namespace OpenEuroLLM.Serving.Tests.OpenAi;

/// <summary>Choices, stops, likelihoods and embeddings before a real model: what is asked for in two ways is the same.</summary>
public sealed class ModelAnswersTests(SmallModel model) : IClassFixture<SmallModel>
{
    private const string Chat = """{"model":"small","max_tokens":24,"seed":11,"messages":[{"role":"user","content":"Kdo jsi?"}]""";

    [Fact]
    public async Task Several_choices_differ_and_the_first_is_the_one_that_comes_alone()
    {
        await using RunningServer server = await RunningServer.StartAsync(model.Engine);

        string alone = TextsOf(await server.PostAsync("/v1/chat/completions", Chat + "}"))[0];
        string[] three = TextsOf(await server.PostAsync("/v1/chat/completions", Chat + ",\"n\":3}"));
        JsonElement[] chunks = Chunks(await server.PostTextAsync("/v1/chat/completions", Chat + ",\"n\":3,\"stream\":true}"));

        Assert.Equal(alone, three[0]);
        Assert.Equal(3, three.Distinct(StringComparer.Ordinal).Count());
        for (int choice = 0; choice < 3; choice++)
            Assert.Equal(three[choice], string.Concat(PiecesOf(chunks, choice).Select(piece => piece.GetProperty("delta")).Select(delta => delta.TryGetProperty("content", out JsonElement text) ? text.GetString() : "")));
        Assert.Equal(3, chunks.SelectMany(chunk => chunk.GetProperty("choices").EnumerateArray()).Count(piece => piece.GetProperty("finish_reason").ValueKind == JsonValueKind.String));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_stop_text_ends_the_answer_before_it(bool list)
    {
        await using RunningServer server = await RunningServer.StartAsync(model.Engine);
        string whole = TextsOf(await server.PostAsync("/v1/chat/completions", Chat + "}"))[0];
        char letter = whole.Skip(3).First(char.IsAscii);
        string stop = JsonEncodedText.Encode(letter.ToString()).ToString(), expected = whole[..whole.IndexOf(letter, StringComparison.Ordinal)];
        string field = list ? $",\"stop\":[\"never said by anybody\",\"{stop}\"]" : $",\"stop\":\"{stop}\"";

        JsonElement stopped = await server.PostAsync("/v1/chat/completions", Chat + field + "}");
        JsonElement[] chunks = Chunks(await server.PostTextAsync("/v1/chat/completions", Chat + field + ",\"stream\":true}"));

        Assert.Equal(expected, TextsOf(stopped)[0]);
        Assert.Equal("stop", stopped.GetProperty("choices")[0].GetProperty("finish_reason").GetString());
        Assert.Equal(expected, string.Concat(PiecesOf(chunks, 0).Select(piece => piece.GetProperty("delta").TryGetProperty("content", out JsonElement text) ? text.GetString() : "")));
        Assert.Equal("stop", PiecesOf(chunks, 0).Last().GetProperty("finish_reason").GetString());
    }

    [Fact]
    public async Task Likelihoods_are_the_same_streamed_and_not_and_their_bytes_are_the_text()
    {
        await using RunningServer server = await RunningServer.StartAsync(model.Engine);
        const string fields = ",\"temperature\":0,\"logprobs\":true,\"top_logprobs\":3";

        JsonElement whole = (await server.PostAsync("/v1/chat/completions", Chat + fields + "}")).GetProperty("choices")[0];
        JsonElement[] chunks = Chunks(await server.PostTextAsync("/v1/chat/completions", Chat + fields + ",\"stream\":true}"));

        JsonElement[] tokens = [.. whole.GetProperty("logprobs").GetProperty("content").EnumerateArray()];
        string[] streamed = [.. PiecesOf(chunks, 0).Select(piece => piece.GetProperty("logprobs")).Where(part => part.ValueKind == JsonValueKind.Object)
            .SelectMany(part => part.GetProperty("content").EnumerateArray()).Select(token => token.GetRawText())];
        Assert.Equal(tokens.Select(token => token.GetRawText()), streamed);
        Assert.Equal(whole.GetProperty("message").GetProperty("content").GetString(),
            Encoding.UTF8.GetString([.. tokens.SelectMany(token => token.GetProperty("bytes").EnumerateArray()).Select(value => value.GetByte())]));
        // The most likely token was taken, so it leads its alternatives.
        Assert.All(tokens, token => Assert.Equal(token.GetProperty("logprob").GetRawText(), token.GetProperty("top_logprobs")[0].GetProperty("logprob").GetRawText()));
        Assert.All(tokens, token => Assert.Equal(3, token.GetProperty("top_logprobs").GetArrayLength()));
    }

    [Fact]
    public async Task Echo_gives_the_likelihoods_of_prompt_and_answer_in_one_list_streamed_and_not()
    {
        await using RunningServer server = await RunningServer.StartAsync(model.Engine);
        const string body = """{"model":"small","prompt":"Dům","echo":true,"logprobs":2,"max_tokens":5,"temperature":0""";

        JsonElement whole = (await server.PostAsync("/v1/completions", body + "}")).GetProperty("choices")[0];
        JsonElement[] chunks = Chunks(await server.PostTextAsync("/v1/completions", body + ",\"stream\":true,\"stream_options\":{\"include_usage\":true}}"));

        Assert.StartsWith("Dům", whole.GetProperty("text").GetString(), StringComparison.Ordinal);
        Assert.Equal(whole.GetProperty("text").GetString(), string.Concat(PiecesOf(chunks, 0).Select(piece => piece.GetProperty("text").GetString())));
        JsonElement logprobs = whole.GetProperty("logprobs");
        foreach (string field in (string[])["tokens", "token_logprobs", "top_logprobs"])
            Assert.Equal(logprobs.GetProperty(field).EnumerateArray().Select(value => value.GetRawText()),
                PiecesOf(chunks, 0).SelectMany(piece => piece.GetProperty("logprobs").GetProperty(field).EnumerateArray()).Select(value => value.GetRawText()));
        Assert.Equal(logprobs.GetProperty("tokens").GetArrayLength(), logprobs.GetProperty("text_offset").GetArrayLength());
        Assert.Equal(5, chunks[^1].GetProperty("usage").GetProperty("prompt_tokens").GetInt32());
    }

    [Fact]
    public async Task Embeddings_are_the_same_in_both_forms_and_may_be_shorter()
    {
        await using RunningServer server = await RunningServer.StartAsync(model.Engine);
        EmbeddingClient client = new OpenAIClient(new ApiKeyCredential("none"), new OpenAIClientOptions { Endpoint = new Uri(server.Address, "/v1") }).GetEmbeddingClient("small");

        float[] full = Numbers(await server.PostAsync("/v1/embeddings", """{"model":"small","input":"Dobrý den"}"""));
        float[] same = Numbers(await server.PostAsync("/v1/embeddings", """{"model":"small","input":"Dobrý den","dimensions":32,"encoding_format":"float"}"""));
        float[] cut = Numbers(await server.PostAsync("/v1/embeddings", """{"model":"small","input":"Dobrý den","dimensions":8}"""));
        byte[] bytes = (await server.PostAsync("/v1/embeddings", """{"model":"small","input":"Dobrý den","dimensions":8,"encoding_format":"base64"}"""))
            .GetProperty("data")[0].GetProperty("embedding").GetBytesFromBase64();
        OpenAIEmbedding asked = await client.GenerateEmbeddingAsync("Dobrý den", new EmbeddingGenerationOptions { Dimensions = 8 }, TestContext.Current.CancellationToken);

        Assert.Equal(32, full.Length);
        Assert.Equal(full, same);
        Assert.Equal(8, cut.Length);
        Assert.Equal(1, Math.Sqrt(cut.Sum(number => (double)number * number)), 1e-6);
        double length = Math.Sqrt(full[..8].Sum(number => (double)number * number));
        Assert.Equal(full[..8].Select(number => (float)(number / length)), cut);
        Assert.Equal(cut, Enumerable.Range(0, 8).Select(i => BinaryPrimitives.ReadSingleLittleEndian(bytes.AsSpan(4 * i))));
        Assert.Equal(cut, asked.ToFloats().ToArray());
    }

    private static string[] TextsOf(JsonElement answer) =>
        [.. answer.GetProperty("choices").EnumerateArray().Select(choice => choice.GetProperty("message").GetProperty("content").GetString()!)];

    private static float[] Numbers(JsonElement answer) => [.. answer.GetProperty("data")[0].GetProperty("embedding").EnumerateArray().Select(number => number.GetSingle())];

    private static JsonElement[] Chunks(string stream) =>
        [.. stream.Split("\n\n", StringSplitOptions.RemoveEmptyEntries)[..^1].Select(line => JsonElement.Parse(line["data: ".Length..]))];

    private static IEnumerable<JsonElement> PiecesOf(JsonElement[] chunks, int choice) =>
        chunks.SelectMany(chunk => chunk.GetProperty("choices").EnumerateArray()).Where(piece => piece.GetProperty("index").GetInt32() == choice);
}
