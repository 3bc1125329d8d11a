using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using OpenEuroLLM.Core;

namespace OpenEuroLLM.Corpus;

/// <summary>Brings text into one form: letters composed (NFC), line ends as LF, and no invisible characters: soft hyphens, zero-width
/// and direction marks, byte-order marks, controls. White space that shows, such as a no-break space, stays. Applies to the messages of
/// chats too.</summary>
public sealed record UnicodeNormalization : Filter
{
    /// <inheritdoc/>
    public override Verdict Judge(Document document)
    {
        if (Normalize(document.Text) is not { } text) return Verdict.Drop("invalid-unicode");
        if (!TryNormalizeChat(document.Metadata, out JsonObject? metadata)) return Verdict.Drop("invalid-unicode");
        return ReferenceEquals(text, document.Text) && ReferenceEquals(metadata, document.Metadata)
            ? Verdict.Keep
            : Verdict.Replace(document with { Text = text, Metadata = metadata });
    }

    /// <summary>The text in one form, the same object when nothing changes; null when it holds half a surrogate pair.</summary>
    internal static string? Normalize(string text)
    {
        if (!IsWellFormed(text)) return null;
        string composed = text.IsNormalized(NormalizationForm.FormC) ? text : text.Normalize(NormalizationForm.FormC);
        int first = 0;
        while (first < composed.Length && IsPlain(composed[first])) first++;   // most texts need no more than this look
        return first == composed.Length ? composed : Clean(composed, first);
    }

    private static bool IsPlain(char letter) =>
        letter is (>= ' ' and < '\u007F') or '\n' or '\t' or (>= '\u00A0' and < '\u2000' and not '\u00AD' and not '\u061C' and not '\u180E') or (>= '\u2070' and < '\uFE00');

    private static string Clean(string text, int from)
    {
        var clean = new StringBuilder(text, 0, from, text.Length);
        for (int i = from; i < text.Length; i++)
        {
            char letter = text[i];
            if (letter == '\r')
            {
                if (i + 1 == text.Length || text[i + 1] != '\n') clean.Append('\n');
            }
            else if (letter is '\u0085' or '\u2028' or '\u2029') clean.Append('\n');
            else if (letter == '\u200D' && clean.Length > 0 && !char.IsLetter(clean[^1])) clean.Append(letter);   // joins two signs to one
            else if (IsPlain(letter) || !IsInvisible(letter)) clean.Append(letter);
        }
        // What stood between a letter and its accent may be gone, and the two now compose.
        string result = clean.ToString();
        if (!result.IsNormalized(NormalizationForm.FormC)) result = result.Normalize(NormalizationForm.FormC);
        return result == text ? text : result;
    }

    private static bool IsInvisible(char letter) =>
        letter is not ('\n' or '\t') && char.GetUnicodeCategory(letter) is UnicodeCategory.Control or UnicodeCategory.Format;

    private static bool IsWellFormed(string text)
    {
        for (int i = text.AsSpan().IndexOfAnyInRange('\uD800', '\uDFFF'); i >= 0 && i < text.Length; i++)
        {
            if (!char.IsSurrogate(text[i])) continue;
            if (!char.IsHighSurrogate(text[i]) || i + 1 == text.Length || !char.IsLowSurrogate(text[i + 1])) return false;
            i++;
        }
        return true;
    }

    private static bool TryNormalizeChat(JsonObject? metadata, out JsonObject? normalized)
    {
        normalized = metadata;
        if (ChatMessages.Of(metadata) is not { } messages) return true;
        for (int i = 0; i < messages.Count; i++)
        {
            if (Normalize(messages[i].Content) is not { } content) return false;
            if (ReferenceEquals(content, messages[i].Content)) continue;
            if (ReferenceEquals(normalized, metadata)) normalized = metadata!.DeepClone().AsObject();
            normalized!["messages"]![i]!["content"] = content;
        }
        return true;
    }
}
