using System.Numerics;

namespace OpenEuroLLM.Inference;

/// <summary>Looks at all logits of a row: fast forms whose outcome is that of the plain loop.</summary>
/// <remarks>One instance serves one thread: it owns the scratch memory of a whole vocabulary.</remarks>
internal sealed class LogitOrder(int vocabularySize)
{
    private const int DigitBits = 11, Digits = 1 << DigitBits, Passes = 3;

    private readonly int[] _counts = new int[Passes * Digits];
    private uint[] _keys = new uint[vocabularySize], _otherKeys = new uint[vocabularySize];
    private int[] _ids = new int[vocabularySize], _otherIds = new int[vocabularySize];

    /// <summary>The first id whose logit is not a number or above all numbers; -1 when there is none.</summary>
    public static int FirstBad(ReadOnlySpan<float> logits)
    {
        int id = 0;
        var infinity = new Vector<float>(float.PositiveInfinity);
        // Only numbers, and what is below all numbers, are less than infinity.
        for (; id <= logits.Length - Vector<float>.Count; id += Vector<float>.Count)
            if (!Vector.LessThanAll(new Vector<float>(logits[id..]), infinity)) break;
        for (; id < logits.Length; id++)
            if (!(logits[id] < float.PositiveInfinity)) return id;
        return -1;
    }

    /// <summary>The id of the highest logit, the lowest among equals.</summary>
    /// <param name="logits">At least one, all numbers.</param>
    public static int Highest(ReadOnlySpan<float> logits)
    {
        float highest = logits[0];
        int id = 0;
        if (logits.Length >= Vector<float>.Count)
        {
            var most = new Vector<float>(logits);
            for (id = Vector<float>.Count; id <= logits.Length - Vector<float>.Count; id += Vector<float>.Count) most = Vector.Max(most, new Vector<float>(logits[id..]));
            for (int lane = 0; lane < Vector<float>.Count; lane++) highest = Math.Max(highest, most[lane]);
        }
        for (; id < logits.Length; id++) highest = Math.Max(highest, logits[id]);
        return logits.IndexOf(highest);
    }

    /// <summary>All ids by descending logit, then ascending id. Valid until the next call.</summary>
    /// <param name="logits">As many as the vocabulary or fewer, all numbers.</param>
    /// <remarks>Radix sort from the lowest digit on: stable, so that equal logits keep the order of their ids.</remarks>
    public ReadOnlySpan<int> Descending(ReadOnlySpan<float> logits)
    {
        Array.Clear(_counts);
        for (int id = 0; id < logits.Length; id++)
        {
            // Both zeros are one value. The bits of a float, the sign turned, order as it does; the complement descends.
            uint bits = BitConverter.SingleToUInt32Bits(logits[id] + 0f);
            uint key = ~((bits & 0x8000_0000) != 0 ? ~bits : bits | 0x8000_0000);
            _keys[id] = key;
            _ids[id] = id;
            for (int pass = 0; pass < Passes; pass++) _counts[(pass * Digits) + Digit(key, pass)]++;
        }
        for (int pass = 0; pass < Passes; pass++) Distribute(logits.Length, pass);
        return _ids.AsSpan(0, logits.Length);
    }

    private void Distribute(int count, int pass)
    {
        Span<int> places = _counts.AsSpan(pass * Digits, Digits);
        for (int digit = 0, place = 0; digit < Digits; digit++) (places[digit], place) = (place, place + places[digit]);
        for (int i = 0; i < count; i++)
        {
            int place = places[Digit(_keys[i], pass)]++;
            (_otherKeys[place], _otherIds[place]) = (_keys[i], _ids[i]);
        }
        (_keys, _otherKeys) = (_otherKeys, _keys);
        (_ids, _otherIds) = (_otherIds, _ids);
    }

    private static int Digit(uint key, int pass) => (int)(key >> (pass * DigitBits)) & (Digits - 1);
}
