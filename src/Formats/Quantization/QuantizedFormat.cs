namespace OpenEuroLLM.Formats.Quantization;

/// <summary>A format whose numbers share scales: it is encoded and decoded block by block.</summary>
internal abstract class QuantizedFormat(string name, int blockElements, int blockBytes, double largestMagnitude)
    : BlockFormat(name, blockElements, blockBytes, largestMagnitude)
{
    private protected sealed override void EncodeBlocks(ReadOnlySpan<float> values, ReadOnlySpan<float> importance, Span<byte> blocks)
    {
        Span<float> relative = importance.IsEmpty ? [] : stackalloc float[BlockElements];
        for (; !values.IsEmpty; values = values[BlockElements..], blocks = blocks[BlockBytes..])
        {
            if (!importance.IsEmpty)
            {
                ErrorWeights.Relative(importance[..BlockElements], relative);
                importance = importance[BlockElements..];
            }
            EncodeBlock(values[..BlockElements], relative, blocks[..BlockBytes]);
        }
    }

    private protected sealed override void DecodeBlocks(ReadOnlySpan<byte> blocks, Span<float> values)
    {
        for (; !values.IsEmpty; values = values[BlockElements..], blocks = blocks[BlockBytes..]) DecodeBlock(blocks[..BlockBytes], values[..BlockElements]);
    }

    /// <param name="importance">Empty, or what an error of each number weighs: see <see cref="ErrorWeights.Relative"/>.</param>
    private protected abstract void EncodeBlock(ReadOnlySpan<float> x, ReadOnlySpan<float> importance, Span<byte> block);

    private protected abstract void DecodeBlock(ReadOnlySpan<byte> block, Span<float> x);
}
