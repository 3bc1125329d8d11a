using System.Text.Json.Serialization;

namespace OpenEuroLLM.Corpus;

/// <summary>Into what a text is divided.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<LineUnit>))]
public enum LineUnit
{
    /// <summary>Lines.</summary>
    [JsonStringEnumMemberName("line")] Line,

    /// <summary>Lines without an empty line between them.</summary>
    [JsonStringEnumMemberName("paragraph")] Paragraph,
}
