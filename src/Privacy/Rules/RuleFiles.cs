using System.Text.Json;
using System.Text.Json.Serialization;

namespace OpenEuroLLM.Privacy.Rules;

/// <summary><c>identifiers.json</c>.</summary>
internal sealed record IdentifierFile(string Version, IReadOnlyList<IdentifierEntry> Rules);

/// <summary>An identifier.</summary>
/// <param name="Name">Names the rule in ledgers.</param>
/// <param name="Version">Grows with every change of the rule.</param>
/// <param name="Type">What it is.</param>
/// <param name="Countries">Whose it is; empty: any country's.</param>
/// <param name="Tier">How sure the rule is by itself.</param>
/// <param name="Context">Words that name it: "=" in front wants capitals, "*" behind allows endings.</param>
/// <param name="Forms">The forms it has.</param>
/// <param name="Unchecked">Whether it has no check digit.</param>
internal sealed record IdentifierEntry(
    string Name, int Version, PersonalDataType Type, IReadOnlyList<string> Countries, PersonalDataTier Tier, IReadOnlyList<string> Context, IReadOnlyList<FormEntry> Forms, bool Unchecked = false);

/// <summary>One form of an identifier.</summary>
/// <param name="Pattern">Its symbols: see <see cref="Pattern"/>.</param>
/// <param name="Groups">The lengths of the words it is commonly written in; other groupings need a word of context.</param>
/// <param name="Checks">All must pass.</param>
/// <param name="Tier">Where it differs from that of the rule.</param>
/// <param name="Sign">The characters one of which must separate its two words.</param>
/// <param name="Surrogate">The pattern of numbers that no living person has, where there are such.</param>
/// <param name="BareOnly">Whether a VAT number of this form has no country in front.</param>
internal sealed record FormEntry(
    string Pattern, IReadOnlyList<string> Groups, IReadOnlyList<CheckSetting> Checks, PersonalDataTier? Tier = null, string? Sign = null, string? Surrogate = null, bool BareOnly = false);

/// <summary><c>vat.json</c>.</summary>
internal sealed record VatFile(string Version, IReadOnlyList<string> Context, IReadOnlyList<VatEntry> Rules);

/// <summary>The VAT numbers of a country.</summary>
internal sealed record VatEntry(string Name, int Version, IReadOnlyList<string> Countries, string Prefix, IReadOnlyList<FormEntry> Forms);

/// <summary><c>accounts.json</c>.</summary>
internal sealed record AccountFile(string Version, IbanEntry Iban, CardEntry Card);

/// <summary>Account numbers: the length for each country, and the countries that allow letters after the check digits.</summary>
internal sealed record IbanEntry(int Version, IReadOnlyDictionary<string, int> Lengths, IReadOnlyList<string> Letters);

/// <summary>Payment cards.</summary>
internal sealed record CardEntry(int Version, IReadOnlyList<string> Context, IReadOnlyList<CardNetwork> Networks, IReadOnlyList<string> Groups);

/// <summary>The first digits of a network's cards, and their lengths.</summary>
/// <param name="Prefixes">Prefixes or ranges of them.</param>
/// <param name="Lengths">Numbers of digits.</param>
/// <param name="Alone">Whether they are reported without a word of context.</param>
internal sealed record CardNetwork(IReadOnlyList<string> Prefixes, IReadOnlyList<int> Lengths, bool Alone);

/// <summary><c>phones.json</c>.</summary>
internal sealed record PhoneFile(
    string Version, int Rule, IReadOnlyList<PhoneEntry> Countries, IReadOnlyList<string> OtherCodes, int OtherLeast, int OtherMost, IReadOnlyList<string> Context);

/// <summary>A country's telephone numbers.</summary>
/// <param name="Country">The country.</param>
/// <param name="Code">Its calling code.</param>
/// <param name="Least">The fewest digits of a national number without the trunk prefix.</param>
/// <param name="Most">The most.</param>
/// <param name="Mobile">Beginnings of mobile numbers with their lengths: "15-17:10-11".</param>
/// <param name="Trunk">What is dialled in front within the country; absent: nothing.</param>
/// <param name="OldTrunk">What was dialled until lately and still stands in texts.</param>
internal sealed record PhoneEntry(string Country, string Code, int Least, int Most, IReadOnlyList<string> Mobile, string? Trunk = null, string? OldTrunk = null);

/// <summary><c>addresses.json</c>.</summary>
internal sealed record AddressFile(string Version, EmailEntry Email, IpEntry Ip, CodeEntry Codes);

/// <summary>E-mail addresses: what is none, and how they are written in words.</summary>
internal sealed record EmailEntry(
    int Version, IReadOnlyList<string> SkippedDomains, IReadOnlyList<string> SkippedTopLevel, IReadOnlyList<string> SkippedLocals,
    IReadOnlyList<string> At, IReadOnlyList<string> AtWords, IReadOnlyList<string> Dot, IReadOnlyList<string> DotWords);

/// <summary>Internet addresses: networks that are nobody's, and words before and behind versions and sections.</summary>
internal sealed record IpEntry(int Version, IReadOnlyList<string> Skipped4, IReadOnlyList<string> Context, IReadOnlyList<string> VersionWords, IReadOnlyList<string> VersionWordsBehind);

/// <summary>Words that say that a number is something else.</summary>
/// <param name="Labels">Void a word of context that stands before them.</param>
/// <param name="Blockers">Void every rule that has no word of context of its own nearer.</param>
internal sealed record CodeEntry(IReadOnlyList<string> Labels, IReadOnlyList<string> Blockers);

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UseStringEnumConverter = true, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    RespectNullableAnnotations = true, RespectRequiredConstructorParameters = true, ReadCommentHandling = JsonCommentHandling.Skip)]
[JsonSerializable(typeof(IdentifierFile))]
[JsonSerializable(typeof(VatFile))]
[JsonSerializable(typeof(AccountFile))]
[JsonSerializable(typeof(PhoneFile))]
[JsonSerializable(typeof(AddressFile))]
internal sealed partial class RuleFilesJson : JsonSerializerContext;
