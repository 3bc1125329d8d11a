using System.Text;
using OpenEuroLLM.Inference;

namespace OpenEuroLLM.Serving;

/// <summary>One answer as far as it has come.</summary>
internal sealed class Answer
{
    private int undecided;      // tokens of which it is not known yet whether they are thought or said

    public StringBuilder Text { get; } = new();

    public StringBuilder Reasoning { get; } = new();

    public List<GenerationEvent.ToolCall> Calls { get; } = [];

    /// <summary>Tokens that came with their likelihood, the one that ended the answer included.</summary>
    public List<GenerationEvent.Token> Scored { get; } = [];

    /// <summary>Tokens of which a piece of <see cref="Reasoning"/> was made.</summary>
    public int ReasoningTokens { get; private set; }

    public GenerationEvent.Finished? End { get; private set; }

    /// <summary>How many of <see cref="Scored"/> are known to belong to the answer: an end token belongs to none, and only the end tells.</summary>
    public int Certain => End switch
    {
        null => Math.Max(0, Scored.Count - 1),
        { Reason: FinishReason.Stop, StopText: null, EndedByForm: false } => Math.Max(0, Scored.Count - 1),
        _ => Scored.Count,
    };

    public void Add(GenerationEvent happened)
    {
        switch (happened)
        {
            case GenerationEvent.Token token:
                undecided++;
                if (token.Likelihood is not null) Scored.Add(token);
                break;
            case GenerationEvent.Text text:
                undecided = 0;
                Text.Append(text.Value);
                break;
            case GenerationEvent.Reasoning thought:
                ReasoningTokens += undecided;
                undecided = 0;
                Reasoning.Append(thought.Value);
                break;
            case GenerationEvent.ToolCall call:
                undecided = 0;
                Calls.Add(call);
                break;
            case GenerationEvent.Finished finished:
                End = finished;
                break;
        }
    }
}

/// <summary>All answers to one request.</summary>
internal sealed class Answers(int choices)
{
    private readonly Answer[] all = [.. Enumerable.Range(0, choices).Select(_ => new Answer())];

    public int Count => all.Length;

    /// <summary>Tokens of the prompt with their likelihood, where they were asked for.</summary>
    public List<GenerationEvent.PromptToken> Prompt { get; } = [];

    public Answer this[int choice] => all[choice];

    public int ReasoningTokens => all.Sum(answer => answer.ReasoningTokens);

    public void Add(GenerationEvent happened)
    {
        if (happened is GenerationEvent.PromptToken token) Prompt.Add(token);
        else all[happened.Choice].Add(happened);
    }

    /// <summary>The tokens of all choices; the prompt, which they share, counts once.</summary>
    public Usage Usage()
    {
        int open = Array.FindIndex(all, answer => answer.End is null);
        if (open >= 0) throw new InvalidOperationException(FormattableString.Invariant($"The engine ended without finishing choice {open}."));
        Usage first = all[0].End!.Usage;
        return new Usage(first.PromptTokens, all.Sum(answer => answer.End!.Usage.CompletionTokens), first.CachedTokens);
    }

    /// <summary>Takes all events until the end.</summary>
    public static async Task<Answers> CollectAsync(IAsyncEnumerable<GenerationEvent> events, int choices)
    {
        var answers = new Answers(choices);
        await foreach (GenerationEvent happened in events.ConfigureAwait(false)) answers.Add(happened);
        answers.Usage();
        return answers;
    }
}
