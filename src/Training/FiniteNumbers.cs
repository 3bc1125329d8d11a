using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using OpenEuroLLM.Core;
using OpenEuroLLM.Models;
using OpenEuroLLM.Tensors;

namespace OpenEuroLLM.Training;

/// <summary>Finds numbers that are infinite or none at all, before they spread.</summary>
internal static class FiniteNumbers
{
    private const uint Exponent = 0x7F80_0000; // all its bits are set in infinities and not-a-numbers alone

    /// <summary>Place of the first value that is not finite, or −1.</summary>
    public static long FirstOther(ReadOnlySpan<float> values)
    {
        var bits = MemoryMarshal.Cast<float, uint>(values);
        var mask = Vector256.Create(Exponent);
        var i = 0;
        for (; i + Vector256<uint>.Count <= bits.Length; i += Vector256<uint>.Count)
        {
            if (Vector256.EqualsAny(Vector256.Create(bits.Slice(i, Vector256<uint>.Count)) & mask, mask)) break;
        }
        for (; i < bits.Length; i++)
        {
            if ((bits[i] & Exponent) == Exponent) return i;
        }
        return -1;
    }

    /// <summary>Where in a weight its first value or gradient that is not finite lies, in words: <c>NaN at row 3, column 7</c>; null when all are finite.</summary>
    public static string? Find(Weight weight, ReadOnlySpan<float> values)
    {
        var place = FirstOther(values);
        return place < 0 ? null : FormattableString.Invariant($"{values[(int)place]} at row {place / weight.Columns}, column {place % weight.Columns}");
    }

    /// <summary>Refuses to train on with weights that are damaged.</summary>
    /// <exception cref="UserErrorException">A weight is not finite.</exception>
    public static void Require(LanguageModel model, string folder)
    {
        foreach (var weight in model.Weights)
        {
            if (Find(weight, weight.Values) is { } found)
                throw new UserErrorException($"{folder}: tensor {weight.Name} holds {found}; expected finite numbers. Training cannot go on from it: remove this checkpoint to use the one before, or start in a new folder.");
        }
    }
}
