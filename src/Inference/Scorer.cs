using System.Text;
using OpenEuroLLM.Core;

namespace OpenEuroLLM.Inference;

/// <summary>One context with the continuations that are compared after it.</summary>
/// <param name="Context">The text in front; may be empty.</param>
/// <param name="Continuations">The texts to score, each not empty.</param>
public sealed record ContinuationItem(string Context, IReadOnlyList<string> Continuations);

/// <summary>How likely a continuation is.</summary>
/// <param name="LogProbability">Sum over its tokens, in nats.</param>
/// <param name="Tokens">Number of tokens in the sum.</param>
public sealed record ContinuationScore(double LogProbability, int Tokens);

/// <summary>How likely a whole text is.</summary>
/// <param name="LogProbability">Sum over its tokens, in nats.</param>
/// <param name="Tokens">Number of tokens; each is scored exactly once.</param>
/// <param name="Bytes">Length of the text in UTF-8.</param>
public sealed record TextScore(double LogProbability, long Tokens, long Bytes)
{
    /// <summary>Bits that the model needs for a byte of the text; NaN for an empty text.</summary>
    public double BitsPerByte => -LogProbability / (Numerics.Log(2) * Bytes);

    /// <summary>The score of two texts together.</summary>
    public TextScore Plus(TextScore other) => new(LogProbability + other.LogProbability, Tokens + other.Tokens, Bytes + other.Bytes);
}

/// <summary>Log-probabilities of given texts, computed on the engine's worker between the steps of its answers. A text's score does not
/// depend on the other texts of the call.</summary>
/// <param name="engine">The model.</param>
/// <param name="batchRows">Rows of one forward call, unless a single text needs more.</param>
public sealed class Scorer(InferenceEngine engine, int batchRows = 1024)
{
    /// <summary>Scores the continuations of each item.</summary>
    /// <remarks>White space at the end of the context moves to the continuation; context and continuation are encoded together, after
    /// the begin-of-text token, and cut at the context's token count. Where the encodings of the context alone and of context and
    /// continuation part earlier, because a token reaches over the border, the cut moves back to that place, for all continuations
    /// of the item alike: otherwise some of them would not be asked for a token that the others are asked for.</remarks>
    /// <exception cref="RequestException">An item does not fit into the context: nothing is cut silently.</exception>
    public IReadOnlyList<IReadOnlyList<ContinuationScore>> Score(IReadOnlyList<ContinuationItem> items, CancellationToken cancellation = default)
    {
        var scores = new ContinuationScore[items.Count][];
        var batch = new Batch(this);
        for (int i = 0; i < items.Count; i++)
        {
            var encoded = Encode(items[i], out int cut);
            var ofItem = scores[i] = new ContinuationScore[encoded.Length];
            for (int c = 0; c < encoded.Length; c++)
            {
                int[] ids = encoded[c];
                int choice = c;
                if (ids.Length - 1 > engine.Info.ContextLength)
                    throw new RequestException("context", $"item {i + 1} has {ids.Length} tokens with its continuation {c + 1}; the model's context " +
                        $"holds {engine.Info.ContextLength}. Shorten the context.", RequestErrorCode.ContextLengthExceeded);
                batch.Add(ids, cut, sum => ofItem[choice] = new ContinuationScore(sum, ids.Length - cut), cancellation);
            }
        }

        batch.Run(cancellation);
        return scores;
    }

    /// <summary>Scores whole texts, each as the beginning of a document; also texts longer than the context.</summary>
    /// <remarks>The window rule is that of the usual evaluation harness: windows of the context's length follow each other, each begins
    /// with the last token of the one before as its only context, and the last one, when shorter, is filled up with what comes before
    /// it. So every token is scored once, and a text that fits is scored in one piece. The end-of-text token is not scored.</remarks>
    public IReadOnlyList<TextScore> Score(IReadOnlyList<string> texts, CancellationToken cancellation = default)
    {
        var sums = new double[texts.Count];
        var tokens = new int[texts.Count];
        var batch = new Batch(this);
        for (int i = 0; i < texts.Count; i++)
        {
            int text = i;
            int[] ids = texts[i].Length == 0 ? [] : RequestValidator.EncodeDocument(engine.Tokenizer, texts[i]);
            tokens[i] = Math.Max(0, ids.Length - 1);
            foreach (var (start, end, firstTarget) in Windows(ids.Length, engine.Info.ContextLength))
                batch.Add(ids[start..end], firstTarget - start, sum => sums[text] += sum, cancellation);
        }

        batch.Run(cancellation);
        return [.. texts.Select((text, i) => new TextScore(sums[i], tokens[i], Encoding.UTF8.GetByteCount(text)))];
    }

