using OpenEuroLLM.Privacy.Rules;
using OpenEuroLLM.Privacy.Scanning;

namespace OpenEuroLLM.Privacy;

/// <summary>Finds personal data in texts in time that grows with their length only, whatever they hold. One scanner may serve any number of threads.</summary>
/// <remarks>The rules are the data files in <c>src/Privacy/Data</c>; what each finding needs is said by <see cref="PersonalDataTier"/>. Characters are compared in
/// the form that NFKC gives them, digits of all scripts as digits, and capitals of Greek and Cyrillic within numbers as the Latin ones they look like.</remarks>
public sealed class PersonalDataScanner
{
    [ThreadStatic]
    private static TextScan? _scan;

    private readonly RuleBook _rules = RuleBook.BuiltIn;

    private PersonalDataScanner()
    {
    }

    /// <summary>The scanner with the rules that are built in.</summary>
    public static PersonalDataScanner BuiltIn { get; } = new();

    /// <summary>The versions of the data files, for the ledger.</summary>
    public string DataVersion => _rules.Version;

    /// <summary>All personal data in a text, in the order of the text; findings do not overlap.</summary>
    /// <param name="text">The text.</param>
    /// <param name="language">Its language as the catalogue names it, with a country where that is known ("de-AT"); null where it is not known: then rules of
    /// tier B want a word of context too.</param>
    public IReadOnlyList<PersonalDataFinding> Scan(string text, string? language)
    {
        ArgumentNullException.ThrowIfNull(text);
        return (_scan ??= new TextScan(_rules)).Run(text, language);
    }

    /// <summary>Characters looked at for a text, more than once where rules overlap.</summary>
    internal long StepsOf(string text, string? language)
    {
        var scan = new TextScan(_rules);
        scan.Run(text, language);
        return scan.Steps;
    }
}
