using OpenEuroLLM.Core;

namespace OpenEuroLLM.Inference.Tests;

public sealed class LogitOrderTests
{
    public static TheoryData<int> Lengths => [1, 2, 3, 7, 8, 9, 15, 16, 17, 63, 64, 65, 2047, 2049, 5000];

    [Theory, MemberData(nameof(Lengths))]
    public void Order_and_highest_are_those_of_the_definition(int length)
    {
        var order = new LogitOrder(length);
        for (int round = 0; round < 4; round++)
        {
            float[] logits = Logits(length, round);
            int[] expected = [.. Enumerable.Range(0, length).OrderByDescending(id => logits[id]).ThenBy(id => id)];
            Assert.Equal(expected, order.Descending(logits).ToArray());
            Assert.Equal(expected[0], LogitOrder.Highest(logits));
            Assert.Equal(-1, LogitOrder.FirstBad(logits));
        }
    }

    [Theory, MemberData(nameof(Lengths))]
    public void What_is_no_number_is_found_wherever_it_stands(int length)
    {
        foreach (int place in new[] { 0, length / 2, length - 1 }.Distinct())
        {
            foreach (float bad in (float[])[float.NaN, float.PositiveInfinity])
            {
                float[] logits = Logits(length, 1);
                logits[place] = bad;
                Assert.Equal(place, LogitOrder.FirstBad(logits));
                logits[^1] = float.NaN;
                Assert.Equal(place, LogitOrder.FirstBad(logits));
            }
        }
    }

    // With equal values, both zeros, and values below all numbers.
    private static float[] Logits(int length, int round)
    {
        var random = new CounterRandom(3, (ulong)round);
        return [.. Enumerable.Range(0, length).Select(id => random.Below((ulong)id, 8) switch
        {
            0 => 0f,
            1 => -0f,
            2 => float.NegativeInfinity,
            3 => random.Below((ulong)id, 1000) % 3,
            _ => random.Substream("value").NormalAt((ulong)id) * 10,
        })];
    }
}
