namespace OpenEuroLLM.Inference.Grammars;

/// <summary>The formats of texts that are regular, as patterns. Each accepts valid texts only, though not every one of them.</summary>
internal static class StringFormats
{
    private const string Year = "(?:19|20)[0-9]{2}";
    private const string LeapYear = "(?:19(?:0[48]|[2468][048]|[13579][26])|20(?:[02468][048]|[13579][26]))";
    private const string Date = "(?:" + Year + "-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)|02-(?:0[1-9]|1[0-9]|2[0-8]))|" + LeapYear + "-02-29)";
    private const string Time = "(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\\.[0-9]{1,6})?(?:Z|[+-](?:0[0-9]|1[0-3]):[0-5][0-9])";
    private const string Octet = "(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])";
    private const string Label = "[A-Za-z0-9](?:[A-Za-z0-9-]{0,20}[A-Za-z0-9])?";

    private const string HostLabel = "[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?";
    private const string DurationTime = "(?:[0-9]{1,4}H(?:[0-9]{1,2}M(?:[0-9]{1,2}S)?)?|[0-9]{1,4}M(?:[0-9]{1,2}S)?|[0-9]{1,5}S)";
    private const string DurationDate = "(?:[0-9]{1,4}Y(?:[0-9]{1,2}M(?:[0-9]{1,2}D)?)?|[0-9]{1,4}M(?:[0-9]{1,2}D)?|[0-9]{1,5}D)";
    private const string UriText = "(?:[A-Za-z0-9._~!$&'()*+,;=:@/-]|%[0-9A-F]{2})*";

    // Years 1900 to 2099, offsets within 14 hours, no leap seconds (RFC 3339; durations: its appendix A). Addresses without quoted parts (RFC 5321);
    // IPv6 in full or with zeros left out once (RFC 4291); uri: schemes with an authority (RFC 3986).
    private static readonly Dictionary<string, string> Patterns = new(StringComparer.Ordinal)
    {
        ["date"] = "^" + Date + "$",
        ["time"] = "^" + Time + "$",
        ["date-time"] = "^" + Date + "T" + Time + "$",
        ["duration"] = "^P(?:" + DurationDate + "(?:T" + DurationTime + ")?|T" + DurationTime + "|[0-9]{1,5}W)$",
        ["uuid"] = "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$",
        ["email"] = "^[A-Za-z0-9_+-]{1,20}(?:\\.[A-Za-z0-9_+-]{1,20}){0,2}@" + Label + "(?:\\." + Label + "){1,3}$",
        ["hostname"] = "^" + HostLabel + "(?:\\." + HostLabel + "){0,5}$",
        ["ipv4"] = "^" + Octet + "(?:\\." + Octet + "){3}$",
        ["ipv6"] = "^(?:(?:[0-9a-f]{1,4}:){7}[0-9a-f]{1,4}|(?:[0-9a-f]{1,4}:){1,6}:[0-9a-f]{1,4}|::(?:[0-9a-f]{1,4}(?::[0-9a-f]{1,4}){0,5})?)$",
        ["uri"] = "^(?:https?|ftp|wss?)://" + HostLabel + "(?:\\." + HostLabel + "){0,5}(?::[1-9][0-9]{0,3})?(?:/" + UriText + ")?(?:\\?" + UriText + ")?(?:#" + UriText + ")?$",
    };

    public static IEnumerable<string> Names => Patterns.Keys;

    public static string? PatternOf(string format) => Patterns.GetValueOrDefault(format);
}
