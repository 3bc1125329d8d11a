namespace OpenEuroLLM.Models;

/// <summary>The name of a model as a GGUF file may carry it.</summary>
internal static class GgufName
{
    private const string TokensKey = "tokenizer.ggml.tokens";

    private static readonly string[] marks = ["phi3", "phi-3"], published = ["</s>", "<unk>", "<s>", "<|endoftext|>"];

    /// <summary>
    /// The name, with 'phi3' and 'phi-3' written as 'phi 3' where the vocabulary is not Phi-3's: llama.cpp takes either in a name to mean that vocabulary,
    /// and refuses a file that lacks one of its tokens.
    /// </summary>
    /// <param name="name">The model's name.</param>
    /// <param name="metadata">The tokenizer's metadata; without tokens the name stays.</param>
    public static string Of(string name, IEnumerable<KeyValuePair<string, object>> metadata)
    {
        if (metadata.FirstOrDefault(entry => entry.Key == TokensKey).Value is not IEnumerable<string> tokens) return name;
        if (!published.Except(tokens, StringComparer.Ordinal).Any()) return name;
        foreach (var mark in marks)
            for (var at = name.IndexOf(mark, StringComparison.OrdinalIgnoreCase); at >= 0; at = name.IndexOf(mark, StringComparison.OrdinalIgnoreCase))
                name = string.Concat(name.AsSpan(0, at + "phi".Length), " ", name.AsSpan(at + mark.Length - 1));
        return name;
    }
}
