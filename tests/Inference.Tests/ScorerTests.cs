using System.Text;
using OpenEuroLLM.Core;

namespace OpenEuroLLM.Inference.Tests;

public sealed class ScorerTests : IDisposable
{
    private readonly TestFolder _folder = new();
    private readonly FadingModel _model;
    private readonly InferenceEngine _engine;

    public ScorerTests()
    {
        _model = new FadingModel(_folder.Tokenizer.VocabularySize);
        _engine = new InferenceEngine(_model, _folder.Tokenizer, _folder.Path);
    }

    private IReadOnlyList<IReadOnlyList<ContinuationScore>> Score(IReadOnlyList<ContinuationItem> items, int batchRows = 1024) =>
        new Scorer(_engine, batchRows).Score(items, TestContext.Current.CancellationToken);

    private IReadOnlyList<TextScore> ScoreTexts(IReadOnlyList<string> texts, int batchRows = 1024) =>
        new Scorer(_engine, batchRows).Score(texts, TestContext.Current.CancellationToken);

    /// <summary>Log-probability of ids from <paramref name="first"/> on, one full pass each.</summary>
    private double Sum(int[] ids, int first)
    {
        var losses = new float[ids.Length - 1];
        _model.Losses(ids.AsSpan(..^1), [ids.Length - 1], ids.AsSpan(1..), losses);
        return -losses.Skip(first - 1).Sum(loss => (double)loss);
    }

    private int[] Encode(string text) => [_folder.Tokenizer.Chat.BeginOfText, .. _folder.Tokenizer.Encode(text)];

    [Fact]
    public void A_continuation_is_cut_at_the_contexts_token_count_and_takes_the_white_space_before_it()
    {
        // " ab" is one token: the space of the context must go with it.
        var score = Score([new ContinuationItem("xyz ", ["abc"])])[0][0];
        int[] ids = Encode("xyz abc");
        int first = Encode("xyz").Length;
        Assert.Equal(ids.Length - first, score.Tokens);
        Assert.Equal(Sum(ids, first), score.LogProbability);
        Assert.Equal(score, Score([new ContinuationItem("xyz", [" abc"])])[0][0]);
    }

    [Fact]
    public void A_token_that_reaches_over_the_border_moves_the_cut_for_all_continuations_alike()
    {
        // "'e" is a token, "'d" is not: cut at the count of "x'", the first would be asked for nothing of its apostrophe.
        Assert.Equal(2, _folder.Tokenizer.Encode("x'e").Length);
        var scores = Score([new ContinuationItem("x'", ["eu", "du"])])[0];
        Assert.Equal((2, 3), (scores[0].Tokens, scores[1].Tokens));
        Assert.Equal(Sum(Encode("x'eu"), 2), scores[0].LogProbability);
        Assert.Equal(Sum(Encode("x'du"), 2), scores[1].LogProbability);
    }

    [Fact]
    public void A_text_without_context_follows_the_begin_of_text() =>
        Assert.Equal(Sum(Encode("hello"), 1), Score([new ContinuationItem("", ["hello"])])[0][0].LogProbability);

    [Fact]
    public void Scores_do_not_depend_on_the_company()
    {
        ContinuationItem[] items =
        [
            .. Enumerable.Range(0, 30).Select(i => new ContinuationItem(new string('x', i % 20) + " he", [" abc", " hello " + i, " é"])),
        ];
        var together = Score(items);
        var narrow = Score(items, 7);
        for (int i = 0; i < items.Length; i++)
        {
            Assert.Equal(together[i], narrow[i]);
            Assert.Equal(together[i], Score([items[i]])[0]);
        }

        string[] texts = [.. Enumerable.Range(0, 20).Select(i => string.Concat(Enumerable.Repeat("hello abc ", 1 + i)))];
        var scored = ScoreTexts(texts);
        for (int i = 0; i < texts.Length; i++) Assert.Equal(scored[i], ScoreTexts([texts[i]], 3)[0]);
    }

