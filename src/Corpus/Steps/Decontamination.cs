using System.ComponentModel.DataAnnotations;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using OpenEuroLLM.Core;
using OpenEuroLLM.Corpus.Contamination;

namespace OpenEuroLLM.Corpus;

/// <summary>What becomes of a document that has items of evaluation tasks.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<ContaminationAction>))]
public enum ContaminationAction
{
    /// <summary>It is dropped.</summary>
    [JsonStringEnumMemberName("drop")] Drop,

    /// <summary>What it has in common with items is cut out.</summary>
    [JsonStringEnumMemberName("cut")] Cut,

    /// <summary>It stays; what was found is counted and recorded.</summary>
    [JsonStringEnumMemberName("count")] Count,
}

/// <summary>Finds documents that have items of evaluation tasks, which a model that is to be measured by them must not have read. An item is recognized by its runs of
/// so many words (n-grams), whatever the capitals, punctuation and layout; counted per task and language, and recorded item by item in the ledger.</summary>
/// <param name="Tasks">Files or folders of items: <c>.jsonl</c> with an item a line, <c>.txt</c> with a text a line, plain or with <c>.gz</c> or <c>.zst</c> behind; of a corpus folder
/// its examination. The name of a task is that of its file, unless a field says it.</param>
/// <param name="Ngram">Words of an n-gram.</param>
/// <param name="LeastWords">Parts of an item (a passage, a question) of fewer words than an n-gram are looked for as a whole if they have so many words. An item whose parts are all
/// shorter is looked for as one text; if that is shorter too, it is counted as not checkable.</param>
/// <param name="Share">The share of an item's n-grams that a document must have: 0 (any) to 1 (all).</param>
/// <param name="EnoughNgrams">So many n-grams suffice, whatever their share; absent: the share alone counts.</param>
/// <param name="TemplateItems">N-grams in more items of one task are part of its template and no evidence; absent: a tenth of the task's items, but at least 5 and at most 50.</param>
/// <param name="Action">What becomes of the document. Chats are dropped where others are cut: their messages would no longer fit.</param>
/// <param name="MarginWords">Cutting goes on to the ends of the sentence or line, but at most so many words to either side.</param>
/// <param name="Fields">The fields of a line that make up an item; absent: the usual ones (<c>text</c>, <c>question</c>, <c>passage</c>, <c>context</c>, ...), and of choices the true one
/// behind its <c>context</c>.</param>
/// <param name="TaskField">The field with the name of the task.</param>
/// <param name="IdField">The field with the name of the item.</param>
/// <param name="MostMegabytes">The most memory that the n-grams may take, in MB; one takes 32 bytes at most.</param>
/// <remarks>Texts are compared in one Unicode form: put the step behind <c>unicode-normalization</c>. Runs of 13 words: Brown et al., "Language Models are Few-Shot Learners",
/// arXiv:2005.14165, appendix C; the share and what the defaults find by chance: <c>docs/decisions/decontamination.md</c>.</remarks>
public sealed record Decontamination(
    IReadOnlyList<string>? Tasks = null,
    [property: Range(5, 64)] int Ngram = 13,
    [property: Range(3, 64)] int LeastWords = 8,
    [property: Range(0.0, 1.0)] double Share = 0.5,
    [property: Range(1, 1_000_000)] int? EnoughNgrams = null,
    [property: Range(1, 1_000_000)] int? TemplateItems = null,
    ContaminationAction Action = ContaminationAction.Drop,
    [property: Range(0, 1000)] int MarginWords = 30,
    IReadOnlyList<string>? Fields = null,
    string TaskField = "task",
    string IdField = "id",
    [property: Range(1, 65_536)] int MostMegabytes = 1024) : Filter
{
    private const string Rule = "ngram-overlap-1";

    /// <summary>Built once for each step, and not a part of its value: steps with the same settings are equal.</summary>
    private static readonly ConditionalWeakTable<Decontamination, TaskIndex> Indexes = [];

    /// <inheritdoc/>
    internal override IReadOnlyList<string> Files => TaskFiles.Find(PhysicalFileSystem.Instance, Tasks);

    /// <summary>The items, read when they are first wanted.</summary>
    internal TaskIndex Index
    {
        get
        {
            if (Indexes.TryGetValue(this, out TaskIndex? index)) return index;
            lock (Indexes) return Indexes.GetValue(this, step => step.Load());
        }
    }

    /// <inheritdoc/>
    /// <exception cref="UserErrorException">The tasks cannot be read.</exception>
    public override Verdict Judge(Document document)
    {
        ArgumentNullException.ThrowIfNull(document);
        TaskIndex index = Index;
        if (TextContamination.Of(index, document.Text, Share, EnoughNgrams) is not { } found) return Verdict.Keep;
        return Outcome(index, document, found).Recorded(Entry(index, document.Text, found));
    }

    /// <summary>How many items each task has, how many of them cannot be looked for, and how many were found.</summary>
    internal override IEnumerable<ManifestCount> Totals(IEnumerable<JsonObject> records)
    {
        TaskIndex index = Index;
        var found = new HashSet<(string Task, string Id)>();
        foreach (JsonObject record in records)
            foreach (JsonNode? item in record["items"] as JsonArray ?? []) found.Add(((string)item!["task"]!, (string)item["item"]!));
        for (int task = 0; task < index.Tasks.Count; task++)
        {
            string name = index.Tasks[task];
            yield return new ManifestCount(CorpusReport.TasksStep, $"{name}: items", Documents: index.Items.LongCount(item => item.Task == task));
            yield return new ManifestCount(CorpusReport.TasksStep, $"{name}: not-checkable", Documents: index.Items.LongCount(item => item.Task == task && item.Ngrams == 0));
            yield return new ManifestCount(CorpusReport.TasksStep, $"{name}: found", Documents: index.Items.LongCount(item => item.Task == task && found.Contains((name, item.Id))));
        }
    }

    private Verdict Outcome(TaskIndex index, Document document, TextContamination found)
    {
        if (Action == ContaminationAction.Count) return Verdict.Keep;
        // Of several tasks the one with most items, of equal ones the first by name.
        string task = index.Tasks[found.Items.GroupBy(item => index.Items[item.Item].Task).OrderByDescending(items => items.Count()).ThenBy(items => items.Key).First().Key];
        if (Action == ContaminationAction.Drop || ChatMessages.Of(document.Metadata) is not null) return Verdict.Drop($"contaminated-by-{task}");
        string remaining = new Deduplication.UnitVerdict(null, found.Cuts(document.Text, MarginWords)).Remaining(document.Text);
        return string.IsNullOrWhiteSpace(remaining) ? Verdict.Drop(CorpusReport.NothingLeft) : Verdict.Replace(document with { Text = remaining });
    }

    private LedgerEntry Entry(TaskIndex index, string text, TextContamination found)
    {
        string evidence = string.Join('\n', found.Passages.Select(passage => text[passage.Start..passage.End]));
        var record = new JsonObject
        {
            ["rule"] = Rule,
            ["ngram"] = Ngram,
            ["evidenceSha256"] = Manifest.Hash(Encoding.UTF8.GetBytes(evidence)),
            ["items"] = new JsonArray([.. found.Items.Select(item => (JsonNode)new JsonObject
            {
                ["task"] = index.Tasks[index.Items[item.Item].Task],
                ["item"] = index.Items[item.Item].Id,
                ["found"] = item.Found,
                ["of"] = index.Items[item.Item].Ngrams,
            })]),
        };
        return new LedgerEntry(record, [.. found.Items.Select(item => index.Tasks[index.Items[item.Item].Task]).Distinct()]);
    }

    private TaskIndex Load()
    {
        var reader = new TaskFiles(PhysicalFileSystem.Instance, Fields, TaskField, IdField);
        return TaskIndex.Build(Files.SelectMany(reader.Read), Ngram, LeastWords, TemplateItems, MostMegabytes);
    }
}
