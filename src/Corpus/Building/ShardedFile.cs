using OpenEuroLLM.Core;

namespace OpenEuroLLM.Corpus.Building;

/// <summary>Lines in numbered files, a new one begun when the last has reached its size.</summary>
internal sealed class ShardedFile(IFileSystem files, string folder, string name, long bytes) : IDisposable
{
    private Stream? _current;
    private int _number;

    /// <summary>Where the next line goes.</summary>
    public Stream Next()
    {
        if (_current is not null && _current.Position >= bytes)
        {
            _current.Dispose();
            _current = null;
        }
        return _current ??= files.CreateFile(Path.Combine(folder, string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{name}-{_number++:00000}.jsonl")));
    }

    public void Dispose() => _current?.Dispose();
}
