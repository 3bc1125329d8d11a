namespace OpenEuroLLM.Corpus.Deduplication;

/// <summary>Joins documents to clusters; the first document of a cluster stands for it. The outcome does not depend on the order of joining.</summary>
/// <remarks>Union-find with path halving, each root the smallest of its tree.</remarks>
internal sealed class Clusters
{
    private readonly int[] _parents;

    public Clusters(int documents)
    {
        _parents = new int[documents];
        for (int i = 0; i < documents; i++) _parents[i] = i;
    }

    /// <summary>The first document of a document's cluster.</summary>
    public int First(int document)
    {
        while (_parents[document] != document)
            document = _parents[document] = _parents[_parents[document]];
        return document;
    }

    /// <summary>Makes one cluster of two.</summary>
    public void Join(int one, int other)
    {
        (one, other) = (First(one), First(other));
        if (one < other) _parents[other] = one;
        else _parents[one] = other;
    }
}
