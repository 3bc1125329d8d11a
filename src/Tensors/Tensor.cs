namespace OpenEuroLLM.Tensors;

/// <summary>A matrix of activations: a place in the engine's arena, its shape and element type. Valid until the engine's next reset.</summary>
public readonly struct Tensor
{
    internal Tensor(Engine engine, int slot, Shape shape)
    {
        Engine = engine;
        Slot = slot;
        Shape = shape;
        Type = ElementType.F32;
    }

    internal Engine Engine { get; }

    internal int Slot { get; }

    /// <summary>Sizes, slowest dimension first.</summary>
    public Shape Shape { get; }

    /// <summary>How the numbers are stored; activations are single precision.</summary>
    public ElementType Type { get; }

    /// <summary>Rows: one per token.</summary>
    public int Rows => Shape[0];

    /// <summary>Numbers in a row.</summary>
    public int Columns => Shape[1];

    /// <summary>The values, row-major. Valid until the next reset.</summary>
    public ReadOnlySpan<float> Values => Engine.Read(this);

    /// <summary>Sum of two tensors of one shape.</summary>
    public static Tensor operator +(Tensor left, Tensor right) => left.Engine.Add(left, right);

    /// <summary>Sum of two tensors of one shape.</summary>
    public static Tensor Add(Tensor left, Tensor right) => left + right;
}
