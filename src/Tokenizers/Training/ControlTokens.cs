using OpenEuroLLM.Core;

namespace OpenEuroLLM.Tokenizers;

/// <summary>The control tokens of a vocabulary in the order of their ids: those set aside, then this project's own.</summary>
internal static class ControlTokens
{
    public static IReadOnlyList<string> Of(int reserve, IReadOnlyList<string> reservedTokens)
    {
        foreach (string name in reservedTokens)
        {
            // Text must not hold one by chance, and no name may begin another.
            if (name.Length < 5 || !name.StartsWith("<|", StringComparison.Ordinal) || !name.EndsWith("|>", StringComparison.Ordinal)
                || name.AsSpan(2, name.Length - 4).IndexOfAnyExcept(Inside) >= 0)
                throw new UserErrorException($"The reserved token '{name}' could stand in a text; expected <|name|> with small letters, digits and _ between.");
        }
        string[] all = [.. reservedTokens, .. Enumerable.Range(0, reserve).Select(number => FormattableString.Invariant($"<|reserved_{number}|>")), .. SpecialTokens.All];
        if (all.GroupBy(name => name, StringComparer.Ordinal).FirstOrDefault(group => group.Count() > 1) is { } twice)
            throw new UserErrorException($"The control token '{twice.Key}' stands there twice; expected each name once. {string.Join(' ', SpecialTokens.All)} are always there.");
        return all;
    }

    private static readonly System.Buffers.SearchValues<char> Inside = System.Buffers.SearchValues.Create("abcdefghijklmnopqrstuvwxyz0123456789_");
}
