using OpenEuroLLM.Models;
using OpenEuroLLM.Tensors;

namespace OpenEuroLLM.Inference.Tests;

public sealed class EmbeddingTests : IDisposable
{
    private readonly SmallLlama _model = new();

    public void Dispose() => _model.Dispose();

    private static GenerationInput Text(string text) => new GenerationInput.TextInput(text);

    [Theory]
    [InlineData(Pooling.Mean)]
    [InlineData(Pooling.Last)]
    public void A_vector_is_pooled_from_the_hidden_states_and_has_the_same_bits_in_company(Pooling pooling)
    {
        string[] texts = [.. Enumerable.Range(0, 12).Select(i => string.Concat(Enumerable.Repeat($"text {i} ", 1 + i * 4)))];
        using var inference = _model.Load(threads: 2);
        var together = inference.Embed([.. texts.Select(Text)], pooling, normalize: false, TestContext.Current.CancellationToken);
        Assert.True(together.Sum(made => made.Tokens) > 1024); // more than one forward call
        using var engine = new Engine(1);
        using var model = LanguageModel.Load(_model.Path, engine);
        for (int i = 0; i < texts.Length; i++)
        {
            Assert.Equal(together[i].Vector, inference.Embed([Text(texts[i])], pooling, normalize: false, TestContext.Current.CancellationToken)[0].Vector);
            int[] ids = [_model.Folder.Tokenizer.Chat.BeginOfText, .. _model.Folder.Tokenizer.Encode(texts[i])];
            engine.Reset();
            var layout = new SequenceLayout();
            layout.Add(ids.Length);
            var hidden = model.Forward(ids, layout).Values;
            for (int d = 0; d < 48; d++)
            {
                double expected = 0;
                if (pooling == Pooling.Last) expected = hidden[(ids.Length - 1) * 48 + d];
                else for (int row = 0; row < ids.Length; row++) expected += hidden[row * 48 + d] / (double)ids.Length;
                Assert.Equal(expected, together[i].Vector[d], 1e-5);
            }
        }

        var unit = inference.Embed([Text(texts[3])], pooling, cancellation: TestContext.Current.CancellationToken)[0];
        Assert.Equal(1, unit.Vector.Sum(value => (double)value * value), 1e-5);
        Assert.Equal(unit.Vector[5] / unit.Vector[6], together[3].Vector[5] / together[3].Vector[6], 1e-3);
    }

    [Fact]
    public void A_text_longer_than_the_context_is_refused_with_the_counts()
    {
        using var inference = _model.Load();
        var error = Assert.Throws<RequestException>(() => inference.Embed([Text("short"), new GenerationInput.Tokens(new int[SmallLlama.Context + 1])], cancellation: TestContext.Current.CancellationToken));
        Assert.Equal(("input[1]", RequestErrorCode.ContextLengthExceeded), (error.Field, error.Code));
        Assert.StartsWith("input[1] has 401 tokens; the model's context holds 400.", error.Message, StringComparison.Ordinal);
        Assert.Equal("input", Assert.Throws<RequestException>(() => inference.Embed([], cancellation: TestContext.Current.CancellationToken)).Field);
    }
}
