namespace OpenEuroLLM.Tensors.Kernels.Reference;

/// <summary>Row t of the table for each token t.</summary>
internal static class EmbeddingDefinition
{
    public static double[] Forward(int[] tokens, double[] table, int width) => [.. tokens.SelectMany(token => table.Skip(token * width).Take(width))];

    /// <summary>Gradient of a table of <paramref name="vocabulary"/> rows: each row gathers what its tokens passed back.</summary>
    public static double[] Backward(int[] tokens, double[] dy, int vocabulary, int width)
    {
        var gradient = new double[vocabulary * width];
        for (var r = 0; r < tokens.Length; r++)
            for (var i = 0; i < width; i++) gradient[tokens[r] * width + i] += dy[r * width + i];
        return gradient;
    }
}
