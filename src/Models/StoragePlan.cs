using OpenEuroLLM.Core;
using OpenEuroLLM.Formats.Quantization;

namespace OpenEuroLLM.Models;

/// <summary>Which format each weight of a model gets. Vectors stay in single precision where the format is quantized.</summary>
public sealed class StoragePlan
{
    private static readonly SortedDictionary<string, BlockFormat> Mixes = new(StringComparer.OrdinalIgnoreCase) { ["q4_k_m"] = BlockFormat.Q4_K, ["q5_k_m"] = BlockFormat.Q5_K };

    private readonly ModelConfig config;
    private readonly BlockFormat matrices;
    private readonly SortedDictionary<string, int> replaced = new(StringComparer.Ordinal);

    private StoragePlan(ModelConfig config, BlockFormat matrices, bool mixed)
    {
        (this.config, this.matrices, IsMixed) = (config, matrices, mixed);
        foreach (var shape in config.Weights.Where(shape => !shape.IsVector))
        {
            var (wanted, given) = (Wanted(shape), FormatOf(shape));
            if (wanted == given) continue;
            var text = $"rows of {shape.Columns} numbers are no multiple of {wanted.BlockElements}: {given} instead of {wanted}";
            replaced[text] = replaced.GetValueOrDefault(text) + 1;
        }
    }

    /// <summary>The names that <see cref="Of"/> knows.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. BlockFormat.All.Select(format => format.Name.ToLowerInvariant()), .. Mixes.Keys];

    /// <summary>Whether the mix is that of the presets Q4_K_M and Q5_K_M.</summary>
    public bool IsMixed { get; }

    /// <summary>Where the plan could not do what its name says, in words.</summary>
    public IReadOnlyList<string> Notes => [.. replaced.Select(entry => $"{entry.Key} ({entry.Value} {(entry.Value == 1 ? "weight" : "weights")})")];

    /// <summary>The plan with a name: a format for all matrices, or <c>q4_k_m</c> or <c>q5_k_m</c>: q4_K or q5_K, with q6_K for the head and for some of the
    /// values' and the down matrices, in the layers where errors weigh most.</summary>
    /// <exception cref="UserErrorException">There is none.</exception>
    public static StoragePlan Of(string name, ModelConfig config)
    {
        if (Mixes.TryGetValue(name, out var most)) return new StoragePlan(config, most, mixed: true);
        var format = BlockFormat.Find(name) ?? throw new UserErrorException($"type '{name}' is unknown; {Suggestion(name)}known: {string.Join(", ", Names)}.");
        return new StoragePlan(config, format, mixed: false);
    }

    /// <summary>How a weight is to be stored.</summary>
    /// <remarks>A row that is no whole number of blocks takes a type with smaller blocks, never fewer bits: the field's own choices for q4_K,
    /// q5_K and q6_K; for q3_K and q2_K that is a type which is not written here, and q4_0 is the next.</remarks>
    public BlockFormat FormatOf(WeightShape shape)
    {
        if (shape.IsVector) return BlockFormat.F32;
        var format = Wanted(shape);
        if (shape.Columns % format.BlockElements != 0) format = InSmallBlocks(format);
        return shape.Columns % format.BlockElements != 0 ? BlockFormat.F16 : format;
    }

    private static BlockFormat InSmallBlocks(BlockFormat format) => format.Name switch
    {
        "Q2_K" or "Q3_K" => BlockFormat.Q4_0,
        "Q4_K" => BlockFormat.Q5_0,
        "Q5_K" => BlockFormat.Q5_1,
        _ => BlockFormat.Q8_0,
    };

    /// <remarks>A table of learned positions is small, and an error in it shifts every token: other programs keep it whole as well.</remarks>
    private BlockFormat Wanted(WeightShape shape) => shape.Role == WeightRole.Positions && matrices.IsQuantized ? BlockFormat.F32
        : !IsMixed ? matrices
        : WantsMore(shape) ? BlockFormat.Q6_K
        : shape.Role == WeightRole.QueryKeyValue ? NextAbove : matrices;

    /// <summary>Where the values share a matrix with queries and keys, all of them take the next type.</summary>
    private BlockFormat NextAbove => matrices == BlockFormat.Q4_K ? BlockFormat.Q5_K : BlockFormat.Q6_K;

    private bool WantsMore(WeightShape shape)
    {
        if (shape.Role == (config.TiedHead ? WeightRole.Embedding : WeightRole.Head)) return true;
        if (shape.Role is not (WeightRole.Value or WeightRole.Down) || shape.Layer is not { } layer) return false;
        var eighth = config.Layers / 8;
        return layer < eighth || layer >= 7 * config.Layers / 8 || (layer - eighth) % 3 == 2;
    }

    private static string Suggestion(string name) => SuggestedName.Closest(name, [.. Names]) is { } closest ? $"did you mean '{closest}'? " : "";
}
