using System.Diagnostics.CodeAnalysis;

namespace OpenEuroLLM.Tensors;

/// <summary>How numbers are stored. The quantized types are blocks of GGUF files; <see cref="ElementTypes"/> has their sizes.</summary>
[SuppressMessage("Naming", "CA1707", Justification = "The types are known by these names.")]
public enum ElementType
{
    /// <summary>IEEE single precision.</summary>
    F32,

    /// <summary>The upper 16 bits of single precision.</summary>
    BF16,

    /// <summary>IEEE half precision.</summary>
    F16,

    /// <summary>Blocks of 32: a scale and signed bytes.</summary>
    Q8_0,

    /// <summary>Blocks of 32: a scale and 4 bits a number, less 8.</summary>
    Q4_0,

    /// <summary>Blocks of 256 in 8 groups: 4 bits a number, with a scale and a minimum of 6 bits a group.</summary>
    Q4_K,

    /// <summary>Blocks of 256 in 16 groups: 6 bits a number, less 32, with a scale of 8 bits a group.</summary>
    Q6_K,

    /// <summary>Blocks of 32: a scale, a minimum and 4 bits a number.</summary>
    Q4_1,

    /// <summary>Blocks of 32: a scale and 5 bits a number, less 16.</summary>
    Q5_0,

    /// <summary>Blocks of 32: a scale, a minimum and 5 bits a number.</summary>
    Q5_1,

    /// <summary>Blocks of 256 in 8 groups: 5 bits a number, with a scale and a minimum of 6 bits a group.</summary>
    Q5_K,

    /// <summary>Blocks of 256 in 16 groups: 3 bits a number, less 4, with a scale of 6 bits a group.</summary>
    Q3_K,

    /// <summary>Blocks of 256 in 16 groups: 2 bits a number, with a scale and a minimum of 4 bits a group.</summary>
    Q2_K,
}

/// <summary>Sizes and names of the element types.</summary>
public static class ElementTypes
{
    /// <summary>Numbers in a block; 1 where every number stands alone. A row is a whole number of blocks.</summary>
    public static int BlockLength(ElementType type) => type switch
    {
        ElementType.F32 or ElementType.BF16 or ElementType.F16 => 1,
        ElementType.Q8_0 or ElementType.Q4_0 or ElementType.Q4_1 or ElementType.Q5_0 or ElementType.Q5_1 => 32,
        ElementType.Q2_K or ElementType.Q3_K or ElementType.Q4_K or ElementType.Q5_K or ElementType.Q6_K => 256,
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, "not a type of this engine"),
    };

    /// <summary>Bytes of a block.</summary>
    public static int BlockBytes(ElementType type) => type switch
    {
        ElementType.F32 => 4,
        ElementType.BF16 or ElementType.F16 => 2,
        ElementType.Q8_0 => 34,
        ElementType.Q4_0 => 18,
        ElementType.Q4_K => 144,
        ElementType.Q6_K => 210,
        ElementType.Q4_1 => 20,
        ElementType.Q5_0 => 22,
        ElementType.Q5_1 => 24,
        ElementType.Q5_K => 176,
        ElementType.Q3_K => 110,
        ElementType.Q2_K => 84,
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, "not a type of this engine"),
    };

    /// <summary>Whether numbers are stored as small integers times a scale of their block.</summary>
    public static bool IsQuantized(ElementType type) => BlockLength(type) > 1;

    /// <summary>Bytes of a row of <paramref name="columns"/> numbers, a multiple of the block length.</summary>
    public static long RowBytes(ElementType type, int columns) => (long)(columns / BlockLength(type)) * BlockBytes(type);

    /// <summary>The name that people use: f32, bf16, f16, q8_0, q4_0, q4_K and so on.</summary>
    public static string Name(ElementType type) => type switch
    {
        ElementType.F32 => "f32",
        ElementType.BF16 => "bf16",
        ElementType.F16 => "f16",
        ElementType.Q8_0 => "q8_0",
        ElementType.Q4_0 => "q4_0",
        ElementType.Q4_K => "q4_K",
        ElementType.Q6_K => "q6_K",
        ElementType.Q4_1 => "q4_1",
        ElementType.Q5_0 => "q5_0",
        ElementType.Q5_1 => "q5_1",
        ElementType.Q5_K => "q5_K",
        ElementType.Q3_K => "q3_K",
        ElementType.Q2_K => "q2_K",
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, "not a type of this engine"),
    };
}
