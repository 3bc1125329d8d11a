using Microsoft.Extensions.AI;
using OpenEuroLLM.Inference;

namespace OpenEuroLLM.Chat;

/// <summary>Text embeddings from a model of this process, brought to length 1.</summary>
internal sealed class LocalEmbeddingGenerator(InferenceEngine engine, Pooling pooling) : IEmbeddingGenerator<string, Embedding<float>>
{
    private const string ProviderName = "openeurollm";

    public async Task<GeneratedEmbeddings<Embedding<float>>> GenerateAsync(
        IEnumerable<string> values, EmbeddingGenerationOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(values);
        if (options?.ModelId is { } other && other != engine.Info.Name)
            throw new NotSupportedException($"ModelId is {other}; expected '{engine.Info.Name}', the model that is loaded.");
        var inputs = values.Select(text => (GenerationInput)new GenerationInput.TextInput(text)).ToList();
        IReadOnlyList<Inference.Embedding> found;
        try
        {
            found = await Task.Run(() => engine.Embed(inputs, pooling, normalize: true, cancellationToken), cancellationToken).ConfigureAwait(false);
        }
        catch (RequestException exception)
        {
            throw RequestTranslation.Explain(exception);
        }
        if (options?.Dimensions is { } dimensions && found is [var first, ..] && dimensions != first.Vector.Count)
            throw new NotSupportedException(FormattableString.Invariant($"Dimensions is {dimensions}; expected {first.Vector.Count}, the width of the model."));
        var tokens = found.Sum(each => (long)each.Tokens);
        return new GeneratedEmbeddings<Embedding<float>>(found.Select(each => new Embedding<float>(each.Vector.ToArray()) { ModelId = engine.Info.Name }))
        {
            Usage = new UsageDetails { InputTokenCount = tokens, TotalTokenCount = tokens },
        };
    }

    public object? GetService(Type serviceType, object? serviceKey = null)
    {
        ArgumentNullException.ThrowIfNull(serviceType);
        if (serviceKey is not null) return null;
        if (serviceType == typeof(EmbeddingGeneratorMetadata)) return new EmbeddingGeneratorMetadata(ProviderName, null, engine.Info.Name);
        return serviceType.IsInstanceOfType(this) ? this : serviceType.IsInstanceOfType(engine) ? engine : null;
    }

    public void Dispose() { } // the model belongs to LocalModel
}
