namespace OpenEuroLLM.Models.Llama;

/// <summary>Name and sizes of a weight.</summary>
/// <param name="Name">Its name in Hugging Face's files, which is its name here.</param>
/// <param name="Rows">Outputs; 1 for a vector.</param>
/// <param name="Columns">Inputs; the length of a vector.</param>
public sealed record LlamaShape(string Name, int Rows, int Columns)
{
    /// <summary>Number of parameters.</summary>
    public long Count => (long)Rows * Columns;
}

/// <summary>The weights of a Llama model by name and size.</summary>
public static class LlamaShapes
{
    /// <summary>The table that turns tokens into states; with a tied head also the matrix that turns states into logits.</summary>
    public const string Embedding = "model.embed_tokens.weight";

    /// <summary>The matrix that turns states into logits, where it is one of its own.</summary>
    public const string Head = "lm_head.weight";

    internal const int LayerWeights = 9;

    /// <summary>Every weight once, in the order of the forward pass: embedding, nine to each layer, last norm, and the head unless it is tied.</summary>
    public static IEnumerable<LlamaShape> Of(LlamaConfig config)
    {
        var (queries, keys) = (config.Heads * config.HeadDimension, config.KeyValueHeads * config.HeadDimension);
        yield return new(Embedding, config.VocabularySize, config.Width);
        for (var i = 0; i < config.Layers; i++)
        {
            var prefix = FormattableString.Invariant($"model.layers.{i}.");
            yield return new(prefix + "input_layernorm.weight", 1, config.Width);
            yield return new(prefix + "self_attn.q_proj.weight", queries, config.Width);
            yield return new(prefix + "self_attn.k_proj.weight", keys, config.Width);
            yield return new(prefix + "self_attn.v_proj.weight", keys, config.Width);
            yield return new(prefix + "self_attn.o_proj.weight", config.Width, queries);
            yield return new(prefix + "post_attention_layernorm.weight", 1, config.Width);
            yield return new(prefix + "mlp.gate_proj.weight", config.Hidden, config.Width);
            yield return new(prefix + "mlp.up_proj.weight", config.Hidden, config.Width);
            yield return new(prefix + "mlp.down_proj.weight", config.Width, config.Hidden);
        }
        yield return new("model.norm.weight", 1, config.Width);
        if (!config.TiedHead) yield return new(Head, config.VocabularySize, config.Width);
    }
}
