using static OpenEuroLLM.Tensors.Tests.Agreement;

namespace OpenEuroLLM.Tensors.Tests;

public sealed class ProductObserverTests
{
    [Fact]
    public void Every_product_shows_its_weight_and_input_unless_it_is_recorded()
    {
        using var a = Weight.Packed("a", 5, 4, ElementType.F32);
        using var b = Weight.Trainable("b", 3, 4);
        using var c = Weight.Packed("c", 2, 4, ElementType.BF16);
        var seen = new Seen();
        using var engine = new Engine(1) { Observer = seen };
        var x = Normal(3 * 4, 1);
        var input = engine.Create(3, 4, x);
        engine.Product(input, a);
        engine.Products(input, a, b);
        engine.Products(input, a, b, c);
        engine.Logits(input, c, [2, 0]);
        Assert.Equal(["a", "a", "b", "a", "b", "c", "c"], seen.Names);
        Assert.All(seen.Inputs[..^1], values => Assert.Equal(x, values));
        Assert.Equal([.. x[8..12], .. x[0..4]], seen.Inputs[^1]);
        engine.Record();
        engine.Product(engine.Create(3, 4, x), b);
        engine.Reset();
        engine.Observer = null;
        engine.Product(engine.Create(3, 4, x), b);
        using var outline = Engine.Outline();
        outline.Observer = seen;
        outline.Product(outline.Embed([0, 1], Weight.Outline("d", 2, 4)), Weight.Outline("e", 3, 4)); // there are no values to show
        Assert.Equal(7, seen.Names.Count);
    }

    private sealed class Seen : IProductObserver
    {
        public List<string> Names { get; } = [];

        public List<float[]> Inputs { get; } = [];

        public void Observe(Weight weight, Tensor x)
        {
            Names.Add(weight.Name);
            Inputs.Add(x.Values.ToArray());
        }
    }
}
