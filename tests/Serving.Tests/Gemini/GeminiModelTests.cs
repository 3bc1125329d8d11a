using System.Text;
using System.Text.Json;

namespace OpenEuroLLM.Serving.Tests.Gemini;

/// <summary>Google's dialect before a real model: texts, counts, likelihoods, embeddings.</summary>
public sealed class GeminiModelTests(SmallModel model) : IClassFixture<SmallModel>
{
    private const string Models = "/v1beta/models/small:";
    private const string Hello = """{"contents":[{"role":"user","parts":[{"text":"Kdo jsi?"}]}],"generationConfig":{"maxOutputTokens":30,"seed":7,"responseLogprobs":true,"logprobs":2}}""";

    [Fact]
    public async Task The_text_and_its_likelihoods_are_the_same_streamed_and_not()
    {
        await using RunningServer server = await RunningServer.StartAsync(model.Engine);

        JsonElement whole = await server.PostAsync(Models + "generateContent", Hello);
        JsonElement[] events = GenerateContentTests.Pieces(await server.PostTextAsync(Models + "streamGenerateContent?alt=sse", Hello), events: true);
        JsonElement[] entries = GenerateContentTests.Pieces(await server.PostTextAsync(Models + "streamGenerateContent", Hello), events: false);

        string text = TextOf(whole);
        Assert.NotEmpty(text);
        Assert.Equal((text, text), (string.Concat(events.Select(TextOf)), string.Concat(entries.Select(TextOf))));
        JsonElement likelihoods = whole.GetProperty("candidates")[0].GetProperty("logprobsResult");
        Assert.Equal(likelihoods.GetRawText(), events[^1].GetProperty("candidates")[0].GetProperty("logprobsResult").GetRawText());
        JsonElement[] chosen = [.. likelihoods.GetProperty("chosenCandidates").EnumerateArray()];
        Assert.All(chosen, token => Assert.InRange(token.GetProperty("logProbability").GetDouble(), -20, 0));
        Assert.All(likelihoods.GetProperty("topCandidates").EnumerateArray(), top => Assert.Equal(2, top.GetProperty("candidates").GetArrayLength()));
        Assert.Equal(text, model.Engine.Decode([.. chosen.Select(token => token.GetProperty("tokenId").GetInt32())]));
        JsonElement usage = whole.GetProperty("usageMetadata");
        Assert.Equal(4 + "Kdo jsi?".Length, usage.GetProperty("promptTokenCount").GetInt32());
        Assert.InRange(usage.GetProperty("candidatesTokenCount").GetInt32() - chosen.Length, 0, 1); // the end token belongs to no text
    }

    [Fact]
    public async Task Tokens_are_counted_as_a_request_would_count_them()
    {
        await using RunningServer server = await RunningServer.StartAsync(model.Engine);
        const string contents = """{"systemInstruction":{"parts":[{"text":"Buď stručný."}]},"contents":[{"role":"user","parts":[{"text":"Kdo jsi?"}]}]}""";

        int asked = (await server.PostAsync(Models + "generateContent", contents)).GetProperty("usageMetadata").GetProperty("promptTokenCount").GetInt32();
        string whole = await server.PostTextAsync(Models + "countTokens", $$"""{"generateContentRequest":{{contents.Replace("{\"system", "{\"model\":\"models/small\",\"system", StringComparison.Ordinal)}}}""");
        string plain = await server.PostTextAsync(Models + "countTokens", """{"contents":[{"parts":[{"text":"Kdo jsi?"}]}]}""");

        Assert.Equal(FormattableString.Invariant($$"""{"totalTokens":{{asked}}}"""), whole);
        Assert.Equal(FormattableString.Invariant($$"""{"totalTokens":{{asked - 2 - Encoding.UTF8.GetByteCount("Buď stručný.")}}}"""), plain);
    }

