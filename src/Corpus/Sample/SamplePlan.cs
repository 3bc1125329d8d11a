using OpenEuroLLM.Core;

namespace OpenEuroLLM.Corpus.Sample;

/// <summary>A fact in one of its relation's wordings.</summary>
internal readonly record struct WordedFact(SampleRelation Relation, SampleFact Fact, int Wording)
{
    /// <summary>The sentence.</summary>
    public string Sentence => Relation.Wordings[Wording].Render(Fact.Form);
}

/// <summary>Which wordings of which facts a model is trained on, and which are kept for its examination. About three facts in ten
/// lose exactly one wording; each of them is trained in its other wordings, and each wording with other facts.</summary>
internal sealed class SamplePlan
{
    private readonly SampleText _text;
    private readonly CounterRandom _random;

    public SamplePlan(SampleText text, SampleConfig config, ulong seed)
    {
        _text = text;
        _random = new CounterRandom(seed, 0).Substream($"sample:{text.Language}:held-out");
        Relations = [.. text.Relations.Select(relation => relation with { Wordings = Choose(relation, config.Wordings) })];
        Dictionary<(string, string), int> heldOut = ChooseHeldOut(config);
        HeldOut = [.. Facts.Where(pair => heldOut.ContainsKey((pair.Relation.Name, pair.Fact.Key)))
            .Select(pair => new WordedFact(pair.Relation, pair.Fact, heldOut[(pair.Relation.Name, pair.Fact.Key)]))];
        Trained = [.. Facts.Select((pair, index) => TrainedWordings(pair.Relation, pair.Fact, index, heldOut))];
    }

    /// <summary>The relations with the wordings in use.</summary>
    public IReadOnlyList<SampleRelation> Relations { get; }

    /// <summary>The pairs kept for the examination, in the order of the facts.</summary>
    public IReadOnlyList<WordedFact> HeldOut { get; }

    /// <summary>For each fact its trained wordings; the first ones of neighbouring facts differ, so that any few show all wordings.</summary>
    public IReadOnlyList<IReadOnlyList<WordedFact>> Trained { get; }

    private IEnumerable<(SampleRelation Relation, SampleFact Fact)> Facts =>
        Relations.SelectMany(relation => relation.Facts.Select(fact => (relation, fact)));

    /// <summary>The first wordings of a relation; one that only puts words around another is passed over, for who has read the one has
    /// read the other.</summary>
    private static List<SampleTemplate> Choose(SampleRelation relation, int wanted)
    {
        var chosen = new List<SampleTemplate>();
        foreach (SampleTemplate wording in relation.Wordings)
        {
            string sentence = Core(wording.Render(relation.Facts[0].Form));
            bool repeats = chosen.Exists(other => Core(other.Render(relation.Facts[0].Form)) is var earlier && (Holds(sentence, earlier) || Holds(earlier, sentence)));
            if (!repeats && chosen.Count < wanted) chosen.Add(wording);
        }
        return chosen;
    }

    private static List<WordedFact> TrainedWordings(
        SampleRelation relation, SampleFact fact, int index, Dictionary<(string, string), int> heldOut) =>
        [.. Enumerable.Range(0, relation.Wordings.Count)
            .Select(i => (index + i) % relation.Wordings.Count)
            .Where(wording => !heldOut.TryGetValue((relation.Name, fact.Key), out int kept) || kept != wording)
            .Select(wording => new WordedFact(relation, fact, wording))];

    private Dictionary<(string, string), int> ChooseHeldOut(SampleConfig config)
    {
        List<string> sentences = [.. Facts.SelectMany(pair => Enumerable.Range(0, pair.Relation.Wordings.Count)
                .Select(wording => new WordedFact(pair.Relation, pair.Fact, wording).Sentence)), .. _text.FreeSentences];
        var chosen = new Dictionary<(string, string), int>();
        foreach (SampleRelation relation in Relations)
        {
            int wanted = (int)Math.Ceiling(config.HeldOutFactShare * relation.Facts.Count);
            CounterRandom random = _random.Substream(relation.Name);
            int first = (int)random.Substream("wording").Below(0, (uint)relation.Wordings.Count);
            int taken = 0;
            foreach (SampleFact fact in Shuffle.Of(relation.Facts, random))
            {
                if (taken == wanted) break;
                for (int i = 0; i < relation.Wordings.Count; i++)
                {
                    int wording = (first + taken + i) % relation.Wordings.Count;
                    if (!StandsAlone(new WordedFact(relation, fact, wording).Sentence, sentences)) continue;
                    chosen[(relation.Name, fact.Key)] = wording;
                    taken++;
                    break;
                }
            }
        }
        return chosen;
    }

    /// <summary>A sentence that is also part of another one would be trained after all.</summary>
    private static bool StandsAlone(string sentence, List<string> sentences)
    {
        string core = Core(sentence);
        return sentences.Count(other => Holds(other, core)) == 1;
    }

    private static string Core(string sentence) => sentence.TrimEnd('.', '!', '?');

    /// <summary>Whether a sentence holds another as whole words.</summary>
    internal static bool Holds(string sentence, string part)
    {
        for (int at = sentence.IndexOf(part, StringComparison.OrdinalIgnoreCase); at >= 0; at = sentence.IndexOf(part, at + 1, StringComparison.OrdinalIgnoreCase))
            if ((at == 0 || !char.IsLetterOrDigit(sentence[at - 1])) && (at + part.Length == sentence.Length || !char.IsLetterOrDigit(sentence[at + part.Length])))
                return true;   // whole words: "8 is" is no part of "18 is"
        return false;
    }
}
