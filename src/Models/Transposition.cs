namespace OpenEuroLLM.Models;

/// <summary>Matrices that Hugging Face's files hold as (inputs, outputs).</summary>
internal static class Transposition
{
    /// <summary>Turns a matrix.</summary>
    /// <param name="matrix">(rows, columns), row-major.</param>
    /// <param name="rows">Its rows.</param>
    /// <param name="columns">Its columns.</param>
    /// <param name="numberBytes">Bytes of a number.</param>
    /// <param name="turned">Receives (columns, rows).</param>
    public static void Turn(ReadOnlySpan<byte> matrix, int rows, int columns, int numberBytes, Span<byte> turned)
    {
        for (var row = 0; row < rows; row++)
        {
            for (var column = 0; column < columns; column++)
                matrix.Slice((row * columns + column) * numberBytes, numberBytes).CopyTo(turned[((column * rows + row) * numberBytes)..]);
        }
    }
}
