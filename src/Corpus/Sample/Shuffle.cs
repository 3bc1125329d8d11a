using OpenEuroLLM.Core;

namespace OpenEuroLLM.Corpus.Sample;

/// <summary>An order that is a function of the random stream alone.</summary>
internal static class Shuffle
{
    /// <summary>The items in random order (Fisher and Yates), from the values 0 to count - 2 of the stream.</summary>
    public static List<T> Of<T>(IEnumerable<T> items, CounterRandom random)
    {
        List<T> list = [.. items];
        for (int i = list.Count - 1; i > 0; i--)
        {
            int other = (int)random.Below((ulong)(list.Count - 1 - i), (uint)(i + 1));
            (list[i], list[other]) = (list[other], list[i]);
        }
        return list;
    }
}
