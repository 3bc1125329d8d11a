using OpenEuroLLM.Core;
using OpenEuroLLM.Formats;
using OpenEuroLLM.Models;
using OpenEuroLLM.Tensors;
using OpenEuroLLM.Tokenizers;

namespace OpenEuroLLM.Training;

/// <summary>Held-out text of each language, and how well a model predicts it.</summary>
internal sealed class HeldOut
{
    private const string Prefix = "heldout-";

    private readonly SortedDictionary<string, List<int[]>> languages = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, long> bytes = new(StringComparer.Ordinal);

    /// <summary>Reads the held-out shards of a tokens folder: of each language the first documents, up to a number of tokens.</summary>
    public HeldOut(string tokensFolder, Tokenizer tokenizer, int contextLength, int mostTokens)
    {
        foreach (var path in Directory.GetFiles(tokensFolder, Prefix + "*.idx").Order(StringComparer.Ordinal))
        {
            var language = Path.GetFileNameWithoutExtension(path)[Prefix.Length..];
            using var shard = TokenShard.Open(path[..^4], tokenizer.VocabularySize);
            var pieces = new List<int[]>();
            var (left, size) = ((long)mostTokens, 0L);
            for (var document = 0; document < shard.Documents && left > 0; document++)
            {
                var tokens = new int[(int)Math.Min(left, shard.Length(document))];
                shard.Read(document, 0, tokens);
                left -= tokens.Length;
                for (var start = 0; start + 1 < tokens.Length; start += contextLength)
                    pieces.Add(tokens[start..Math.Min(tokens.Length, start + contextLength + 1)]);
                if (tokens.Length > 1) size += tokenizer.DecodeBytes(tokens.AsSpan(1), skipSpecial: true).Length;
            }
            if (pieces.Count == 0) continue;
            languages[language] = pieces;
            bytes[language] = size;
        }
    }

    /// <summary>Mean loss of each language, in nats a token and in bits a byte.</summary>
    public IReadOnlyList<(string Language, double Nats, double BitsPerByte)> Measure(LanguageModel model, int batchRows)
    {
        var results = new List<(string, double, double)>();
        var layout = new SequenceLayout();
        foreach (var (language, pieces) in languages)
        {
            var (sum, count) = (0.0, 0L);
            for (var i = 0; i < pieces.Count;)
            {
                var (tokens, targets) = (new List<int>(), new List<int>());
                layout.Clear();
                while (i < pieces.Count && (tokens.Count == 0 || tokens.Count + pieces[i].Length - 1 <= batchRows))
                {
                    tokens.AddRange(pieces[i].AsSpan(..^1));
                    targets.AddRange(pieces[i].AsSpan(1..));
                    layout.Add(pieces[i].Length - 1);
                    i++;
                }
                model.Engine.Reset();
                var hidden = model.Forward(tokens.ToArray(), layout);
                foreach (var loss in model.Loss(hidden, targets.ToArray()).Values) sum += loss;
                count += targets.Count;
            }
            results.Add((language, sum / count, sum / Numerics.Log(2) / Math.Max(1, bytes[language])));
        }
        model.Engine.Reset();
        return results;
    }
}
