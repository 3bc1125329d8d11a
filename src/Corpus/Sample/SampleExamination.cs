using System.Globalization;
using System.Security.Cryptography;
using OpenEuroLLM.Core;
using OpenEuroLLM.Corpus.Sample;

namespace OpenEuroLLM.Corpus;

/// <summary>The examination that goes with the built-in sample.</summary>
public static class SampleExamination
{
    private const int SeenItems = 32;
    private const int GeneratedItems = 28;
    private const int Choices = 4;

    /// <summary>The items of one language: seen and unseen sentences as multiple choice, and questions. A function of the language,
    /// the sample's settings and the seed, like the training text it belongs to. All questions asked are trained ones.</summary>
    /// <param name="language">A language of the built-in sample.</param>
    /// <param name="seed">The seed of the training text.</param>
    /// <param name="config">The settings of the training text.</param>
    public static IReadOnlyList<ExaminationItem> Items(string language, ulong seed, SampleConfig? config = null) =>
        Items(SampleText.Load(language), config ?? new SampleConfig(), seed);

    /// <summary>SHA-256, in hexadecimal, of the items' lines one after the other: of <c>examination.jsonl</c> as it is written.</summary>
    public static string Hash(IEnumerable<ExaminationItem> items)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (ExaminationItem item in items) hash.AppendData(item.ToJsonLine());
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    internal static IReadOnlyList<ExaminationItem> Items(SampleText text, SampleConfig config, ulong seed)
    {
        var plan = new SamplePlan(text, config, seed);
        CounterRandom random = new CounterRandom(seed, 0).Substream($"examination:{text.Language}");
        var items = new List<ExaminationItem>();
        foreach (WordedFact seen in PickFromEachRelation(plan, SeenItems, random.Substream(ExaminationItem.Seen)))
            items.Add(MultipleChoice(text.Language, seen, ExaminationItem.Seen, random));
        foreach (WordedFact unseen in plan.HeldOut)
            items.Add(MultipleChoice(text.Language, unseen, ExaminationItem.Unseen, random));
        foreach (WordedFact asked in PickFromEachRelation(plan, GeneratedItems, random.Substream(ExaminationItem.Generated)))
            items.Add(new ExaminationItem(
                $"{text.Language}/{asked.Relation.Name}/{asked.Fact.Key}/question", text.Language, asked.Relation.Name, ExaminationItem.Generated,
                Question: asked.Relation.Question.Render(asked.Fact.Form), Expected: asked.Relation.Answer.Fill(asked.Fact.Form),
                QuestionTrained: true));
        return items;
    }

    /// <summary>Facts of every relation in proportion to its size, each in the wording that every training text has it in.</summary>
    private static IEnumerable<WordedFact> PickFromEachRelation(SamplePlan plan, int count, CounterRandom random)
    {
        int facts = plan.Trained.Count;
        return plan.Trained.Select(wordings => wordings[0])
            .GroupBy(worded => worded.Relation.Name)
            .SelectMany(group => Shuffle.Of(group, random.Substream(group.Key)).Take((count * group.Count() + facts / 2) / facts));
    }

    private static ExaminationItem MultipleChoice(string language, WordedFact worded, string kind, CounterRandom random)
    {
        string id = string.Create(CultureInfo.InvariantCulture, $"{language}/{worded.Relation.Name}/{worded.Fact.Key}/{worded.Wording}");
        CounterRandom own = random.Substream(id);
        SampleTemplate wording = worded.Relation.Wordings[worded.Wording];
        (string context, string right) = wording.Split(worded.Fact.Form, worded.Fact.Form);
        IEnumerable<string> wrong = Shuffle.Of(worded.Relation.Facts, own)
            .Where(other => SampleKeys.SameKind(other, worded.Fact) && other.Key != worded.Fact.Key)
            .Select(other => wording.Split(worded.Fact.Form, other.Form).Object)
            .Where(choice => choice != right)
            .Distinct()
            .Take(Choices - 1);
        List<string> choices = Shuffle.Of(wrong.Prepend(right), own.Substream("order"));
        return new ExaminationItem(id, language, worded.Relation.Name, kind, context, choices, choices.IndexOf(right));
    }
}
