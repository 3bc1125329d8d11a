using System.Text;
using OpenEuroLLM.Core;
using OpenEuroLLM.Inference;

namespace OpenEuroLLM.Evaluation;

/// <summary>How far an evaluation is.</summary>
/// <param name="Task">The task under way.</param>
/// <param name="Done">Units done: documents or items.</param>
/// <param name="Total">Units of the task.</param>
/// <param name="SecondsLeft">Time left for this task, from its speed so far; null at its start.</param>
public sealed record EvaluationProgress(string Task, int Done, int Total, double? SecondsLeft);

/// <summary>Examines a model: bits per byte of held-out text, and the facts of the built-in sample.</summary>
public static class Evaluator
{
    // Enough for full batches, few enough that progress moves.
    private const int DocumentsAtOnce = 16, ItemsAtOnce = 16, QuestionsAtOnce = 64;

    /// <summary>Runs the tasks of the settings on a corpus folder, and scores single files.</summary>
    /// <param name="engine">The model.</param>
    /// <param name="corpusFolder">A finished corpus folder (<c>heldout/LANGUAGE.jsonl</c>, <c>examination.jsonl</c>), or null.</param>
    /// <param name="settings">What to examine.</param>
    /// <param name="files">Files to score by themselves: <c>.jsonl</c> as documents, anything else as one text.</param>
    /// <param name="progress">Told about each piece that is done.</param>
    /// <param name="clock">For the time left.</param>
    /// <param name="cancellation">Ends the evaluation.</param>
    /// <exception cref="UserErrorException">A file is malformed, or the model cannot do what a task needs.</exception>
    public static EvaluationReport Run(
        InferenceEngine engine, string? corpusFolder, EvaluationSettings settings, IReadOnlyList<string>? files = null,
        IProgress<EvaluationProgress>? progress = null, IClock? clock = null, CancellationToken cancellation = default)
    {
        foreach (string task in settings.Tasks)
            if (!EvaluationSettings.KnownTasks.Contains(task))
                throw new UserErrorException($"task '{task}' is unknown{SuggestedName.Hint(task, [.. EvaluationSettings.KnownTasks])}");
        if (corpusFolder is not null) Manifest.Read(PhysicalFileSystem.Instance, corpusFolder);
        var run = new Examination(engine, settings, progress, clock ?? SystemClock.Instance, cancellation);
        if (corpusFolder is not null && settings.Tasks.Contains(EvaluationSettings.BitsPerByteTask)) run.ScoreHeldout(corpusFolder);
        if (corpusFolder is not null && settings.Tasks.Contains(EvaluationSettings.FactsTask)) run.AskFacts(corpusFolder);
        foreach (string file in files ?? []) run.ScoreFile(file);
        return run.Report();
    }

    private sealed class Examination(
        InferenceEngine engine, EvaluationSettings settings, IProgress<EvaluationProgress>? progress, IClock clock, CancellationToken cancellation)
    {
        private static readonly UTF8Encoding _utf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);
        private readonly Scorer _scorer = new(engine);
        private readonly SortedDictionary<string, (TextScore Score, int Documents)> _texts = new(StringComparer.Ordinal);
        private readonly SortedDictionary<string, SortedDictionary<string, FactResult>> _facts = new(StringComparer.Ordinal);
        private readonly SortedDictionary<string, TextScore> _files = new(StringComparer.Ordinal);
        private readonly List<ManifestCount> _counts = [];
        private string? _itemsHash;

        public EvaluationReport Report()
        {
            var languages = new SortedDictionary<string, LanguageResult>(StringComparer.Ordinal);
            foreach (string code in _texts.Keys.Union(_facts.Keys))
            {
                var (score, documents) = _texts.GetValueOrDefault(code);
                var relations = _facts.GetValueOrDefault(code);
                languages[code] = new LanguageResult(score, documents, relations?.Values.Aggregate(Together), relations ?? []);
            }

            return new EvaluationReport(engine.Info.WeightsSha256, languages, _files, _itemsHash, settings, _counts);
        }

