using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Nodes;
using OpenEuroLLM.Core;
using OpenEuroLLM.Privacy;

namespace OpenEuroLLM.Corpus;

/// <summary>Masks the personal data of each document, puts made-up data in their place, or drops the document. The ledger says which rules found what, never the data.</summary>
/// <param name="Mode">What is done.</param>
/// <param name="TierB">Whether rules take part that are sure only in documents in a language of their country.</param>
/// <param name="TierC">Whether rules take part that want a word of context.</param>
/// <param name="KeyFile">A file with the secret that surrogates are made with, of at least 16 characters; best 32 at random. The manifest has its hash, never the secret.</param>
public sealed record PersonalData(PersonalDataMode Mode = PersonalDataMode.Mask, bool TierB = true, bool TierC = true, string? KeyFile = null) : Filter
{
    private const int LongestKey = 1 << 16;

    /// <summary>Made once for each step, and not a part of its value: steps with the same settings are equal.</summary>
    private static readonly ConditionalWeakTable<PersonalData, PersonalDataMasker> Maskers = [];

    /// <inheritdoc/>
    internal override IReadOnlyList<string> Files => KeyFile is null ? [] : [Present(KeyFile)];

    /// <inheritdoc/>
    public override Verdict Judge(Document document)
    {
        ArgumentNullException.ThrowIfNull(document);
        if (!Maskers.TryGetValue(this, out PersonalDataMasker? masker))
        {
            lock (Maskers) masker = Maskers.GetValue(this, static step => step.Open());
        }
        MaskedText masked = masker.Apply(document.Text, document.Lang);
        Verdict verdict = masked.Text is null ? Verdict.Drop("personal-data")
            : ReferenceEquals(masked.Text, document.Text) ? Verdict.Keep
            : Verdict.Replace(document with { Text = masked.Text });
        return masked.Findings.Count == 0 ? verdict : verdict.Recorded(Entry(masked.Findings));
    }

    private static LedgerEntry Entry(IReadOnlyList<PersonalDataFinding> findings) => new(
        new JsonObject
        {
            ["findings"] = new JsonArray([.. findings
                .GroupBy(finding => (finding.Type, finding.Country, finding.Tier, finding.Rule, finding.RuleVersion))
                .Select(found => (JsonNode)new JsonObject
                {
                    ["type"] = NameOf(found.Key.Type),
                    ["country"] = found.Key.Country,
                    ["tier"] = found.Key.Tier.ToString(),
                    ["rule"] = found.Key.Rule,
                    ["version"] = found.Key.RuleVersion,
                    ["count"] = found.Count(),
                })]),
        },
        [.. findings.Select(finding => NameOf(finding.Type)).Distinct()]);

    private static string NameOf(PersonalDataType type) => JsonNamingPolicy.KebabCaseLower.ConvertName(type.ToString());

    private PersonalDataMasker Open() => new(new PersonalDataPolicy(Mode, null, TierB, TierC, KeyFile is null ? null : ReadKey(Present(KeyFile))));

    private static string ReadKey(string path)
    {
        try
        {
            return new FileInfo(path).Length <= LongestKey ? File.ReadAllText(path).Trim()
                : throw new UserErrorException($"{path}: is longer than {LongestKey} bytes; expected a secret of at least 16 characters.");
        }
        catch (Exception error) when (StorageFailure.Is(error))
        {
            throw StorageFailure.Explain(error, path);
        }
    }

    private static string Present(string path) =>
        File.Exists(path) ? path : throw new UserErrorException($"{path}: not found; expected a file with the secret of surrogates, seen from the current folder.");
}
