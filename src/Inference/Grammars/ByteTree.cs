namespace OpenEuroLLM.Inference.Grammars;

/// <summary>Byte strings with ids as a tree in the order of a walk: what begins the same is looked at once.</summary>
internal sealed class ByteTree
{
    /// <param name="entries">The strings, none of them empty; several may be the same.</param>
    public ByteTree(List<(byte[] Bytes, int Id)> entries)
    {
        entries.Sort((a, b) => a.Bytes.AsSpan().SequenceCompareTo(b.Bytes) is var byBytes and not 0 ? byBytes : a.Id.CompareTo(b.Id));
        var nodes = new List<Node>();
        var ids = new List<int>();
        var path = new List<int>(); // nodes from the first byte to the last of the string before
        byte[] before = [];
        foreach (var (bytes, id) in entries)
        {
            int common = bytes.AsSpan().CommonPrefixLength(before);
            Close(common);
            for (int i = common; i < bytes.Length; i++)
            {
                path.Add(nodes.Count);
                nodes.Add(new Node(bytes[i], 0, ids.Count, ids.Count, int.MaxValue));
            }

            ids.Add(id);
            int last = path[^1];
            nodes[last] = nodes[last] with { IdsEnd = ids.Count };
            before = bytes;
        }

        Close(0);
        (Nodes, Ids) = ([.. nodes], [.. ids]);

        void Close(int depth)
        {
            for (int i = depth; i < path.Count; i++) nodes[path[i]] = nodes[path[i]] with { End = nodes.Count };
            path.RemoveRange(depth, path.Count - depth);
        }
    }

    /// <summary>A byte behind those of its parent; children follow at once, up to <see cref="End"/>; the strings that end here are <see cref="ByteTree.Ids"/>
    /// from <see cref="IdsStart"/> to <see cref="IdsEnd"/>. <see cref="Content"/> is how many characters the longest token from here on has, where all of
    /// them are plain contents of strings; otherwise a very large number.</summary>
    public readonly record struct Node(byte Value, int End, int IdsStart, int IdsEnd, int Content);

    public Node[] Nodes { get; }

    public int[] Ids { get; }
}
