using System.Reflection;
using OpenEuroLLM.Core;

namespace OpenEuroLLM.Corpus.Sample;

/// <summary>A fact in named forms: what it is about (<c>subject</c>) and what is said of it (<c>object</c>), inflected as needed.</summary>
internal sealed record SampleFact(string Relation, string Key, IReadOnlyDictionary<string, string> Forms)
{
    /// <summary>A stored form by its name.</summary>
    public string Form(string name) => Forms[name];
}

/// <summary>One relation of a language: its sentences, its question with the answer, its facts in the common order.</summary>
internal sealed record SampleRelation(
    string Name, IReadOnlyList<SampleTemplate> Wordings, SampleTemplate Question, SampleTemplate Answer, IReadOnlyList<SampleFact> Facts);

/// <summary>A question or remark and its reply.</summary>
internal readonly record struct SampleTurn(string User, string Assistant);

/// <summary>The built-in text of one language, as read from <c>sample/CODE.json</c>.</summary>
internal sealed record SampleText(
    string Language,
    IReadOnlyList<SampleRelation> Relations,
    IReadOnlyList<SampleTemplate> NeighbourWordings,
    IReadOnlyDictionary<string, SampleFact> NeighbourNames,
    IReadOnlyList<string> Colours,
    IReadOnlyList<string> Everyday,
    IReadOnlyList<SampleTurn> Dialogues,
    IReadOnlyList<string> Dates)
{
    private const string Prefix = "sample/";
    private const string Suffix = ".json";

    private static readonly Assembly Home = typeof(SampleText).Assembly;

    /// <summary>The languages of the built-in sample, in ordinal order.</summary>
    public static IReadOnlyList<string> Languages { get; } = [.. Home.GetManifestResourceNames()
        .Where(name => name.StartsWith(Prefix, StringComparison.Ordinal) && name.EndsWith(Suffix, StringComparison.Ordinal))
        .Select(name => name[Prefix.Length..^Suffix.Length])
        .Order(StringComparer.Ordinal)];

    /// <summary>Reads and checks one language of the built-in sample.</summary>
    public static SampleText Load(string language) =>
        SampleTextReader.Read(Bytes(language), $"{Prefix}{language}{Suffix}", language);

    /// <summary>The file of one language as it was built in.</summary>
    public static byte[] Bytes(string language)
    {
        using Stream? stream = Home.GetManifestResourceStream($"{Prefix}{language}{Suffix}");
        if (stream is null)
            throw new UserErrorException(
                $"The built-in sample has no text in '{language}'; it has {string.Join(", ", Languages)}. Leave the language out, or point corpus.source at texts of your own.");
        byte[] bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        return bytes;
    }

    /// <summary>Every sentence that is not made from a fact table: whole sentences and both sides of the dialogues.</summary>
    public IEnumerable<string> FreeSentences =>
        Everyday.Concat(Colours).Concat(Dates).Concat(Dialogues.Select(turn => turn.User)).Concat(Dialogues.Select(turn => turn.Assistant));
}
