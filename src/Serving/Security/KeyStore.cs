using System.Security.Cryptography;
using OpenEuroLLM.Core;

namespace OpenEuroLLM.Serving.Security;

/// <summary>The keys of a server: made and revoked by the command line, looked up by the server, which sees every change at its next request.</summary>
/// <param name="path">The file that holds them.</param>
/// <param name="time">The clock; null for the system's.</param>
public sealed class KeyStore(string path, TimeProvider? time = null)
{
    private static readonly byte[] Nobody = new byte[SHA256.HashSizeInBytes];
    private readonly TimeProvider time = time ?? TimeProvider.System;
    private readonly Lock reading = new();
    private (DateTime Written, long Bytes)? seen;
    private Dictionary<string, (ApiKey Key, byte[] Hash)> keys = new(StringComparer.Ordinal);

    /// <summary>All keys, in the order in which they were made.</summary>
    /// <exception cref="UserErrorException">The file cannot be read.</exception>
    public IReadOnlyList<ApiKey> List() => KeyFile.Read(path);

    /// <summary>Makes a key.</summary>
    /// <param name="draft">Name, scopes, expiry and limits; id, hash and moment are put in here.</param>
    /// <returns>The key as it is stored, and its text, which is shown once and kept nowhere.</returns>
    /// <exception cref="UserErrorException">A setting makes no sense, or the file cannot be written.</exception>
    public (ApiKey Key, string Text) Add(ApiKey draft)
    {
        Check(draft);
        (ApiKey key, string text) = Make(draft);
        KeyFile.Change(path, keys => [.. keys, key]);
        return (key, text);
    }

    /// <summary>Revokes a key; running requests of it end as they would.</summary>
    /// <param name="id">The key's id.</param>
    /// <exception cref="UserErrorException">There is no such key, or it was revoked before.</exception>
    public ApiKey Revoke(string id) => Replace(id, key => key with { Revoked = time.GetUtcNow() });

    /// <summary>Makes a key with the settings of another, which stays valid for a while, so that programs can change over.</summary>
    /// <param name="id">The id of the key to be replaced.</param>
    /// <param name="overlap">How long the old one stays valid.</param>
    /// <exception cref="UserErrorException">There is no such key, or it is not valid any more.</exception>
    public (ApiKey Key, string Text) Rotate(string id, TimeSpan overlap)
    {
        DateTimeOffset now = time.GetUtcNow(), end = now + overlap;
        string made = "";
        ApiKey? added = null;
        KeyFile.Change(path, keys =>
        {
            ApiKey old = Find(keys, id);
            if (!old.IsValid(now)) throw new UserErrorException($"key {id} is revoked or has expired; make a new one with 'oellm keys add'.");
            TimeSpan? life = old.Expires - old.Created;
            (ApiKey next, made) = Make(old with { Expires = now + life });
            added = next;
            return [.. keys.Select(key => key.Id == id ? key with { Expires = key.Expires < end ? key.Expires : end } : key), next];
        });
        return (added!, made);
    }

    /// <summary>The valid key that a client presented, or null.</summary>
    /// <exception cref="UserErrorException">The file cannot be read: nobody is let in then.</exception>
    internal ApiKey? Authenticate(string presented)
    {
        Dictionary<string, (ApiKey Key, byte[] Hash)> known = Current();
        string? id = KeyText.IdOf(presented);
        (ApiKey Key, byte[] Hash)? entry = id is not null && known.TryGetValue(id, out var found) ? found : null;
        // The same work whether or not there is such an id; the comparison takes the same time wherever the hashes differ.
        bool same = CryptographicOperations.FixedTimeEquals(KeyText.Hash(presented), entry?.Hash ?? Nobody);
        return same && entry?.Key is { } key && key.IsValid(time.GetUtcNow()) ? key : null;
    }

    private Dictionary<string, (ApiKey Key, byte[] Hash)> Current()
    {
        lock (reading)
        {
            var file = new FileInfo(path);
            (DateTime, long)? state = file.Exists ? (file.LastWriteTimeUtc, file.Length) : null;
            if (state != seen)
            {
                keys = KeyFile.Read(path).ToDictionary(key => key.Id, key => (key, Convert.FromHexString(key.Sha256)), StringComparer.Ordinal);
                seen = state;
            }
            return keys;
        }
    }

    private ApiKey Replace(string id, Func<ApiKey, ApiKey> change)
    {
        ApiKey? changed = null;
        KeyFile.Change(path, keys =>
        {
            ApiKey old = Find(keys, id);
            if (old.Revoked is not null) throw new UserErrorException($"key {id} was revoked before.");
            changed = change(old);
            return [.. keys.Select(key => key.Id == id ? changed : key)];
        });
        return changed!;
    }

    private (ApiKey Key, string Text) Make(ApiKey draft)
    {
        (string id, string text) = KeyText.Create();
        return (draft with { Id = id, Sha256 = Convert.ToHexStringLower(KeyText.Hash(text)), Created = time.GetUtcNow(), Revoked = null }, text);
    }

    private ApiKey Find(IReadOnlyList<ApiKey> keys, string id) => keys.FirstOrDefault(key => key.Id == id)
        ?? throw new UserErrorException($"{path} has no key '{id}'; 'oellm keys list' shows the ids.");

    private void Check(ApiKey draft)
    {
        if (string.IsNullOrWhiteSpace(draft.Name) || draft.Name.Length > 100 || draft.Name.Any(char.IsControl))
            throw new UserErrorException("--name must have 1 to 100 letters in one line: whose key it is.");
        if (draft.Scopes.Count == 0) throw new UserErrorException($"--scopes is empty; expected some of {string.Join(", ", KeyScope.All)}.");
        foreach (string scope in draft.Scopes)
        {
            if (!KeyScope.Known.Contains(scope)) throw new UserErrorException($"--scopes has '{scope}'{SuggestedName.Hint(scope, [.. KeyScope.All])}");
        }
        if (draft.Expires <= time.GetUtcNow()) throw new UserErrorException("--days must be greater than 0.");
        if (draft.RequestsPerMinute <= 0) throw new UserErrorException("--requests-per-minute must be greater than 0.");
        if (draft.TokensPerDay <= 0) throw new UserErrorException("--tokens-per-day must be greater than 0.");
        if (draft.Streams <= 0) throw new UserErrorException("--streams must be greater than 0.");
    }
}
