using System.Globalization;
using System.Text.Json.Nodes;
using OpenEuroLLM.Core;

namespace OpenEuroLLM.Corpus.Sample;

/// <summary>Makes the documents of one language of the built-in sample: one or two sentences and chats of one or two
/// turns in the first pass, mixes of up to six in later ones. The same text, settings and seed give the same documents on every machine.</summary>
/// <remarks>The first pass is short on purpose: a small model that reads the same mixes again and again would learn which sentence follows
/// which instead of what the sentences say (docs/decisions/0002). Later passes must mix, or they would repeat the first.</remarks>
internal sealed class SampleGenerator(SampleText text, SampleConfig config, ulong seed)
{
    /// <summary>The name under which the sample stands as a source.</summary>
    public const string Source = "oellm-sample";

    private const string License = "Apache-2.0";
    private const int NeighboursPerPass = 18;
    private const int FirstDialogues = 12;   // greetings and who is speaking: they come before all else that is no fact

    private readonly CounterRandom _random = new CounterRandom(seed, 0).Substream($"sample:{text.Language}");
    private readonly SamplePlan _plan = new(text, config, seed);
    private readonly HashSet<string> _texts = [];
    private readonly List<Document> _documents = [];

    /// <summary>One sentence, or one turn of a chat.</summary>
    private readonly record struct Piece(string? Sentence, SampleTurn Turn);

    /// <summary>The training documents, then the held-out ones.</summary>
    public IReadOnlyList<Document> Documents()
    {
        _documents.Clear();
        _texts.Clear();
        var trained = new HashSet<string>();
        int left = config.SentencesPerLanguage;
        for (int pass = 0; left > 0; pass++)
        {
            List<Piece> pieces = [.. PiecesOf(pass).Take(left)];
            left -= pieces.Count;
            trained.UnionWith(pieces.Select(piece => piece.Sentence).OfType<string>());
            AddPass(pass, pieces);
        }
        AddHeldOut([.. trained.Order(StringComparer.Ordinal)]);
        return _documents;
    }

    /// <summary>All there is to say, once. The first pass puts the facts first and the dialogues next, so that a small size leaves out
    /// other sentences; later passes are cut anywhere.</summary>
    private IEnumerable<Piece> PiecesOf(int pass)
    {
        CounterRandom random = _random.Substream(Name("pieces", pass));
        int rounds = _plan.Trained.Max(wordings => wordings.Count);
        IEnumerable<Piece> facts = Enumerable.Range(0, rounds).SelectMany(round =>
            _plan.Trained.Where(wordings => wordings.Count > round).Select(wordings => Sentence(wordings[round].Sentence))
                .Concat(round == 0 ? Questions() : []));
        IEnumerable<Piece> others = Dialogues(text.Dialogues.Take(FirstDialogues)).Concat(Alternating(
            [.. new[] { text.Everyday, Neighbours(pass), text.Colours, text.Dates }.Select(kind => Shuffle.Of(kind.Select(Sentence), random)),
                Shuffle.Of(Dialogues(text.Dialogues.Skip(FirstDialogues)), random)]));
        return pass == 0 ? facts.Concat(others) : Shuffle.Of(facts.Concat(others), random.Substream("all"));
    }

    private static IEnumerable<Piece> Dialogues(IEnumerable<SampleTurn> turns) => turns.Select(turn => new Piece(null, turn));

    /// <summary>One of each kind in turn, until all are used up.</summary>
    private static IEnumerable<Piece> Alternating(List<List<Piece>> kinds) =>
        Enumerable.Range(0, kinds.Max(kind => kind.Count)).SelectMany(i => kinds.Where(kind => kind.Count > i).Select(kind => kind[i]));

    private IEnumerable<Piece> Questions() =>
        _plan.Relations.SelectMany(relation => relation.Facts.Select(fact =>
            new Piece(null, new SampleTurn(relation.Question.Render(fact.Form), relation.Answer.Fill(fact.Form)))));

    private List<string> Neighbours(int pass)
    {
        List<string> all = Shuffle.Of(
            text.NeighbourWordings.SelectMany(wording => SampleKeys.Borders
                .SelectMany(border => new[] { border, (A: border.B, B: border.A) })
                .Select(border => wording.Render(form =>
                    text.NeighbourNames[SampleTemplate.BaseOf(form) == "a" ? border.A : border.B].Form(form)))),
            _random.Substream("neighbours"));
        return [.. Enumerable.Range(0, NeighboursPerPass).Select(i => all[(int)(((long)pass * NeighboursPerPass + i) % all.Count)])];
    }

    private void AddPass(int pass, List<Piece> pieces)
    {
        var texts = new List<(string Text, JsonObject? Metadata)>();
        CounterRandom random = _random.Substream(Name("documents", pass));
        (int least, int most, int turns) = pass == 0 ? (1, 2, 2) : (2, 6, 3);
        foreach (List<Piece> group in Groups(Shuffle.Of(pieces.Where(piece => piece.Sentence is not null), random.Substream("sentences")), least, most, random.Substream("sentence count")))
            texts.Add((string.Join(' ', group.Select(piece => piece.Sentence)), null));
        foreach (List<Piece> group in Groups(Shuffle.Of(pieces.Where(piece => piece.Sentence is null), random.Substream("turns")), 1, turns, random.Substream("turn count")))
            texts.Add((string.Join('\n', group.Select(piece => piece.Turn.User + "\n" + piece.Turn.Assistant)), Chat(group)));
        foreach ((string content, JsonObject? metadata) in Shuffle.Of(texts, random.Substream("order")))
            if (_texts.Add(content)) Add(content, metadata);
    }

    private void AddHeldOut(List<string> sentences)
    {
        CounterRandom random = _random.Substream("held-out documents");
        for (int made = 0, attempt = 0; made < config.HeldOutDocuments && attempt < 2 * config.HeldOutDocuments; attempt++)
        {
            CounterRandom own = random.Substream(Name("mix", attempt));
            int count = 3 + (int)own.Below(ulong.MaxValue, 3);
            string mix = string.Join(' ', Shuffle.Of(sentences, own).Take(count));
            if (!_texts.Add(mix)) continue;   // by chance the same mix as a training document
            Add(mix, new JsonObject { ["split"] = "heldout" });
            made++;
        }
    }

    private static IEnumerable<List<Piece>> Groups(List<Piece> pieces, int least, int most, CounterRandom random)
    {
        for (int from = 0, group = 0; from < pieces.Count; group++)
        {
            int count = least + (int)random.Below((ulong)group, (uint)(most - least + 1));
            int left = pieces.Count - from;
            if (left - count < least) count = left <= most ? left : left - least;   // no lonely rest
            yield return pieces.GetRange(from, count);
            from += count;
        }
    }

    private static JsonObject Chat(List<Piece> turns)
    {
        var messages = new JsonArray();
        foreach (Piece piece in turns)
        {
            messages.Add((JsonNode)new JsonObject { ["role"] = "user", ["content"] = piece.Turn.User });
            messages.Add((JsonNode)new JsonObject { ["role"] = "assistant", ["content"] = piece.Turn.Assistant });
        }
        return new JsonObject { ["messages"] = messages };
    }

    private void Add(string content, JsonObject? metadata) =>
        _documents.Add(new Document(Name(text.Language, _documents.Count), content, text.Language, Source, License, Metadata: metadata));

    private static Piece Sentence(string sentence) => new(SampleTemplate.Capitalise(sentence), default);

    private static string Name(string what, int number) => string.Create(CultureInfo.InvariantCulture, $"{what}:{number}");
}