        public void ScoreHeldout(string corpusFolder)
        {
            string folder = Path.Combine(corpusFolder, "heldout");
            if (!Directory.Exists(folder)) return;
            var texts = new List<(string Language, string Text)>();
            foreach (string file in Directory.EnumerateFiles(folder, "*.jsonl").Order(StringComparer.Ordinal))
                texts.AddRange(ChooseHeldout(file).Select(text => (Path.GetFileNameWithoutExtension(file), text)));

            var pace = new Pace(this, EvaluationSettings.BitsPerByteTask, texts.Count);
            foreach (var chunk in texts.Chunk(DocumentsAtOnce))
            {
                var scores = _scorer.Score([.. chunk.Select(pair => pair.Text)], cancellation);
                for (int i = 0; i < chunk.Length; i++)
                {
                    var (score, documents) = _texts.GetValueOrDefault(chunk[i].Language, (new TextScore(0, 0, 0), 0));
                    _texts[chunk[i].Language] = (score.Plus(scores[i]), documents + 1);
                }

                pace.Add(chunk.Length);
            }

            foreach (var (language, (score, documents)) in _texts)
                _counts.Add(new ManifestCount(EvaluationSettings.BitsPerByteTask, "scored", language, Documents: documents, Bytes: score.Bytes, Tokens: score.Tokens));
        }

        // Chats are no running text: their template would be scored with them, so they are left out and counted.
        private List<string> ChooseHeldout(string file)
        {
            string language = Path.GetFileNameWithoutExtension(file);
            var chosen = new List<string>();
            long bytes = 0;
            var leftOut = new SortedDictionary<string, (int Documents, long Bytes)>(StringComparer.Ordinal);
            foreach (var document in ReadDocuments(file))
            {
                int length = Encoding.UTF8.GetByteCount(document.Text);
                string? reason = document.Metadata?.ContainsKey("messages") == true ? "chat-left-out"
                    : length == 0 ? "empty-left-out"
                    : bytes >= settings.HeldoutBytesPerLanguage ? "beyond-limit-left-out"
                    : null;
                if (reason is null)
                {
                    chosen.Add(document.Text);
                    bytes += length;
                }
                else
                {
                    var (count, sum) = leftOut.GetValueOrDefault(reason);
                    leftOut[reason] = (count + 1, sum + length);
                }
            }

            foreach (var (reason, (count, sum)) in leftOut)
                _counts.Add(new ManifestCount(EvaluationSettings.BitsPerByteTask, reason, language, Documents: count, Bytes: sum));
            return chosen;
        }

        public void ScoreFile(string file)
        {
            if (!File.Exists(file)) throw new UserErrorException($"{file}: there is no such file; expected text or .jsonl documents to score.");
            string[] texts = file.EndsWith(".jsonl", StringComparison.OrdinalIgnoreCase)
                ? [.. ReadDocuments(file).Select(document => document.Text)]
                : [ReadText(file)];
            var pace = new Pace(this, Path.GetFileName(file), texts.Length);
            var sum = new TextScore(0, 0, 0);
            foreach (var chunk in texts.Chunk(DocumentsAtOnce))
            {
                sum = _scorer.Score(chunk, cancellation).Aggregate(sum, (total, score) => total.Plus(score));
                pace.Add(chunk.Length);
            }

            if (sum.Bytes == 0) throw new UserErrorException($"{file}: holds no text; expected some to score.");
            if (!_files.TryAdd(Path.GetFileName(file), sum))
                throw new UserErrorException($"{file}: a file named {Path.GetFileName(file)} was given before; give each name once.");
        }

        public void AskFacts(string corpusFolder)
        {
            var items = ExaminationItem.ReadAll(corpusFolder);
            if (items.Count == 0) return;
            _itemsHash = Manifest.HashFile(PhysicalFileSystem.Instance, Path.Combine(corpusFolder, ExaminationItem.FileName));
            var choices = items.Where(item => item.Kind != ItemKind.Generated).ToArray();
            var questions = items.Where(item => item.Kind == ItemKind.Generated).ToArray();
            if (questions.Length > 0 && engine.ChatObstacle is string obstacle)
                throw new UserErrorException($"the facts have questions that are asked as a chat, and {obstacle}");

            var pace = new Pace(this, EvaluationSettings.FactsTask, items.Count);
            foreach (var chunk in choices.Chunk(ItemsAtOnce))
            {
                var scores = Asked(() => _scorer.Score([.. chunk.Select(item => new ContinuationItem(item.Context, item.Choices))], cancellation));
                for (int i = 0; i < chunk.Length; i++) Judge(chunk[i], scores[i]);
                pace.Add(chunk.Length);
            }

            foreach (var chunk in questions.Chunk(QuestionsAtOnce))
            {
                // All at once: the engine batches them, and no answer depends on the others.
                string[] answers = Task.WhenAll(chunk.Select(item => Ask(item.Question))).GetAwaiter().GetResult();
                for (int i = 0; i < chunk.Length; i++)
                {
                    bool hit = ShortAnswer.Matches(answers[i], chunk[i].Expected);
                    Update(chunk[i], facts => facts with { Generated = facts.Generated.Plus(hit) });
                }

                pace.Add(chunk.Length);
            }

            foreach (var group in items.GroupBy(item => (item.Language, item.Kind)))
                _counts.Add(new ManifestCount(EvaluationSettings.FactsTask, group.Key.Kind.ToString().ToLowerInvariant(), group.Key.Language, Documents: group.Count()));
        }

