using System.Text;
using OpenEuroLLM.Core;
using OpenEuroLLM.Corpus.Readers;

namespace OpenEuroLLM.Corpus.Contamination;

/// <summary>What was found of evaluation tasks in texts.</summary>
/// <param name="Documents">Documents read.</param>
/// <param name="Bytes">Their text, in bytes of UTF-8.</param>
/// <param name="Tasks">What was found of each task, in ordinal order.</param>
public sealed record ContaminationFindings(long Documents, long Bytes, IReadOnlyList<TaskContamination> Tasks);

/// <summary>What was found of one task.</summary>
/// <param name="Task">Name of the task.</param>
/// <param name="Items">Its items.</param>
/// <param name="NotCheckable">Those that are too short to be looked for, or have nothing but the template of the task.</param>
/// <param name="Found">Those that were found.</param>
/// <param name="Documents">Documents with any of its items, by language.</param>
/// <param name="Examples">Some items and where they were found, the first ones.</param>
public sealed record TaskContamination(
    string Task, long Items, long NotCheckable, long Found, IReadOnlyDictionary<string, long> Documents, IReadOnlyList<ContaminationExample> Examples);

/// <summary>An item and a document that has it.</summary>
/// <param name="Item">Name of the item.</param>
/// <param name="Document">Name of the document.</param>
/// <param name="Language">Its language, <c>und</c> where nothing says it.</param>
/// <param name="Found">How many of the item's n-grams it has.</param>
/// <param name="Of">How many the item has.</param>
/// <param name="Passage">The first of what they have in common, at most 200 characters.</param>
public sealed record ContaminationExample(string Item, string Document, string Language, int Found, int Of, string Passage);

/// <summary>Looks for evaluation tasks in a finished corpus or in other texts.</summary>
public static class ContaminationCheck
{
    private const int PassageCharacters = 200;
    private const string UnknownLanguage = "und";

    private static readonly string[] Sides = ["train", "heldout"];

    /// <summary>Looks through texts. The outcome does not depend on the number of workers.</summary>
    /// <param name="texts">Corpus folders, of which what is for training and what is held out is read, and other files and folders, as a corpus is built from.</param>
    /// <param name="step">What is looked for, and how.</param>
    /// <param name="examples">How many examples of each task are given.</param>
    /// <param name="launcher">Runs the units of work.</param>
    /// <param name="bytesRead">Told of the bytes as they are read.</param>
    /// <param name="cancellation">Stops the work.</param>
    /// <exception cref="UserErrorException">The tasks or texts cannot be read.</exception>
    public static ContaminationFindings Run(
        IReadOnlyList<string> texts, Decontamination step, int examples, ILauncher launcher, Action<long>? bytesRead = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(texts);
        ArgumentNullException.ThrowIfNull(step);
        ArgumentNullException.ThrowIfNull(launcher);
        IFileSystem files = PhysicalFileSystem.Instance;
        TaskIndex index = step.Index;
        CorpusUnit[] units = [.. texts.SelectMany(text => Sources(files, text)).SelectMany(source => CorpusInput.Open(new CorpusConfig(source, [UnknownLanguage], []), files).Units)];
        var parts = new Part[units.Length];
        launcher.Run(units.Length, number =>
        {
            var part = new Part(index, examples);
            foreach (Document document in units[number].Read(files, bytesRead ?? (_ => { }), _ => { }))
            {
                cancellation.ThrowIfCancellationRequested();
                part.Add(step, document);
            }
            parts[number] = part;
        }, cancellation);
        var all = new Part(index, examples);
        foreach (Part part in parts) all.Add(part);
        return all.Findings();
    }

    /// <summary>Of a corpus folder its documents alone: its other files are no texts.</summary>
    private static string[] Sources(IFileSystem files, string text)
    {
        string[] sides = [.. Sides.Select(side => Path.Combine(text, side)).Where(side => files.DirectoryExists(side) && files.EnumerateFiles(side, recursive: false).Any())];
        return files.FileExists(Path.Combine(text, Manifest.FileName)) && sides.Length > 0 ? sides : [text];
    }

    /// <summary>What was found in a part of the texts.</summary>
    private sealed class Part(TaskIndex index, int most)
    {
        private readonly HashSet<int> _items = [];
        private readonly SortedDictionary<string, long>[] _documents = [.. index.Tasks.Select(_ => new SortedDictionary<string, long>(StringComparer.Ordinal))];
        private readonly List<ContaminationExample>[] _examples = [.. index.Tasks.Select(_ => new List<ContaminationExample>())];
        private long _read, _bytes;

        public void Add(Decontamination step, Document document)
        {
            _read++;
            _bytes += Encoding.UTF8.GetByteCount(document.Text);
            string text = UnicodeNormalization.Normalize(document.Text) ?? document.Text;
            if (TextContamination.Of(index, text, step.Share, step.EnoughNgrams) is not { } found) return;
            foreach (IGrouping<int, FoundItem> items in found.Items.GroupBy(item => index.Items[item.Item].Task))
            {
                _documents[items.Key][document.Lang] = _documents[items.Key].GetValueOrDefault(document.Lang) + 1;
                foreach (FoundItem item in items)
                    if (_items.Add(item.Item) && _examples[items.Key].Count < most)
                        _examples[items.Key].Add(new ContaminationExample(index.Items[item.Item].Id, document.Id, document.Lang, item.Found, index.Items[item.Item].Ngrams, Beginning(text, found)));
            }
        }

        public void Add(Part other)
        {
            _read += other._read;
            _bytes += other._bytes;
            _items.UnionWith(other._items);
            for (int task = 0; task < _documents.Length; task++)
            {
                foreach ((string language, long count) in other._documents[task]) _documents[task][language] = _documents[task].GetValueOrDefault(language) + count;
                foreach (ContaminationExample example in other._examples[task])
                    if (_examples[task].Count < most && _examples[task].TrueForAll(known => known.Item != example.Item)) _examples[task].Add(example);
            }
        }

        public ContaminationFindings Findings() => new(_read, _bytes, [.. index.Tasks.Select((name, task) => new TaskContamination(
            name, index.Items.LongCount(item => item.Task == task), index.Items.LongCount(item => item.Task == task && item.Ngrams == 0),
            _items.Count(item => index.Items[item].Task == task), _documents[task], _examples[task]))]);

        private static string Beginning(string text, TextContamination found)
        {
            (int start, int end) = (found.Passages[0].Start, found.Passages[0].End);
            if (end - start > PassageCharacters) end = start + PassageCharacters - (char.IsHighSurrogate(text[start + PassageCharacters - 1]) ? 1 : 0);
            return text[start..end].ReplaceLineEndings(" ");
        }
    }
}
