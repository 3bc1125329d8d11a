using System.ClientModel;
using System.Text.Json;
using OpenAI;
using OpenAI.Chat;
using OpenAI.Embeddings;
using OpenEuroLLM.Inference;

namespace OpenEuroLLM.Serving.Tests.OpenAi;

/// <summary>Text completions, embeddings, likelihoods and the tokenizer, before a real model.</summary>
public sealed class TextRoutesTests(SmallModel model) : IClassFixture<SmallModel>
{
    [Fact]
    public async Task Echo_with_no_tokens_gives_the_likelihoods_of_the_prompt_as_harnesses_ask_for_them()
    {
        await using RunningServer server = await RunningServer.StartAsync(model.Engine);

        JsonElement answer = await server.PostAsync("/v1/completions", """{"model":"small","prompt":["Dům","ab"],"echo":true,"max_tokens":0,"logprobs":1,"temperature":0}""");

        JsonElement[] choices = [.. answer.GetProperty("choices").EnumerateArray()];
        Assert.Equal(["Dům", "ab"], choices.Select(choice => choice.GetProperty("text").GetString()));
        JsonElement logprobs = choices[0].GetProperty("logprobs");
        Assert.Equal(["<|begin_of_text|>", "D", "bytes:\\xc5", "bytes:\\xaf", "m"], logprobs.GetProperty("tokens").EnumerateArray().Select(token => token.GetString()));
        JsonElement[] values = [.. logprobs.GetProperty("token_logprobs").EnumerateArray()];
        Assert.Equal(JsonValueKind.Null, values[0].ValueKind);
        Assert.All(values[1..], value => Assert.InRange(value.GetDouble(), -20, 0));
        Assert.All(logprobs.GetProperty("top_logprobs").EnumerateArray().Skip(1), top => Assert.InRange(top.GetPropertyCount(), 1, 2));
        double scored = new Scorer(model.Engine).Score(["Dům"], TestContext.Current.CancellationToken)[0].LogProbability;
        Assert.Equal(scored, values[1..].Sum(value => value.GetDouble()), 1e-4);
        Assert.Equal(0, answer.GetProperty("usage").GetProperty("completion_tokens").GetInt32());
    }

    [Fact]
    public async Task Text_and_ids_complete_alike_streamed_and_not_for_every_choice()
    {
        await using RunningServer server = await RunningServer.StartAsync(model.Engine);
        const string rest = ""","n":2,"max_tokens":12,"seed":3,"logprobs":0}""";
        string ids = (await server.PostAsync("/tokenize", """{"prompt":"Kdo"}""")).GetProperty("tokens").GetRawText();

        JsonElement text = await server.PostAsync("/v1/completions", """{"model":"small","prompt":"Kdo" """ + rest);
        JsonElement same = await server.PostAsync("/v1/completions", """{"model":"small","prompt":""" + ids + rest);
        string stream = await server.PostTextAsync("/v1/completions", """{"model":"small","prompt":"Kdo","stream":true""" + rest);

        Assert.Equal(text.GetProperty("choices").GetRawText(), same.GetProperty("choices").GetRawText());
        for (int choice = 0; choice < 2; choice++)
        {
            JsonElement whole = text.GetProperty("choices")[choice];
            JsonElement[] chunks = [.. stream.Split("\n\n", StringSplitOptions.RemoveEmptyEntries)[..^1]
                .Select(line => JsonElement.Parse(line["data: ".Length..]).GetProperty("choices")[0]).Where(piece => piece.GetProperty("index").GetInt32() == choice)];
            Assert.Equal(whole.GetProperty("text").GetString(), string.Concat(chunks.Select(piece => piece.GetProperty("text").GetString())));
            Assert.Equal(whole.GetProperty("logprobs").GetProperty("token_logprobs").EnumerateArray().Select(value => value.GetDouble()),
                chunks.SelectMany(piece => piece.GetProperty("logprobs").GetProperty("token_logprobs").EnumerateArray().Select(value => value.GetDouble())));
        }
    }

