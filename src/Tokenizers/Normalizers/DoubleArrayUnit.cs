namespace OpenEuroLLM.Tokenizers;

/// <summary>The bits of a unit in the double-array trie of a character map.</summary>
internal static class DoubleArrayUnit
{
    /// <summary>Marks a unit that holds a value instead of a node.</summary>
    public const uint ValueMark = 0x8000_0000;

    /// <summary>A unit that no walk can step on.</summary>
    public const uint NoUnit = ValueMark;

    private const uint LabelMask = ValueMark | 0xFF;
    private const uint HasValueBit = 0x100;
    private const uint FarBit = 0x200;
    private const int OffsetShift = 10;
    private const int FarShift = 8;
    private const int NearOffsets = 1 << 21;
    private const int FarOffsets = 1 << 29;

    /// <summary>The label with the mark of a value, so that a value's unit equals no label.</summary>
    public static uint Label(uint unit) => unit & LabelMask;

    public static bool HasValue(uint unit) => (unit & HasValueBit) != 0;

    public static bool IsValue(uint unit) => (unit & ValueMark) != 0;

    public static int Value(uint unit) => (int)(unit & ~ValueMark);

    /// <summary>What leads from the unit's place, by XOR, to the base of its children.</summary>
    public static int Offset(uint unit) => (int)((unit >> OffsetShift) << (int)((unit & FarBit) >> 6));

    public static bool CanHold(int offset) => offset < NearOffsets || (offset < FarOffsets && offset % (1 << FarShift) == 0);

    public static uint Node(byte label, bool hasValue, int offset) =>
        label | (hasValue ? HasValueBit : 0) | (offset < NearOffsets ? (uint)offset << OffsetShift : FarBit | ((uint)offset >> FarShift << OffsetShift));
}
