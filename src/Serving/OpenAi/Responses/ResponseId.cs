using System.Security.Cryptography;

namespace OpenEuroLLM.Serving.OpenAi.Responses;

/// <summary>The name of a response. The names of its items are made of it, so that an item's name alone leads to where the item is kept.</summary>
/// <param name="Digits">What nobody can guess: 32 hex digits.</param>
internal readonly record struct ResponseId(string Digits)
{
    private const string Prefix = "resp_";
    private const int Length = 32;

    public static ResponseId New() => new(RandomNumberGenerator.GetHexString(Length, lowercase: true));

    /// <summary>The name of an item that came with the request.</summary>
    public string OfInput(string kind, int index) => FormattableString.Invariant($"{kind}_{Digits}i{index}");

    /// <summary>The name of an item of the answer.</summary>
    public string OfOutput(string kind, int index) => FormattableString.Invariant($"{kind}_{Digits}o{index}");

    /// <summary>The response that an item's name was made of, or null for a name that was not made here.</summary>
    public static string? OfItem(string item)
    {
        int start = item.IndexOf('_', StringComparison.Ordinal) + 1;
        return start > 0 && item.Length > start + Length ? string.Concat(Prefix, item.AsSpan(start, Length)) : null;
    }

    public override string ToString() => Prefix + Digits;
}
