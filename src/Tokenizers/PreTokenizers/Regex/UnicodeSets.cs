using System.Collections.Concurrent;
using System.Globalization;

namespace OpenEuroLLM.Tokenizers;

/// <summary>The sets of characters that expressions name, from the Unicode tables of this runtime. Names are compared without case, spaces,
/// hyphens and low lines.</summary>
internal static class UnicodeSets
{
    private static readonly ConcurrentDictionary<string, CodePointSet> Named = new(StringComparer.Ordinal);

    private static readonly Lazy<CodePointSet[]> ByCategory = new(BuildCategories);

    private static readonly Dictionary<string, UnicodeCategory[]> Categories = BuildCategoryNames();

    /// <summary><c>\s</c></summary>
    public static CodePointSet Space => Get("space");

    /// <summary><c>\d</c></summary>
    public static CodePointSet Digit => Get("nd");

    /// <summary><c>\h</c></summary>
    public static CodePointSet HexDigit => Get("xdigit");

    /// <summary><c>\w</c>. The reference counts some superscripts and fractions of Latin-1 here, but not in <c>[[:word:]]</c>.</summary>
    public static CodePointSet WordCharacter { get; } = CodePointSet.Union(Get("word"), CodePointSet.Of(0xB2, 0xB3, 0xB9, 0xBC, 0xBD, 0xBE));

    /// <summary>What <c>\p{name}</c> means, or null for an unknown name.</summary>
    public static CodePointSet? Property(string name) => Normalize(name) is var key && key == "word" ? WordCharacter : Find(key);

    /// <summary>What <c>[:name:]</c> means, or null for an unknown name.</summary>
    public static CodePointSet? Bracket(string name) => name switch
    {
        "punct" => CodePointSet.Union(Get("p"), Get("s")),
        "alpha" or "digit" or "alnum" or "upper" or "lower" or "space" or "blank" or "graph" or "print" or "cntrl" or "xdigit" or "word" or "ascii" => Get(name),
        _ => null,
    };

    private static CodePointSet Get(string key) => Find(key) ?? throw new ArgumentException($"Unknown set '{key}'.", nameof(key));

    private static CodePointSet? Find(string key)
    {
        if (Named.TryGetValue(key, out var known))
            return known;
        var made = Make(key);
        return made is null ? null : Named.GetOrAdd(key, made);
    }

    private static CodePointSet? Make(string key)
    {
        if (Categories.TryGetValue(key, out var categories))
            return CodePointSet.Union(categories.Select(category => ByCategory.Value[(int)category]));
        return key switch
        {
            "any" => CodePointSet.Range(0, CodePointSet.BrokenByte - 1),
            "assigned" => Get("cn").Complement().Except(CodePointSet.Of(CodePointSet.BrokenByte)),
            "ascii" => CodePointSet.Range(0, 0x7F),
            "alphabetic" or "alpha" => CodePointSet.Union(Get("l"), Get("nl"), UnicodeScripts.OtherAlphabetic),
            "uppercase" or "upper" => CodePointSet.Union(Get("lu"), UnicodeScripts.OtherUppercase),
            "lowercase" or "lower" => CodePointSet.Union(Get("ll"), UnicodeScripts.OtherLowercase),
            "digit" => Get("nd"),
            "alnum" => CodePointSet.Union(Get("alpha"), Get("nd")),
            "whitespace" or "space" => CodePointSet.Union(Get("z"), CodePointSet.Range('\t', '\r'), CodePointSet.Of(0x85)),
            "blank" => CodePointSet.Union(Get("zs"), CodePointSet.Of('\t')),
            "xdigit" => CodePointSet.Union(CodePointSet.Range('0', '9'), CodePointSet.Range('a', 'f'), CodePointSet.Range('A', 'F')),
            "cntrl" => Get("cc"),
            "graph" => CodePointSet.Union(Get("space"), Get("cc"), Get("cn"), Get("cs"), CodePointSet.Of(CodePointSet.BrokenByte)).Complement(),
            "print" => CodePointSet.Union(Get("graph"), Get("zs")),
            "word" => CodePointSet.Union(Get("alpha"), Get("m"), Get("nd"), Get("pc")),
            _ => UnicodeScripts.Find(key)?.Intersect(Get("assigned")),
        };
    }

