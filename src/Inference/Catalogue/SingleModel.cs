namespace OpenEuroLLM.Inference;

/// <summary>A catalogue of one model that is loaded and stays so; whoever made the engine disposes of it.</summary>
/// <param name="engine">The model's engine.</param>
public sealed class SingleModel(IInferenceEngine engine) : IModelCatalogue
{
    /// <inheritdoc/>
    public IReadOnlyList<ModelStatus> Models => [new ModelStatus(engine.Info.Name, ModelState.Loaded, engine.Info.ContextLength, 0, engine.Status)];

    /// <inheritdoc/>
    public Task<ModelLease> UseAsync(string name, CancellationToken cancellation = default) =>
        TryUse(name) is { } lease ? Task.FromResult(lease) : Task.FromException<ModelLease>(UnknownModel.Error(name, [engine.Info.Name]));

    /// <inheritdoc/>
    public ModelLease? TryUse(string name) => string.Equals(name, engine.Info.Name, StringComparison.Ordinal) ? new ModelLease(engine) : null;
}