    /// <summary>The windows of a text: tokens from Start to End (excluded), of which those from FirstTarget on are scored. A window of
    /// <paramref name="context"/> + 1 tokens has <paramref name="context"/> rows: the last token is only a target.</summary>
    internal static IEnumerable<(int Start, int End, int FirstTarget)> Windows(int tokens, int context)
    {
        for (int target = 1; target < tokens;)
        {
            int end = Math.Min(tokens, target + context);
            yield return (end == tokens ? Math.Max(0, end - 1 - context) : target - 1, end, target);
            target = end;
        }
    }

    private int[][] Encode(ContinuationItem item, out int cut)
    {
        if (item.Continuations.Count == 0 || item.Continuations.Any(text => text.Length == 0))
            throw new RequestException("continuations", "a continuation is empty or absent; expected at least one, each with some text.");
        string context = item.Context.TrimEnd();
        string moved = item.Context[context.Length..];
        int[] contextIds = context.Length == 0 && RequestValidator.BeginOfText(engine.Tokenizer) is int begin
            ? [begin]
            : RequestValidator.EncodeDocument(engine.Tokenizer, context);
        cut = contextIds.Length;
        var encoded = new int[item.Continuations.Count][];
        for (int c = 0; c < encoded.Length; c++)
        {
            encoded[c] = RequestValidator.EncodeDocument(engine.Tokenizer, context + moved + item.Continuations[c]);
            int shared = contextIds.AsSpan().CommonPrefixLength(encoded[c]);
            cut = Math.Min(cut, Math.Min(shared, encoded[c].Length - 1));
        }

        if (cut < 1)
            throw new RequestException("context", "the context has no token before the continuation; expected some text in front of it.");
        return encoded;
    }

    /// <summary>Packs sequences into flat batches and hands each one's sum to its receiver, in the order in which they were added.</summary>
    private sealed class Batch(Scorer owner)
    {
        private readonly List<int> _tokens = [];
        private readonly List<int> _targets = [];
        private readonly List<int> _lengths = [];
        private readonly List<Action<double>> _receivers = [];

        public void Add(int[] ids, int firstTarget, Action<double> receiver, CancellationToken cancellation)
        {
            int rows = ids.Length - 1; // the last token is only a target
            if (_tokens.Count > 0 && _tokens.Count + rows > owner.BatchRows) Run(cancellation);
            for (int row = 0; row < rows; row++)
            {
                _tokens.Add(ids[row]);
                _targets.Add(row + 1 >= firstTarget ? ids[row + 1] : -1);
            }

            _lengths.Add(rows);
            _receivers.Add(receiver);
        }

        public void Run(CancellationToken cancellation)
        {
            if (_tokens.Count == 0) return;
            cancellation.ThrowIfCancellationRequested();
            float[] losses = owner.Losses([.. _tokens], [.. _lengths], [.. _targets]);
            for (int i = 0, row = 0; i < _lengths.Count; i++)
            {
                double sum = 0;
                for (int end = row + _lengths[i]; row < end; row++) sum -= losses[row];
                _receivers[i](sum);
            }

            _tokens.Clear();
            _targets.Clear();
            _lengths.Clear();
            _receivers.Clear();
        }
    }

    private int BatchRows { get; } = batchRows;

    private float[] Losses(int[] tokens, int[] lengths, int[] targets) => engine.Use(model =>
    {
        var losses = new float[tokens.Length];
        model.Losses(tokens, lengths, targets, losses);
        foreach (float loss in losses)
        {
            if (!float.IsFinite(loss))
                throw new UserErrorException(FormattableString.Invariant($"the model gave a loss of {loss}; expected a finite number. ") +
                    "The weights are damaged: verify the model folder or make it again.");
        }

        return losses;
    });
}
