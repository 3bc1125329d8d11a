namespace OpenEuroLLM.Privacy.Scanning;

/// <summary>What stands beside a number: a number that is part of something longer (a decimal, a date, an address, a price) is none by itself.</summary>
internal static class NumberEdges
{
    private const int MostInvisible = 16;

    /// <summary>Whether a number may begin at a place where a word begins.</summary>
    public static bool MayBegin(string text, int start, out bool afterPlus, out int plus)
    {
        afterPlus = false;
        plus = start;
        SymbolKind kind = Before(text, ref start, out char sign);
        switch (kind)
        {
            case SymbolKind.Digit or SymbolKind.Letter or SymbolKind.ForeignLetter or SymbolKind.RaisedDigit: return false;
            case SymbolKind.Currency: return false;
            case SymbolKind.Plus:
                afterPlus = true;
                plus = start;
                return Before(text, ref start, out _) is not (SymbolKind.Digit or SymbolKind.Letter or SymbolKind.ForeignLetter);
            case SymbolKind.Space:
                return Before(text, ref start, out _) != SymbolKind.Currency;
            case SymbolKind.Slash:
                return Before(text, ref start, out _) is not (SymbolKind.Digit or SymbolKind.Letter or SymbolKind.ForeignLetter or SymbolKind.Slash);
            case SymbolKind.Hyphen or SymbolKind.Dot:
                return Before(text, ref start, out _) != SymbolKind.Digit;
        }
        if (sign is '@' or '\\') return false;
        return sign is not (',' or ':' or '\'' or '’') || Before(text, ref start, out _) != SymbolKind.Digit;
    }

    /// <summary>Whether a number may end at a place where a word ends.</summary>
    public static bool MayEnd(string text, int end, bool mayHavePort = false)
    {
        SymbolKind kind = After(text, ref end, out char sign);
        switch (kind)
        {
            case SymbolKind.Digit or SymbolKind.Letter or SymbolKind.ForeignLetter: return false;
            case SymbolKind.Currency: return false;
            case SymbolKind.Space:
                return After(text, ref end, out char next) != SymbolKind.Currency && next != '%';
            case SymbolKind.Slash:
                return After(text, ref end, out _) is not (SymbolKind.Digit or SymbolKind.Letter or SymbolKind.ForeignLetter);
            case SymbolKind.Hyphen or SymbolKind.Dot:
                return After(text, ref end, out _) != SymbolKind.Digit;
        }
        if (sign is '@' or '%' or '\\' or '=') return false;
        return !(sign is ',' or '\'' or '’' || (sign == ':' && !mayHavePort)) || After(text, ref end, out _) != SymbolKind.Digit;
    }

    private static SymbolKind Before(string text, ref int at, out char sign)
    {
        for (int i = 0; i < MostInvisible && at > 0; i++)
        {
            SymbolKind kind = SymbolTable.Before(text, at, out int begin, out _);
            at = begin;
            sign = text[begin];
            if (kind != SymbolKind.Invisible) return kind;
        }
        sign = '\0';
        return SymbolKind.Other;
    }

    private static SymbolKind After(string text, ref int at, out char sign)
    {
        for (int i = 0; i < MostInvisible && at < text.Length; i++)
        {
            SymbolKind kind = SymbolTable.At(text, at, out _, out int units);
            sign = text[at];
            at += units;
            if (kind != SymbolKind.Invisible) return kind;
        }
        sign = '\0';
        return SymbolKind.Other;
    }
}
