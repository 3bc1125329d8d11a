using System.CommandLine;
using System.Text.Json.Nodes;
using OpenEuroLLM.Core;
using OpenEuroLLM.Corpus;
using OpenEuroLLM.Languages;

namespace OpenEuroLLM.Cli;

/// <summary><c>oellm languages</c>: the languages and what is supported for each.</summary>
internal static class LanguagesCommand
{
    private static readonly string[] _headers = ["code", "639-3", "status", "tags", "sample", "name", "own name"];

    // What a corpus is built of when nothing is set: the built-in sample.
    private static readonly IReadOnlyList<string> _sample = new CorpusConfig().Languages;

    public static Command Create()
    {
        var json = new Option<bool>("--json") { Description = "One JSON object a line on standard output." };
        var command = new Command("languages", "Lists the languages, and what is supported for each: 36 languages, Norwegian with two codes (nb, nn).\nExample: oellm languages") { json };
        command.SetAction(parsed =>
        {
            var output = parsed.InvocationConfiguration.Output;
            if (parsed.GetValue(json)) foreach (var language in LanguageCatalog.All) output.WriteLine(ToJson(language).ToJsonString(JsonOutput.Compact));
            else foreach (string line in TextTable.Lines([_headers, .. LanguageCatalog.All.Select(Row)], _headers.Length)) output.WriteLine(line);
            return ExitCode.Success;
        });
        return command;
    }

    // Own names come last: their width on a terminal is not their number of characters.
    private static string[] Row(Language language) =>
    [
        language.Code, language.Iso6393, Status(language), string.Join(' ', language.Tags), HasSample(language) ? "yes" : "–", language.Name, language.NativeName,
    ];

    private static JsonObject ToJson(Language language) => new()
    {
        ["code"] = language.Code,
        ["iso6391"] = language.Iso6391,
        ["iso6393"] = language.Iso6393,
        ["tags"] = List(language.Tags),
        ["aliases"] = List(language.Aliases),
        ["name"] = language.Name,
        ["nativeName"] = language.NativeName,
        ["status"] = Status(language),
        ["family"] = language.Family,
        ["countries"] = List(language.Countries),
        ["sample"] = HasSample(language),
    };

    private static JsonArray List(IEnumerable<string> values) => [.. values.Select(value => (JsonNode)value)];

    private static string Status(Language language) => language.Status switch
    {
        LanguageStatus.Official => "official",
        LanguageStatus.CoOfficial => "co-official",
        LanguageStatus.Candidate => "candidate",
        _ => "nordic",
    };

    private static bool HasSample(Language language) => _sample.Contains(language.Code);
}
