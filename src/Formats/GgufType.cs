using OpenEuroLLM.Formats.Quantization;

namespace OpenEuroLLM.Formats;

/// <summary>A tensor type of GGUF.</summary>
/// <param name="Id">Its number in the file.</param>
/// <param name="Name">Its name in the field.</param>
/// <param name="BlockElements">Numbers in a block.</param>
/// <param name="BlockBytes">Bytes of a block.</param>
/// <param name="Format">How it is encoded and decoded here; null when it can only be passed on as bytes.</param>
public sealed record GgufType(uint Id, string Name, int BlockElements, int BlockBytes, BlockFormat? Format = null)
{
    // The numbers left out are retired, or used in memory only.
    private static readonly GgufType[] Table =
    [
        Known(0, BlockFormat.F32), Known(1, BlockFormat.F16), Known(2, BlockFormat.Q4_0), Known(3, BlockFormat.Q4_1), Known(6, BlockFormat.Q5_0), Known(7, BlockFormat.Q5_1),
        Known(8, BlockFormat.Q8_0), Known(10, BlockFormat.Q2_K), Known(11, BlockFormat.Q3_K), Known(12, BlockFormat.Q4_K), Known(13, BlockFormat.Q5_K),
        Known(14, BlockFormat.Q6_K), new(16, "IQ2_XXS", 256, 66), new(17, "IQ2_XS", 256, 74), new(18, "IQ3_XXS", 256, 98), new(19, "IQ1_S", 256, 50),
        new(20, "IQ4_NL", 32, 18), new(21, "IQ3_S", 256, 110), new(22, "IQ2_S", 256, 82), new(23, "IQ4_XS", 256, 136), new(24, "I8", 1, 1), new(25, "I16", 1, 2),
        new(26, "I32", 1, 4), new(27, "I64", 1, 8), new(28, "F64", 1, 8), new(29, "IQ1_M", 256, 56), Known(30, BlockFormat.BF16), new(34, "TQ1_0", 256, 54),
        new(35, "TQ2_0", 256, 66), new(39, "MXFP4", 32, 17), new(40, "NVFP4", 64, 36), new(41, "Q1_0", 128, 18), new(42, "Q2_0", 64, 18),
    ];

    /// <summary>The type with a number, or null when there is none.</summary>
    public static GgufType? Find(uint id) => Array.Find(Table, type => type.Id == id);

    /// <summary>The type that stores a format.</summary>
    public static GgufType Of(BlockFormat format) => Array.Find(Table, type => type.Format == format)!;

    private static GgufType Known(uint id, BlockFormat format) => new(id, format.Name, format.BlockElements, format.BlockBytes, format);
}
