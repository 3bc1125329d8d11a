namespace OpenEuroLLM.Tokenizers;

/// <summary>The states (instruction, place) of a match that have been tried: trying one again cannot lead anywhere else, because there are no
/// references back to groups. A hash set that can forget what was added last.</summary>
internal sealed class RegexMemory
{
    private const int MostStates = 1 << 22;

    private ulong[] _states = new ulong[64];    // in order of addition, plus one
    private int[] _slots = new int[256];

    public int Count { get; private set; }

    public bool IsFull => Count == MostStates;

    /// <returns>False when the state is known.</returns>
    public bool Add(int instruction, int place)
    {
        ulong state = ((ulong)(uint)instruction << 32) | (uint)place;
        int slot = Slot(state);
        for (; _slots[slot] != 0; slot = (slot + 1) & (_slots.Length - 1))
            if (_states[_slots[slot] - 1] == state)
                return false;
        if (Count == _states.Length)
        {
            Grow();
            slot = FreeSlot(state);
        }
        _states[Count] = state;
        _slots[slot] = ++Count;
        return true;
    }

    /// <summary>Forgets the states that were added when there were so many.</summary>
    public void Forget(int count)
    {
        // The youngest stands at the end of its chain, so that taking it out breaks none.
        for (; Count > count; Count--)
        {
            int slot = Slot(_states[Count - 1]);
            while (_slots[slot] != Count)
                slot = (slot + 1) & (_slots.Length - 1);
            _slots[slot] = 0;
        }
    }

    private void Grow()
    {
        Array.Resize(ref _states, _states.Length * 2);
        _slots = new int[_states.Length * 4];
        for (int number = 1; number <= Count; number++)
            _slots[FreeSlot(_states[number - 1])] = number;
    }

    private int FreeSlot(ulong state)
    {
        int slot = Slot(state);
        while (_slots[slot] != 0)
            slot = (slot + 1) & (_slots.Length - 1);
        return slot;
    }

    private int Slot(ulong state)
    {
        ulong hash = state * 0x9E3779B97F4A7C15;
        return (int)((hash ^ (hash >> 29)) >> 20) & (_slots.Length - 1);
    }
}
