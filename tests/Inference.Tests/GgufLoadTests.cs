using OpenEuroLLM.Models;
using OpenEuroLLM.Tokenizers;

namespace OpenEuroLLM.Inference.Tests;

public sealed class GgufLoadTests : IDisposable
{
    private readonly SmallLlama _model = new(moreTokens: 9);

    public void Dispose() => _model.Dispose();

    private string Write(int? end = null)
    {
        string path = Path.Combine(_model.Path, "small.gguf");
        using var source = ModelSource.Open(_model.Path);
        var tokenizer = _model.Folder.Tokenizer;
        KeyValuePair<string, object>[] more =
        [
            .. GgufVocabulary.Describe(tokenizer, source.Config.VocabularySize, tokenizer.Chat.BeginOfText, end is int id ? [id] : [], null),
            new("tokenizer.chat_template", ChatTemplate.Text),
        ];
        using var target = new GgufTarget(path, "small", more: more);
        ModelConversion.Run(source, target, source.FormatOf);
        return path;
    }

    [Fact]
    public async Task A_file_answers_as_its_folder_does_and_brings_tokenizer_template_and_end_tokens()
    {
        using var folder = _model.Load();
        int end = (await SmallLlama.Collect(folder, new GenerationRequest(new GenerationInput.TextInput("hello abc"), Sampling.Greedy, 6)))
            .OfType<GenerationEvent.Token>().Select(token => token.Id).Last();
        using var file = InferenceEngine.Load(Write(end), threads: 1);
        Assert.Equal(("small", true, folder.Info.VocabularySize), (file.Info.Name, file.Info.CanChat, file.Info.VocabularySize));
        Assert.Equal(folder.Info.Fingerprint, file.Info.Fingerprint);
        Assert.Equal(folder.Info.WeightsSha256, file.Info.WeightsSha256);
        var request = new GenerationRequest(new GenerationInput.TextInput("abc hello"), new Sampling(Seed: 3), 30, Logprobs: 1);
        var (there, here) = (await SmallLlama.Collect(folder, request), await SmallLlama.Collect(file, request));
        int shared = SmallLlama.Ids(there).AsSpan().CommonPrefixLength(SmallLlama.Ids(here));
        Assert.True(shared == SmallLlama.Ids(here).Length);
        var stopped = await SmallLlama.Collect(file, new GenerationRequest(new GenerationInput.TextInput("hello abc"), Sampling.Greedy, 6));
        Assert.Equal(FinishReason.Stop, stopped.OfType<GenerationEvent.Finished>().Single().Reason);
        Assert.NotEmpty(SmallLlama.Ids(await SmallLlama.Collect(file, new GenerationRequest(new GenerationInput.Messages([new ChatMessage("user", "hi")]), MaxTokens: 3))));
    }

    [Fact]
    public async Task Rows_that_only_fill_the_vocabulary_up_are_never_chosen_and_have_no_place_among_alternatives()
    {
        using var engine = InferenceEngine.Load(Write(), threads: 1);
        int known = _model.Folder.Tokenizer.VocabularySize;
        Assert.Equal(known + 9, engine.Info.VocabularySize);
        var request = SmallLlama.Request(SmallLlama.Tokens(5, 1), 200) with
        {
            Sampling = new Sampling(2, LogitBias: Enumerable.Range(known, 9).ToDictionary(id => id, _ => 100.0)),
            Logprobs = 20,
        };
        var events = await SmallLlama.Collect(engine, request);
        Assert.All(SmallLlama.Ids(events), id => Assert.True(id < known));
        Assert.All(events.OfType<GenerationEvent.Token>(), token => Assert.All(token.Likelihood!.Alternatives, other => Assert.True(other.Id < known)));
    }

    [Fact]
    public void A_folder_without_the_identity_asked_for_computes_none_and_a_closed_engine_refuses()
    {
        var engine = _model.Load();
        var info = engine.Info;
        Assert.False(info.Identity.IsValueCreated);
        Assert.Equal(16, info.Fingerprint.Length);
        engine.Dispose();
        Assert.Throws<ObjectDisposedException>(() => info.WeightsSha256);
    }
}
