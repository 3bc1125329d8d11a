using System.Globalization;
using OpenEuroLLM.Core;
using OpenEuroLLM.Models;

namespace OpenEuroLLM.Training;

/// <summary>A value that the dial chose, and why.</summary>
/// <param name="Setting">Dotted name of the setting.</param>
/// <param name="Value">The value used.</param>
/// <param name="Reason">Where it comes from.</param>
public sealed record DialSetting(string Setting, string Value, string Reason);

/// <summary>Turns the one size dial, <c>model.layers</c>, into a whole model and its training settings.</summary>
public sealed record ModelDial(ModelConfig Model, int BatchTokens, double LearningRate, IReadOnlyList<DialSetting> Settings)
{
    private const int HeadDimension = 32;
    private const int WideHeadDimension = 64;

    /// <summary>Chooses everything that the recipe leaves open.</summary>
    /// <param name="model">Section <c>model</c>.</param>
    /// <param name="training">Section <c>training</c>.</param>
    /// <param name="vocabularySize">Tokens of the tokenizer.</param>
    /// <param name="beginOfTextId">Token before every text.</param>
    /// <param name="endIds">Tokens that end a generation.</param>
    /// <param name="paddingId">Token for filling up.</param>
    /// <exception cref="UserErrorException">Settings contradict each other.</exception>
    public static ModelDial For(ModelSettings model, TrainingConfig training, int vocabularySize, int? beginOfTextId = null, IReadOnlyList<int>? endIds = null, int? paddingId = null)
    {
        var family = ModelFamily.OfKind(model.Kind)
            ?? throw new UserErrorException($"model.kind is {model.Kind}; {(SuggestedName.Closest(model.Kind, ModelFamily.AllKinds) is { } closest ? $"did you mean '{closest}'? " : "")}this version trains {string.Join(", ", ModelFamily.AllKinds)}.");
        var habits = family.HabitsOf(model.Kind);
        var settings = new List<DialSetting>();
        var wanted = 64 + 32 * model.Layers;
        var step = 2 * (wanted < 512 ? HeadDimension : WideHeadDimension);
        var width = Choose("model.width", model.Width, (wanted + step - 1) / step * step,
            "64 + 32 · layers, up to an even number of heads: small models gain more from width than from depth");
        var dimension = width < 512 ? HeadDimension : WideHeadDimension;
        var heads = Choose("model.heads", model.Heads, Math.Max(1, width / dimension), $"width / {dimension}");
        if (width % heads != 0 || width / heads % 2 != 0)
            throw new UserErrorException($"model.heads is {heads}; expected a number that divides model.width = {width} into even heads.");
        var halved = habits.SharesKeys && heads % 2 == 0;
        var keyValueHeads = Choose("model.keyValueHeads", model.KeyValueHeads, halved ? heads / 2 : heads,
            halved ? "half the heads: halves the cache at little cost" : habits.SharesKeys ? "as many as heads, whose number is odd" : $"as many as heads, as {family.Name} has it");
        if (heads % keyValueHeads != 0)
            throw new UserErrorException($"model.keyValueHeads is {keyValueHeads}; expected a number that divides model.heads = {heads}.");
        var hidden = habits.IsGated
            ? Choose("model.hidden", model.Hidden, (width * 8 / 3 + 63) / 64 * 64, "8/3 · width, up to a multiple of 64: a gated unit has three matrices where others have two")
            : Choose("model.hidden", model.Hidden, 4 * width, "4 · width");
        var batch = Choose("training.batchTokens", training.BatchTokens, model.Layers <= 8 ? 512 : 2048 * (model.Layers / 8),
            "grows with the model: small models want many small steps");
        if (batch % training.MicroBatchTokens != 0 && batch > training.MicroBatchTokens)
            throw new UserErrorException($"training.batchTokens is {batch}; expected a multiple of training.microBatchTokens = {training.MicroBatchTokens}.");
        var rate = Choose("training.learningRate", training.LearningRate, Math.Round(3e-3 * Math.Sqrt(192.0 / width), 5), "3e-3 · √(192 / width)");
        var sizes = new ModelSizes(model.Layers, width, heads, keyValueHeads, hidden, vocabularySize, model.ContextLength) { TiedHead = model.TiedHead };
        return new ModelDial(
            family.Sized(model.Kind, sizes, "section model of the recipe") with { BeginOfTextId = beginOfTextId, EndIds = endIds ?? [], PaddingId = paddingId },
            batch, rate, settings);

        T Choose<T>(string name, T? given, T derived, string reason) where T : struct, IFormattable
        {
            var value = given ?? derived;
            settings.Add(new DialSetting(name, value.ToString(null, CultureInfo.InvariantCulture), given is null ? reason : "set in the recipe"));
            return value;
        }
    }
}
