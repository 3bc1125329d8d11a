using OpenEuroLLM.Core;

namespace OpenEuroLLM.Corpus.Building;

/// <summary>Lines in numbered files, a new one begun when the last has reached its size; or in one file without a number.</summary>
/// <param name="files">The file system.</param>
/// <param name="folder">Where they lie.</param>
/// <param name="name">The beginning of their names.</param>
/// <param name="bytes">The size; absent: one file.</param>
internal sealed class ShardedFile(IFileSystem files, string folder, string name, long? bytes) : IDisposable
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
        return _current ??= files.CreateFile(Path.Combine(folder, (bytes is null ? name : string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{name}-{_number++:00000}")) + ".jsonl"));
    }

    public void Dispose() => _current?.Dispose();
}
