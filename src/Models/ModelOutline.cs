using OpenEuroLLM.Tensors;

namespace OpenEuroLLM.Models;

/// <summary>A model to be trained that has shapes and no memory, for an <see cref="Engine.Outline"/>: its own code then counts what a step takes.</summary>
public static class ModelOutline
{
    /// <summary>Creates the outline of a model.</summary>
    /// <param name="config">Its shape.</param>
    /// <param name="engine">An engine that only counts.</param>
    public static LanguageModel Create(ModelConfig config, Engine engine) =>
        engine.IsOutline
            ? config.Join(new ModelWeights(config, shape => Weight.Outline(shape.Name, shape.Rows, shape.Columns)), engine)
            : throw new ArgumentException("the outline of a model needs an engine that only counts", nameof(engine));
}
