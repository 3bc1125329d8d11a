using OpenEuroLLM.Core;
using OpenEuroLLM.Models;
using OpenEuroLLM.Tensors;

namespace OpenEuroLLM.Inference;

/// <summary>How a model will be loaded, counted before anything is.</summary>
/// <param name="Model">The model.</param>
/// <param name="ContextLength">Its context, in tokens.</param>
/// <param name="CacheTokens">Tokens that its key/value cache will hold.</param>
/// <param name="Bytes">Memory that it will take.</param>
internal sealed record ModelPlan(OfferedModel Model, int ContextLength, int CacheTokens, long Bytes)
{
    /// <summary>Plans models that share a budget: caches of eight full contexts, or of as many less as lets all models stay loaded together; where even
    /// caches of one context do not, each gets what fits when it is alone.</summary>
    /// <exception cref="UserErrorException">A path holds no model, or one that does not fit by itself.</exception>
    public static IReadOnlyList<ModelPlan> Of(IReadOnlyList<OfferedModel> models, EngineLimits limits, long budget)
    {
        var counted = models.Select(model => Count(model, limits)).ToArray();
        for (int contexts = ModelMemory.UsualContexts; contexts >= 1; contexts /= 2)
        {
            ModelPlan[] together = [.. counted.Select(each => each.With(contexts))];
            if (together.Sum(plan => (decimal)plan.Bytes) <= budget) return together;
        }

        return [.. counted.Select(each => Alone(each, budget))];
    }

    private static ModelPlan Alone(Counted counted, long budget)
    {
        for (int contexts = ModelMemory.UsualContexts; ; contexts /= 2)
        {
            var plan = counted.With(contexts);
            if (plan.Bytes <= budget) return plan;
            if (contexts == 1) AvailableMemory.Require(plan.Bytes, $"{plan.Model.Path}: the model with a key/value cache of {plan.CacheTokens} tokens",
                "allow more with --memory where the machine has it, or use a smaller model, one with fewer bits for each weight, or one with a shorter context", budget);
        }
    }

    private static Counted Count(OfferedModel model, EngineLimits limits)
    {
        using var source = ModelSource.Open(model.Path, model.Adapters);
        return new Counted(model, source.Config, ModelMemory.WeightBytes(source) + ModelMemory.StepBytes(source.Config, limits), limits.CacheTokens);
    }

    private sealed record Counted(OfferedModel Model, ModelConfig Config, long OtherBytes, int? CacheTokens)
    {
        public ModelPlan With(int contexts)
        {
            long tokens = CacheTokens ?? ModelMemory.UsualTokens(Config, contexts), pages = (tokens + KeyValueCache.PageTokens - 1) / KeyValueCache.PageTokens;
            long cache = pages > int.MaxValue / KeyValueCache.PageTokens ? long.MaxValue / 4 : KeyValueCache.BytesOf(Config.Layers, Config.KeyValueHeads, Config.HeadDimension, pages);
            return new ModelPlan(Model, Config.ContextLength, (int)Math.Min(tokens, int.MaxValue), OtherBytes + cache);
        }
    }
}
