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
        foreach (var inner in control)
            foreach (var outer in control)
                if (inner.Content.Length < outer.Content.Length && outer.Content.Contains(inner.Content, StringComparison.Ordinal))
                    faults.Add($"the control token '{inner.Content}' is a part of '{outer.Content}'");
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
