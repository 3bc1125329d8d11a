using OpenEuroLLM.Tensors;

namespace OpenEuroLLM.Models;

/// <summary>All weights of a model under their names in the model's files.</summary>
internal sealed class ModelWeights : IDisposable
{
    private readonly List<Weight> all = [];
    private readonly Dictionary<string, Weight> byName = new(StringComparer.Ordinal);

    /// <summary>Makes the weights in the order of the forward pass.</summary>
    /// <param name="config">Says which.</param>
    /// <param name="create">Makes a weight.</param>
    public ModelWeights(ModelConfig config, Func<WeightShape, Weight> create)
    {
        try
        {
            foreach (var shape in config.Weights)
            {
                all.Add(create(shape));
                byName.Add(shape.Name, all[^1]);
            }
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Every weight once, in the order of the forward pass.</summary>
    public IReadOnlyList<Weight> All => all;

    /// <summary>The weight with a name.</summary>
    public Weight this[string name] => byName[name];

    /// <summary>The weight with a name, or null where the model has none.</summary>
    public Weight? Find(string name) => byName.GetValueOrDefault(name);

    public void Dispose()
    {
        foreach (var weight in all) weight.Dispose();
    }
}
