using System.Text.Json;
using System.Text.Json.Serialization;

namespace OpenEuroLLM.Transparency;

/// <summary>A limitation and the fact that calls for it.</summary>
internal sealed record Limitation(string When, string Text);

/// <summary>The card's fixed lists and sentences, <c>card.json</c>.</summary>
internal sealed record CardTexts(
    string LibraryName, string PipelineTag, IReadOnlyList<string> Tags, string License, IReadOnlyList<string> SyntheticSources, IReadOnlyList<string> ShareAlikeMarks,
    IReadOnlyList<string> IntendedUse, IReadOnlyList<string> NotIntended, IReadOnlyList<Limitation> Limitations)
{
    public static CardTexts Load()
    {
        using var stream = typeof(CardTexts).Assembly.GetManifestResourceStream("card.json")!;
        return JsonSerializer.Deserialize(stream, CardTextsContext.Default.CardTexts)!;
    }
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    RespectNullableAnnotations = true, RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(CardTexts))]
internal sealed partial class CardTextsContext : JsonSerializerContext;