    [Theory]
    [InlineData("/v1/completions", """{"model":"small","prompt":"a","suffix":"b"}""", "suffix")]
    [InlineData("/v1/completions", """{"model":"small","prompt":"a","max_tokens":0}""", "max_tokens")]
    [InlineData("/v1/completions", """{"model":"small","prompt":[]}""", "prompt")]
    [InlineData("/v1/completions", """{"model":"small","prompt":[["a"]]}""", "prompt[0]")]
    [InlineData("/v1/completions", """{"model":"small","prompt":[1000000]}""", "prompt[0]")]
    [InlineData("/v1/completions", """{"model":"small","prompt":"a","logprobs":21}""", "logprobs")]
    [InlineData("/v1/completions", """{"model":"small","prompt":"a","best_of":2}""", "best_of")]
    [InlineData("/v1/embeddings", """{"model":"small","input":"a","dimensions":0}""", "dimensions")]
    [InlineData("/v1/embeddings", """{"model":"small","input":"a","dimensions":33}""", "dimensions")]
    [InlineData("/v1/embeddings", """{"model":"small","input":"a","encoding_format":"hex"}""", "encoding_format")]
    [InlineData("/v1/embeddings", """{"model":"small"}""", "input")]
    [InlineData("/tokenize", """{"prompt":"a","messages":[]}""", "prompt")]
    [InlineData("/detokenize", """{"tokens":[-1]}""", "tokens[0]")]
    public async Task Bad_values_are_400_with_the_field(string path, string body, string field)
    {
        await using RunningServer server = await RunningServer.StartAsync(model.Engine);

        ReceivedError error = await server.ErrorAsync(RunningServer.Request(path, body));

        Assert.Equal((400, field), (error.Status, error.Field));
    }

    [Fact]
    public async Task Tokens_come_back_as_the_text_they_came_from_and_control_tokens_stay_text()
    {
        await using RunningServer server = await RunningServer.StartAsync(model.Engine);

        JsonElement tokens = await server.PostAsync("/tokenize", """{"prompt":"Žluťoučký <|end_of_turn|>","add_special_tokens":false,"return_token_strs":true}""");
        JsonElement text = await server.PostAsync("/detokenize", $$"""{"tokens":{{tokens.GetProperty("tokens").GetRawText()}}}""");

        Assert.Equal("Žluťoučký <|end_of_turn|>", text.GetProperty("prompt").GetString());
        Assert.Equal(tokens.GetProperty("count").GetInt32(), tokens.GetProperty("token_strs").GetArrayLength());
        Assert.DoesNotContain("<|end_of_turn|>", tokens.GetProperty("token_strs").EnumerateArray().Select(token => token.GetString()));
    }

    [Fact]
    public async Task The_official_client_gets_embeddings_and_likelihoods()
    {
        await using RunningServer server = await RunningServer.StartAsync(model.Engine);
        var connection = new OpenAIClient(new ApiKeyCredential("none"), new OpenAIClientOptions { Endpoint = new Uri(server.Address, "/v1") });

        OpenAIEmbeddingCollection made = await connection.GetEmbeddingClient("small").GenerateEmbeddingsAsync(["Dobrý den", "ahoj"], cancellationToken: TestContext.Current.CancellationToken);
        JsonElement plain = await server.PostAsync("/v1/embeddings", """{"model":"small","input":["Dobrý den","ahoj"]}""");
        ChatCompletion chat = await connection.GetChatClient("small").CompleteChatAsync(["Kdo jsi?"],
            new ChatCompletionOptions { IncludeLogProbabilities = true, TopLogProbabilityCount = 3, MaxOutputTokenCount = 8, Temperature = 0, PresencePenalty = 0.5f },
            TestContext.Current.CancellationToken);

        for (int i = 0; i < 2; i++)
            Assert.Equal(plain.GetProperty("data")[i].GetProperty("embedding").EnumerateArray().Select(number => number.GetSingle()), made[i].ToFloats().ToArray());
        Assert.Equal(32, made[0].ToFloats().Length);
        Assert.Equal(chat.Content[0].Text, System.Text.Encoding.UTF8.GetString([.. chat.ContentTokenLogProbabilities.SelectMany(token => token.Utf8Bytes!.Value.ToArray())]));
        Assert.All(chat.ContentTokenLogProbabilities, token => Assert.Equal(3, token.TopLogProbabilities.Count));
    }

