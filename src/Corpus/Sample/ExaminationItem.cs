using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace OpenEuroLLM.Corpus;

/// <summary>One item of the examination that goes with the built-in sample: a line of <c>examination.jsonl</c> in the corpus folder.</summary>
/// <remarks>
/// Multiple choice (<c>kind</c> is <c>seen</c> or <c>unseen</c>): each choice is scored as the continuation of <c>context</c>, which
/// follows the beginning-of-text token and ends without a space; a choice starts with the space where there is one and goes on to the
/// end of the sentence. Seen: the sentence stands in the training text. Unseen: it does not, though its fact does in other
/// wordings and its wording with other facts. Exactly one choice is true; the others are objects of the same relation.
/// <code>{"id":"en/capital/AT/0","language":"en","relation":"capital","kind":"seen","context":"The capital of Austria is",
/// "choices":[" Rome."," Vienna."," Sofia."," Riga."],"answer":1}</code>
/// Generated (<c>kind</c> is <c>generated</c>): the model, given <c>question</c> as the one user message of a chat, must reply exactly
/// <c>expected</c> (surrounding white space aside). <c>questionTrained</c> says whether the training text asks this very question.
/// <code>{"id":"en/capital/AT/question","language":"en","relation":"capital","kind":"generated",
/// "question":"What is the capital of Austria?","expected":"Vienna","questionTrained":true}</code>
/// </remarks>
/// <param name="Id">Language, relation, fact and wording.</param>
/// <param name="Language">Language code.</param>
/// <param name="Relation">capital, currency, number or next.</param>
/// <param name="Kind">seen, unseen or generated.</param>
/// <param name="Context">What is given; multiple choice only.</param>
/// <param name="Choices">Four continuations; multiple choice only.</param>
/// <param name="Answer">Index of the true choice; multiple choice only.</param>
/// <param name="Question">The user's message; generated only.</param>
/// <param name="Expected">The exact reply; generated only.</param>
/// <param name="QuestionTrained">Whether the question was trained; generated only.</param>
public sealed record ExaminationItem(
    string Id, string Language, string Relation, string Kind,
    string? Context = null, IReadOnlyList<string>? Choices = null, int? Answer = null,
    string? Question = null, string? Expected = null, bool? QuestionTrained = null)
{
    /// <summary>Kind of an item whose sentence was trained.</summary>
    public const string Seen = "seen";

    /// <summary>Kind of an item whose fact was trained, but not in this wording.</summary>
    public const string Unseen = "unseen";

    /// <summary>Kind of an item that is answered by generation.</summary>
    public const string Generated = "generated";

    private static readonly JsonWriterOptions Writing = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>The item as one line of UTF-8 JSON with its line feed: fields in the order above, absent ones left out.</summary>
    public byte[] ToJsonLine()
    {
        var buffer = new ArrayBufferWriter<byte>(512);
        using (var writer = new Utf8JsonWriter(buffer, Writing)) Write(writer);
        buffer.Write("\n"u8);
        return buffer.WrittenSpan.ToArray();
    }

    private void Write(Utf8JsonWriter writer)
    {
        writer.WriteStartObject();
        writer.WriteString("id", Id);
        writer.WriteString("language", Language);
        writer.WriteString("relation", Relation);
        writer.WriteString("kind", Kind);
        if (Context is not null) writer.WriteString("context", Context);
        if (Choices is not null)
        {
            writer.WriteStartArray("choices");
            foreach (string choice in Choices) writer.WriteStringValue(choice);
            writer.WriteEndArray();
        }
        if (Answer is { } answer) writer.WriteNumber("answer", answer);
        if (Question is not null) writer.WriteString("question", Question);
        if (Expected is not null) writer.WriteString("expected", Expected);
        if (QuestionTrained is { } trained) writer.WriteBoolean("questionTrained", trained);
        writer.WriteEndObject();
    }
}
