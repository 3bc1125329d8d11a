using OpenEuroLLM.Core;
using OpenEuroLLM.Tokenizers;

namespace OpenEuroLLM.Inference;

/// <summary>Reads the events of all answers to one conversation: text becomes text, reasoning and calls.</summary>
internal sealed class ChatAnswers
{
    private const string IdCharacters = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    private const int IdLength = 9;         // what the strictest templates expect
    private const int PromptEnd = 16;       // tokens at the end of a prompt in which reasoning may be opened

    private readonly Dictionary<int, string> _marks = [];
    private readonly AnswerReader[] _readers;
    private readonly int[] _calls;
    private readonly CounterRandom _ids;

    /// <param name="format">The marks of the family.</param>
    /// <param name="tokenizer">The model's tokenizer.</param>
    /// <param name="prompt">The rendered conversation.</param>
    /// <param name="choices">Number of answers.</param>
    /// <param name="form">The form that the answers have; null for any.</param>
    public ChatAnswers(AnswerFormat format, Tokenizer tokenizer, int[] prompt, int choices, Grammars.AnswerForm? form = null)
    {
        // A value may hold any mark as text, and may look like a call.
        if (form?.Value is not null) format = format with { Calls = form.Calls is { } calls ? [calls.Marks] : [] };
        // Control tokens are no text for the decoder, so those that are marks are given to the reader here.
        foreach (string mark in format.Marks)
            if (tokenizer.TokenId(mark) is int id && tokenizer.IsSpecial(id)) _marks[id] = mark;
        bool thinks = ReasoningOf(format, tokenizer, prompt) is { IsOpen: true };
        _readers = [.. Enumerable.Range(0, choices).Select(_ => new AnswerReader(format, thinks, settles: form?.Value is not null))];
        _calls = new int[choices];
        ulong seed = 14695981039346656037;
        foreach (int id in prompt) seed = (seed ^ (uint)id) * 1099511628211;
        _ids = new CounterRandom(seed, 0);
    }

    /// <summary>The reasoning that an answer to a prompt may begin with; null where the family has none, or the prompt has ended it already.</summary>
    public static Grammars.ReasoningForm? ReasoningOf(AnswerFormat format, Tokenizer tokenizer, int[] prompt)
    {
        if (format.Reasoning is not var (open, close)) return null;
        string end = tokenizer.Decode(prompt.AsSpan(Math.Max(0, prompt.Length - PromptEnd)), skipSpecial: false).TrimEnd();
        return end.EndsWith(close, StringComparison.Ordinal) ? null : new Grammars.ReasoningForm(open, close, end.EndsWith(open, StringComparison.Ordinal));
    }

    /// <summary>What an event means.</summary>
    public IEnumerable<GenerationEvent> Read(GenerationEvent happened)
    {
        var parts = new List<AnswerPart>();
        var reader = _readers[happened.Choice];
        switch (happened)
        {
            case GenerationEvent.Text text:
                reader.Push(text.Value, parts);
                break;
            case GenerationEvent.Token token:
                yield return token;
                if (_marks.TryGetValue(token.Id, out string? mark)) reader.Push(mark, parts);
                break;
            case GenerationEvent.Finished:
                reader.Finish(parts);
                break;
        }
        foreach (var part in parts)
        {
            yield return part switch
            {
                AnswerPart.Said said => new GenerationEvent.Text(happened.Choice, said.Value),
                AnswerPart.Thought thought => new GenerationEvent.Reasoning(happened.Choice, thought.Value),
                AnswerPart.Called call => new GenerationEvent.ToolCall(happened.Choice, call.Id ?? NextId(happened.Choice), call.Name, call.Arguments),
                _ => throw new InvalidOperationException($"an answer has a part of an unknown kind {part.GetType().Name}"),
            };
        }
        if (happened is not (GenerationEvent.Text or GenerationEvent.Token)) yield return happened;
    }

    private string NextId(int choice)
    {
        ulong value = (_ids with { Stream = (ulong)choice }).At((ulong)_calls[choice]++);
        return string.Create(IdLength, value, static (characters, left) =>
        {
            foreach (ref char character in characters)
            {
                character = IdCharacters[(int)(left % (ulong)IdCharacters.Length)];
                left /= (ulong)IdCharacters.Length;
            }
        });
    }
}
