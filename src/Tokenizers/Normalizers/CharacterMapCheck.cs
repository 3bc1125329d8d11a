using OpenEuroLLM.Core;

namespace OpenEuroLLM.Tokenizers;

/// <summary>Whether every walk through the trie of a character map stays inside it and comes to an end.</summary>
internal static class CharacterMapCheck
{
    private const int NotSeen = 0;
    private const int Open = -1;

    /// <param name="units">The trie, filled up to a multiple of 256 units.</param>
    /// <param name="count">The units that stand in the file.</param>
    /// <param name="replacements">What its values point into.</param>
    /// <param name="refuse">Makes the exception of a finding.</param>
    public static void Run(uint[] units, int count, byte[] replacements, Func<string, UserErrorException> refuse)
    {
        // All units are looked at before any is followed. The children of a node are those whose place XOR label is its base.
        int[] firstChild = new int[units.Length + 1];
        for (int place = 0; place < count; place++)
        {
            uint unit = units[place];
            if (DoubleArrayUnit.IsValue(unit))
                continue;
            long basePlace = place ^ (long)DoubleArrayUnit.Offset(unit);
            if (basePlace >= units.Length)
                throw refuse($"unit {place} of its trie points to {basePlace}; expected below {units.Length}");
            if (DoubleArrayUnit.HasValue(unit))
            {
                uint value = units[basePlace];
                if (!DoubleArrayUnit.IsValue(value) || basePlace >= count)
                    throw refuse($"unit {place} of its trie has a value at {basePlace}, where there is none");
                if (DoubleArrayUnit.Value(value) >= replacements.Length || (replacements[DoubleArrayUnit.Value(value)] & 0xC0) == 0x80)
                    throw refuse($"unit {place} of its trie has replacement {DoubleArrayUnit.Value(value)}; expected the beginning of a character below {replacements.Length}");
            }
            firstChild[(place ^ (int)DoubleArrayUnit.Label(unit)) + 1]++;
        }
        for (int i = 0; i < units.Length; i++)
            firstChild[i + 1] += firstChild[i];
        int[] children = new int[firstChild[^1]];
        int[] filled = firstChild[..^1];
        for (int place = 0; place < count; place++)
            if (!DoubleArrayUnit.IsValue(units[place]))
                children[filled[place ^ (int)DoubleArrayUnit.Label(units[place])]++] = place;
        Follow(units, firstChild, children, refuse);
    }

    private static void Follow(uint[] units, int[] firstChild, int[] children, Func<string, UserErrorException> refuse)
    {
        if (DoubleArrayUnit.IsValue(units[0]))
            throw refuse("its trie has no root");
        int[] heights = new int[units.Length];      // of what is below a base, plus one
        var path = new Stack<(int Base, int Next)>();
        int root = DoubleArrayUnit.Offset(units[0]);
        Enter(root);
        while (path.TryPop(out var node))
        {
            if (node.Next == firstChild[node.Base + 1])
            {
                int height = 0;
                for (int i = firstChild[node.Base]; i < firstChild[node.Base + 1]; i++)
                    if (children[i] != 0)
                        height = Math.Max(height, heights[children[i] ^ DoubleArrayUnit.Offset(units[children[i]])]);
                heights[node.Base] = height + 1;
                if (height > CharacterMap.LongestRule)
                    throw refuse($"its trie is deeper than {CharacterMap.LongestRule} bytes");
                continue;
            }
            path.Push((node.Base, node.Next + 1));
            int child = children[node.Next];
            // The root lies among the units without being anybody's child.
            if (child == 0)
                continue;
            int below = child ^ DoubleArrayUnit.Offset(units[child]);
            if (heights[below] == Open)
                throw refuse($"its trie leads from unit {child} back to itself");
            if (heights[below] == NotSeen)
                Enter(below);
        }

        void Enter(int basePlace)
        {
            heights[basePlace] = Open;
            path.Push((basePlace, firstChild[basePlace]));
        }
    }
}
