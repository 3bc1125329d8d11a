using System.Text.Json;
using Microsoft.AspNetCore.Http;
using OpenEuroLLM.Inference;
using OpenEuroLLM.Serving.Metrics;
using OpenEuroLLM.Serving.Operation;
using OpenEuroLLM.Serving.Security;

namespace OpenEuroLLM.Serving;

/// <summary>The one place where a request gets its engine: by the model's name, measured, recorded and charged, and loaded until the response is complete.</summary>
internal sealed class ServedModels(IModelCatalogue catalogue, GatewayMetrics metrics, Auditor? auditor, Drain drain, TimeProvider time, bool keepContent = false)
{
    private static readonly FieldNames Names = new(new Dictionary<string, string>());

    /// <summary>All models as they are now.</summary>
    public IReadOnlyList<ModelStatus> All => catalogue.Models;

    /// <summary>The engine of the model that a body names.</summary>
    /// <param name="context">The request.</param>
    /// <param name="body">Its body, which must be an object.</param>
    /// <param name="fields">What the body may hold: a slip of the pen shall load no model. Null where it was checked already.</param>
    /// <param name="optional">Whether a body without a name means the first model.</param>
    /// <exception cref="ApiException">There is no such model, no room for it, or it cannot be loaded.</exception>
    public Task<IInferenceEngine> UseAsync(HttpContext context, JsonElement body, FieldTable? fields, bool optional = false)
    {
        RequestFields.RequireBody(body);
        fields?.Check(body, "", []);
        string name = RequestFields.Text(body, "model") ?? (optional ? All[0].Name
            : throw ApiException.Invalid("model", $"'model' is missing; this server has {string.Join(", ", All.Select(model => $"'{model.Name}'"))}."));
        return UseAsync(context, name);
    }

    /// <summary>The engine of a model.</summary>
    /// <exception cref="ApiException">There is no such model, no room for it, or it cannot be loaded.</exception>
    public async Task<IInferenceEngine> UseAsync(HttpContext context, string name)
    {
        try
        {
            ModelLease lease = await catalogue.UseAsync(name, context.RequestAborted).ConfigureAwait(false);
            context.Response.RegisterForDispose(lease);
            return Watched(lease.Engine, name);
        }
        catch (RequestException problem)
        {
            throw new ApiException(Names.Translate(problem));
        }
    }

    /// <summary>Runs something with each model that is loaded at this moment; it is nobody's request, and neither measured, recorded nor charged.</summary>
    public async Task<string?> FirstProblemAsync(Func<IInferenceEngine, Task<string?>> check)
    {
        foreach (ModelStatus model in All)
        {
            using ModelLease? lease = catalogue.TryUse(model.Name);
            if (lease is not null && await check(lease.Engine).ConfigureAwait(false) is string problem) return problem;
        }
        return null;
    }

    /// <summary>What is known of a model that is only shown.</summary>
    /// <exception cref="ApiException">There is no such model.</exception>
    public ModelStatus Find(string name) => All.FirstOrDefault(model => string.Equals(model.Name, name, StringComparison.Ordinal))
        ?? throw new ApiException(Names.Translate(UnknownModel.Error(name, All.Select(model => model.Name))));

    /// <summary>The word for a model's state in lists of models.</summary>
    public static string StateOf(ModelStatus model) => model.State switch
    {
        ModelState.Loaded => "loaded",
        ModelState.Loading => "loading",
        ModelState.Failed => "failed",
        _ => "unloaded",
    };

    private TenantEngine Watched(IInferenceEngine engine, string name) =>
        new(new RecordingEngine(new DrainingEngine(new MeteredEngine(engine, metrics.Of(name), time), drain), auditor, time, keepContent));
}
