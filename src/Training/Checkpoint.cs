using System.Text.Json.Nodes;
using OpenEuroLLM.Core;
using OpenEuroLLM.Formats;
using OpenEuroLLM.Models;

namespace OpenEuroLLM.Training;

/// <summary>Checkpoints of a run: atomic folders <c>checkpoints/step-N</c>, each a readable model with the optimizer's state beside it.</summary>
internal sealed class CheckpointStore(string runFolder, JsonObject settings)
{
    private const string Prefix = "step-";
    private readonly string folder = Path.Combine(runFolder, "checkpoints");

    /// <summary>The newest complete checkpoint, or null.</summary>
    public (long Step, string Folder)? Newest()
    {
        (long Step, string Folder)? newest = null;
        foreach (var (step, path) in All())
            if (newest is null || step > newest.Value.Step) newest = (step, path);
        return newest;
    }

    /// <summary>Writes a checkpoint and removes the oldest beyond <paramref name="keep"/>.</summary>
    public string Save(long step, LanguageModel model, AdamWOptimizer optimizer, int keep)
    {
        FiniteNumbers.Require(model, $"step {step}");
        var target = PathOf(step);
        using (var writer = AtomicDirectory.Create(target, "checkpoint", settings, replace: true))
        {
            ModelFolder.Save(model, writer.Path, SafetensorsType.F32);
            optimizer.Save(writer.Path);
            File.WriteAllBytes(Path.Combine(writer.Path, "state.json"), CanonicalJson.Write(new JsonObject { ["step"] = step }));
            writer.Commit();
        }
        Keep(keep);
        return target;
    }

    /// <summary>Removes all but the newest <paramref name="count"/> checkpoints.</summary>
    public void Keep(int count)
    {
        foreach (var (_, old) in All().OrderByDescending(entry => entry.Step).Skip(count).ToList()) Directory.Delete(old, recursive: true);
    }

    private string PathOf(long step) => Path.Combine(folder, FormattableString.Invariant($"{Prefix}{step:D7}"));

    private IEnumerable<(long Step, string Folder)> All()
    {
        if (!Directory.Exists(folder)) yield break;
        foreach (var path in Directory.GetDirectories(folder, Prefix + "*"))
        {
            if (long.TryParse(Path.GetFileName(path).AsSpan(Prefix.Length), System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out var step)
                && File.Exists(Path.Combine(path, Manifest.FileName)))
                yield return (step, path);
        }
    }
}
