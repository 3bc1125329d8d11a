using OpenEuroLLM.Core;

namespace OpenEuroLLM.Tokenizers;

/// <summary>Merges on their way from texts to ids.</summary>
/// <param name="ids">The vocabulary.</param>
/// <param name="prefix">What is left out of the right side when two become one.</param>
/// <param name="expected">About how many there are.</param>
/// <param name="refuse">Makes an error of what is wrong.</param>
internal sealed class MergeList(Dictionary<string, int> ids, string prefix, int expected, Func<string, UserErrorException> refuse)
{
    private readonly PairTable _seen = new(expected);

    public List<Merge> All { get; } = new(expected);

    public void Add(params ReadOnlySpan<string> parts)
    {
        if (parts.Length != 2)
            throw refuse($"merge {All.Count} is '{JsonPart.Shown(string.Join(' ', parts))}'; expected two tokens");
        var (left, right) = (parts[0], parts[1]);
        if (right.Length < prefix.Length)
            throw refuse($"merge {All.Count} ('{JsonPart.Shown(left)}' '{JsonPart.Shown(right)}') has a right side without the prefix '{JsonPart.Shown(prefix)}'");
        var merge = new Merge(Id(left), Id(right), Id(left + right[prefix.Length..]));
        if (_seen.FindOrAdd(PairTable.Key(merge.Left, merge.Right)) != All.Count)
            throw refuse($"merge {All.Count} ('{JsonPart.Shown(left)}' '{JsonPart.Shown(right)}') stands there twice");
        All.Add(merge);
    }

    private int Id(string token) => ids.TryGetValue(token, out int id) ? id
        : throw refuse($"merge {All.Count} needs the token '{JsonPart.Shown(token)}', which is not in the vocabulary");
}
