namespace OpenEuroLLM.Inference;

/// <summary>All that somebody wrote in a conversation, with the names of the fields.</summary>
internal static class ConversationTexts
{
    public static IEnumerable<(string Field, string Text)> Of(GenerationInput.Messages conversation)
    {
        for (int i = 0; i < conversation.Items.Count; i++)
        {
            string field = FormattableString.Invariant($"messages[{i}]");
            var message = conversation.Items[i];
            yield return (field + ".content", message.Content);
            if (message.Name is { } name) yield return (field + ".name", name);
            if (message.Reasoning is { } reasoning) yield return (field + ".reasoning", reasoning);
            if (message.ToolCallId is { } id) yield return (field + ".tool_call_id", id);
            for (int call = 0; call < message.ToolCalls?.Count; call++)
            {
                string callField = FormattableString.Invariant($"{field}.tool_calls[{call}]");
                yield return (callField + ".id", message.ToolCalls[call].Id);
                yield return (callField + ".name", message.ToolCalls[call].Name);
                yield return (callField + ".arguments", message.ToolCalls[call].Arguments);
            }
        }
        for (int i = 0; i < conversation.Tools?.Count; i++)
        {
            string field = FormattableString.Invariant($"tools[{i}]");
            yield return (field + ".name", conversation.Tools[i].Name);
            if (conversation.Tools[i].Description is { } description) yield return (field + ".description", description);
            if (conversation.Tools[i].Parameters is { } parameters) yield return (field + ".parameters", parameters);
        }
        if (conversation.TemplateArguments is { } arguments) yield return ("template_arguments", arguments);
    }
}
