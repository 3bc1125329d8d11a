using System.Numerics;

namespace OpenEuroLLM.Tokenizers;

/// <summary>Finds tokens by their bytes. Immutable.</summary>
internal sealed class TokenTable
{
    private readonly IReadOnlyList<byte[]?> _tokens;
    private readonly int[] _slots;      // id plus one
    private readonly int _longest;

    /// <exception cref="ArgumentException">Two tokens have the same bytes.</exception>
    public TokenTable(IReadOnlyList<byte[]?> tokens)
    {
        _tokens = tokens;
        _slots = new int[BitOperations.RoundUpToPowerOf2((uint)Math.Max(16, checked(tokens.Count * 2)))];
        for (int id = 0; id < tokens.Count; id++)
        {
            if (tokens[id] is not { } bytes)
                continue;
            _longest = Math.Max(_longest, bytes.Length);
            int slot = SlotOf(bytes);
            if (_slots[slot] != 0)
                throw new ArgumentException($"Tokens {_slots[slot] - 1} and {id} have the same bytes.", nameof(tokens));
            _slots[slot] = id + 1;
        }
    }

    /// <summary>The token with exactly these bytes, or null.</summary>
    public int? Find(ReadOnlySpan<byte> bytes) => bytes.Length <= _longest && _slots[SlotOf(bytes)] is > 0 and int number ? number - 1 : null;

    /// <summary>The slot where these bytes stand or would stand.</summary>
    private int SlotOf(ReadOnlySpan<byte> bytes)
    {
        int slot = (int)WordHash.Of(bytes) & (_slots.Length - 1);
        while (_slots[slot] != 0 && !bytes.SequenceEqual(_tokens[_slots[slot] - 1]))
            slot = (slot + 1) & (_slots.Length - 1);
        return slot;
    }
}
