namespace OpenEuroLLM.Tensors;

/// <summary>Which curve is meant by GELU.</summary>
public enum GeluForm
{
    /// <summary>x/2 · (1 + tanh(√(2/π) · (x + 0.044715·x³))), as Gemma's <c>gelu_pytorch_tanh</c>.</summary>
    Tanh,

    /// <summary>x · Φ(x) with the normal distribution itself, by the error function.</summary>
    Exact,
}
