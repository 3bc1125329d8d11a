using System.ComponentModel.DataAnnotations;
using System.Text;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using OpenEuroLLM.Core;
using OpenEuroLLM.Languages.Identification;

namespace OpenEuroLLM.Corpus;

/// <summary>What becomes of parts of a document that are in another language.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<SegmentAction>))]
public enum SegmentAction
{
    /// <summary>They are left out.</summary>
    [JsonStringEnumMemberName("cut")] Cut,

    /// <summary>They stay, and the languages are noted.</summary>
    [JsonStringEnumMemberName("note")] Note,
}

/// <summary>Tells the language of each paragraph of a document. Those that are surely in another language than the document are cut or noted; in both cases the metadata get
/// <c>languages</c>: the share of the text's bytes in each, as it came. A document in one language is left as it is.</summary>
/// <param name="Action">Whether such paragraphs are cut. The texts of chats are never cut: their messages would no longer fit.</param>
/// <param name="Confidence">The least confidence, 0 to 1, with which a paragraph is taken for one in another language.</param>
/// <param name="CloseConfidence">The same where the other language is easily taken for that of the document, as Slovak for Czech; null: never.</param>
/// <param name="LeastCharacters">A paragraph is a line of at least so many characters. Shorter lines that follow each other are judged together, and where they
/// do not reach it, not at all.</param>
/// <param name="Bytes">The most that is looked at of a paragraph, in bytes: pieces from its beginning, middle and end.</param>
/// <remarks>Paragraphs of no language (code, numbers) and of unknown ones are noted as <c>zxx</c> and <c>und</c> and not cut. How often paragraphs are cut, rightly and wrongly:
/// <c>docs/decisions/segment-identification.md</c>.</remarks>
public sealed record SegmentIdentification(
    SegmentAction Action = SegmentAction.Cut,
    [property: Range(0.5, 1.0)] double Confidence = 0.95,
    [property: Range(0.5, 1.0)] double? CloseConfidence = 0.999,
    [property: Range(1, 100_000)] int LeastCharacters = 100,
    [property: Range(64, LanguageIdentifier.MostBytes)] int Bytes = 512) : Filter
{
    private const double LeastShare = 0.0005;
    private const int Ranked = 6;   // more than are close to each other

    [ThreadStatic]
    private static IdentifiedLanguage[]? _ranked;

    /// <inheritdoc/>
    public override Verdict Judge(Document document)
    {
        if (!LanguageIdentification.Model.Labels.Contains(document.Lang)) return Verdict.Keep;
        List<Part>? parts = Foreign(document.Text, document.Lang);
        if (parts is null) return Verdict.Keep;
        bool cuts = Action == SegmentAction.Cut && ChatMessages.Of(document.Metadata) is null;
        string text = cuts ? Without(document.Text, parts) : document.Text;
        if (text.Length == 0) return Verdict.Drop("other-languages");
        JsonObject metadata = document.Metadata?.DeepClone().AsObject() ?? [];
        metadata["languages"] = Shares(document, parts);
        return Verdict.Replace(document with { Text = text, Metadata = metadata });
    }

    /// <summary>The parts that are surely not in a language, in order; null when there are none.</summary>
    private List<Part>? Foreign(string text, string language)
    {
        List<Part>? foreign = null;
        foreach ((int start, int end) in Paragraphs(text))
            if (Other(text.AsSpan(start, end - start), language) is { } other) (foreign ??= []).Add(new Part(start, end, other));
        return foreign;
    }

    /// <summary>The parts of a text that are judged: from the first character of a line to the end of the same or a later one.</summary>
    internal IEnumerable<(int Start, int End)> Paragraphs(string text)
    {
        int joined = -1, joinedCharacters = 0;   // short lines that wait for others
        for (int start = 0; start < text.Length;)
        {
            int feed = text.AsSpan(start).IndexOf('\n');
            int end = feed < 0 ? text.Length : start + feed;
            int characters = text.AsSpan(start, end - start).Trim().Length;
            if (characters >= LeastCharacters)
            {
                joined = -1;
                yield return (start, end);
            }
            else if (characters > 0)
            {
                if (joined < 0) (joined, joinedCharacters) = (start, 0);
                joinedCharacters += characters;
                if (joinedCharacters >= LeastCharacters)
                {
                    yield return (joined, end);
                    joined = -1;
                }
            }
            start = end + 1;
        }
    }

    /// <summary>The other language that a paragraph is surely in; null when it may be in that of the document.</summary>
    private string? Other(ReadOnlySpan<char> paragraph, string language)
    {
        IdentifiedLanguage[] ranked = _ranked ??= new IdentifiedLanguage[Ranked];
        int count = LanguageIdentification.Model.Rank(TextSample.Of(paragraph, Bytes), ranked);
        string found = ranked[0].Label;
        if (found == language) return null;
        if (AreClose(found, language)) return ranked[0].Confidence >= CloseConfidence ? found : null;
        // Whether it is Bosnian or Croatian may be in doubt where it is surely not German.
        double confidence = 0;
        foreach (IdentifiedLanguage each in ranked.AsSpan(0, count))
            if (each.Label == found || (AreClose(each.Label, found) && !AreClose(each.Label, language))) confidence += each.Confidence;
        return confidence >= Confidence ? found : null;
    }

    private static bool AreClose(string one, string other)
    {
        foreach (IReadOnlyList<string> group in IdentificationScores.CloseGroups)
            if (group.Contains(one) && group.Contains(other)) return true;
        return false;
    }

    private static bool IsLanguage(string label) => label is not (LanguageIdentifier.NoLanguage or LanguageIdentifier.Unknown);

    private static string Without(string text, List<Part> parts)
    {
        var left = new StringBuilder(text.Length);
        int from = 0;
        foreach (Part part in parts)
        {
            if (!IsLanguage(part.Label)) continue;
            left.Append(text, from, part.Start - from);
            // The blank lines behind it go too: those before it part its neighbours.
            from = part.End;
            while (from < text.Length && char.IsWhiteSpace(text[from])) from++;
            int line = from < text.Length ? text.LastIndexOf('\n', from - 1) + 1 : from;
            from = Math.Max(line, part.End);
        }
        left.Append(text, from, text.Length - from);
        return from == 0 ? text : left.ToString().Trim('\n');
    }

    private static JsonObject Shares(Document document, List<Part> parts)
    {
        var bytes = new SortedDictionary<string, long>(StringComparer.Ordinal);
        long all = Encoding.UTF8.GetByteCount(document.Text), others = 0;
        foreach (Part part in parts)
        {
            long length = Encoding.UTF8.GetByteCount(document.Text.AsSpan(part.Start, part.End - part.Start));
            bytes[part.Label] = bytes.GetValueOrDefault(part.Label) + length;
            others += length;
        }
        bytes[document.Lang] = all - others;
        var shares = new JsonObject();
        foreach ((string label, long length) in bytes)
            if (length >= LeastShare * all) shares[label] = Math.Round((double)length / all, 3);
        return shares;
    }

    /// <summary>A part of a text in another language.</summary>
    /// <param name="Start">Its first character.</param>
    /// <param name="End">The end of its last line.</param>
    /// <param name="Label">Its language.</param>
    private readonly record struct Part(int Start, int End, string Label);
}
