using System.Text.Json.Serialization;

namespace OpenEuroLLM.Languages;

/// <summary>Why a language is among those of the project.</summary>
public enum LanguageStatus
{
    /// <summary>One of the 24 official languages of the European Union.</summary>
    [JsonStringEnumMemberName("official")] Official,

    /// <summary>Official in a part of a member state.</summary>
    [JsonStringEnumMemberName("co-official")] CoOfficial,

    /// <summary>Official in a candidate country.</summary>
    [JsonStringEnumMemberName("candidate")] Candidate,

    /// <summary>Of Iceland and Norway.</summary>
    [JsonStringEnumMemberName("nordic")] Nordic,

    /// <summary>Told apart from the languages of the project by identification, and otherwise not of them.</summary>
    [JsonStringEnumMemberName("identified")] Identified,
}
