using OpenEuroLLM.Formats.Quantization;

namespace OpenEuroLLM.Formats;

/// <summary>Element types of safetensors, in the format's own order of ascending alignment: files are laid out by it.</summary>
public enum SafetensorsType
{
    /// <summary>One byte, 0 or 1.</summary>
    Bool,

    /// <summary>4-bit float, two in a byte.</summary>
    F4,

    /// <summary>6-bit float, 2 exponent bits.</summary>
    F6E2M3,

    /// <summary>6-bit float, 3 exponent bits.</summary>
    F6E3M2,

    /// <summary>Unsigned byte.</summary>
    U8,

    /// <summary>Signed byte.</summary>
    I8,

    /// <summary>8-bit float, 5 exponent bits.</summary>
    F8E5M2,

    /// <summary>8-bit float, 4 exponent bits.</summary>
    F8E4M3,

    /// <summary>8-bit power of two (a block scale).</summary>
    F8E8M0,

    /// <summary>8-bit float, 4 exponent bits, no infinities and no negative zero.</summary>
    F8E4M3FNUZ,

    /// <summary>8-bit float, 5 exponent bits, no infinities and no negative zero.</summary>
    F8E5M2FNUZ,

    /// <summary>16-bit signed integer.</summary>
    I16,

    /// <summary>16-bit unsigned integer.</summary>
    U16,

    /// <summary>IEEE 16-bit float.</summary>
    F16,

    /// <summary>The upper half of a float32.</summary>
    BF16,

    /// <summary>32-bit signed integer.</summary>
    I32,

    /// <summary>32-bit unsigned integer.</summary>
    U32,

    /// <summary>IEEE 32-bit float.</summary>
    F32,

    /// <summary>Complex number of two float32.</summary>
    C64,

    /// <summary>IEEE 64-bit float.</summary>
    F64,

    /// <summary>64-bit signed integer.</summary>
    I64,

    /// <summary>64-bit unsigned integer.</summary>
    U64,
}

/// <summary>Names and sizes of <see cref="SafetensorsType"/>.</summary>
public static class SafetensorsTypes
{
    private static readonly (string Name, int Bits)[] Table =
    [
        ("BOOL", 8), ("F4", 4), ("F6_E2M3", 6), ("F6_E3M2", 6), ("U8", 8), ("I8", 8), ("F8_E5M2", 8), ("F8_E4M3", 8), ("F8_E8M0", 8),
        ("F8_E4M3FNUZ", 8), ("F8_E5M2FNUZ", 8), ("I16", 16), ("U16", 16), ("F16", 16), ("BF16", 16), ("I32", 32), ("U32", 32),
        ("F32", 32), ("C64", 64), ("F64", 64), ("I64", 64), ("U64", 64),
    ];

    /// <summary>The size of one element in bits.</summary>
    public static int Bits(SafetensorsType type) => Table[(int)type].Bits;

    /// <summary>The name in a file's header.</summary>
    public static string Name(SafetensorsType type) => Table[(int)type].Name;

    /// <summary>The type with a header's name, or null when there is none.</summary>
    public static SafetensorsType? Find(string name)
    {
        int index = Array.FindIndex(Table, row => row.Name == name);
        return index < 0 ? null : (SafetensorsType)index;
    }

    /// <summary>How numbers of the type are decoded and encoded; null for all but F32, F16 and BF16.</summary>
    public static BlockFormat? Format(SafetensorsType type) => type switch
    {
        SafetensorsType.F32 => BlockFormat.F32,
        SafetensorsType.F16 => BlockFormat.F16,
        SafetensorsType.BF16 => BlockFormat.BF16,
        _ => null,
    };

    internal static string AllNames => string.Join(", ", Table.Select(row => row.Name));
}
