namespace OpenEuroLLM.Tensors;

/// <summary>Sees what goes into the products of a model: see <see cref="Engine.Observer"/>.</summary>
public interface IProductObserver
{
    /// <summary>A product of <paramref name="x"/> with <paramref name="weight"/> is about to be computed.</summary>
    /// <param name="weight">(outputs, inputs).</param>
    /// <param name="x">(rows, inputs); its <see cref="Tensor.Values"/> may be read during the call.</param>
    void Observe(Weight weight, Tensor x);
}
