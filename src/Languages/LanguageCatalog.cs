using System.Collections.Frozen;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Serialization;
using OpenEuroLLM.Core;

namespace OpenEuroLLM.Languages;

/// <summary>The languages of the project: 36, of which Norwegian has two codes (nb, nn).</summary>
public static class LanguageCatalog
{
    /// <summary>All scripts, by code.</summary>
    public static IReadOnlyDictionary<string, Script> Scripts { get; } =
        Load("scripts/", LanguageFileContext.Default.Script).ToFrozenDictionary(script => script.Code);

    /// <summary>The languages that identification tells apart: those of <see cref="All"/>, Welsh and Luxembourgish.</summary>
    public static IReadOnlyList<Language> Identified { get; } =
        [.. Load("languages/", LanguageFileContext.Default.LanguageFile).Select(file => file.Build(Scripts)).OrderBy(language => language.Status).ThenBy(language => language.Code, StringComparer.Ordinal)];

    /// <summary>All languages: official, co-official, candidate, Nordic, by code within each.</summary>
    public static IReadOnlyList<Language> All { get; } = [.. Identified.Where(language => language.Status != LanguageStatus.Identified)];

    // ISO 639-1, 639-3, aliases. Codes that cover several languages of the catalogue are left out and explained instead.
    private static readonly FrozenDictionary<string, Language> _byCode = All
        .SelectMany(language => language.Aliases.Concat([language.Code, language.Iso6391, language.Iso6393]).Distinct().Select(code => (code, language)))
        .ToFrozenDictionary(pair => pair.code, pair => pair.language, StringComparer.OrdinalIgnoreCase);

    private static readonly FrozenDictionary<string, string> _several = new Dictionary<string, string>
    {
        ["sh"] = "Serbo-Croatian covers bs, hr and sr",
        ["hbs"] = "Serbo-Croatian covers bs, hr and sr",
        ["mul"] = "it stands for several languages",
        ["und"] = "it stands for an unknown language",
    }.ToFrozenDictionary(StringComparer.OrdinalIgnoreCase);

    /// <summary>The languages whose status is <see cref="LanguageStatus.Official"/>: the 24 of the European Union.</summary>
    public static IReadOnlyList<Language> Official { get; } = [.. All.Where(language => language.Status == LanguageStatus.Official)];

    /// <summary>The language of a code: ISO 639-1, 639-3, a macro-language code (<c>no</c> is nb), or a BCP 47 tag (<c>sr-Latn-RS</c>).</summary>
    /// <exception cref="UserErrorException">The code means no language of the project, or several; the message suggests one.</exception>
    public static Language Find(string code) => FindTag(code).Language;

    /// <summary>The language of a code, or null.</summary>
    public static Language? TryFind(string code)
    {
        try
        {
            return Find(code);
        }
        catch (UserErrorException)
        {
            return null;
        }
    }

    /// <summary>As <see cref="Find"/>, with the script that the tag names, or else the language's usual one.</summary>
    /// <exception cref="UserErrorException">The code means no language of the project, or a script the language does not use.</exception>
    public static (Language Language, Script Script) FindTag(string tag)
    {
        string[] parts = tag.Split('-', '_');
        if (!_byCode.TryGetValue(parts[0], out var language)) throw Unknown(tag, parts[0]);
        string? wanted = parts.Skip(1).FirstOrDefault(part => part.Length == 4 && part.All(char.IsAsciiLetter));
        if (wanted is null) return (language, language.Alphabets[0].Script);
        var alphabet = language.Alphabets.FirstOrDefault(alphabet => string.Equals(alphabet.Script.Code, wanted, StringComparison.OrdinalIgnoreCase));
        return alphabet is not null
            ? (language, alphabet.Script)
            : throw new UserErrorException($"language '{tag}': {language.Name} is not written in '{wanted}' here; expected {string.Join(" or ", language.Tags)}.");
    }

    private static UserErrorException Unknown(string tag, string code)
    {
        if (_several.TryGetValue(code, out string? reason)) return new($"language '{tag}' is ambiguous: {reason}; choose one code.");
        var byName = All.FirstOrDefault(language =>
            string.Equals(language.Name, tag, StringComparison.OrdinalIgnoreCase) || string.Equals(language.NativeName, tag, StringComparison.OrdinalIgnoreCase));
        var byCountry = All.FirstOrDefault(language => language.Countries.Contains(code.ToUpperInvariant()));
        if ((byName ?? byCountry) is Language meant) return new($"language '{tag}' is unknown; did you mean '{meant.Code}' ({meant.Name})?");
        return SuggestedName.Closest(tag, All.Select(language => language.Name)) is string name
            ? new($"language '{tag}' is unknown; did you mean '{All.First(language => language.Name == name).Code}' ({name})?")
            : new($"language '{tag}' is unknown; known: {string.Join(", ", All.Select(language => language.Code).Order(StringComparer.Ordinal))}.");
    }

    private static IEnumerable<T> Load<T>(string folder, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type)
    {
        var assembly = Assembly.GetExecutingAssembly();
        foreach (string name in assembly.GetManifestResourceNames().Where(name => name.StartsWith(folder, StringComparison.Ordinal)).Order(StringComparer.Ordinal))
        {
            using var stream = assembly.GetManifestResourceStream(name)!;
            yield return JsonSerializer.Deserialize(stream, type) ?? throw new InvalidDataException($"{name} is empty.");
        }
    }
}

internal sealed record AlphabetFile(string Script, string Letters);

/// <summary>A file of <c>languages/</c> as it lies there.</summary>
internal sealed record LanguageFile(
    string Code, string Iso6391, string Iso6393, IReadOnlyList<string> Tags, IReadOnlyList<string> Aliases, string Name, string NativeName,
    LanguageStatus Status, string Family, IReadOnlyList<string> Countries, IReadOnlyList<AlphabetFile> Scripts, IReadOnlyList<string> Examples,
    IReadOnlyList<string>? StopWords = null, IReadOnlyList<string>? Words = null)
{
    public Language Build(IReadOnlyDictionary<string, Script> scripts) => new(
        Code, Iso6391, Iso6393, Tags, Aliases, Name, NativeName, Status, Family, Countries,
        [.. Scripts.Select(alphabet => new Alphabet(scripts[alphabet.Script], alphabet.Letters))], Examples, StopWords ?? [], Words ?? []);
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UseStringEnumConverter = true, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    RespectNullableAnnotations = true, RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(LanguageFile))]
[JsonSerializable(typeof(Script))]
internal sealed partial class LanguageFileContext : JsonSerializerContext;
