using OpenEuroLLM.Tensors.Kernels;

namespace OpenEuroLLM.Tensors;

/// <summary>The device of an <see cref="Engine.Outline"/>: every operation is accepted and none carried out, so that a model's own code counts its memory.</summary>
internal sealed unsafe class OutlineBackend(int threads) : IBackend
{
    private long attentionNumbers;

    public int Threads => threads;

    public long WorkingBytes => CpuBackend.ProductBytes(threads) + sizeof(float) * Scratch.StrideFor(attentionNumbers) * threads;

    public void Product(float* x, int rows, Weight weight, float* y) { }

    public void Products(float* x, int rows, Weight a, float* ya, Weight b, float* yb, Weight? c, float* yc) { }

    public void ProductInputGradient(float* dy, int rows, Weight weight, float* dx, bool resume) { }

    public void ProductWeightGradient(float* dy, float* x, int rows, Weight weight) { }

    public void Embed(int* tokens, int rows, Weight weight, float* y) { }

    public void EmbedGradient(int* tokens, int rows, float* dy, Weight weight) { }

    public void RmsNorm(float* x, int rows, Weight gain, bool gainPlusOne, float epsilon, float* y, float* inverse) { }

    public void RmsNormGradient(float* x, float* inverse, float* dy, int rows, Weight gain, bool gainPlusOne, float* dx, bool resume) { }

    public void Attend(SequenceLayout layout, in AttentionCall call) =>
        attentionNumbers = Math.Max(attentionNumbers, Attention.Scratch(call, Attention.MostRows(call)));

    public void AttendGradient(SequenceLayout layout, in AttentionCall call, in AttentionGradients gradients) =>
        attentionNumbers = Math.Max(attentionNumbers, AttentionGradient.Scratch(call));

    public void SwiGlu(float* gate, float* up, long count, float* y) { }

    public void SwiGluGradient(float* gate, float* up, float* dy, long count, float* dGate, float* dUp) { }

    public void GeGlu(float* gate, float* up, long count, GeluForm form, float* y) { }

    public void GeGluGradient(float* gate, float* up, float* dy, long count, GeluForm form, float* dGate, float* dUp) { }

    public void AddBias(float* x, int rows, Weight bias) { }

    public void AddBiasGradient(float* dy, int rows, Weight bias) { }

    public void LayerNorm(float* x, int rows, Weight gain, Weight? bias, float epsilon, float* y, float* statistics) { }

    public void LayerNormGradient(float* x, float* statistics, float* dy, int rows, Weight gain, Weight? bias, float* dx, bool resume) { }

    public void Scale(float* x, long count, float factor, float* y, bool resume) { }

    public void Columns(float* x, int rows, int width, int first, int count, float* y) { }

    public void ColumnsGradient(float* dy, int rows, int width, int first, int count, float* dx, bool resume) { }

    public void Gelu(float* x, long count, GeluForm form, float* y) { }

    public void GeluGradient(float* x, float* dy, long count, GeluForm form, float* dx) { }

    public void SquaredRelu(float* x, long count, float* y) { }

    public void SquaredReluGradient(float* x, float* dy, long count, float* dx) { }

    public void XIelu(float* x, long count, Weight positive, Weight negative, float beta, float epsilon, float* y) { }

    public void XIeluGradient(float* x, float* dy, long count, Weight positive, Weight negative, float beta, float epsilon, float* dx) { }

    public void Cap(float* x, long count, float softCap) { }

    public void Add(float* a, float* b, long count, float* y) { }

    public void HeadLoss(float* x, int rows, Weight weight, int* targets, float scale, float? softCap, float* losses, float* dx, float* logits, int chunkRows) { }

    public double SquaredNorm(float* x, long count) => 0;

    public void Update(Weight weight, float* first, float* second, in AdamWStep step) { }

    public void Dispose() { }
}
