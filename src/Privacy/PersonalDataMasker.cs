using System.Text;
using OpenEuroLLM.Core;
using OpenEuroLLM.Privacy.Masking;

namespace OpenEuroLLM.Privacy;

/// <summary>What a policy made of a text.</summary>
/// <param name="Text">The text that goes on: the same object where nothing changed; null where the policy drops it.</param>
/// <param name="Findings">What was found and counts by the policy, with places in the text as it was given.</param>
public sealed record MaskedText(string? Text, IReadOnlyList<PersonalDataFinding> Findings);

/// <summary>Does to the personal data of texts what a policy says. One masker may serve any number of threads.</summary>
public sealed class PersonalDataMasker
{
    private const int ShortestKey = 16;

    private readonly PersonalDataScanner _scanner = PersonalDataScanner.BuiltIn;
    private readonly SurrogateMaker? _surrogates;

    /// <param name="policy">What to do.</param>
    /// <exception cref="UserErrorException">The policy makes surrogates and has no key, or a short one.</exception>
    public PersonalDataMasker(PersonalDataPolicy policy)
    {
        ArgumentNullException.ThrowIfNull(policy);
        Policy = policy;
        if (!policy.MakesSurrogates) return;
        if (policy.Key is not { Length: >= ShortestKey } key)
            throw new UserErrorException($"personal data: the mode 'surrogate' has {(policy.Key is null ? "no key" : $"a key of {policy.Key.Length} characters")}; expected a secret of at least {ShortestKey}. Set one and keep it: the same key gives the same surrogates.");
        _surrogates = new SurrogateMaker(key, policy.Scope);
    }

    /// <summary>What is done.</summary>
    public PersonalDataPolicy Policy { get; }

    /// <summary>Applies the policy to a text.</summary>
    /// <param name="text">The text.</param>
    /// <param name="language">Its language; null where it is not known.</param>
    public MaskedText Apply(string text, string? language)
    {
        IReadOnlyList<PersonalDataFinding> found = _scanner.Scan(text, language);
        if (found.Count == 0) return new MaskedText(text, found);
        if (!Policy.TierB || !Policy.TierC) found = [.. found.Where(finding => Policy.Includes(finding.Tier))];
        if (found.Any(finding => Policy.ModeOf(finding.Type) == PersonalDataMode.Drop)) return new MaskedText(null, found);
        StringBuilder? masked = null;
        int copied = 0;
        foreach (PersonalDataFinding finding in found)
        {
            PersonalDataMode mode = Policy.ModeOf(finding.Type);
            if (mode == PersonalDataMode.Count) continue;
            masked ??= new StringBuilder(text.Length + 16);
            masked.Append(text, copied, finding.Start - copied);
            masked.Append(mode == PersonalDataMode.Mask ? Placeholder.Of(finding.Type) : _surrogates!.For(finding, text.AsSpan(finding.Start, finding.Length)));
            copied = finding.Start + finding.Length;
        }
        return new MaskedText(masked is null ? text : masked.Append(text, copied, text.Length - copied).ToString(), found);
    }
}
