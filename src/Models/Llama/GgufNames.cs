namespace OpenEuroLLM.Models.Llama;

/// <summary>GGUF's names for the weights of the architecture <c>llama</c>, and its order of the rows of queries and keys.</summary>
/// <remarks>There the pairs that rotary positions turn are neighbours: row 2i of a head is row i here, row 2i + 1 is row i + D/2.</remarks>
internal static class GgufNames
{
    /// <summary>Divisors of the rotary frequencies, as Llama 3's scaling gives them.</summary>
    public const string RotaryDivisors = "rope_freqs.weight";

    private static readonly Dictionary<string, string> Parts = new(StringComparer.Ordinal)
    {
        ["input_layernorm.weight"] = "attn_norm.weight",
        ["self_attn.q_proj.weight"] = "attn_q.weight",
        ["self_attn.k_proj.weight"] = "attn_k.weight",
        ["self_attn.v_proj.weight"] = "attn_v.weight",
        ["self_attn.o_proj.weight"] = "attn_output.weight",
        ["post_attention_layernorm.weight"] = "ffn_norm.weight",
        ["mlp.gate_proj.weight"] = "ffn_gate.weight",
        ["mlp.up_proj.weight"] = "ffn_up.weight",
        ["mlp.down_proj.weight"] = "ffn_down.weight",
    };

    /// <summary>The name in a GGUF file.</summary>
    public static string Of(string name)
    {
        const string layers = "model.layers.";
        if (!name.StartsWith(layers, StringComparison.Ordinal))
            return name switch
            {
                LlamaShapes.Embedding => "token_embd.weight",
                LlamaShapes.Head => "output.weight",
                _ => "output_norm.weight",
            };
        var dot = name.IndexOf('.', layers.Length);
        return $"blk.{name[layers.Length..dot]}.{Parts[name[(dot + 1)..]]}";
    }

    /// <summary>Whether the rows of a weight are in another order.</summary>
    public static bool IsReordered(string name) =>
        name.EndsWith(".q_proj.weight", StringComparison.Ordinal) || name.EndsWith(".k_proj.weight", StringComparison.Ordinal);

    /// <summary>The row of a GGUF file that is a given row here.</summary>
    public static int RowOf(int row, int headDimension)
    {
        var (head, i, half) = (row / headDimension, row % headDimension, headDimension / 2);
        return head * headDimension + (i < half ? 2 * i : 2 * (i - half) + 1);
    }

    /// <summary>The extents of a weight.</summary>
    public static long[] Extents(LlamaShape shape) => shape.Rows == 1 ? [shape.Columns] : [shape.Rows, shape.Columns];
}
