using System.Runtime.InteropServices;

namespace OpenEuroLLM.Tensors.Bench;

/// <summary>OpenBLAS, where the machine has it (on Debian: libopenblas0): the yardstick of the products, never a part of the product.</summary>
internal static unsafe partial class OpenBlas
{
    private const string Library = "libopenblas.so.0";
    private const int RowMajor = 101;
    private const int Plain = 111;
    private const int Transposed = 112;

    public static bool IsPresent { get; } = NativeLibrary.TryLoad(Library, out _);

    public static void SetThreads(int threads) => openblas_set_num_threads(threads);

    /// <summary>The product of <paramref name="shape"/>: C = A·B, or C += A·B.</summary>
    public static void Multiply(ProductShape shape, float* a, float* b, float* c) =>
        cblas_sgemm(RowMajor, shape.LeftTransposed ? Transposed : Plain, shape.RightTransposed ? Transposed : Plain, shape.Rows, shape.Columns, shape.Depth,
            1, a, shape.LeftTransposed ? shape.Rows : shape.Depth, b, shape.RightTransposed ? shape.Depth : shape.Columns, shape.Resume ? 1 : 0, c, shape.Columns);

    [LibraryImport(Library)]
    private static partial void openblas_set_num_threads(int threads);

    [LibraryImport(Library)]
    private static partial void cblas_sgemm(int order, int transposeA, int transposeB, int m, int n, int k,
        float alpha, float* a, int lda, float* b, int ldb, float beta, float* c, int ldc);
}
