using System.Globalization;

namespace OpenEuroLLM.Tokenizers;

/// <summary>What a rank file does not say and its name does: how text is split, and the control tokens.</summary>
/// <param name="Name">The name of the encoding.</param>
/// <param name="Regex">The split pattern as <c>tokenizer.json</c> writes it.</param>
/// <param name="Special">The control tokens and their ids.</param>
internal sealed record TiktokenEncoding(string Name, string Regex, IReadOnlyList<(string Content, int Id)> Special)
{
    /// <summary>The ranks in the file of Llama 3, which has no name of its own.</summary>
    private const int Llama3Ranks = 128_000;

    private const string EndOfText = "<|endoftext|>";
    private const string FillPrefix = "<|fim_prefix|>";
    private const string FillMiddle = "<|fim_middle|>";
    private const string FillSuffix = "<|fim_suffix|>";
    private const string EndOfPrompt = "<|endofprompt|>";

    public static IReadOnlyList<TiktokenEncoding> Known { get; } =
    [
        new("gpt2", SplitPatterns.Gpt2, [(EndOfText, 50256)]),
        new("r50k_base", SplitPatterns.Gpt2, [(EndOfText, 50256)]),
        new("p50k_base", SplitPatterns.Gpt2, [(EndOfText, 50256)]),
        new("p50k_edit", SplitPatterns.Gpt2, [(EndOfText, 50256), (FillPrefix, 50281), (FillMiddle, 50282), (FillSuffix, 50283)]),
        new("cl100k_base", SplitPatterns.Cl100kThreeNumbers, [(EndOfText, 100257), (FillPrefix, 100258), (FillMiddle, 100259), (FillSuffix, 100260), (EndOfPrompt, 100276)]),
        new("o200k_base", SplitPatterns.O200k, [(EndOfText, 199999), (EndOfPrompt, 200018)]),
        new("llama3", SplitPatterns.Llama3, [.. Llama3Special()]),
    ];

    public static TiktokenEncoding? Find(string name) => Known.FirstOrDefault(encoding => encoding.Name == name);

    /// <summary>The encoding that a file's name tells, or for <c>tokenizer.model</c> its number of ranks; null when they tell none.</summary>
    public static TiktokenEncoding? Of(string path, int ranks)
    {
        string name = Path.GetFileName(path);
        return Known.FirstOrDefault(encoding => name == encoding.Name || name.StartsWith(encoding.Name + ".", StringComparison.Ordinal))
            ?? (name == TokenizerFolder.SentencePieceName && ranks == Llama3Ranks ? Find("llama3") : null);
    }

    private static IEnumerable<(string Content, int Id)> Llama3Special()
    {
        string?[] named =
            ["<|begin_of_text|>", "<|end_of_text|>", null, null, null, null, "<|start_header_id|>", "<|end_header_id|>", null, "<|eot_id|>"];
        int reserved = 0;
        for (int i = 0; i < 256; i++)
            yield return ((i < named.Length ? named[i] : null) ?? string.Create(CultureInfo.InvariantCulture, $"<|reserved_special_token_{reserved++}|>"), Llama3Ranks + i);
    }
}
