using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using OpenEuroLLM.Core;

namespace OpenEuroLLM.Corpus.Building;

/// <summary>Keeps a few documents of each outcome and language, for people to look at. Which, depends on their identifiers alone: those whose ranks are least.</summary>
/// <param name="most">How many of each.</param>
/// <param name="seed">Decides the ranks.</param>
internal sealed class Samples(int most, ulong seed)
{
    private const int TextCharacters = 600;

    private readonly CounterRandom _random = new CounterRandom(seed, 0).Substream("samples");
    private readonly SortedDictionary<(string Step, string Reason, string Language), List<(ulong Rank, string Line)>> _kept = [];

    /// <summary>Takes a document that ends at a step.</summary>
    public void Offer(string step, string reason, Document document)
    {
        ulong rank = Rank(document);
        if (List(step, reason, document.Lang, rank) is { } list) Insert(list, rank, Line(step, reason, rank, document));
    }

    /// <summary>Takes a document that need not be read unless it is kept.</summary>
    /// <param name="step">Where it ends.</param>
    /// <param name="reason">How.</param>
    /// <param name="language">Its language.</param>
    /// <param name="hash">Stands for it.</param>
    /// <param name="document">Reads it.</param>
    public void Offer(string step, string reason, string language, UInt128 hash, Func<Document> document)
    {
        ulong rank = _random.At((ulong)hash);
        if (List(step, reason, language, rank) is { } list) Insert(list, rank, Line(step, reason, rank, document()));
    }

    /// <summary>Takes what was kept of a part of the corpus, with its ranks.</summary>
    public void OfferAll(IEnumerable<string> lines)
    {
        foreach (string line in lines)
        {
            JsonNode root = JsonNode.Parse(line)!;
            ulong rank = (ulong)root["rank"]!;
            if (List((string)root["step"]!, (string)root["reason"]!, (string)root["language"]!, rank) is { } list) Insert(list, rank, line);
        }
    }

    /// <summary>What is kept, a sample a line.</summary>
    /// <param name="withRanks">Whether it will be joined with that of other units.</param>
    public IEnumerable<string> Lines(bool withRanks)
    {
        foreach ((ulong _, string line) in _kept.Values.SelectMany(list => list))
        {
            if (withRanks)
            {
                yield return line;
                continue;
            }
            JsonObject root = JsonNode.Parse(line)!.AsObject();
            root.Remove("rank");
            yield return Encoding.UTF8.GetString(JsonBytes(writer => root.WriteTo(writer)));
        }
    }

    private List<(ulong Rank, string Line)>? List(string step, string reason, string language, ulong rank)
    {
        if (most == 0) return null;
        if (!_kept.TryGetValue((step, reason, language), out List<(ulong Rank, string Line)>? list)) _kept[(step, reason, language)] = list = [];
        return list.Count < most || rank < list[^1].Rank ? list : null;
    }

    private void Insert(List<(ulong Rank, string Line)> list, ulong rank, string line)
    {
        // Equal ranks are those of documents of one identifier: the first of them stay.
        int at = list.FindIndex(kept => kept.Rank > rank);
        list.Insert(at < 0 ? list.Count : at, (rank, line));
        if (list.Count > most) list.RemoveAt(most);
    }

    private ulong Rank(Document document)
    {
        ulong hash = 0xCBF29CE484222325;
        foreach (char letter in document.Source) hash = (hash ^ letter) * 0x100000001B3;
        hash = (hash ^ '\n') * 0x100000001B3;
        foreach (char letter in document.Id) hash = (hash ^ letter) * 0x100000001B3;
        return _random.At(hash);
    }

    private static string Line(string step, string reason, ulong rank, Document document) => Encoding.UTF8.GetString(JsonBytes(writer =>
    {
        string text = document.Text;
        int end = Math.Min(text.Length, TextCharacters);
        if (end < text.Length && char.IsLowSurrogate(text[end])) end--;
        writer.WriteStartObject();
        writer.WriteString("step", step);
        writer.WriteString("reason", reason);
        writer.WriteString("language", document.Lang);
        writer.WriteString("source", document.Source);
        writer.WriteString("license", document.License);
        writer.WriteString("id", document.Id);
        if (document.Url is not null) writer.WriteString("url", document.Url);
        writer.WriteNumber("bytes", Encoding.UTF8.GetByteCount(text));
        writer.WriteString("text", text.AsSpan(0, end));
        writer.WriteNumber("rank", rank);
        writer.WriteEndObject();
    }));

    private static byte[] JsonBytes(Action<Utf8JsonWriter> write)
    {
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream, new JsonWriterOptions { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping })) write(writer);
        return stream.ToArray();
    }
}
