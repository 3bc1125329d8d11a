using System.Globalization;
using OpenEuroLLM.Core;

namespace OpenEuroLLM.Corpus;

/// <summary>One of several processes that build a corpus together in one folder, as the tasks of a job array do: each does its share of the units of work.</summary>
/// <param name="Number">From 1.</param>
/// <param name="Of">How many there are.</param>
public sealed record CorpusTask(int Number, int Of)
{
    /// <summary>Reads <c>3/8</c>.</summary>
    /// <exception cref="UserErrorException">It is something else.</exception>
    public static CorpusTask Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        string[] parts = text.Split('/');
        return parts.Length == 2 && int.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out int number)
            && int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out int of) && number >= 1 && number <= of
            ? new CorpusTask(number, of)
            : throw new UserErrorException($"--task '{text}' is no share of the work; expected I/N with I from 1 to N, such as 3/8.");
    }

    /// <summary>Whether a unit belongs to the task.</summary>
    internal bool Has(int unit) => unit % Of == Number - 1;

    /// <summary>Names the task's own files.</summary>
    internal string Name => string.Create(CultureInfo.InvariantCulture, $"{Number}-of-{Of}");
}

/// <summary>How far several tasks have come together.</summary>
/// <param name="Manifest">The finished corpus; absent while work is left.</param>
/// <param name="Part">Which part of the work is under way, from 1.</param>
/// <param name="Parts">How many parts there are; each begins when all tasks have done the one before.</param>
/// <param name="Done">Pieces of this part that are done, by whichever task.</param>
/// <param name="Pieces">Pieces of this part.</param>
public sealed record CorpusTaskOutcome(Manifest? Manifest, int Part, int Parts, int Done, int Pieces);
