using System.Text;
using System.Text.Json.Nodes;
using OpenEuroLLM.Core;
using OpenEuroLLM.Formats;
using OpenEuroLLM.Inference;
using OpenEuroLLM.Models;
using OpenEuroLLM.Models.Llama;
using OpenEuroLLM.Tensors;
using OpenEuroLLM.Tokenizers;

namespace OpenEuroLLM.Evaluation.Tests;

/// <summary>A real model with random weights: the examination is then made from what it answers, so that every count is known.</summary>
public sealed class EvaluatorTests : IDisposable
{
    private const string Words = "the capital of austria is vienna rome sofia riga which one comes next monday tuesday blue sky ";
    private readonly string _root = Directory.CreateTempSubdirectory("oellm-evaluation-").FullName;
    private readonly InferenceEngine _engine;

    public EvaluatorTests()
    {
        Directory.CreateDirectory(ModelPath);
        byte[] text = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat(Words, 20)));
        var tokenizer = BpeTrainer.Train([new TrainingText(text, "en")], new BpeTrainerConfig(300), new LocalLauncher(1), cancellation: Ending);
        tokenizer.Save(ModelPath);
        File.WriteAllText(Path.Combine(ModelPath, ChatTemplate.FileName), ChatTemplate.Text);
        using (var engine = new Engine(1))
        using (var model = LanguageModel.Create(new LlamaConfig(2, 32, 4, 2, 8, 64, tokenizer.VocabularySize, 96), seed: 5, engine))
            ModelFolder.Save(model, ModelPath, SafetensorsType.F32);
        _engine = InferenceEngine.Load(ModelPath, threads: 1);
    }

    private static CancellationToken Ending => TestContext.Current.CancellationToken;

    private string ModelPath => Path.Combine(_root, "model");

    private string CorpusPath => Path.Combine(_root, "corpus");

    private void WriteCorpus(IEnumerable<string> examination, params (string Language, Document[] Documents)[] heldout)
    {
        using var corpus = AtomicDirectory.Create(CorpusPath, "corpus", []);
        string[] lines = [.. examination];
        if (lines.Length > 0) File.WriteAllLines(Path.Combine(corpus.Path, "examination.jsonl"), lines);
        Directory.CreateDirectory(Path.Combine(corpus.Path, "heldout"));
        foreach (var (language, documents) in heldout)
            File.WriteAllLines(Path.Combine(corpus.Path, "heldout", language + ".jsonl"), documents.Select(document => Encoding.UTF8.GetString(document.ToJsonLine())));
        corpus.Commit();
    }

    private static Document Text(string text, JsonObject? metadata = null) => new("1", text, "en", "test", "CC0-1.0", Metadata: metadata);

    private EvaluationReport Run(EvaluationSettings? settings = null, params string[] files) =>
        Evaluator.Run(_engine, Directory.Exists(CorpusPath) ? CorpusPath : null, settings ?? new EvaluationSettings(), files, cancellation: Ending);

    private double[] Scores(string context, string[] choices) =>
        [.. new Scorer(_engine).Score([new ContinuationItem(context, choices)], Ending)[0].Select(score => score.LogProbability)];

    private static string Choice(string kind, string relation, string context, string[] choices, int answer, string language = "en") => new JsonObject
    {
        ["id"] = "x",
        ["language"] = language,
        ["relation"] = relation,
        ["kind"] = kind,
        ["context"] = context,
        ["choices"] = new JsonArray([.. choices.Select(choice => (JsonNode)choice)]),
        ["answer"] = answer,
    }.ToJsonString();

    private static string Question(string question, string expected, string relation = "capital") => new JsonObject
    {
        ["id"] = "q",
        ["language"] = "en",
        ["relation"] = relation,
        ["kind"] = "generated",
        ["question"] = question,
        ["expected"] = expected,
        ["questionTrained"] = true,
    }.ToJsonString();

    private async Task<string> Answer(string question, int tokens)
    {
        var text = new StringBuilder();
        var request = new GenerationRequest(new GenerationInput.Messages([new ChatMessage("user", question)]), Sampling.Greedy, tokens);
        await foreach (var happened in _engine.Generate(request, Ending))
            if (happened is GenerationEvent.Text piece) text.Append(piece.Value);
        return text.ToString();
    }

    [Fact]
    public async Task Facts_are_counted_by_what_the_model_prefers_and_answers()
    {
        string[] four = [" Vienna.", " Rome and the wide blue sky.", " Sofia.", " Riga."], two = [" Monday", " Tuesday"];
        int best = Array.IndexOf(Scores("The capital of Austria is", four), Scores("The capital of Austria is", four).Max());
        int bestOfTwo = Array.IndexOf(Scores("After Monday comes", two), Scores("After Monday comes", two).Max());
        string answer = await Answer("Which one?", 8);
        WriteCorpus(
        [
            Choice("seen", "capital", "The capital of Austria is", four, best),
            Choice("seen", "capital", "The capital of Austria is", four, (best + 1) % 4),
            Choice("unseen", "capital", "The capital of Austria is ", [.. four.Select(choice => choice.Trim())], best),   // the white space moves
            Choice("unseen", "next", "After Monday comes", two, bestOfTwo),
            Choice("unseen", "next", "After Monday comes", two, 1 - bestOfTwo),
            Choice("seen", "next", "After Monday comes", two, bestOfTwo, language: "de"),
            Question("Which one?", " " + answer.Trim() + " "),
            Question("Which one?", "not " + answer),
        ]);

        var report = Run(new EvaluationSettings(MaxAnswerTokens: 8));
        Assert.Equal(["de", "en"], report.Languages.Keys);
        var english = report.Languages["en"];
        Assert.Null(english.Text);
        Assert.Equal((new Share(1, 2), new Share(2, 3), new Share(1, 2)), (english.Facts!.Seen, english.Facts.Unseen, english.Facts.Generated));
        Assert.Equal((0.25 * 3 + 0.5 * 2) / 5, english.Facts.Chance, 12);
        Assert.Equal(["capital", "next"], english.ByRelation.Keys);
        Assert.Equal(new Share(1, 2), english.ByRelation["next"].Unseen);
        Assert.Equal(0.5, english.ByRelation["next"].Chance);
        Assert.Equal(new Share(1, 1), report.Languages["de"].Facts!.Seen);
        Assert.Equal(Manifest.HashFile(PhysicalFileSystem.Instance, Path.Combine(CorpusPath, "examination.jsonl")), report.ItemsSha256);
    }

    [Fact]
    public void Per_byte_accuracy_divides_by_the_bytes_of_the_choice()
    {
        // The long choice loses by sum and wins by byte (the model is nearly uniform, so every token costs about the same).
        string[] choices = [" Q", " the capital of austria is vienna"];
        double[] sums = Scores("x", choices);
        Assert.True(sums[0] > sums[1] && sums[0] / 1 < sums[1] / Encoding.UTF8.GetByteCount(choices[1].Trim()));
        WriteCorpus([Choice("seen", "capital", "x", choices, 1), Choice("unseen", "capital", "x", choices, 0)]);
        var facts = Run().Languages["en"].Facts!;
        Assert.Equal((new Share(0, 1), new Share(1, 1)), (facts.Seen, facts.SeenPerByte));
        Assert.Equal((new Share(1, 1), new Share(0, 1)), (facts.Unseen, facts.UnseenPerByte));
    }

    [Fact]
    public void Bits_per_byte_are_those_of_all_documents_together_and_what_is_left_out_is_counted()
    {
        string[] texts = ["The sky is blue.", string.Concat(Enumerable.Repeat("Monday comes next. ", 30)), "é"];
        var chat = new JsonObject { ["messages"] = new JsonArray(new JsonObject { ["role"] = "user", ["content"] = "Hi" }) };
        WriteCorpus([], ("en", [Text(texts[0]), Text("chat", chat), Text(texts[1]), Text(texts[2])]), ("mt", [Text("Monday.")]));
        var scores = new Scorer(_engine).Score(texts, Ending);
        double bits = -scores.Sum(score => score.LogProbability) / Numerics.Log(2);
        long bytes = texts.Sum(text => (long)Encoding.UTF8.GetByteCount(text));

        var report = Run();
        var english = report.Languages["en"];
        Assert.Equal(bits / bytes, english.Text!.BitsPerByte, 12);
        Assert.Equal((bytes, 3), (english.Text.Bytes, english.HeldoutDocuments));
        Assert.Null(english.Facts);
        Assert.Equal(1, report.Languages["mt"].HeldoutDocuments);
        Assert.Contains(new ManifestCount("bits-per-byte", "chat-left-out", "en", Documents: 1, Bytes: 4), report.Counts);
        Assert.Contains(new ManifestCount("bits-per-byte", "scored", "en", Documents: 3, Bytes: bytes, Tokens: english.Text.Tokens), report.Counts);

        var cut = Run(new EvaluationSettings(HeldoutBytesPerLanguage: 1));
        Assert.Equal(1, cut.Languages["en"].HeldoutDocuments);
        Assert.Contains(cut.Counts, count => count is { Reason: "beyond-limit-left-out", Language: "en", Documents: 2 });
    }

    [Fact]
    public void Only_the_tasks_asked_for_are_run()
    {
        WriteCorpus([Choice("seen", "capital", "x", [" a", " b"], 0)], ("en", [Text("The sky.")]));
        var facts = Run(new EvaluationSettings(["facts"])).Languages["en"];
        Assert.True(facts.Text is null && facts.Facts is not null);
        var text = Run(new EvaluationSettings(["bits-per-byte"])).Languages["en"];
        Assert.True(text.Text is not null && text.Facts is null);
        var error = Assert.Throws<UserErrorException>(() => Run(new EvaluationSettings(["fact"])));
        Assert.Contains("task 'fact' is unknown; did you mean 'facts'?", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Files_are_scored_by_themselves()
    {
        string raw = Path.Combine(_root, "raw.txt"), lines = Path.Combine(_root, "lines.jsonl");
        File.WriteAllText(raw, "The sky is blue.");
        File.WriteAllLines(lines, [Encoding.UTF8.GetString(Text("The sky is blue.").ToJsonLine()), Encoding.UTF8.GetString(Text("Monday.").ToJsonLine())]);
        var report = Run(null, raw, lines);
        Assert.Empty(report.Languages);
        Assert.Equal(new Scorer(_engine).Score(["The sky is blue."], Ending)[0], report.Files["raw.txt"]);
        Assert.Equal(16 + 7, report.Files["lines.jsonl"].Bytes);
        Assert.Throws<UserErrorException>(() => Run(null, raw, raw));
        Assert.Contains("no such file", Assert.Throws<UserErrorException>(() => Run(null, raw + "x")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Bytes_that_are_no_text_are_an_error()
    {
        string raw = Path.Combine(_root, "raw.txt");
        File.WriteAllBytes(raw, [0x41, 0xFF]);
        Assert.Contains("not valid UTF-8", Assert.Throws<UserErrorException>(() => Run(null, raw)).Message, StringComparison.Ordinal);
        File.WriteAllBytes(raw, []);
        Assert.Contains("holds no text", Assert.Throws<UserErrorException>(() => Run(null, raw)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_folder_that_no_stage_finished_is_refused()
    {
        Directory.CreateDirectory(Path.Combine(CorpusPath, "heldout"));
        Assert.Contains("manifest.json", Assert.Throws<UserErrorException>(() => Run()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_item_longer_than_the_context_is_an_error_not_a_cut()
    {
        WriteCorpus([Choice("seen", "capital", string.Concat(Enumerable.Repeat("Qx7 ", 200)), [" a", " b"], 0)]);
        Assert.Contains("context holds 96", Assert.Throws<UserErrorException>(() => Run()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_stage_leaves_results_and_manifest_and_repeats_byte_for_byte()
    {
        string answer = await Answer("Which one?", 32);
        WriteCorpus([Choice("seen", "capital", "x", [" a", " b"], 0), Choice("unseen", "capital", "x", [" a", " b"], 1), Question("Which one?", answer)],
            ("en", [Text("The sky is blue.")]));
        string first = Path.Combine(_root, "evaluation"), second = Path.Combine(_root, "again");
        var manifest = Run().Save(first, ModelPath, CorpusPath);
        Run().Save(second, ModelPath, CorpusPath);
        Assert.Equal(File.ReadAllBytes(Path.Combine(first, "evaluation.json")), File.ReadAllBytes(Path.Combine(second, "evaluation.json")));
        Assert.Equal("evaluation", manifest.Stage);
        Assert.Contains(manifest.Inputs, input => input.Path == "model/model.safetensors");
        Assert.Contains(manifest.Inputs, input => input.ManifestSha256 is not null);
        Manifest.Read(PhysicalFileSystem.Instance, first);

        var json = JsonNode.Parse(File.ReadAllText(Path.Combine(first, "evaluation.json")))!;
        Assert.Equal(_engine.Info.WeightsSha256, (string?)json["model"]!["weightsSha256"]);
        var english = json["languages"]!["en"]!.AsObject();
        string[] expected =
        [
            "bitsPerByte", "heldoutBytes", "heldoutTokens", "heldoutDocuments", "seenAccuracy", "seenAccuracyPerByte", "seenItems", "seenInterval",
            "unseenAccuracy", "unseenAccuracyPerByte", "unseenItems", "unseenInterval", "chance", "generatedExact", "generatedItems", "generatedInterval", "byRelation",
        ];
        Assert.Equal(expected, english.Select(pair => pair.Key));
        Assert.Equal(1, (double)english["generatedExact"]!);
        Assert.Equal(1, (int)english["byRelation"]!["capital"]!["unseenItems"]!);
        Assert.Equal(64, ((string?)json["items"]!["sha256"])!.Length);
        Assert.Equal(32, (int)json["settings"]!["maxAnswerTokens"]!);
    }

    [Fact]
    public void Progress_reaches_its_end_with_a_time_left()
    {
        WriteCorpus([.. Enumerable.Range(0, 20).Select(i => Choice("seen", "capital", "x" + i, [" a", " b"], 0))]);
        var seen = new List<EvaluationProgress>();
        Evaluator.Run(_engine, CorpusPath, new EvaluationSettings(), progress: new Collected(seen), cancellation: Ending);
        Assert.Equal([(16, 20), (20, 20)], seen.Select(step => (step.Done, step.Total)));
        Assert.Equal(0, seen[1].SecondsLeft);
        Assert.True(seen[0].SecondsLeft > 0);
    }

    public void Dispose()
    {
        _engine.Dispose();
        Directory.Delete(_root, recursive: true);
    }

    private sealed class Collected(List<EvaluationProgress> seen) : IProgress<EvaluationProgress>
    {
        public void Report(EvaluationProgress value) => seen.Add(value);
    }
}
