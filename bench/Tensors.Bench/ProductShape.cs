using OpenEuroLLM.Tensors.Kernels;

namespace OpenEuroLLM.Tensors.Bench;

/// <summary>Sizes and operand order of a product of (rows, depth) by (depth, columns).</summary>
/// <param name="Packed">The right operand lies in panels, as weights for inference do.</param>
internal sealed record ProductShape(string Use, int Rows, int Columns, int Depth, bool LeftTransposed, bool RightTransposed, bool Resume, bool Packed = false)
{
    private static readonly int[] _squares = [1024, 2048, 4096];

    public double Operations => 2.0 * Rows * Columns * Depth;

    public static IEnumerable<ProductShape> All() =>
    [
        .. _squares.SelectMany(size => Orders("square", size, size, size)),
        .. TrainingModels(), .. Awkward(), .. Decoding(),
    ];

    /// <summary>Weights and head of the two models that training is measured with, 2048 rows.</summary>
    private static IEnumerable<ProductShape> TrainingModels()
    {
        const int rows = 2048;
        const int vocabulary = 16_384;
        foreach (var (width, hidden) in new[] { (256, 704), (512, 1376) })
        {
            foreach (var (outputs, inputs) in new[] { (width, width), (hidden, width), (width, hidden), (vocabulary, width) })
                foreach (var shape in Orders(FormattableString.Invariant($"model-{width}"), rows, outputs, inputs)) yield return shape;
        }
    }

    private static IEnumerable<ProductShape> Awkward()
    {
        int[] sizes = [1, 7, 33, 129, 1000];
        foreach (var size in sizes)
            foreach (var shape in Orders("awkward", size, size, size)) yield return shape;
        for (var i = 0; i < sizes.Length; i++)
            foreach (var shape in Orders("mixed", sizes[i], sizes[(i + 2) % 5], sizes[(i + 4) % 5])) yield return shape;
    }

    private static IEnumerable<ProductShape> Decoding()
    {
        foreach (var rows in new[] { 1, 2, 3, 4, 8, 16 })
            foreach (var (outputs, inputs) in new[] { (704, 256), (2048, 2048), (8192, 256) })
                yield return Forward("decode", rows, outputs, inputs) with { Packed = true };
    }

    /// <summary>x·Wᵀ, dy·W and dyᵀ·x of a weight (outputs, inputs).</summary>
    private static IEnumerable<ProductShape> Orders(string use, int rows, int outputs, int inputs) =>
    [
        Forward($"{use} forward", rows, outputs, inputs),
        new($"{use} dX", rows, inputs, outputs, false, false, Resume: false),
        new($"{use} dW", outputs, inputs, rows, true, false, Resume: true),
    ];

    public override string ToString() => FormattableString.Invariant($"{Use} {Rows}x{Columns}x{Depth}");

    private static ProductShape Forward(string use, int rows, int outputs, int inputs) => new(use, rows, outputs, inputs, false, true, Resume: false);
}

/// <summary>Operands of a product in memory.</summary>
internal sealed unsafe class ProductOperands : IDisposable
{
    private readonly ProductShape shape;
    private readonly NumberBuffer left, right, output;
    private readonly Weight? weight;

    public ProductOperands(ProductShape shape)
    {
        this.shape = shape;
        (left, right, output) = (new((long)shape.Rows * shape.Depth), new((long)shape.Depth * shape.Columns), new((long)shape.Rows * shape.Columns));
        var random = new Core.CounterRandom(1, 1);
        for (var i = 0; i < left.Values.Length; i++) left.Values[i] = (float)random.UniformAt((ulong)i) - 0.5f;
        for (var i = 0; i < right.Values.Length; i++) right.Values[i] = (float)random.UniformAt((ulong)i + 1_000_000_000) - 0.5f;
        if (!shape.Packed) return;
        weight = Weight.Packed("weight", shape.Columns, shape.Depth, ElementType.F32);
        for (var row = 0; row < shape.Columns; row++) weight.SetRow(row, right.Values.Slice(row * shape.Depth, shape.Depth));
    }

    public void Multiply(CpuBackend backend)
    {
        if (weight is not null)
        {
            backend.Product(left.Data, shape.Rows, weight, output.Data);
            return;
        }
        backend.Multiply(shape.Rows, shape.Columns, shape.Depth, left.Data, shape.LeftTransposed ? shape.Rows : shape.Depth, shape.LeftTransposed,
            new RightOperand((nint)right.Data, shape.RightTransposed ? shape.Depth : shape.Columns, shape.RightTransposed), output.Data, shape.Columns, shape.Resume);
    }

    public void MultiplyWithOpenBlas() => OpenBlas.Multiply(shape, left.Data, right.Data, output.Data);

    public void Dispose()
    {
        left.Dispose();
        right.Dispose();
        output.Dispose();
        weight?.Dispose();
    }
}