    [Fact]
    public async Task Embeddings_are_those_of_the_other_dialect_alone_and_in_a_batch_and_may_be_shorter()
    {
        await using RunningServer server = await RunningServer.StartAsync(model.Engine);

        JsonElement other = (await server.PostAsync("/v1/embeddings", """{"model":"small","input":["Dobrý den","ahoj"]}""")).GetProperty("data");
        JsonElement one = await server.PostAsync(Models + "embedContent", """{"model":"models/small","content":{"parts":[{"text":"Dobrý "},{"text":"den"}]}}""");
        JsonElement batch = (await server.PostAsync(Models + "batchEmbedContents",
            """{"requests":[{"model":"models/small","content":{"parts":[{"text":"Dobrý den"}]},"outputDimensionality":8},{"content":{"parts":[{"text":"ahoj"}]}}]}""")).GetProperty("embeddings");

        double[] full = Numbers(other[0].GetProperty("embedding")), cut = Numbers(batch[0].GetProperty("values"));
        Assert.Equal(full, Numbers(one.GetProperty("embedding").GetProperty("values")));
        Assert.Equal(Numbers(other[1].GetProperty("embedding")), Numbers(batch[1].GetProperty("values")));
        Assert.Equal(8, cut.Length);
        Assert.Equal(1, Math.Sqrt(cut.Sum(number => number * number)), 1e-6);
        double scale = Math.Sqrt(full[..8].Sum(number => number * number));
        Assert.All(Enumerable.Range(0, 8), i => Assert.Equal(full[i] / scale, cut[i], 1e-6));
    }

    [Theory]
    [InlineData("embedContent", "{}", "'content' is missing")]
    [InlineData("embedContent", """{"content":{"parts":[{"text":"a"}]},"outputDimensionality":0}""", "expected 1 to 32")]
    [InlineData("embedContent", """{"content":{"parts":[{"text":"a"}]},"outputDimensionality":33}""", "expected 1 to 32")]
    [InlineData("embedContent", """{"content":{"parts":[{"functionCall":{"name":"f"}}]}}""", "'content.parts[0]'")]
    [InlineData("batchEmbedContents", """{"requests":[]}""", "requests has 0")]
    [InlineData("batchEmbedContents", """{"requests":[5]}""", "'requests[0]'")]
    [InlineData("countTokens", """{"contents":[{"parts":[{"text":"a"}]}],"generateContentRequest":{}}""", "one of 'contents' and 'generateContentRequest'")]
    [InlineData("generateContent", """{"contents":[{"parts":[{"text":"LONG"}]}]}""", "304 tokens")]
    [InlineData("generateContent", """{"contents":[{"parts":[{"text":"a"}]}],"generationConfig":{"maxOutputTokens":1000}}""", "Lower generationConfig.maxOutputTokens to 251")]
    [InlineData("generateContent", """{"contents":[{"parts":[{"text":"a"}]}],"generationConfig":{"temperature":3}}""", "generationConfig.temperature is 3")]
    [InlineData("generateContent", """{"contents":[{"parts":[{"text":"a"}]}],"generationConfig":{"stopSequences":[""]}}""", "generationConfig.stopSequences[0]")]
    public async Task Bad_values_are_400_in_this_dialects_words(string method, string body, string words)
    {
        await using RunningServer server = await RunningServer.StartAsync(model.Engine);

        GeminiFault error = await GenerateContentTests.ErrorAsync(server, RunningServer.Request(Models + method, body.Replace("LONG", new string('x', 300), StringComparison.Ordinal)));

        Assert.Equal((400, "INVALID_ARGUMENT"), error.Kind);
        Assert.Contains(words, error.Message, StringComparison.Ordinal);
    }

    private static string TextOf(JsonElement answer) => answer.GetProperty("candidates")[0].GetProperty("content").GetProperty("parts")[0].GetProperty("text").GetString()!;

    private static double[] Numbers(JsonElement list) => [.. list.EnumerateArray().Select(number => number.GetDouble())];
}
