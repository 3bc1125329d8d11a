using System.Text;

namespace OpenEuroLLM.Tokenizers;

/// <summary>Checks that control tokens and tokens of text never meet: a control token that text can become is a hole through which a text gives orders.</summary>
internal static class VocabularyLint
{
    /// <summary>What is wrong with a vocabulary; empty when nothing is.</summary>
    /// <param name="tokens">The tokens of text, in bytes.</param>
    /// <param name="merges">How they are made.</param>
    /// <param name="control">The control tokens with their ids.</param>
    public static IReadOnlyList<string> Faults(IReadOnlyList<byte[]> tokens, IReadOnlyList<Merge> merges, IReadOnlyList<AddedToken> control)
    {
        var faults = new List<string>();
        var contents = control.ToLookup(token => token.Content, StringComparer.Ordinal);
        foreach (var group in contents.Where(group => group.Count() > 1))
            faults.Add($"the control token '{group.Key}' stands there twice");
        var known = control.Select(token => token.Content).ToHashSet(StringComparer.Ordinal).GetAlternateLookup<ReadOnlySpan<char>>();
        int[] lengths = [.. control.Select(token => token.Content.Length).Distinct()];
        foreach (var outer in control)
            foreach (int length in lengths.Where(length => length < outer.Content.Length))
                for (int start = 0; start + length <= outer.Content.Length; start++)
                    if (known.Contains(outer.Content.AsSpan(start, length)))
                        faults.Add($"the control token '{outer.Content.Substring(start, length)}' is a part of '{outer.Content}'");
        foreach (byte[] token in tokens)
            if (contents.Contains(Encoding.UTF8.GetString(token)))
                faults.Add($"the control token '{Encoding.UTF8.GetString(token)}' is a token of text too");
        var ids = control.Select(token => token.Id).ToHashSet();
        foreach (var token in control.Where(token => token.Id < tokens.Count))
            faults.Add(FormattableString.Invariant($"the control token '{token.Content}' has the id {token.Id} of a token of text"));
        foreach (var merge in merges.Where(merge => ids.Contains(merge.Merged) || ids.Contains(merge.Left) || ids.Contains(merge.Right)))
            faults.Add(FormattableString.Invariant($"a merge makes the control token {merge.Merged} from text"));
        return faults;
    }
}
