using System.Text;
using OpenEuroLLM.Inference;

namespace OpenEuroLLM.Serving.OpenAi.Responses;

/// <summary>One turn of a conversation.</summary>
/// <param name="Message">What the model sees.</param>
/// <param name="Items">The items that it was made of.</param>
internal sealed record ResponseTurn(ChatMessage Message, int Items);

/// <summary>Turns items into a conversation. What an assistant thought, said and called is several items here and one turn there.</summary>
internal sealed class ResponseConversation
{
    private readonly List<ResponseTurn> turns = [];
    private readonly Dictionary<string, string> unanswered = new(StringComparer.Ordinal);
    private readonly StringBuilder text = new(), thought = new();
    private readonly List<ToolCall> calls = [];
    private int items;
    private bool said;

    private ResponseConversation() { }

    /// <summary>The turns, the instructions in front.</summary>
    /// <exception cref="ApiException">Calls and their outputs do not belong together.</exception>
    public static List<ResponseTurn> Of(string? instructions, IEnumerable<ResponseItem> items)
    {
        var conversation = new ResponseConversation();
        if (instructions is not null) conversation.turns.Add(new ResponseTurn(new ChatMessage("system", instructions), 0));
        foreach (ResponseItem item in items) conversation.Add(item);
        conversation.Close();
        foreach (string id in conversation.unanswered.Keys)
            throw ApiException.Invalid("input", $"The call '{RequestBody.Shown(id)}' has no output; send an item of type function_call_output with this call_id.");
        return conversation.turns;
    }

    private void Add(ResponseItem item)
    {
        switch (item)
        {
            case ResponseItem.Message { Role: "assistant" } message:
                Begin();
                said = true;
                text.AppendJoin("", message.Texts);
                break;
            case ResponseItem.Reasoning reasoning:
                Begin();
                thought.Append(reasoning.Text);
                break;
            case ResponseItem.FunctionCall call:
                items++;
                if (!unanswered.TryAdd(call.CallId, call.Name))
                    throw ApiException.Invalid("input", $"The call '{RequestBody.Shown(call.CallId)}' is made twice before it has an output.");
                calls.Add(new ToolCall(call.CallId, call.Name, call.Arguments));
                break;
            case ResponseItem.FunctionOutput output:
                Close();
                if (!unanswered.Remove(output.CallId, out string? name))
                    throw ApiException.Invalid("input", $"There is no call '{RequestBody.Shown(output.CallId)}' before its output, or it has one already.");
                turns.Add(new ResponseTurn(new ChatMessage("tool", output.Output) { ToolCallId = output.CallId, Name = name }, 1));
                break;
            case ResponseItem.Message message:
                Close();
                turns.Add(new ResponseTurn(new ChatMessage(message.Role, string.Concat(message.Texts)), 1));
                break;
            default:
                throw new InvalidOperationException($"An item of the kind {item.GetType().Name} is no part of a conversation.");
        }
    }

    /// <summary>What comes after something said is another turn, unless calls came between: then all of it waits for their outputs.</summary>
    private void Begin()
    {
        if (said && calls.Count == 0) Close();
        items++;
    }

    private void Close()
    {
        if (items == 0) return;
        turns.Add(new ResponseTurn(new ChatMessage("assistant", text.ToString())
        {
            ToolCalls = calls.Count > 0 ? [.. calls] : null,
            Reasoning = thought.Length > 0 ? thought.ToString() : null,
        }, items));
        text.Clear();
        thought.Clear();
        calls.Clear();
        (items, said) = (0, false);
    }
}
