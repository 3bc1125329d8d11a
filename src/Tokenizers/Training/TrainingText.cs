namespace OpenEuroLLM.Tokenizers;

/// <summary>A text to train on.</summary>
/// <param name="Utf8">The text; any bytes are taken.</param>
/// <param name="Language">The key under which texts are weighted together, usually a language code.</param>
/// <param name="Source">The collection it comes from; empty when unknown.</param>
/// <param name="Id">Its name in the collection; translations of one document share it. Empty when unknown.</param>
public readonly record struct TrainingText(ReadOnlyMemory<byte> Utf8, string Language, string Source = "", string Id = "");

/// <summary>Texts that are read one after another, such as the documents of a file. Several inputs are read at the same time.</summary>
public interface ITrainingInput
{
    /// <summary>A measure of the work to read it, such as the file's length; null when unknown.</summary>
    long? Bytes { get; }

    /// <summary>Reads the texts once.</summary>
    /// <param name="progress">Told of the work as it is done, in the unit of <see cref="Bytes"/>.</param>
    IEnumerable<TrainingText> Read(Action<long> progress);
}

/// <summary>How far training is.</summary>
/// <param name="Phase"><c>counting</c> (in bytes of input), <c>joining</c> (in bytes of counted words on disk), <c>merging</c> or <c>pruning</c> (in tokens).</param>
/// <param name="Done">What is done.</param>
/// <param name="Total">Of how much; null while unknown.</param>
public readonly record struct TokenizerTrainingProgress(string Phase, long Done, long? Total);

internal sealed class TextsInput(IEnumerable<TrainingText> texts) : ITrainingInput
{
    public long? Bytes => null;

    public IEnumerable<TrainingText> Read(Action<long> progress)
    {
        foreach (var text in texts)
        {
            yield return text;
            progress(text.Utf8.Length);
        }
    }
}
