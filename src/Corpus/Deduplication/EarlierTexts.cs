namespace OpenEuroLLM.Corpus.Deduplication;

/// <summary>Texts of documents that have been read before; those used last are kept, for neighbouring matches are mostly with the same few texts.</summary>
internal sealed class EarlierTexts(Comparison comparison)
{
    /// <summary>What is kept in memory, in UTF-16 units; a text may be longer.</summary>
    private const int Kept = 8 << 20;

    private readonly Dictionary<(int Unit, int Number), LinkedListNode<(int Unit, int Number, string Text)>> _known = [];
    private readonly LinkedList<(int Unit, int Number, string Text)> _byUse = new();   // the last used first
    private long _characters;

    /// <summary>The text of a document.</summary>
    public string Of(int unit, int number)
    {
        if (_known.TryGetValue((unit, number), out var node))
        {
            _byUse.Remove(node);
            _byUse.AddFirst(node);
            return node.Value.Text;
        }
        string text = comparison.Document(unit, number).Text;
        _known[(unit, number)] = _byUse.AddFirst((unit, number, text));
        for (_characters += text.Length; _characters > Kept && _byUse.Count > 1; _byUse.RemoveLast())
        {
            var (oldUnit, oldNumber, old) = _byUse.Last!.Value;
            _known.Remove((oldUnit, oldNumber));
            _characters -= old.Length;
        }
        return text;
    }
}
