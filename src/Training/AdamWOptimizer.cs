using OpenEuroLLM.Core;
using OpenEuroLLM.Formats;
using OpenEuroLLM.Models;
using OpenEuroLLM.Tensors;
using OpenEuroLLM.Tensors.Kernels;

namespace OpenEuroLLM.Training;

/// <summary>AdamW over all weights of a model, with the gradients' global norm clipped. Matrices decay, norm gains do not.</summary>
internal sealed class AdamWOptimizer : IDisposable
{
    private const string FileName = "optimizer.safetensors";

    private readonly LanguageModel model;
    private readonly TrainingConfig config;
    private readonly NumberBuffer[] first;
    private readonly NumberBuffer[] second;

    public AdamWOptimizer(LanguageModel model, TrainingConfig config)
    {
        this.model = model;
        this.config = config;
        first = [.. model.Weights.Select(weight => new NumberBuffer(weight.Count))];
        second = [.. model.Weights.Select(weight => new NumberBuffer(weight.Count))];
    }

    /// <summary>Changes the weights by their gradients and sets these to zero.</summary>
    /// <param name="step">Step, from 0.</param>
    /// <param name="learningRate">Rate of this step.</param>
    /// <returns>Global norm of the gradients before clipping.</returns>
    /// <exception cref="UserErrorException">A gradient is not finite; the weights are as they were.</exception>
    public double Update(long step, double learningRate)
    {
        var squares = 0.0;
        for (var i = 0; i < first.Length; i++)
        {
            var square = model.Engine.SquaredGradientNorm(model.Weights[i]);
            if (!double.IsFinite(square)) throw NotFinite(step, model.Weights[i]);
            squares += square;
        }
        var norm = Math.Sqrt(squares);
        var scale = norm > config.ClipNorm ? config.ClipNorm / norm : 1;
        var settings = new AdamWStep((float)learningRate, (float)config.Beta1, (float)config.Beta2, (float)config.Epsilon, 0,
            (float)(1 - Numerics.Pow(config.Beta1, step + 1)), (float)(1 - Numerics.Pow(config.Beta2, step + 1)), (float)scale);
        for (var i = 0; i < first.Length; i++)
        {
            var weight = model.Weights[i];
            model.Engine.Update(weight, first[i], second[i], weight.Rows == 1 ? settings : settings with { Decay = (float)config.WeightDecay });
            weight.ClearGradient();
        }
        return norm;
    }

    private static UserErrorException NotFinite(long step, Weight weight) => new(
        FormattableString.Invariant($"step {step + 1}: the gradient of {weight.Name} {(FiniteNumbers.Find(weight, weight.Gradient) is { } found ? $"is {found}" : "has a norm beyond single precision")}; ")
        + "expected finite numbers. Nothing was changed by this step, and the last checkpoint is intact: lower training.learningRate or training.clipNorm in a new folder.");

    public void Save(string folder)
    {
        using var writer = new SafetensorsWriter(Path.Combine(folder, FileName));
        var entries = model.Weights.Select((weight, i) => (weight.Name, i)).ToList();
        var all = entries.SelectMany(entry => new[] { (Name: "first." + entry.Name, Buffer: first[entry.i]), (Name: "second." + entry.Name, Buffer: second[entry.i]) })
            .OrderBy(entry => entry.Name, StringComparer.Ordinal).ToList();
        foreach (var (name, buffer) in all) writer.Declare(name, SafetensorsType.F32, buffer.Count);
        foreach (var (name, buffer) in all) writer.WriteFloats(name, buffer.Values);
        writer.Finish();
    }

    public void Load(string folder)
    {
        using var file = SafetensorsFile.Open(Path.Combine(folder, FileName));
        for (var i = 0; i < first.Length; i++)
        {
            file.ReadFloats("first." + model.Weights[i].Name, first[i].Values);
            file.ReadFloats("second." + model.Weights[i].Name, second[i].Values);
            if ((FiniteNumbers.Find(model.Weights[i], first[i].Values) ?? FiniteNumbers.Find(model.Weights[i], second[i].Values)) is { } found)
                throw new UserErrorException($"{Path.Combine(folder, FileName)}: the state of {model.Weights[i].Name} holds {found}; expected finite numbers. Remove this checkpoint to use the one before, or start in a new folder.");
        }
    }

    public void Dispose()
    {
        foreach (var buffer in first) buffer.Dispose();
        foreach (var buffer in second) buffer.Dispose();
    }
}