    [Fact]
    public void A_continuation_must_fit_and_must_not_be_empty()
    {
        Assert.Equal(RequestErrorCode.ContextLengthExceeded,
            Assert.Throws<RequestException>(() => Score([new ContinuationItem(new string('x', 80), [" a"])])).Code);
        Assert.Throws<RequestException>(() => Score([new ContinuationItem("a", [""])]));
        Assert.Throws<RequestException>(() => Score([new ContinuationItem("a", [])]));
    }

    [Fact]
    public void A_whole_text_has_the_sum_of_its_tokens_and_its_bytes()
    {
        var score = ScoreTexts(["été abc", ""]);
        Assert.Equal(Sum(Encode("été abc"), 1), score[0].LogProbability);
        Assert.Equal((Encode("été abc").Length - 1, Encoding.UTF8.GetByteCount("été abc")), (score[0].Tokens, score[0].Bytes));
        Assert.Equal(new TextScore(0, 0, 0), score[1]);
    }

    [Fact]
    public void Bits_per_byte_by_hand()
    {
        // Four bytes, each with probability 1/8: three bits.
        Assert.Equal(3, new TextScore(-4 * Numerics.Log(8), 4, 4).BitsPerByte, 12);
        Assert.Equal(1.5, new TextScore(-4 * Numerics.Log(8), 2, 4).Plus(new TextScore(0, 2, 4)).BitsPerByte, 12);
    }

    [Theory]
    [InlineData(0, 4)]
    [InlineData(1, 4)]
    [InlineData(2, 4)]
    [InlineData(5, 4)]
    [InlineData(6, 4)]
    [InlineData(9, 4)]
    [InlineData(23, 4)]
    [InlineData(23, 1)]
    public void Windows_score_each_token_once_within_the_context(int tokens, int context)
    {
        var windows = Scorer.Windows(tokens, context).ToList();
        Assert.Equal(Enumerable.Range(1, Math.Max(0, tokens - 1)), windows.SelectMany(window => Enumerable.Range(window.FirstTarget, window.End - window.FirstTarget)));
        Assert.All(windows, window =>
        {
            Assert.InRange(window.End - window.Start - 1, 1, context);
            Assert.InRange(window.Start, 0, window.FirstTarget - 1);
        });
    }

    [Fact]
    public void The_last_window_is_filled_up_with_what_comes_before_it() =>
        Assert.Equal([(0, 5, 1), (4, 9, 5), (6, 11, 9)], Scorer.Windows(11, 4));

    [Fact]
    public void A_long_text_is_scored_in_windows()
    {
        string text = string.Concat(Enumerable.Range(0, 40).Select(i => $" {i} abc"));
        int[] ids = Encode(text);
        Assert.True(ids.Length > 3 * _model.ContextLength);
        double expected = Scorer.Windows(ids.Length, _model.ContextLength)
            .Sum(window => Sum(ids[window.Start..window.End], window.FirstTarget - window.Start));
        var score = ScoreTexts([text])[0];
        Assert.Equal(expected, score.LogProbability);
        Assert.Equal(ids.Length - 1, score.Tokens);
    }

    [Fact]
    public async Task Scoring_goes_on_beside_generation()
    {
        var generation = Task.Run(async () =>
        {
            int tokens = 0;
            await foreach (var happened in _engine.Generate(new GenerationRequest(new GenerationInput.TextInput("hello"), MaxTokens: 50), TestContext.Current.CancellationToken))
                if (happened is GenerationEvent.Token) tokens++;
            return tokens;
        }, TestContext.Current.CancellationToken);
        var expected = ScoreTexts(["hello abc"])[0];
        for (int i = 0; i < 50; i++) Assert.Equal(expected, ScoreTexts(["hello abc"])[0]);
        Assert.True(await generation > 0);
    }

    [Fact]
    public void A_damaged_model_is_an_error()
    {
        _model.Bias[3] = float.NaN;
        Assert.Contains("weights are damaged", Assert.Throws<UserErrorException>(() => ScoreTexts(["abc"])).Message, StringComparison.Ordinal);
    }

    public void Dispose()
    {
        _engine.Dispose();
        _folder.Dispose();
    }
}
