using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace OpenEuroLLM.Tokenizers;

/// <summary>How much the texts of a collection count.</summary>
/// <param name="Source">The collection's name; a * at the end stands for any ending.</param>
/// <param name="Weight">A word of these texts counts as so many.</param>
public sealed record SourceWeight(string Source, double Weight);

/// <summary>What becomes of a text: how much it counts, and whether languages are compared on it instead.</summary>
/// <param name="weights">By collection, the first that fits is taken; others count 1.</param>
/// <param name="parallelSources">Collections of translations.</param>
/// <param name="heldBackShare">The share of their documents that is held back.</param>
internal sealed class SourceWeights(IReadOnlyList<SourceWeight> weights, IReadOnlyList<string>? parallelSources = null, double heldBackShare = 0)
{
    /// <summary>Weights are whole numbers of this part, so that sums are exact in any order.</summary>
    public const int Unit = 64;

    private readonly Dictionary<string, (long Weight, bool Parallel)> _known = new(StringComparer.Ordinal);
    private readonly Lock _gate = new();

    /// <summary>The weight of a source in units, and whether its documents are translations of one another.</summary>
    public (long Weight, bool Parallel) Of(string source)
    {
        lock (_gate)
        {
            if (!_known.TryGetValue(source, out var found))
                _known.Add(source, found = (Weight(source), parallelSources is not null && parallelSources.Any(pattern => Matches(pattern, source))));
            return found;
        }
    }

    /// <summary>Whether a document is held back to compare languages on. Its name decides, so that its translations are held back too.</summary>
    public bool IsHeldBack(string source, string id)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(Encoding.UTF8.GetBytes($"{source}\n{id}"), hash);
        return BinaryPrimitives.ReadUInt32LittleEndian(hash) < heldBackShare * uint.MaxValue;
    }

    private long Weight(string source)
    {
        double weight = weights.FirstOrDefault(entry => Matches(entry.Source, source))?.Weight ?? 1;
        return Math.Max(1, (long)Math.Round(weight * Unit, MidpointRounding.ToEven));
    }

    private static bool Matches(string pattern, string source) => pattern.EndsWith('*')
        ? source.StartsWith(pattern.AsSpan(0, pattern.Length - 1), StringComparison.Ordinal)
        : source.Equals(pattern, StringComparison.Ordinal);
}
