using System.Text.Json;
using System.Text.Json.Serialization;
using OpenEuroLLM.Core;

namespace OpenEuroLLM.Serving.Security;

/// <summary>The JSON file that holds the keys' hashes. It is replaced as a whole: whoever reads sees the old or the new state, also after
/// a power failure.</summary>
internal static class KeyFile
{
    private const int MaxBytes = 8 << 20;

    /// <summary>The keys; none where there is no file yet.</summary>
    /// <exception cref="UserErrorException">The file cannot be read, or is not one of ours.</exception>
    public static IReadOnlyList<ApiKey> Read(string path)
    {
        try
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete);
            if (file.Length > MaxBytes) throw Broken(path, FormattableString.Invariant($"has {file.Length} bytes; expected at most {MaxBytes}"));
            KeyFileContent? content = JsonSerializer.Deserialize(file, KeyFileJson.Default.KeyFileContent);
            if (content is not { Version: 1, Keys: not null }) throw Broken(path, "has no list of keys of version 1");
            var ids = new HashSet<string>(StringComparer.Ordinal);
            foreach (ApiKey? key in content.Keys)
            {
                if (!IsWhole(key) || !ids.Add(key!.Id)) throw Broken(path, "holds an entry that is no key, or a key twice");
            }
            return content.Keys;
        }
        catch (FileNotFoundException)
        {
            return [];
        }
        catch (JsonException problem)
        {
            throw Broken(path, FormattableString.Invariant($"is not valid at line {(problem.LineNumber ?? 0) + 1}"));
        }
        catch (Exception failure) when (StorageFailure.Is(failure))
        {
            throw StorageFailure.Explain(failure, path);
        }
    }

    /// <summary>Changes the keys; of two commands at the same time one is refused.</summary>
    public static void Change(string path, Func<IReadOnlyList<ApiKey>, IReadOnlyList<ApiKey>> change)
    {
        PhysicalFileSystem files = PhysicalFileSystem.Instance;
        string full = Path.GetFullPath(path), folder = Path.GetDirectoryName(full)!, temporary = full + ".new";
        try
        {
            files.CreateDirectory(folder);
            using FileStream turn = TakeTurn(full + ".lock", path);
            var content = new KeyFileContent(1, change(Read(full)));
            using (Stream file = files.CreateFile(temporary))
            {
                // Whoever can write this file can let anybody in; nobody but the owner needs to read it either.
                if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(temporary, UnixFileMode.UserRead | UnixFileMode.UserWrite);
                JsonSerializer.Serialize(file, content, KeyFileJson.Default.KeyFileContent);
                files.FlushToDisk(file);
            }
            files.Move(temporary, full);
            files.FlushDirectory(folder);
        }
        catch (Exception failure) when (StorageFailure.Is(failure))
        {
            throw StorageFailure.Explain(failure, path);
        }
    }

    private static FileStream TakeTurn(string file, string path)
    {
        try
        {
            return new FileStream(file, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException failure) when (File.Exists(file))
        {
            throw new UserErrorException($"{path}: another command is changing the keys; try again when it has ended.", failure);
        }
    }

    private static bool IsWhole(ApiKey? key) => key is { Id.Length: KeyText.IdLetters, Name: not null, Sha256.Length: 64, Scopes: not null }
        && KeyText.IsHex(key.Id) && KeyText.IsHex(key.Sha256) && key.Scopes.All(scope => scope is not null && KeyScope.Known.Contains(scope))
        && key is { RequestsPerMinute: null or > 0, TokensPerDay: null or > 0, Streams: null or > 0 };

    private static UserErrorException Broken(string path, string found) => new($"{path}: {found}; expected a file made with 'oellm keys add'.");
}

/// <summary>The file's content.</summary>
internal sealed record KeyFileContent(int Version, IReadOnlyList<ApiKey> Keys);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true, MaxDepth = 8,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(KeyFileContent))]
internal sealed partial class KeyFileJson : JsonSerializerContext;