        private void Judge(ExaminationItem item, IReadOnlyList<ContinuationScore> scores)
        {
            bool bySum = Best(scores.Select(score => score.LogProbability)) == item.Answer;
            bool perByte = Best(scores.Select((score, i) => score.LogProbability / Encoding.UTF8.GetByteCount(item.Choices[i].Trim()))) == item.Answer;
            Update(item, facts =>
            {
                facts = facts with { ExpectedByChance = facts.ExpectedByChance + 1.0 / item.Choices.Count };
                return item.Kind == ItemKind.Seen
                    ? facts with { Seen = facts.Seen.Plus(bySum), SeenPerByte = facts.SeenPerByte.Plus(perByte) }
                    : facts with { Unseen = facts.Unseen.Plus(bySum), UnseenPerByte = facts.UnseenPerByte.Plus(perByte) };
            });
        }

        // The first of equals, as everywhere.
        private static int Best(IEnumerable<double> values)
        {
            int best = 0, at = 0;
            double highest = double.NegativeInfinity;
            foreach (double value in values)
            {
                if (value > highest) (highest, best) = (value, at);
                at++;
            }

            return best;
        }

        private async Task<string> Ask(string question)
        {
            var request = new GenerationRequest(new GenerationInput.Messages([new ChatMessage("user", question)]), Sampling.Greedy, settings.MaxAnswerTokens);
            var answer = new StringBuilder();
            await foreach (var happened in Asked(() => engine.Generate(request, cancellation)).ConfigureAwait(false))
                if (happened is GenerationEvent.Text text) answer.Append(text.Value);
            return answer.ToString();
        }

        // An item that the model cannot take (its context is too short) is a mistake of the user's choice of model.
        private static T Asked<T>(Func<T> ask)
        {
            try
            {
                return ask();
            }
            catch (RequestException exception)
            {
                throw new UserErrorException($"an item of {ExaminationItem.FileName} cannot be asked: {exception.Message}", exception);
            }
        }

        private void Update(ExaminationItem item, Func<FactResult, FactResult> change)
        {
            if (!_facts.TryGetValue(item.Language, out var relations))
                _facts[item.Language] = relations = new SortedDictionary<string, FactResult>(StringComparer.Ordinal);
            relations[item.Relation] = change(relations.GetValueOrDefault(item.Relation, FactResult.Empty));
        }

        private static FactResult Together(FactResult a, FactResult b) => new(
            Sum(a.Seen, b.Seen), Sum(a.Unseen, b.Unseen), Sum(a.SeenPerByte, b.SeenPerByte), Sum(a.UnseenPerByte, b.UnseenPerByte),
            Sum(a.Generated, b.Generated), a.ExpectedByChance + b.ExpectedByChance);

        private static Share Sum(Share a, Share b) => new(a.Hits + b.Hits, a.Items + b.Items);

        private static List<Document> ReadDocuments(string file)
        {
            var documents = new List<Document>();
            int line = 0;
            foreach (string text in Strict(file, () => File.ReadLines(file, _utf8).ToArray()))
            {
                line++;
                if (text.Length > 0) documents.Add(Document.Parse(Encoding.UTF8.GetBytes(text), $"{file}:{line}"));
            }

            return documents;
        }

        private static string ReadText(string file) => Strict(file, () => File.ReadAllText(file, _utf8));

        // Bytes that are no UTF-8 would silently be read as replacement characters otherwise.
        private static T Strict<T>(string file, Func<T> read)
        {
            try
            {
                return read();
            }
            catch (DecoderFallbackException exception)
            {
                throw new UserErrorException($"{file}: is not valid UTF-8; convert it first.", exception);
            }
        }

        private sealed class Pace(Examination owner, string task, int total)
        {
            private readonly long _start = owner.Clock.Timestamp;
            private int _done;

            public void Add(int units)
            {
                _done += units;
                double seconds = owner.Clock.SecondsSince(_start);
                owner.Progress?.Report(new EvaluationProgress(task, _done, total, seconds / _done * (total - _done)));
            }
        }

        private IClock Clock { get; } = clock;

        private IProgress<EvaluationProgress>? Progress { get; } = progress;
    }
}
