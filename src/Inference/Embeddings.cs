using OpenEuroLLM.Core;

namespace OpenEuroLLM.Inference;

/// <summary>How the hidden states of a text's tokens become one vector.</summary>
public enum Pooling
{
    /// <summary>Their mean.</summary>
    Mean,

    /// <summary>That of the last token, which has seen all others.</summary>
    Last,
}

/// <summary>A text as a vector.</summary>
/// <param name="Vector">As many numbers as the model is wide.</param>
/// <param name="Tokens">Tokens of the text.</param>
public sealed record Embedding(IReadOnlyList<float> Vector, int Tokens);

/// <summary>Packs texts into flat batches and pools their hidden states. Sums run in double precision in the order of the tokens, so a vector
/// has the same bits alone and in company.</summary>
/// <param name="use">Runs work on the model, on its worker.</param>
internal sealed class Embedder(Func<Func<ICausalModel, float[]>, float[]> use, Pooling pooling, bool normalize)
{
    // Rows of one forward call, unless a single text needs more.
    public const int BatchRows = 1024;

    private readonly List<int> _tokens = [];
    private readonly List<int> _lengths = [];
    private readonly List<Embedding> _made = [];

    public IReadOnlyList<Embedding> Embed(IReadOnlyList<int[]> texts, CancellationToken cancellation)
    {
        foreach (int[] text in texts)
        {
            if (_tokens.Count > 0 && _tokens.Count + text.Length > BatchRows) Run(cancellation);
            _tokens.AddRange(text);
            _lengths.Add(text.Length);
        }

        Run(cancellation);
        return _made;
    }

    private void Run(CancellationToken cancellation)
    {
        if (_lengths.Count == 0) return;
        cancellation.ThrowIfCancellationRequested();
        int[] tokens = [.. _tokens], lengths = [.. _lengths];
        float[] vectors = use(model => Pool(model.Hidden(tokens, lengths), model.Width, lengths));
        int width = vectors.Length / lengths.Length;
        for (int i = 0; i < lengths.Length; i++) _made.Add(new Embedding(vectors[(i * width)..((i + 1) * width)], lengths[i]));
        _tokens.Clear();
        _lengths.Clear();
    }

    private float[] Pool(ReadOnlySpan<float> hidden, int width, int[] lengths)
    {
        var vectors = new float[lengths.Length * width];
        var sums = new double[width];
        int row = 0;
        for (int i = 0; i < lengths.Length; i++)
        {
            Array.Clear(sums);
            int first = pooling == Pooling.Last ? row + lengths[i] - 1 : row;
            row += lengths[i];
            for (int r = first; r < row; r++)
                for (int d = 0; d < width; d++) sums[d] += hidden[r * width + d];
            Scale(sums, row - first, vectors.AsSpan(i * width, width));
        }

        return vectors;
    }

    private void Scale(double[] sums, int rows, Span<float> vector)
    {
        double divisor = rows;
        if (normalize)
        {
            double squares = 0;
            foreach (double sum in sums) squares += sum * sum;
            divisor = Math.Sqrt(squares);
        }

        for (int d = 0; d < vector.Length; d++)
        {
            if (!double.IsFinite(sums[d]))
                throw new UserErrorException(FormattableString.Invariant($"the model gave a hidden state of {sums[d]}; expected finite numbers. ") +
                    "The weights are damaged: verify the model folder or make it again.");
            vector[d] = divisor > 0 ? (float)(sums[d] / divisor) : 0;
        }
    }
}
