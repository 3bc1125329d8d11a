namespace OpenEuroLLM.Tokenizers;

/// <summary>What is known of every pair of neighbouring tokens: how often it occurs, how much it weighs in each group of words, and which words hold it.</summary>
/// <param name="groups">Groups of words; a pair keeps a sum for each group that has it.</param>
internal sealed class PairStates(int groups)
{
    private readonly PairTable _numbers = new(1 << 16);
    private readonly WordLists _words = new();
    private State[] _states = new State[1 << 10];
    private Slot[] _slots = new Slot[1 << 10];     // sums of further groups, in chains from State.Head
    private int _slotCount;

    private struct State
    {
        public ulong Key;
        public long Count;
        public long Weight;       // with one group; else unused
        public int Head;          // slot plus one, the group touched last
        public int Merged;        // the token plus one
        public int ChangedInRound;
        public bool Refused;
        public bool Active;
    }

    private struct Slot
    {
        public long Weight;
        public int Next;
        public short Group;
    }

    public int Pairs => _numbers.Count;

    public ulong Key(int pair) => _states[pair].Key;

    public int Left(int pair) => (int)(_states[pair].Key >> 32);

    public int Right(int pair) => (int)_states[pair].Key;

    public long Count(int pair) => _states[pair].Count;

    /// <summary>The token that the pair became, if it was merged once.</summary>
    public int? Merged(int pair) => _states[pair].Merged is > 0 and int merged ? merged - 1 : null;

    public void SetMerged(int pair, int token) => _states[pair].Merged = token + 1;

    /// <summary>Whether the pair must never be merged.</summary>
    public ref bool Refused(int pair) => ref _states[pair].Refused;

    /// <summary>Whether the pair is among those that are weighed anew when weights change.</summary>
    public ref bool Active(int pair) => ref _states[pair].Active;

    public void TakeWords(int pair, List<int> words) => _words.Take(pair, words);

    /// <summary>The pair of two tokens.</summary>
    public int Of(int left, int right)
    {
        ulong key = PairTable.Key(left, right);
        int pair = _numbers.FindOrAdd(key);
        if (pair == _states.Length)
            Array.Resize(ref _states, pair * 2);
        _states[pair].Key = key;
        return pair;
    }

    /// <summary>Adds occurrences in one word.</summary>
    /// <returns>The pair when this is its first change in the round; else null.</returns>
    public int? Increase(int left, int right, int word, long count, long weight, int group, int round)
    {
        int pair = Of(left, right);
        ref var state = ref _states[pair];
        state.Count = checked(state.Count + count);
        if (groups == 1)
            state.Weight = checked(state.Weight + weight);
        else
            GroupSum(ref state, group) += weight;
        _words.Add(pair, word);
        if (state.ChangedInRound == round)
            return null;
        state.ChangedInRound = round;
        return pair;
    }

    /// <summary>Takes occurrences in one word away.</summary>
    public void Decrease(int left, int right, long count, long weight, int group)
    {
        ref var state = ref _states[_numbers.Find(PairTable.Key(left, right))];
        state.Count -= count;
        if (groups == 1)
            state.Weight -= weight;
        else
            GroupSum(ref state, group) -= weight;
    }

    /// <summary>The pair's weight; with several groups each counts as <paramref name="groupWeights"/> says.</summary>
    /// <remarks>Summed in whole numbers, so that the order of words and groups cannot matter.</remarks>
    public double Score(int pair, ReadOnlySpan<long> groupWeights)
    {
        ref var state = ref _states[pair];
        if (groups == 1)
            return state.Weight;
        Int128 sum = 0;
        for (int slot = state.Head; slot != 0; slot = _slots[slot - 1].Next)
            sum += Math.BigMul(_slots[slot - 1].Weight, groupWeights[_slots[slot - 1].Group]);
        return (double)sum;
    }

    private ref long GroupSum(ref State state, int group)
    {
        int before = 0;
        for (int slot = state.Head; slot != 0; before = slot, slot = _slots[slot - 1].Next)
        {
            ref var found = ref _slots[slot - 1];
            if (found.Group != group)
                continue;
            if (before != 0)   // to the front: the next word is probably of the same group
            {
                _slots[before - 1].Next = found.Next;
                found.Next = state.Head;
                state.Head = slot;
            }
            return ref found.Weight;
        }
        if (_slotCount == _slots.Length)
            Array.Resize(ref _slots, _slotCount * 2);
        _slots[_slotCount] = new Slot { Group = (short)group, Next = state.Head };
        state.Head = ++_slotCount;
        return ref _slots[_slotCount - 1].Weight;
    }
}
