using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using OpenEuroLLM.Core;

namespace OpenEuroLLM.Transparency;

/// <summary>One line of <c>metrics.jsonl</c> with a training loss.</summary>
internal sealed record TrainingPoint(long Step, long? Tokens, double Loss, double? LearningRate);

/// <summary>Held-out loss of one language after a step.</summary>
internal sealed record HeldOutPoint(long Step, double Loss);

/// <summary>The course of the training, from <c>metrics.jsonl</c>.</summary>
internal sealed record TrainingCurve(IReadOnlyList<TrainingPoint> Points, IReadOnlyDictionary<string, List<HeldOutPoint>> HeldOut, int WithoutLoss)
{
    public static TrainingCurve Parse(ReadOnlySpan<byte> metrics, string where)
    {
        var points = new List<TrainingPoint>();
        var heldOut = new SortedDictionary<string, List<HeldOutPoint>>(StringComparer.Ordinal);
        int withoutLoss = 0, number = 0;
        foreach (string line in Encoding.UTF8.GetString(metrics).Split('\n'))
        {
            number++;
            if (line.Length == 0) continue;
            JsonObject json;
            try
            {
                json = JsonNode.Parse(line) as JsonObject ?? throw new JsonException("not an object");
            }
            catch (JsonException exception)
            {
                throw new UserErrorException($"{where}:{number}: not a JSON object; make the run again.", exception);
            }

            long step = (long)(Figure.Number(json["step"]) ?? 0);
            if (json["heldoutLoss"] is JsonObject languages)
            {
                foreach (var (language, loss) in languages)
                {
                    if (Figure.Number(loss) is not double value) continue;
                    if (!heldOut.TryGetValue(language, out var list)) heldOut[language] = list = [];
                    list.Add(new HeldOutPoint(step, value));
                }
            }
            else if (Figure.Number(json["loss"]) is double loss)
            {
                points.Add(new TrainingPoint(
                    step, (long?)Figure.Number(json["tokens"]), loss, Figure.Number(json["learningRate"])));
            }
            else
            {
                withoutLoss++;
            }
        }

        return new TrainingCurve(points, heldOut, withoutLoss);
    }

    /// <summary>At most so many points, each the mean of a stretch of steps.</summary>
    public IReadOnlyList<(double Step, double Loss)> Smoothed(int most)
    {
        int stretch = Math.Max(1, (Points.Count + most - 1) / most);
        return [.. Points.Chunk(stretch).Select(chunk => (chunk.Average(point => (double)point.Step), chunk.Average(point => point.Loss)))];
    }

    public Table ToTable(int rows)
    {
        var chosen = Points.Count <= rows ? Points : [.. Enumerable.Range(0, rows).Select(i => Points[(int)((long)i * (Points.Count - 1) / (rows - 1))])];
        return new Table("Training loss over the steps", ["Step", "Tokens", "Loss", "Learning rate"],
            [.. chosen.Select(point => (IReadOnlyList<string>)[
                Figure.Whole(point.Step), Figure.Whole(point.Tokens), Figure.Fixed(point.Loss, 4), Figure.Short(point.LearningRate)])]);
    }
}