    private static string Normalize(string name) =>
        string.Concat(name.Where(unit => unit is not (' ' or '-' or '_')).Select(char.ToLowerInvariant));

    private static CodePointSet[] BuildCategories()
    {
        var ranges = new List<(int Start, int End)>[30];
        for (int category = 0; category < ranges.Length; category++)
            ranges[category] = [];
        var current = CharUnicodeInfo.GetUnicodeCategory(0);
        int start = 0;
        for (int value = 1; value <= CodePointSet.BrokenByte; value++)
        {
            var category = value < CodePointSet.BrokenByte ? CharUnicodeInfo.GetUnicodeCategory(value) : (UnicodeCategory)ranges.Length;
            if (category == current)
                continue;
            ranges[(int)current].Add((start, value));
            (start, current) = (value, category);
        }
        return [.. ranges.Select(CodePointSet.OfRanges)];
    }

    private static Dictionary<string, UnicodeCategory[]> BuildCategoryNames()
    {
        (string Short, string Long, UnicodeCategory Category)[] single =
        [
            ("lu", "uppercaseletter", UnicodeCategory.UppercaseLetter), ("ll", "lowercaseletter", UnicodeCategory.LowercaseLetter),
            ("lt", "titlecaseletter", UnicodeCategory.TitlecaseLetter), ("lm", "modifierletter", UnicodeCategory.ModifierLetter),
            ("lo", "otherletter", UnicodeCategory.OtherLetter), ("mn", "nonspacingmark", UnicodeCategory.NonSpacingMark),
            ("mc", "spacingmark", UnicodeCategory.SpacingCombiningMark), ("me", "enclosingmark", UnicodeCategory.EnclosingMark),
            ("nd", "decimalnumber", UnicodeCategory.DecimalDigitNumber), ("nl", "letternumber", UnicodeCategory.LetterNumber),
            ("no", "othernumber", UnicodeCategory.OtherNumber), ("zs", "spaceseparator", UnicodeCategory.SpaceSeparator),
            ("zl", "lineseparator", UnicodeCategory.LineSeparator), ("zp", "paragraphseparator", UnicodeCategory.ParagraphSeparator),
            ("cc", "control", UnicodeCategory.Control), ("cf", "format", UnicodeCategory.Format), ("cs", "surrogate", UnicodeCategory.Surrogate),
            ("co", "privateuse", UnicodeCategory.PrivateUse), ("cn", "unassigned", UnicodeCategory.OtherNotAssigned),
            ("pc", "connectorpunctuation", UnicodeCategory.ConnectorPunctuation), ("pd", "dashpunctuation", UnicodeCategory.DashPunctuation),
            ("ps", "openpunctuation", UnicodeCategory.OpenPunctuation), ("pe", "closepunctuation", UnicodeCategory.ClosePunctuation),
            ("pi", "initialpunctuation", UnicodeCategory.InitialQuotePunctuation), ("pf", "finalpunctuation", UnicodeCategory.FinalQuotePunctuation),
            ("po", "otherpunctuation", UnicodeCategory.OtherPunctuation), ("sm", "mathsymbol", UnicodeCategory.MathSymbol),
            ("sc", "currencysymbol", UnicodeCategory.CurrencySymbol), ("sk", "modifiersymbol", UnicodeCategory.ModifierSymbol),
            ("so", "othersymbol", UnicodeCategory.OtherSymbol),
        ];
        (string Short, string Long)[] groups =
            [("l", "letter"), ("m", "mark"), ("n", "number"), ("z", "separator"), ("c", "other"), ("p", "punctuation"), ("s", "symbol")];
        var names = new Dictionary<string, UnicodeCategory[]>(StringComparer.Ordinal);
        foreach (var (shortName, longName, category) in single)
            names[shortName] = names[longName] = [category];
        foreach (var (shortName, longName) in groups)
            names[shortName] = names[longName] = [.. single.Where(entry => entry.Short[0] == shortName[0]).Select(entry => entry.Category)];
        names["punct"] = names["p"];
        names["combiningmark"] = names["m"];
        names["lc"] = names["casedletter"] = [UnicodeCategory.UppercaseLetter, UnicodeCategory.LowercaseLetter, UnicodeCategory.TitlecaseLetter];
        return names;
    }
}
