using OpenEuroLLM.Tensors.Kernels;

namespace OpenEuroLLM.Tensors;

/// <summary>What a device must provide: the operations of a decoder, forward and backward, over row-major single-precision buffers.</summary>
/// <remarks>Inputs first, destination last. "resume" adds to the destination instead of overwriting it. Shape letters: r rows (tokens),
/// w width, o outputs of a weight, i inputs of a weight, v vocabulary.</remarks>
internal unsafe interface IBackend : IDisposable
{
    /// <summary>Bytes of memory that the device's kernels hold from step to step.</summary>
    long WorkingBytes { get; }

    /// <summary>y (r, o) = x (r, i) · Wᵀ.</summary>
    void Product(float* x, int rows, Weight weight, float* y);

    /// <summary>Products of one input with two or three weights (<paramref name="c"/> may be null).</summary>
    void Products(float* x, int rows, Weight a, float* ya, Weight b, float* yb, Weight? c, float* yc);

    /// <summary>dx (r, i) = dy (r, o) · W.</summary>
    void ProductInputGradient(float* dy, int rows, Weight weight, float* dx, bool resume);

    /// <summary>gradient of W += dyᵀ · x.</summary>
    void ProductWeightGradient(float* dy, float* x, int rows, Weight weight);

    /// <summary>y (r, w) = rows of the embedding.</summary>
    void Embed(int* tokens, int rows, Weight weight, float* y);

    /// <summary>gradient of the embedding's rows += dy, rows of the batch in ascending order.</summary>
    void EmbedGradient(int* tokens, int rows, float* dy, Weight weight);

    /// <summary>y = norm of x times gain, or 1 + gain; <paramref name="inverse"/> (r) takes 1 / root of the mean square.</summary>
    void RmsNorm(float* x, int rows, Weight gain, bool gainPlusOne, float epsilon, float* y, float* inverse);

    /// <summary>Gradients of x and of the gain.</summary>
    void RmsNormGradient(float* x, float* inverse, float* dy, int rows, Weight gain, bool gainPlusOne, float* dx, bool resume);

    /// <summary>x += bias, in each row.</summary>
    void AddBias(float* x, int rows, Weight bias);

    /// <summary>gradient of the bias += dy, rows ascending.</summary>
    void AddBiasGradient(float* dy, int rows, Weight bias);

    /// <summary>y = layer norm of x times gain, plus the bias if there is one; <paramref name="statistics"/> (2, r) takes mean and 1 / root of the variance.</summary>
    void LayerNorm(float* x, int rows, Weight gain, Weight? bias, float epsilon, float* y, float* statistics);

    /// <summary>Gradients of x, of the gain and of the bias.</summary>
    void LayerNormGradient(float* x, float* statistics, float* dy, int rows, Weight gain, Weight? bias, float* dx, bool resume);

    /// <summary>y = x · factor; y may be x.</summary>
    void Scale(float* x, long count, float factor, float* y, bool resume);

    /// <summary>y (r, count) = columns of x (r, width) from <paramref name="first"/> on.</summary>
    void Columns(float* x, int rows, int width, int first, int count, float* y);

    /// <summary>Those columns of dx = dy; the others zero, or as they are.</summary>
    void ColumnsGradient(float* dy, int rows, int width, int first, int count, float* dx, bool resume);

    /// <summary>Attention; queries and keys are turned in place, and appended with the values where sequences are cached.</summary>
    void Attend(SequenceLayout layout, in AttentionCall call);

    /// <summary>Gradients of queries and keys as they were before turning, and of values; all three are overwritten.</summary>
    void AttendGradient(SequenceLayout layout, in AttentionCall call, in AttentionGradients gradients);

    /// <summary>y = gate · sigmoid(gate) · up.</summary>
    void SwiGlu(float* gate, float* up, long count, float* y);

    /// <summary>Gradients of gate and up; they may take the place of gate and up.</summary>
    void SwiGluGradient(float* gate, float* up, float* dy, long count, float* dGate, float* dUp);

    /// <summary>y = gelu(gate) · up.</summary>
    void GeGlu(float* gate, float* up, long count, GeluForm form, float* y);

    /// <summary>Gradients of gate and up; they may take the place of gate and up.</summary>
    void GeGluGradient(float* gate, float* up, float* dy, long count, GeluForm form, float* dGate, float* dUp);

    /// <summary>y = gelu(x).</summary>
    void Gelu(float* x, long count, GeluForm form, float* y);

    /// <summary>Gradient of x; it may take the place of x.</summary>
    void GeluGradient(float* x, float* dy, long count, GeluForm form, float* dx);

    /// <summary>y = max(x, 0)².</summary>
    void SquaredRelu(float* x, long count, float* y);

    /// <summary>Gradient of x; it may take the place of x.</summary>
    void SquaredReluGradient(float* x, float* dy, long count, float* dx);

    /// <summary>y = xIELU(x), its factors being softplus(positive) and beta + softplus(negative).</summary>
    void XIelu(float* x, long count, Weight positive, Weight negative, float beta, float epsilon, float* y);

    /// <summary>Gradients of x, which may take the place of x, and of both weights: sums of fixed pieces, in ascending order and double precision.</summary>
    void XIeluGradient(float* x, float* dy, long count, Weight positive, Weight negative, float beta, float epsilon, float* dx);

    /// <summary>x becomes softCap · tanh(x / softCap).</summary>
    void Cap(float* x, long count, float softCap);

    /// <summary>y = a + b; y may be a or b.</summary>
    void Add(float* a, float* b, long count, float* y);

    /// <summary>losses (r) = cross-entropy in nats of x·Wᵀ at each row's target; rows with target −1 give 0.</summary>
    /// <param name="softCap">Logits become softCap · tanh(logit / softCap) first; null: they stay.</param>
    /// <param name="dx">Null, or the gradient of x is stored here and that of W added to it, both times <paramref name="scale"/>.</param>
    /// <param name="logits">Working memory, (rows of a chunk, v).</param>
    void HeadLoss(float* x, int rows, Weight weight, int* targets, float scale, float? softCap, float* losses, float* dx, float* logits, int chunkRows);

    /// <summary>Sum of squares in a fixed tree.</summary>
    double SquaredNorm(float* x, long count);

    /// <summary>One step of the optimizer.</summary>
    void Update(Weight weight, float* first, float* second, in AdamWStep step);
}