    [Fact]
    public async Task The_official_client_reads_parallel_calls_and_reasoning_streamed_and_not()
    {
        var engine = new ScriptedEngine
        {
            Info = new ScriptedEngine().Info with { SupportsTools = true, SupportsReasoning = true },
            Script = (_, _) => ScriptedEngine.Events(
                new GenerationEvent.Token(0, 1), new GenerationEvent.Reasoning(0, "hm"), new GenerationEvent.Token(0, 2),
                new GenerationEvent.ToolCall(0, "id1", "weather", """{"city":"Praha"}"""), new GenerationEvent.ToolCall(0, "id2", "time", "{}"),
                new GenerationEvent.Finished(0, FinishReason.Stop, new Usage(9, 3, 4))),
        };
        await using RunningServer server = await RunningServer.StartAsync(engine);
        ChatClient client = new OpenAIClient(new ApiKeyCredential("none"), new OpenAIClientOptions { Endpoint = new Uri(server.Address, "/v1") }).GetChatClient("test-model");
        var options = new ChatCompletionOptions { Tools = { ChatTool.CreateFunctionTool("weather"), ChatTool.CreateFunctionTool("time") }, ToolChoice = ChatToolChoice.CreateAutoChoice() };

        ChatCompletion whole = await client.CompleteChatAsync(["?"], options, TestContext.Current.CancellationToken);
        var names = new SortedDictionary<int, string>();
        var arguments = new SortedDictionary<int, string>();
        await foreach (StreamingChatCompletionUpdate update in client.CompleteChatStreamingAsync(["?"], options, TestContext.Current.CancellationToken))
        {
            foreach (StreamingChatToolCallUpdate call in update.ToolCallUpdates)
            {
                names[call.Index] = names.GetValueOrDefault(call.Index) + call.FunctionName;
                arguments[call.Index] = arguments.GetValueOrDefault(call.Index) + call.FunctionArgumentsUpdate;
            }
        }
        JsonElement raw = await server.PostAsync("/v1/chat/completions", """{"model":"test-model","messages":[{"role":"user","content":"a"}]}""");
        ChatCompletion answered = await client.CompleteChatAsync(["?", new AssistantChatMessage(whole), new ToolChatMessage("id1", "rain"), new ToolChatMessage("id2", "noon")],
            options, TestContext.Current.CancellationToken);

        Assert.Equal(OpenAI.Chat.ChatFinishReason.ToolCalls, whole.FinishReason);
        Assert.Equal([("id1", "weather"), ("id2", "time")], whole.ToolCalls.Select(call => (call.Id, call.FunctionName)));
        Assert.Equal(["weather", "time"], names.Values);
        Assert.Equal(["""{"city":"Praha"}""", "{}"], arguments.Values);
        Assert.Equal("hm", raw.GetProperty("choices")[0].GetProperty("message").GetProperty("reasoning_content").GetString());
        Assert.Equal((4, 1), (whole.Usage.InputTokenDetails.CachedTokenCount, whole.Usage.OutputTokenDetails.ReasoningTokenCount));
        Assert.NotNull(answered);
        var seen = Assert.IsType<GenerationInput.Messages>(engine.Requests.Last().Input);
        Assert.Equal(["user", "assistant", "tool", "tool"], seen.Items.Select(item => item.Role));
    }
}
