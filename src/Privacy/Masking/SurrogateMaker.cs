using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using OpenEuroLLM.Core;
using OpenEuroLLM.Privacy.Scanning;

namespace OpenEuroLLM.Privacy.Masking;

/// <summary>Makes up data in the place of data found: of the same type and written the same way, valid, and where there are such in a range that nobody has. What
/// comes out depends on the key, the scope and the data without its separators: the same person's number becomes the same everywhere.</summary>
internal sealed class SurrogateMaker(string key, string scope)
{
    private readonly byte[] _key = Encoding.UTF8.GetBytes(key);

    /// <summary>The surrogate of a finding.</summary>
    /// <param name="finding">The finding.</param>
    /// <param name="written">The data as the text has them.</param>
    public string For(PersonalDataFinding finding, ReadOnlySpan<char> written)
    {
        string symbols = Symbols(written, out bool hasOther);
        if (finding.Type == PersonalDataType.Email) return Email(Seed(finding, Plain(written)));
        if (finding.Type == PersonalDataType.IpAddress) return Address(Seed(finding, Plain(written)), written.Contains(':'));
        CounterRandom random = Seed(finding, symbols);
        string? made = finding.Type switch
        {
            PersonalDataType.Phone => NumberMaker.Phone(symbols, written.Contains('+') || written.Contains('＋'), random),
            PersonalDataType.Iban => NumberMaker.Iban(symbols, random),
            PersonalDataType.Card => NumberMaker.Card(symbols, random),
            _ => NumberMaker.Identifier(finding.Rule, symbols, Sign(written), random),
        };
        // Where no such number can be made up, a placeholder is the safe answer.
        return made is null || hasOther ? Placeholder.Of(finding.Type) : Rewrite(written, made);
    }

    private CounterRandom Seed(PersonalDataFinding finding, string value)
    {
        byte[] code = HMACSHA256.HashData(_key, Encoding.UTF8.GetBytes($"{scope}\n{finding.Type}\n{value}"));
        return new CounterRandom(BinaryPrimitives.ReadUInt64BigEndian(code), BinaryPrimitives.ReadUInt64BigEndian(code.AsSpan(8)));
    }

    // example.org is reserved by RFC 2606: nobody can receive mail there.
    private static string Email(CounterRandom random) => $"person-{random.At(0) >> 24:x10}@example.org";

    // Networks reserved for documentation: RFC 5737 and RFC 3849.
    private static string Address(CounterRandom random, bool six) => six
        ? string.Create(System.Globalization.CultureInfo.InvariantCulture, $"2001:db8:{random.Below(0, 65536):x}:{random.Below(1, 65536):x}::{1 + random.Below(2, 65535):x}")
        : string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{(random.Below(0, 3) switch { 0 => "192.0.2", 1 => "198.51.100", _ => "203.0.113" })}.{1 + random.Below(1, 254)}");

    private static string Plain(ReadOnlySpan<char> written) => written.ToString().Normalize(NormalizationForm.FormKC).ToLowerInvariant();

    private static char Sign(ReadOnlySpan<char> written) => written.Contains('+') ? '+' : '-';

    private static string Symbols(ReadOnlySpan<char> written, out bool hasOther)
    {
        string text = written.ToString();
        var symbols = new StringBuilder(text.Length);
        hasOther = false;
        for (int at = 0; at < text.Length;)
        {
            SymbolKind kind = SymbolTable.At(text, at, out char value, out int units);
            if (kind is SymbolKind.Digit or SymbolKind.Letter or SymbolKind.RaisedDigit) symbols.Append(value);
            hasOther |= kind is SymbolKind.ForeignLetter or SymbolKind.Other;
            at += units;
        }
        return symbols.ToString();
    }

    /// <summary>The made-up symbols with the separators and the small letters of the original.</summary>
    private static string Rewrite(ReadOnlySpan<char> written, string made)
    {
        string text = written.ToString();
        var result = new StringBuilder(text.Length);
        int next = 0;
        for (int at = 0; at < text.Length;)
        {
            SymbolKind kind = SymbolTable.At(text, at, out _, out int units);
            if (kind is SymbolKind.Digit or SymbolKind.Letter or SymbolKind.RaisedDigit) result.Append(char.IsLower(text, at) ? char.ToLowerInvariant(made[next++]) : made[next++]);
            else if (kind != SymbolKind.Invisible) result.Append(text, at, units);
            at += units;
        }
        return result.ToString();
    }
}
