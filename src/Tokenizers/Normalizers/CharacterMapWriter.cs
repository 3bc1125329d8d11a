using System.Buffers.Binary;

namespace OpenEuroLLM.Tokenizers;

/// <summary>Writes a character map of rules.</summary>
internal static class CharacterMapWriter
{
    public static byte[] Write(IEnumerable<(byte[] From, byte[] To)> rules)
    {
        var sorted = rules.ToArray();
        Array.Sort(sorted, static (left, right) => left.From.AsSpan().SequenceCompareTo(right.From));
        for (int i = 0; i < sorted.Length; i++)
        {
            if (sorted[i].From.Length is 0 or > CharacterMap.LongestRule || sorted[i].From.Contains((byte)0) || sorted[i].To.Contains((byte)0))
                throw new ArgumentException($"Rule {i} rewrites {sorted[i].From.Length} bytes, or has a zero byte; expected 1 to {CharacterMap.LongestRule} and none.", nameof(rules));
            if (i > 0 && sorted[i].From.AsSpan().SequenceEqual(sorted[i - 1].From))
                throw new ArgumentException($"Rules {i - 1} and {i} rewrite the same text.", nameof(rules));
        }
        var replacements = new List<byte> { 0 };        // the empty one, at 0
        var places = new Dictionary<string, int>(StringComparer.Ordinal) { [""] = 0 };
        int[] values = new int[sorted.Length];
        for (int i = 0; i < sorted.Length; i++)
        {
            string key = Convert.ToHexString(sorted[i].To);
            if (!places.TryGetValue(key, out values[i]))
            {
                places.Add(key, values[i] = replacements.Count);
                replacements.AddRange(sorted[i].To);
                replacements.Add(0);
            }
        }
        uint[] units = Trie(sorted, values);
        byte[] blob = new byte[sizeof(uint) + units.Length * sizeof(uint) + replacements.Count];
        BinaryPrimitives.WriteUInt32LittleEndian(blob, (uint)(units.Length * sizeof(uint)));
        for (int i = 0; i < units.Length; i++)
            BinaryPrimitives.WriteUInt32LittleEndian(blob.AsSpan(sizeof(uint) * (i + 1)), units[i]);
        replacements.CopyTo(blob, sizeof(uint) * (units.Length + 1));
        return blob;
    }

    private static uint[] Trie((byte[] From, byte[] To)[] rules, int[] values)
    {
        var layout = new TrieLayout();
        layout.AddBlock(reserved: 1);
        var units = new List<uint>();
        Span<byte> labels = stackalloc byte[257];
        var waiting = new Stack<(int Place, int From, int To, int Depth)>();
        Grow();
        units[0] = DoubleArrayUnit.Node(0, hasValue: false, offset: 0);
        if (rules.Length > 0)
            waiting.Push((0, 0, rules.Length, 0));
        while (waiting.TryPop(out var node))
        {
            // The value of a rule that ends here is a child with the label 0.
            bool hasValue = rules[node.From].From.Length == node.Depth;
            int children = 0;
            if (hasValue)
                labels[children++] = 0;
            for (int i = hasValue ? node.From + 1 : node.From; i < node.To; i++)
                if (children == 0 || labels[children - 1] != rules[i].From[node.Depth])
                    labels[children++] = rules[i].From[node.Depth];
            int basePlace = layout.Place(labels[..children], candidate => DoubleArrayUnit.CanHold(node.Place ^ candidate));
            Grow();
            byte label = node.Depth == 0 ? (byte)0 : rules[node.From].From[node.Depth - 1];
            units[node.Place] = DoubleArrayUnit.Node(label, hasValue, node.Place ^ basePlace);
            if (hasValue)
                units[basePlace] = DoubleArrayUnit.ValueMark | (uint)values[node.From];
            for (int i = hasValue ? node.From + 1 : node.From; i < node.To;)
            {
                byte next = rules[i].From[node.Depth];
                int first = i;
                while (i < node.To && rules[i].From[node.Depth] == next)
                    i++;
                waiting.Push((basePlace ^ next, first, i, node.Depth + 1));
            }
        }
        return [.. units];

        void Grow()
        {
            while (units.Count < layout.Count)
                units.Add(DoubleArrayUnit.NoUnit);
        }
    }
}
