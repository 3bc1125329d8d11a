using System.Text;

namespace OpenEuroLLM.Corpus.Sample;

/// <summary>A sentence with places for stored forms, such as <c>The capital of {subject} is {object}.</c></summary>
internal sealed record SampleTemplate
{
    private readonly string[] _pieces;      // literal, form, literal, form, ..., literal

    private SampleTemplate(string text, string[] pieces)
    {
        Text = text;
        _pieces = pieces;
    }

    /// <summary>The template as written in the file.</summary>
    public string Text { get; }

    /// <summary>The names of the forms, in order of appearance.</summary>
    public IEnumerable<string> Forms
    {
        get
        {
            for (int i = 1; i < _pieces.Length; i += 2) yield return _pieces[i];
        }
    }

    /// <summary>Splits a template; null when the braces do not pair.</summary>
    public static SampleTemplate? TryParse(string text)
    {
        var pieces = new List<string>();
        int from = 0;
        while (true)
        {
            int open = text.IndexOf('{', from);
            string literal = open < 0 ? text[from..] : text[from..open];
            if (literal.Contains('}', StringComparison.Ordinal)) return null;
            pieces.Add(literal);
            if (open < 0) return new SampleTemplate(text, [.. pieces]);
            int close = text.IndexOf('}', open);
            if (close < 0) return null;
            pieces.Add(text[(open + 1)..close]);
            if (pieces[^1].Contains('{', StringComparison.Ordinal)) return null;
            from = close + 1;
        }
    }

    /// <summary>The sentence, its first letter in upper case.</summary>
    public string Render(Func<string, string> form) => Capitalise(Fill(form));

    /// <summary>The text as it stands, for an answer that is no sentence.</summary>
    public string Fill(Func<string, string> form) => Fill(0, _pieces.Length, form);

    /// <summary>The sentence cut before its object: what is given, and what is to be found (with the space before it, and with the
    /// rest of the sentence after it).</summary>
    public (string Context, string Object) Split(Func<string, string> form, Func<string, string> objectForm)
    {
        int at = ObjectPiece;
        string context = Capitalise(Fill(0, at, form));
        string trimmed = context.TrimEnd();
        return (trimmed, context[trimmed.Length..] + objectForm(_pieces[at]) + Fill(at + 1, _pieces.Length, form));
    }

    /// <summary>The name of the object's form.</summary>
    public string ObjectForm => _pieces[ObjectPiece];

    private int ObjectPiece => Array.FindIndex(_pieces, 1, piece => BaseOf(piece) == "object");

    /// <summary>The part of a form's name before its suffix.</summary>
    public static string BaseOf(string form) => form.Split('.')[0];

    /// <summary>Upper-cases the first letter, whatever the machine's culture; quotes and dashes before it are passed over, a digit is
    /// not.</summary>
    public static string Capitalise(string sentence)
    {
        for (int i = 0; i < sentence.Length;)
        {
            if (Rune.DecodeFromUtf16(sentence.AsSpan(i), out Rune rune, out int length) != System.Buffers.OperationStatus.Done) return sentence;
            if (Rune.IsLetter(rune))
                return sentence[..i] + Rune.ToUpperInvariant(rune).ToString() + sentence[(i + length)..];
            if (Rune.IsDigit(rune)) return sentence;
            i += length;
        }
        return sentence;
    }

    private string Fill(int from, int to, Func<string, string> form)
    {
        var text = new StringBuilder();
        for (int i = from; i < to; i++) text.Append(i % 2 == 0 ? _pieces[i] : form(_pieces[i]));
        return text.ToString();
    }

    /// <inheritdoc/>
    public override string ToString() => Text;

    /// <summary>Two templates are equal when their text is.</summary>
    public bool Equals(SampleTemplate? other) => other is not null && other.Text == Text;

    /// <inheritdoc/>
    public override int GetHashCode() => string.GetHashCode(Text, StringComparison.Ordinal);
}
