using System.Text;
using OpenEuroLLM.Inference;

namespace OpenEuroLLM.Serving.OpenAi.Responses;

/// <summary>What happened to an item of an answer.</summary>
internal enum OutputStep
{
    /// <summary>It begins.</summary>
    Opened,

    /// <summary>It has a new piece.</summary>
    Grown,

    /// <summary>It is complete.</summary>
    Closed,
}

/// <summary>A step of an answer.</summary>
/// <param name="Step">What happened.</param>
/// <param name="Item">The item.</param>
/// <param name="Piece">What is new; empty unless the item has grown.</param>
internal readonly record struct OutputChange(OutputStep Step, OutputItem Item, string Piece = "");

/// <summary>One item of an answer as far as it has come.</summary>
internal sealed class OutputItem(string kind, string id, int index, GenerationEvent.ToolCall? call)
{
    public string Kind => kind;

    public string Id => id;

    public int Index => index;

    public GenerationEvent.ToolCall? Call => call;

    /// <summary>What was said or thought, or the arguments of the call.</summary>
    public StringBuilder Text { get; } = new();

    /// <summary>The tokens of <see cref="Text"/> that are known to belong to it, where likelihoods were asked for.</summary>
    public List<GenerationEvent.Token> Scored { get; } = [];

    public string Status { get; set; } = ResponseItem.InProgress;

    /// <summary>The item as it is now.</summary>
    public ResponseItem AsItem() => Make(Status, Text.ToString(), [Text.ToString()]);

    /// <summary>The item as it was before its first piece.</summary>
    public ResponseItem AsBegun() => Make(ResponseItem.InProgress, "", []);

    private ResponseItem Make(string status, string text, IReadOnlyList<string> texts) => kind switch
    {
        ResponseItem.Message.Kind => new ResponseItem.Message(id, status, "assistant", texts, Scored),
        ResponseItem.Reasoning.Kind => new ResponseItem.Reasoning(id, status, text),
        _ => new ResponseItem.FunctionCall(id, status, call!.Id, call.Name, text),
    };
}

/// <summary>Divides the events of one answer into items, in the order in which they happen.</summary>
internal sealed class ResponseOutput(ResponseId response)
{
    private readonly Answer whole = new();
    private readonly List<OutputItem> items = [];
    private readonly List<GenerationEvent.Token> undecided = [];
    private (OutputItem Item, GenerationEvent.Token Token)? held;
    private OutputItem? open;

    public IReadOnlyList<OutputItem> Items => items;

    public int ReasoningTokens => whole.ReasoningTokens;

    public GenerationEvent.Finished? End => whole.End;

    /// <summary>Takes all events until the end.</summary>
    public static async Task<ResponseOutput> CollectAsync(IAsyncEnumerable<GenerationEvent> events, ResponseId response)
    {
        var output = new ResponseOutput(response);
        await foreach (GenerationEvent happened in events.ConfigureAwait(false)) output.Add(happened);
        output.RequireEnd();
        return output;
    }

    public void RequireEnd()
    {
        if (End is null) throw new InvalidOperationException("The engine ended without finishing the answer.");
    }

    /// <summary>Takes the next event and tells what it means for the items.</summary>
    public List<OutputChange> Add(GenerationEvent happened)
    {
        whole.Add(happened);
        var changes = new List<OutputChange>();
        switch (happened)
        {
            case GenerationEvent.Token { Likelihood: not null } token:
                DecideHeld();
                undecided.Add(token);
                break;
            case GenerationEvent.Text text:
                Grow(ResponseItem.Message.Kind, text.Value, changes);
                HoldLast();
                break;
            case GenerationEvent.Reasoning thought:
                undecided.Clear();
                Grow(ResponseItem.Reasoning.Kind, thought.Value, changes);
                break;
            case GenerationEvent.ToolCall call:
                undecided.Clear();
                Close(ResponseItem.Completed, changes);
                Open(ResponseItem.FunctionCall.Kind, call, changes);
                Grow(ResponseItem.FunctionCall.Kind, call.Arguments, changes);
                Close(ResponseItem.Completed, changes);
                break;
            case GenerationEvent.Finished end:
                // Who looks for a text finds one, even when nothing was said.
                if (items.Count == 0) Open(ResponseItem.Message.Kind, null, changes);
                DecideRest();
                Close(end.Reason == FinishReason.Length ? ResponseItem.Incomplete : ResponseItem.Completed, changes);
                break;
        }
        return changes;
    }

    private void Open(string kind, GenerationEvent.ToolCall? call, List<OutputChange> changes)
    {
        open = new OutputItem(kind, response.OfOutput(kind, items.Count), items.Count, call);
        items.Add(open);
        changes.Add(new OutputChange(OutputStep.Opened, open));
    }

    private void Grow(string kind, string piece, List<OutputChange> changes)
    {
        if (open?.Kind != kind)
        {
            Close(ResponseItem.Completed, changes);
            Open(kind, null, changes);
        }
        open!.Text.Append(piece);
        changes.Add(new OutputChange(OutputStep.Grown, open, piece));
    }

    private void Close(string status, List<OutputChange> changes)
    {
        if (open is null) return;
        DecideHeld();
        open.Status = status;
        changes.Add(new OutputChange(OutputStep.Closed, open));
        open = null;
    }

    /// <summary>The tokens of a piece of text; the last of them may be the one that ends the answer and belongs to no text: the next event tells.</summary>
    private void HoldLast()
    {
        if (undecided.Count == 0) return;
        open!.Scored.AddRange(undecided[..^1]);
        held = (open, undecided[^1]);
        undecided.Clear();
    }

    private void DecideHeld()
    {
        if (held is { } waiting) waiting.Item.Scored.Add(waiting.Token);
        held = null;
    }

    private void DecideRest()
    {
        bool ended = whole.Certain < whole.Scored.Count;
        if (ended && undecided.Count > 0) undecided.RemoveAt(undecided.Count - 1);
        else if (ended) held = null;
        DecideHeld();
        if (open?.Kind == ResponseItem.Message.Kind) open.Scored.AddRange(undecided);
        undecided.Clear();
    }
}
