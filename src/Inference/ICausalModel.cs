using OpenEuroLLM.Tensors;

namespace OpenEuroLLM.Inference;

/// <summary>What scheduler, scorer and embeddings need of a model; used by one thread at a time.</summary>
internal interface ICausalModel : IDisposable
{
    /// <summary>Number of token ids.</summary>
    int VocabularySize { get; }

    /// <summary>Longest sequence, in tokens.</summary>
    int ContextLength { get; }

    /// <summary>Numbers of a hidden state.</summary>
    int Width { get; }

    /// <summary>Tokens of one page of the key/value cache.</summary>
    int PageTokens { get; }

    /// <summary>Pages altogether.</summary>
    int TotalPages { get; }

    /// <summary>Pages that no sequence holds.</summary>
    int FreePages { get; }

    /// <summary>What the rows of a step cost.</summary>
    StepCosts Costs { get; }

    /// <summary>SHA-256 of the weights' values, lower-case hex; reads all of them. Safe from any thread.</summary>
    string WeightsSha256();

    /// <summary>A short name of the weights from a sample of their rows, lower-case hex.</summary>
    string Fingerprint();

    /// <summary>Opens a cached sequence with pages for that many tokens; null when too few pages are free.</summary>
    /// <param name="tokens">Tokens for which there will be a place.</param>
    /// <param name="prefix">Names of the first pages: what is kept of them need not be computed.</param>
    ICachedSequence? TryBegin(int tokens, ReadOnlySpan<PrefixHash> prefix);

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

    /// <summary>Hidden states behind the final norm of a flat batch of sequences that are not kept.</summary>
    /// <param name="tokens">The token of each row.</param>
    /// <param name="lengths">Rows of each sequence, in order.</param>
    /// <returns>(rows, <see cref="Width"/>); valid until the next call.</returns>
    ReadOnlySpan<float> Hidden(ReadOnlySpan<int> tokens, ReadOnlySpan<int> lengths);
}

/// <summary>A sequence in the key/value cache; disposing frees its pages.</summary>
internal interface ICachedSequence : IDisposable
{
    /// <summary>Tokens held.</summary>
    int Length { get; }

    /// <summary>Forgets the tokens from <paramref name="length"/> on; the places reserved at the beginning stay reserved.</summary>
    void Truncate(int length);

    /// <summary>Keeps a full page for sequences with the same beginning, also when this one has ended.</summary>
    void Keep(int page, PrefixHash name);
}

/// <summary>The rows of one sequence within a batch.</summary>
internal readonly record struct BatchPart(ICachedSequence Sequence, int Rows);
