using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;

namespace OpenEuroLLM.Core;

/// <summary>Reads recipes: JSON with comments and trailing commas, into records, guided by the records' own metadata.</summary>
/// <remarks>The platform's reader stops at the first error, suggests no key and lets unknown keys pass; so the file is compared with
/// the metadata first, every violation is collected, and only a recipe without any is turned into records.</remarks>
public static class RecipeReader
{
    /// <summary>Reads a recipe file and lays dotted overrides over it.</summary>
    /// <param name="path">The file.</param>
    /// <param name="type">Source-generated metadata of the recipe's record.</param>
    /// <param name="overrides">Settings such as <c>training.seed=2</c> or <c>corpus.steps[1].words=20</c>; the value is JSON or plain text.</param>
    /// <exception cref="UserErrorException">The file is missing or malformed, or settings do not fit; all violations in one message.</exception>
    public static T Read<T>(string path, JsonTypeInfo<T> type, IReadOnlyList<string> overrides)
    {
        byte[] json;
        try
        {
            json = File.ReadAllBytes(path);
        }
        catch (Exception exception) when (StorageFailure.Is(exception))
        {
            throw StorageFailure.Explain(exception, path);
        }

        return Parse(json, path, type, overrides);
    }

    /// <summary>As <see cref="Read"/>, from memory.</summary>
    /// <param name="json">The recipe's bytes.</param>
    /// <param name="where">Its name, for error messages.</param>
    /// <param name="type">Source-generated metadata of the recipe's record.</param>
    /// <param name="overrides">Dotted overrides.</param>
    public static T Parse<T>(ReadOnlySpan<byte> json, string where, JsonTypeInfo<T> type, IReadOnlyList<string> overrides)
    {
        JsonObject root;
        try
        {
            root = StrictJson.Parse(json, JsonCommentHandling.Skip, trailingCommas: true);
        }
        catch (JsonException exception)
        {
            string line = exception.LineNumber is long number ? $":{number + 1}" : "";
            throw new UserErrorException($"{where}{line}: not a valid recipe ({OneLine(exception.Message)}); mend the file.", exception);
        }

        var binder = new RecipeBinder();
        foreach (string setting in overrides) binder.Override(root, setting);
        JsonNode? bound = binder.Bind(root, type, "");
        if (binder.Violations.Count > 0) throw new UserErrorException($"{where}: {string.Join(" ", binder.Violations)}");
        try
        {
            return bound.Deserialize(type) ?? throw new UserErrorException($"{where}: the recipe is empty; expected an object.");
        }
        catch (Exception exception) when (exception is JsonException or ArgumentException)
        {
            throw new UserErrorException($"{where}: {OneLine(exception.Message)}; mend the file.", exception);
        }
    }

    private static string OneLine(string message)
    {
        int position = message.IndexOf(" LineNumber:", StringComparison.Ordinal); // told as "file:line" instead
        return (position < 0 ? message : message[..position]).ReplaceLineEndings(" ").TrimEnd(' ', '.');
    }
}
