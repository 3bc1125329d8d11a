namespace OpenEuroLLM.Inference;

/// <summary>What scheduler and scorer need of a model; used by one thread at a time.</summary>
internal interface ICausalModel : IDisposable
{
    /// <summary>Number of token ids.</summary>
    int VocabularySize { get; }

    /// <summary>Longest sequence, in tokens.</summary>
    int ContextLength { get; }

    /// <summary>SHA-256 of the weights, lower-case hex.</summary>
    string WeightsSha256 { get; }

    /// <summary>Tokens of one page of the key/value cache.</summary>
    int PageTokens { get; }

    /// <summary>Pages altogether.</summary>
    int TotalPages { get; }

    /// <summary>Pages that no sequence holds.</summary>
    int FreePages { get; }

    /// <summary>Opens an empty cached sequence with pages for that many tokens; the caller has looked at <see cref="FreePages"/>.</summary>
    ICachedSequence Begin(int tokens);

    /// <summary>One forward call over a flat batch: each part's rows follow what its sequence holds already and are added to it.</summary>
    /// <param name="tokens">The token of each row, the rows of the first part first.</param>
    /// <param name="parts">The sequences, each at most once.</param>
    /// <param name="rows">The rows whose logits are wanted.</param>
    /// <param name="logits">Output, (rows.Length, vocabulary).</param>
    void Step(ReadOnlySpan<int> tokens, ReadOnlySpan<BatchPart> parts, ReadOnlySpan<int> rows, Span<float> logits);

    /// <summary>Losses of a flat batch of sequences that are not kept.</summary>
    /// <param name="tokens">The token of each row.</param>
    /// <param name="lengths">Rows of each sequence, in order.</param>
    /// <param name="targets">The token to be predicted by each row, or -1 for none.</param>
    /// <param name="losses">Output, nats per row; 0 where the target is -1.</param>
    void Losses(ReadOnlySpan<int> tokens, ReadOnlySpan<int> lengths, ReadOnlySpan<int> targets, Span<float> losses);
}

/// <summary>A sequence in the key/value cache; disposing frees its pages.</summary>
internal interface ICachedSequence : IDisposable
{
    /// <summary>Tokens held.</summary>
    int Length { get; }
}

/// <summary>The rows of one sequence within a batch.</summary>
internal readonly record struct BatchPart(ICachedSequence Sequence, int Rows);
