namespace OpenEuroLLM.Corpus.Sample;

/// <summary>What every language's file must hold: the same relations with the same keys, so that sizes and examinations compare.</summary>
internal static class SampleKeys
{
    /// <summary>The relations in the common order, each with its keys in the common order.</summary>
    public static IReadOnlyList<(string Relation, IReadOnlyList<string> Keys)> Relations { get; } =
    [
        ("capital", ["AT", "BE", "BG", "HR", "CY", "CZ", "DK", "EE", "FI", "FR", "DE", "EL", "HU", "IE", "IT", "LV", "LT", "LU", "MT",
            "NL", "PL", "PT", "RO", "SK", "SI", "ES", "SE"]),
        ("currency", ["CZ", "DK", "HU", "PL", "RO", "SE", "DE", "UK", "CH", "NO", "IS", "UA", "TR", "JP", "US", "RS"]),
        ("number", ["1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12", "13", "14", "15", "16", "17", "18", "19", "20"]),
        ("next", [.. Weekdays, .. Months]),
    ];

    /// <summary>Keys of the weekdays in the relation "next".</summary>
    public static IReadOnlyList<string> Weekdays => ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

    /// <summary>Keys of the months in the relation "next".</summary>
    public static IReadOnlyList<string> Months => ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

    /// <summary>The countries whose land borders are told of.</summary>
    public static IReadOnlyList<string> Neighbours { get; } =
        ["AT", "BE", "BG", "HR", "CZ", "DE", "DK", "EE", "EL", "ES", "FI", "FR", "HU", "IT", "LT", "LU", "LV", "NL", "PL", "PT", "RO", "SE", "SI", "SK"];

    /// <summary>The land borders in Europe between those countries, each once.</summary>
    public static IReadOnlyList<(string A, string B)> Borders { get; } =
    [
        ("AT", "CZ"), ("AT", "DE"), ("AT", "HU"), ("AT", "IT"), ("AT", "SI"), ("AT", "SK"), ("BE", "DE"), ("BE", "FR"), ("BE", "LU"),
        ("BE", "NL"), ("BG", "EL"), ("BG", "RO"), ("HR", "HU"), ("HR", "SI"), ("CZ", "DE"), ("CZ", "PL"), ("CZ", "SK"), ("DE", "DK"),
        ("DE", "FR"), ("DE", "LU"), ("DE", "NL"), ("DE", "PL"), ("EE", "LV"), ("ES", "FR"), ("ES", "PT"), ("FI", "SE"), ("FR", "IT"),
        ("FR", "LU"), ("HU", "RO"), ("HU", "SI"), ("HU", "SK"), ("IT", "SI"), ("LT", "LV"), ("LT", "PL"), ("PL", "SK"),
    ];

    /// <summary>Whether two facts may stand as choices beside each other: a weekday beside weekdays, a month beside months.</summary>
    public static bool SameKind(SampleFact a, SampleFact b) =>
        a.Relation == b.Relation && (a.Relation != "next" || Weekdays.Contains(a.Key) == Weekdays.Contains(b.Key));
}
