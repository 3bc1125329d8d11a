using System.Net;
using System.Net.Sockets;
using OpenEuroLLM.Privacy.Rules;

namespace OpenEuroLLM.Privacy.Scanning;

/// <summary>Public addresses of the internet protocol, which are not versions, sections or examples.</summary>
internal sealed class IpMatcher(RuleBook rules, ContextFinder context)
{
    private const int LongestV6 = 45;
    private const int VersionDistance = 20;
    private const int SmallOctet = 30;   // four numbers below are a section as a rule

    private readonly (uint Network, uint Mask)[] _skipped = [.. rules.Ip.Skipped4.Select(Network)];

    /// <summary>An IPv4 address where the window begins.</summary>
    public Candidate? V4(string text, NumberWindow window)
    {
        Span<int> octets = stackalloc int[4];
        int octet = 0, digits = 0, count = 0;
        for (; count < window.Count; count++)
        {
            char symbol = window.Symbols[count];
            Gap gap = window.GapBefore(count);
            if (count > 0 && gap != Gap.None)
            {
                if (octet == 3) break;
                if (gap != Gap.Dot) return null;
                octet++;
                digits = 0;
            }
            if (!char.IsAsciiDigit(symbol) || ++digits > 3 || (digits == 2 && octets[octet] == 0)) return null;
            octets[octet] = octets[octet] * 10 + symbol - '0';
        }
        if (octet != 3 || octets.ContainsAnyExceptInRange(0, 255)) return null;
        int start = window.StartOf(0), end = window.EndOf(count - 1);
        uint address = (uint)(octets[0] << 24 | octets[1] << 16 | octets[2] << 8 | octets[3]);
        foreach ((uint network, uint mask) in _skipped)
            if ((address & mask) == network) return null;
        if (!NumberEdges.MayEnd(text, end, mayHavePort: true)) return null;
        ContextHit? named = context.Near(rules.IpAddress.Concept, start, end);
        if (named is null && !octets.ContainsAnyExceptInRange(0, SmallOctet - 1)) return null;
        if (context.HitBefore(rules.VersionWords, start) is { } version && version.Distance <= VersionDistance && !(named is { } name && name.Distance < version.Distance)) return null;
        if (named is null && context.Near(rules.VersionWordsBehind, start, end) is { Distance: 1 } behind && behind.Start > end) return null;   // "a 4.18.2.31 verzió"
        return new Candidate(rules.IpAddress, null, PersonalDataTier.A, start, end, Candidate.Named, named);
    }

    /// <summary>An IPv6 address around a digit.</summary>
    public Candidate? V6(string text, int at)
    {
        int start = at, end = at, colons = 0;
        while (start > 0 && at - start <= LongestV6 && IsV6(text[start - 1])) start--;
        while (end < text.Length && end - start <= LongestV6 && IsV6(text[end])) end++;
        while (end > start && (text[end - 1] is '.' || (text[end - 1] == ':' && !(end - start > 1 && text[end - 2] == ':')))) end--;
        foreach (char sign in text.AsSpan(start, end - start))
            if (sign == ':') colons++;
        if (colons < 2 || end - start > LongestV6) return null;
        if ((start > 0 && IsWord(text[start - 1])) || (end < text.Length && IsWord(text[end]))) return null;
        ReadOnlySpan<char> written = text.AsSpan(start, end - start);
        if (!IPAddress.TryParse(written, out IPAddress? address) || address.AddressFamily != AddressFamily.InterNetworkV6) return null;
        Span<byte> bytes = stackalloc byte[16];
        address.TryWriteBytes(bytes, out _);
        bool skipped = (bytes[0] & 0xFE) == 0xFC || (bytes[0] == 0xFE && (bytes[1] & 0xC0) == 0x80) || (bytes[0] == 0x20 && bytes[1] == 0x01 && bytes[2] == 0x0D && bytes[3] == 0xB8)
            || bytes[0] == 0xFF || (bytes[0] == 0 && bytes[1] == 0);   // local, link-local, of documentation, multicast, unspecified and loopback
        return skipped ? null : new Candidate(rules.IpAddress, null, PersonalDataTier.A, start, end, Candidate.Named, null);
    }

    private static bool IsV6(char sign) => char.IsAsciiHexDigit(sign) || sign is ':' or '.';

    private static bool IsWord(char sign) => char.IsLetterOrDigit(sign) || sign == '_';

    private static (uint, uint) Network(string text)
    {
        IPNetwork network = IPNetwork.Parse(text);
        Span<byte> bytes = stackalloc byte[4];
        network.BaseAddress.TryWriteBytes(bytes, out _);
        return (System.Buffers.Binary.BinaryPrimitives.ReadUInt32BigEndian(bytes), network.PrefixLength == 0 ? 0 : uint.MaxValue << (32 - network.PrefixLength));
    }
}
