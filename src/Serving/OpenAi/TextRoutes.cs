using System.Buffers.Binary;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using OpenEuroLLM.Inference;
using static OpenEuroLLM.Serving.RequestFields;

namespace OpenEuroLLM.Serving.OpenAi;

/// <summary>Embeddings, and the tokenizer by itself.</summary>
internal sealed class TextRoutes(ServedModels models, ServerOptions options)
{
    private static readonly FieldTable EmbeddingFields = new FieldTable().Read("model", "input", "encoding_format", "dimensions").Ignored("user");
    private static readonly FieldTable TokenizeFields = new FieldTable().Read("model", "prompt", "messages", "add_special_tokens", "return_token_strs");
    private static readonly FieldTable DetokenizeFields = new FieldTable().Read("model", "tokens");
    private static readonly FieldNames EmbeddingNames = new(new Dictionary<string, string> { ["prompt"] = "input" });
    private static readonly FieldNames SameNames = new(new Dictionary<string, string>());

    public void Map(IEndpointRouteBuilder routes)
    {
        routes.MapPost("/v1/embeddings", (RequestDelegate)(context => Dialects.TranslatingAsync(context, EmbeddingNames, () => EmbedAsync(context))));
        routes.MapPost("/tokenize", (RequestDelegate)(context => Dialects.TranslatingAsync(context, SameNames, () => TokenizeAsync(context))));
        routes.MapPost("/detokenize", (RequestDelegate)(context => Dialects.TranslatingAsync(context, SameNames, () => DetokenizeAsync(context))));
    }

    private async Task EmbedAsync(HttpContext context)
    {
        List<GenerationInput> inputs;
        IInferenceEngine engine;
        bool base64;
        int? dimensions;
        var ignored = new SortedSet<string>(StringComparer.Ordinal);
        using (JsonDocument body = await RequestBody.ReadAsync(context.Request, options.MaxBodyBytes).ConfigureAwait(false))
        {
            JsonElement root = body.RootElement;
            RequireBody(root);
            EmbeddingFields.Check(root, "", ignored);
            engine = await models.UseAsync(context, root, fields: null).ConfigureAwait(false);
            inputs = Prompts.Read(root, "input", engine.Info.Limits.MaxEmbeddingInputs);
            base64 = Text(root, "encoding_format") switch
            {
                null or "float" => false,
                "base64" => true,
                string other => throw ApiException.Invalid("encoding_format", $"'encoding_format' is '{RequestBody.Shown(other)}'; expected float or base64."),
            };
            dimensions = EmbeddingDimensions.Read(root, "dimensions", "", engine.Info);
        }
        Dialects.TellIgnored(context.Response, ignored);
        CancellationToken left = context.RequestAborted;
        // The call waits for the model's worker; the threads of the server must not.
        IReadOnlyList<Embedding> made = await Task.Run(() => engine.Embed(inputs, cancellation: left), left).ConfigureAwait(false);
        await JsonBody.WriteAsync(context.Response, json => WriteEmbeddings(json, engine.Info.Name, made, dimensions, base64)).ConfigureAwait(false);
    }

    private static void WriteEmbeddings(Utf8JsonWriter json, string model, IReadOnlyList<Embedding> made, int? dimensions, bool base64)
    {
        json.WriteStartObject();
        json.WriteString("object", "list");
        json.WriteStartArray("data");
        for (int index = 0; index < made.Count; index++)
        {
            json.WriteStartObject();
            json.WriteString("object", "embedding");
            json.WriteNumber("index", index);
            IReadOnlyList<float> vector = EmbeddingDimensions.Cut(made[index].Vector, dimensions);
            if (base64) json.WriteBase64String("embedding", LittleEndian(vector));
            else
            {
                json.WriteStartArray("embedding");
                foreach (float number in vector) json.WriteNumberValue(number);
                json.WriteEndArray();
            }
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteString("model", model);
        json.WriteStartObject("usage");
        int tokens = made.Sum(embedding => embedding.Tokens);
        json.WriteNumber("prompt_tokens", tokens);
        json.WriteNumber("total_tokens", tokens);
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static byte[] LittleEndian(IReadOnlyList<float> vector)
    {
        byte[] bytes = new byte[vector.Count * sizeof(float)];
        for (int i = 0; i < vector.Count; i++) BinaryPrimitives.WriteSingleLittleEndian(bytes.AsSpan(i * sizeof(float)), vector[i]);
        return bytes;
    }

    private async Task TokenizeAsync(HttpContext context)
    {
        GenerationInput input;
        IInferenceEngine engine;
        bool beginning, texts;
        var ignored = new SortedSet<string>(StringComparer.Ordinal);
        using (JsonDocument body = await RequestBody.ReadAsync(context.Request, options.MaxBodyBytes).ConfigureAwait(false))
        {
            JsonElement root = body.RootElement;
            RequireBody(root);
            TokenizeFields.Check(root, "", ignored);
            engine = await models.UseAsync(context, root, fields: null, optional: true).ConfigureAwait(false);
            beginning = Flag(root, "add_special_tokens") ?? true;
            texts = Flag(root, "return_token_strs") ?? false;
            bool conversation = Value(root, "messages") is not null;
            if (conversation == Value(root, "prompt") is not null) throw ApiException.Invalid("prompt", "Send one of 'prompt' (a text) and 'messages' (a conversation).");
            if (conversation && !beginning) throw ApiException.Invalid("add_special_tokens", "'add_special_tokens' belongs to 'prompt': a conversation always has its own.");
            input = conversation ? new GenerationInput.Messages(ChatMessages.Read(root, ignored)) : new GenerationInput.TextInput(Text(root, "prompt")!);
        }
        Dialects.TellIgnored(context.Response, ignored);
        IReadOnlyList<int> ids = engine.Encode(input, beginning);
        await JsonBody.WriteAsync(context.Response, json =>
        {
            json.WriteStartObject();
            json.WriteNumber("count", ids.Count);
            json.WriteNumber("max_model_len", engine.Info.ContextLength);
            json.WriteStartArray("tokens");
            foreach (int id in ids) json.WriteNumberValue(id);
            json.WriteEndArray();
            if (texts)
            {
                json.WriteStartArray("token_strs");
                foreach (int id in ids) json.WriteStringValue(TokenTexts.NameOf(engine, id));
                json.WriteEndArray();
            }
            json.WriteEndObject();
        }).ConfigureAwait(false);
    }

    private async Task DetokenizeAsync(HttpContext context)
    {
        List<int> ids;
        IInferenceEngine engine;
        using (JsonDocument body = await RequestBody.ReadAsync(context.Request, options.MaxBodyBytes).ConfigureAwait(false))
        {
            JsonElement root = body.RootElement;
            RequireBody(root);
            DetokenizeFields.Check(root, "", []);
            engine = await models.UseAsync(context, root, fields: null, optional: true).ConfigureAwait(false);
            JsonElement list = List(root, "tokens") ?? throw ApiException.Invalid("tokens", "'tokens' is missing; expected a list of token ids.");
            ids = list.GetArrayLength() == 0 ? [] : Ids(list) ?? throw ApiException.Invalid("tokens", "'tokens' must be a list of token ids.");
        }
        string text = engine.Decode(ids);
        await JsonBody.WriteAsync(context.Response, json =>
        {
            json.WriteStartObject();
            json.WriteString("prompt", text);
            json.WriteEndObject();
        }).ConfigureAwait(false);
    }
}
