using OpenEuroLLM.Tensors;

namespace OpenEuroLLM.Inference.Tests;

public sealed class StepCostsTests
{
    [Fact]
    public void Costs_go_on_beyond_the_table_as_they_did_on_average() =>
        Assert.Equal([1, 1, 2, 2.5, 3], Enumerable.Range(1, 5).Select(rows => new StepCosts(1, 1, 2)[rows]));

    [Theory]
    [InlineData(ElementType.F16, 10, "in cache")]
    [InlineData(ElementType.F16, 100, "floats")]
    [InlineData(ElementType.Q8_0, 100, "bytes")]
    [InlineData(ElementType.Q4_K, 100, "bits")]
    public void The_type_decides_where_the_model_is_larger_than_a_cache(ElementType type, int megabytes, string expected)
    {
        var named = new Dictionary<StepCosts, string> { [StepCosts.InCache] = "in cache", [StepCosts.Floats] = "floats", [StepCosts.Bytes] = "bytes", [StepCosts.Bits] = "bits" };
        Assert.Equal(expected, named[StepCosts.Of((long)megabytes << 20, type)]);
    }

    [Fact]
    public void More_rows_never_cost_less_and_never_more_than_by_themselves()
    {
        foreach (var costs in new[] { StepCosts.InCache, StepCosts.Floats, StepCosts.Bytes, StepCosts.Bits })
            Assert.All(Enumerable.Range(1, 100), rows => Assert.InRange(costs[rows + 1] - costs[rows], 0, 1));
    }
}
