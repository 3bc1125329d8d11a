using System.Collections.Concurrent;
using OpenEuroLLM.Inference;

namespace OpenEuroLLM.Serving.Operation;

/// <summary>The hashes of the models' weights. Hashing billions of weights takes seconds: it happens once for each model, beside the requests, which
/// carry the fingerprint until it is done.</summary>
/// <param name="learned">Is told of each hash.</param>
internal sealed class ModelHashes(Action<ModelInfo, string> learned)
{
    private readonly ConcurrentDictionary<string, Lazy<object?>> begun = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, string> known = new(StringComparer.Ordinal);

    /// <summary>The hash of the model that has this fingerprint and name, or null while it is not known; the first question has it computed.</summary>
    public string? Of(ModelInfo model)
    {
        string id = model.Fingerprint + model.Name;
        if (known.TryGetValue(id, out string? hash)) return hash;
        _ = begun.GetOrAdd(id, _ => new Lazy<object?>(() => Begin(id, model))).Value;
        return null;
    }

    private object? Begin(string id, ModelInfo model)
    {
        // Requests go first: their threads are not those that hash.
        new Thread(() =>
        {
            try
            {
                string hash = model.WeightsSha256;
                known[id] = hash;
                learned(model, hash);
            }
            catch (ObjectDisposedException)
            {
                begun.TryRemove(id, out _); // the model was unloaded first; when it is loaded again, its next request has it hashed
            }
        })
        { IsBackground = true, Priority = ThreadPriority.Lowest, Name = "hash of the weights" }.Start();
        return null;
    }
}
