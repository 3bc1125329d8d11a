using OpenEuroLLM.Core;
using OpenEuroLLM.Formats;
using OpenEuroLLM.Tensors;

namespace OpenEuroLLM.Training;

/// <summary>Packs documents into batches: epoch after epoch in a new order, each document a sequence of its own, without padding.</summary>
/// <remarks>Where a step's tokens lie is a function of seed and step alone: a resume needs no hidden state. A row predicts the token
/// that follows it in its document, so a document of n tokens gives n − 1 rows. A document longer than the context is cut into pieces,
/// which are shuffled one by one: the pieces of a batch then come from many documents and languages.</remarks>
public sealed class TokenPacker
{
    private readonly TokenShard shard;
    private readonly CounterRandom random;
    private readonly List<(int Document, int Start, int Rows)> pieces = [];
    private readonly int[] order;
    private readonly long[] starts;
    private long orderedEpoch = -1;
    private int[] buffer = new int[1024];

    /// <summary>Creates a packer over a shard.</summary>
    /// <param name="shard">Tokenized documents.</param>
    /// <param name="contextLength">Longest sequence.</param>
    /// <param name="seed">Decides the order.</param>
    /// <exception cref="UserErrorException">The shard has no document of at least two tokens.</exception>
    public TokenPacker(TokenShard shard, int contextLength, ulong seed)
    {
        this.shard = shard;
        random = new CounterRandom(seed, 0).Substream("document order");
        for (var document = 0; document < shard.Documents; document++)
        {
            var rows = shard.Length(document) - 1;
            for (var start = 0; start < rows; start += contextLength) pieces.Add((document, start, Math.Min(contextLength, rows - start)));
            RowsPerEpoch += Math.Max(0, rows);
        }
        order = new int[pieces.Count];
        starts = new long[pieces.Count + 1];
        if (RowsPerEpoch == 0) throw new UserErrorException("the token shard has no document of two tokens or more; build the corpus and its tokens again.");
    }

    /// <summary>Rows of one pass over all documents.</summary>
    public long RowsPerEpoch { get; }

    /// <summary>Fills a batch with the rows from <paramref name="firstRow"/> on.</summary>
    /// <param name="firstRow">Rows before, from the beginning of training.</param>
    /// <param name="tokens">Inputs.</param>
    /// <param name="targets">The token after each input.</param>
    /// <param name="layout">Takes the sequences.</param>
    public void Fill(long firstRow, Span<int> tokens, Span<int> targets, SequenceLayout layout)
    {
        layout.Clear();
        for (var filled = 0; filled < tokens.Length;)
        {
            var row = firstRow + filled;
            Order(row / RowsPerEpoch);
            var inEpoch = row % RowsPerEpoch;
            var place = Array.BinarySearch(starts, inEpoch);
            if (place < 0) place = ~place - 1;
            var piece = pieces[order[place]];
            var offset = (int)(inEpoch - starts[place]);
            var count = Math.Min(piece.Rows - offset, tokens.Length - filled);
            if (buffer.Length < count + 1) buffer = new int[2 * (count + 1)];
            var read = buffer.AsSpan(0, count + 1);
            shard.Read(piece.Document, piece.Start + offset, read);
            read[..count].CopyTo(tokens[filled..]);
            read[1..].CopyTo(targets[filled..]);
            layout.Add(count);
            filled += count;
        }
    }

    private void Order(long epoch)
    {
        if (epoch == orderedEpoch) return;
        for (var i = 0; i < order.Length; i++) order[i] = i;
        var stream = random with { Stream = random.Stream + (ulong)epoch };
        for (var i = order.Length - 1; i > 0; i--)
        {
            var other = (int)stream.Below((ulong)i, (uint)i + 1);
            (order[i], order[other]) = (order[other], order[i]);
        }
        for (var i = 0; i < order.Length; i++) starts[i + 1] = starts[i] + pieces[order[i]].Rows;
        orderedEpoch = epoch;
    }
}
