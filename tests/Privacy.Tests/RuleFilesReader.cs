using System.Text.Json;
using OpenEuroLLM.Privacy.Rules;

namespace OpenEuroLLM.Privacy.Tests;

/// <summary>Reads the data files as they are built in.</summary>
internal static class RuleFilesReader
{
    private static readonly IdentifierFile Identifiers = Load();

    /// <summary>The first word of context of a rule.</summary>
    public static string FirstWord(string rule) => rule.StartsWith("vat-", StringComparison.Ordinal)
        ? "VAT"
        : Identifiers.Rules.First(entry => entry.Name == rule).Context[0].Trim('=', '*');

    private static IdentifierFile Load()
    {
        using Stream stream = typeof(PersonalDataScanner).Assembly.GetManifestResourceStream("privacy/identifiers.json")!;
        return JsonSerializer.Deserialize(stream, RuleFilesJson.Default.IdentifierFile)!;
    }
}
