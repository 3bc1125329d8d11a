using OpenEuroLLM.Core;

namespace OpenEuroLLM.Corpus.Reporting;

/// <summary>The beginning of a document that was kept or dropped.</summary>
/// <param name="Step">The step where its way ended.</param>
/// <param name="Reason">The reason.</param>
/// <param name="Language">The language it had there.</param>
/// <param name="Source">Name of the collection.</param>
/// <param name="License">Its licence.</param>
/// <param name="Id">Its name in the collection.</param>
/// <param name="Url">Where it was found.</param>
/// <param name="Bytes">Length of the whole text, in bytes.</param>
/// <param name="Text">The beginning of the text.</param>
public sealed record CorpusSample(
    string Step, string Reason, string Language, string? Source, string? License, string Id, string? Url, long Bytes, string Text)
{
    /// <summary>Whether it is training text.</summary>
    public bool IsKept => Step == CorpusReport.SplitStep && Reason == CorpusReport.Train;
}

/// <summary>Reads <c>samples.jsonl</c>: a few documents for each outcome in each language.</summary>
public static class CorpusSamples
{
    /// <summary>The file's name in its folder.</summary>
    public const string FileName = CorpusStage.SamplesFile;

    /// <summary>The most samples that are read for one outcome in one language; a folder holds fewer.</summary>
    public const int MostOfOutcome = 20;

    private const int MostInAll = 100_000, MostCharacters = 2_000;

    /// <summary>The samples in the order of the file, or null when the folder has none.</summary>
    /// <exception cref="UserErrorException">A line is no sample; the message says which.</exception>
    public static IReadOnlyList<CorpusSample>? Read(IFileSystem files, string folder)
    {
        ArgumentNullException.ThrowIfNull(files);
        var samples = new List<CorpusSample>();
        var seen = new Dictionary<(string, string, string), int>();
        bool found = FolderLines.Read(files, Path.Combine(folder, FileName), "a sample", line =>
        {
            using var json = FolderLines.Object(line);
            string text = FolderLines.Text(json, "text");
            var sample = new CorpusSample(
                FolderLines.Text(json, "step"), FolderLines.Text(json, "reason"), FolderLines.Text(json, "language"), FolderLines.OptionalText(json, "source"), FolderLines.OptionalText(json, "license"),
                FolderLines.Text(json, "id"), FolderLines.OptionalText(json, "url"), FolderLines.Whole(json, "bytes"), Beginning(text, MostCharacters));
            var outcome = (sample.Step, sample.Reason, sample.Language);
            int before = seen.GetValueOrDefault(outcome);
            if (before >= MostOfOutcome || samples.Count >= MostInAll) return;
            seen[outcome] = before + 1;
            samples.Add(sample);
        });
        return found ? samples : null;
    }

    /// <summary>The samples for which there is room, and of each no more text than there is room for: the first of every outcome in every language, then, if they all
    /// fit, the second of each, and so on, so that no language has more than another.</summary>
    /// <param name="samples">All samples.</param>
    /// <param name="characters">Room in all; the first samples of the outcomes have <paramref name="leastOfOne"/> characters each even where it is less.</param>
    /// <param name="leastOfOne">What is shown of a text where room is short.</param>
    /// <param name="mostOfOne">What is shown of a text where it is not.</param>
    public static IReadOnlyList<CorpusSample> Choose(IReadOnlyList<CorpusSample> samples, long characters, int leastOfOne, int mostOfOne)
    {
        ArgumentNullException.ThrowIfNull(samples);
        var rounds = new List<List<int>>();
        var seen = new Dictionary<(string, string, string), int>();
        for (int i = 0; i < samples.Count; i++)
        {
            var outcome = (samples[i].Step, samples[i].Reason, samples[i].Language);
            int round = seen.GetValueOrDefault(outcome);
            seen[outcome] = round + 1;
            if (round == rounds.Count) rounds.Add([]);
            rounds[round].Add(i);
        }
        if (rounds.Count == 0) return [];
        int length = (int)Math.Clamp(characters / rounds[0].Count, leastOfOne, mostOfOne);
        var chosen = new List<int>(rounds[0]);
        foreach (List<int> round in rounds.Skip(1).TakeWhile(round => (chosen.Count + round.Count) * (long)length <= characters)) chosen.AddRange(round);
        return [.. chosen.Order().Select(i => samples[i] with { Text = Beginning(samples[i].Text, length) })];
    }

    private static string Beginning(string text, int length) => text.Length <= length ? text : text[..(char.IsHighSurrogate(text[length - 1]) ? length - 1 : length)] + "…";
}
