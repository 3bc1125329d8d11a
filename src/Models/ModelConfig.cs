using System.Text.Json.Nodes;
using OpenEuroLLM.Core;
using OpenEuroLLM.Tensors;

namespace OpenEuroLLM.Models;

/// <summary>Shape of a decoder, whatever its family. A family adds its own settings in a record that derives from this one.</summary>
public abstract record ModelConfig
{
    private protected ModelConfig() { }

    /// <summary>The family, which reads and writes these settings.</summary>
    public abstract ModelFamily Family { get; }

    /// <summary>Decoder layers.</summary>
    public int Layers { get; init; }

    /// <summary>Numbers of a token's state.</summary>
    public int Width { get; init; }

    /// <summary>Query heads.</summary>
    public int Heads { get; init; }

    /// <summary>Key/value heads; divides <see cref="Heads"/>.</summary>
    public int KeyValueHeads { get; init; }

    /// <summary>Numbers of one head; even.</summary>
    public int HeadDimension { get; init; }

    /// <summary>Inner width of the feed-forward part.</summary>
    public int Hidden { get; init; }

    /// <summary>Tokens known, special ones included.</summary>
    public int VocabularySize { get; init; }

    /// <summary>Longest sequence, in tokens.</summary>
    public int ContextLength { get; init; }

    /// <summary>Added to the mean square, or the variance, in norms.</summary>
    public double NormEpsilon { get; init; } = 1e-5;

    /// <summary>How positions turn queries and keys; by default with base 10,000 without scaling. Families with other positions leave it alone.</summary>
    public RotarySettings Rotary { get; init; } = new();

    /// <summary>The embedding serves as output head too.</summary>
    public bool TiedHead { get; init; }

    /// <summary>Token before every text, if the model has one.</summary>
    public int? BeginOfTextId { get; init; }

    /// <summary>Tokens that end a generation; never null.</summary>
    public IReadOnlyList<int> EndIds { get; init; } = [];

    /// <summary>Token for filling up, if the model has one.</summary>
    public int? PaddingId { get; init; }

    /// <summary>Every weight once, in the order of the forward pass; worked out at each call.</summary>
    public IReadOnlyList<WeightShape> Weights => [.. ListWeights()];

    /// <summary>Number of parameters.</summary>
    public long Parameters => Weights.Sum(shape => shape.Count);

    /// <summary>Floating-point operations of one token forward and backward, 6N + 12LdT: 6 for each parameter that takes part in a product (vectors
    /// and an embedding that is not also the head do not), and those of attention over <paramref name="context"/> tokens, masked ones counted too.</summary>
    public double TrainingFlopsPerToken(int context)
    {
        var products = Weights.Where(shape => !shape.IsVector && shape.Role != WeightRole.Positions && (TiedHead || shape.Role != WeightRole.Embedding)).Sum(shape => shape.Count);
        return 6.0 * products + 12.0 * Layers * Heads * HeadDimension * context;
    }

    /// <summary><c>config.json</c> as Hugging Face's libraries read it.</summary>
    /// <param name="type">Storage type of the weights: <c>float32</c>, <c>float16</c> or <c>bfloat16</c>.</param>
    /// <exception cref="UserErrorException">A setting has no form in that file.</exception>
    public JsonObject ToJson(string type) => Family.Write(this, type);

    /// <summary>Refuses settings that have no meaning.</summary>
    /// <param name="where">The file, for messages.</param>
    /// <exception cref="UserErrorException">They have none.</exception>
    internal virtual void Check(string where)
    {
        if (HeadDimension % 2 != 0)
            throw new UserErrorException($"{where}: a head has {HeadDimension} numbers; expected an even number.");
        try
        {
            Rotary.Check(HeadDimension);
        }
        catch (ArgumentException exception)
        {
            throw new UserErrorException($"{where}: {exception.Message}.", exception);
        }
    }

    /// <summary>The weights in the order of the forward pass.</summary>
    private protected abstract IEnumerable<WeightShape> ListWeights();

    /// <summary>Joins weights to a model.</summary>
    internal abstract LanguageModel Join(ModelWeights weights, Engine engine);
}
