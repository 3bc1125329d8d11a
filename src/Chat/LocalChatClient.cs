using System.Runtime.CompilerServices;
using Microsoft.Extensions.AI;
using OpenEuroLLM.Inference;

namespace OpenEuroLLM.Chat;

/// <summary>A model of this process behind the interface that .NET programs use for any model.</summary>
/// <remarks>Nothing is dropped silently: an option or content that the model cannot honour is refused with its name.</remarks>
internal sealed class LocalChatClient(IInferenceEngine engine) : IChatClient
{
    private const string ProviderName = "openeurollm";

    public Task<ChatResponse> GetResponseAsync(
        IEnumerable<Microsoft.Extensions.AI.ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default) =>
        GetStreamingResponseAsync(messages, options, cancellationToken).ToChatResponseAsync(cancellationToken);

    public async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
        IEnumerable<Microsoft.Extensions.AI.ChatMessage> messages, ChatOptions? options = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(messages);
        var request = RequestTranslation.Of(messages, options, engine.Info);
        var response = $"chat-{Guid.NewGuid():N}";
        var calls = 0;
        IAsyncEnumerable<GenerationEvent> events;
        try
        {
            events = engine.Generate(request, cancellationToken);
        }
        catch (RequestException exception)
        {
            throw RequestTranslation.Explain(exception);
        }
        await foreach (var happened in Explained(events).ConfigureAwait(false))
        {
            switch (happened)
            {
                case GenerationEvent.Text text:
                    yield return Update(new TextContent(text.Value));
                    break;
                case GenerationEvent.Reasoning thought:
                    yield return Update(new TextReasoningContent(thought.Value));
                    break;
                case GenerationEvent.ToolCall call:
                    calls++;
                    yield return Update(new FunctionCallContent(call.Id, call.Name, RequestTranslation.Arguments(call.Arguments)));
                    break;
                case GenerationEvent.Finished end:
                    var last = Update(new UsageContent(new UsageDetails
                    {
                        InputTokenCount = end.Usage.PromptTokens,
                        OutputTokenCount = end.Usage.CompletionTokens,
                        TotalTokenCount = end.Usage.PromptTokens + end.Usage.CompletionTokens,
                        CachedInputTokenCount = end.Usage.CachedTokens,
                    }));
                    last.FinishReason = end.Reason == FinishReason.Length ? ChatFinishReason.Length : calls > 0 ? ChatFinishReason.ToolCalls : ChatFinishReason.Stop;
                    yield return last;
                    break;
            }
        }

        ChatResponseUpdate Update(AIContent content) => new(ChatRole.Assistant, [content])
        {
            ResponseId = response,
            MessageId = response,
            ModelId = engine.Info.Name,
            CreatedAt = null,
        };
    }

    public object? GetService(Type serviceType, object? serviceKey = null)
    {
        ArgumentNullException.ThrowIfNull(serviceType);
        if (serviceKey is not null) return null;
        if (serviceType == typeof(ChatClientMetadata)) return new ChatClientMetadata(ProviderName, null, engine.Info.Name);
        return serviceType.IsInstanceOfType(this) ? this : serviceType.IsInstanceOfType(engine) ? engine : null;
    }

    public void Dispose() { } // the model belongs to LocalModel

    /// <summary>What the engine refuses while it works, in the words of a .NET library.</summary>
    private static async IAsyncEnumerable<GenerationEvent> Explained(IAsyncEnumerable<GenerationEvent> events)
    {
        await using var enumerator = events.GetAsyncEnumerator();
        while (true)
        {
            try
            {
                if (!await enumerator.MoveNextAsync().ConfigureAwait(false)) yield break;
            }
            catch (RequestException exception)
            {
                throw RequestTranslation.Explain(exception);
            }
            yield return enumerator.Current;
        }
    }
}
