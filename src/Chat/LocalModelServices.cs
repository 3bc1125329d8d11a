using Microsoft.Extensions.AI;
using Microsoft.Extensions.DependencyInjection;
using OpenEuroLLM.Inference;

namespace OpenEuroLLM.Chat;

/// <summary>Registration with dependency injection.</summary>
public static class LocalModelServices
{
    /// <summary>Adds one model as <see cref="LocalModel"/>, <see cref="IChatClient"/> and <see cref="IEmbeddingGenerator{TInput, TEmbedding}"/>. It is loaded when it
    /// is first asked for and ends with the container.</summary>
    /// <param name="services">The services.</param>
    /// <param name="options">Where the model lies, and how it is loaded.</param>
    /// <param name="pooling">How embeddings are made of the states of a text's tokens.</param>
    public static IServiceCollection AddLocalModel(this IServiceCollection services, LocalModelOptions options, Pooling pooling = Pooling.Mean)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(options);
        services.AddSingleton(_ => LocalModel.Load(options));
        services.AddSingleton(provider => provider.GetRequiredService<LocalModel>().AsChatClient());
        services.AddSingleton(provider => provider.GetRequiredService<LocalModel>().AsEmbeddingGenerator(pooling));
        return services;
    }
}
