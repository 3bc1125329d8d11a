namespace OpenEuroLLM.Inference;

/// <summary>A model that is offered under a name.</summary>
/// <param name="Path">A model folder, or a GGUF file.</param>
/// <param name="Name">What requests call it; null for the name of the folder or file.</param>
/// <param name="Adapters">Adapter folders that are merged into it; null for none.</param>
public sealed record OfferedModel(string Path, string? Name = null, IReadOnlyList<string>? Adapters = null)
{
    /// <summary>What requests call it.</summary>
    public string Name { get; init; } = Name ?? InferenceEngine.NameOf(Path);
}

/// <summary>How a catalogue loads and unloads.</summary>
/// <param name="MemoryBytes">Bytes that all loaded models may take together; null for nine tenths of what the machine and its control group have free at the start.</param>
/// <param name="IdleUnload">A model that nobody used for so long is unloaded; null keeps it until another needs the room.</param>
/// <param name="Threads">Threads that each model computes with; null for one per processor.</param>
/// <param name="Limits">How much each engine does at once; null for the defaults.</param>
/// <param name="RequestLimits">What a request may ask for; null for the defaults.</param>
public sealed record CatalogueOptions(
    long? MemoryBytes = null, TimeSpan? IdleUnload = null, int? Threads = null, EngineLimits? Limits = null, RequestLimits? RequestLimits = null);
