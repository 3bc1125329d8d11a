using Microsoft.Win32.SafeHandles;
using OpenEuroLLM.Core;

namespace OpenEuroLLM.Corpus.Deduplication;

/// <summary>What a <see cref="MeasuredStep"/> measured of all documents of a phase: rows of bytes, in input order, numbered
/// from 0 through all units. A row of zeros takes no part.</summary>
internal sealed class MeasureTable : IDisposable
{
    private readonly IFileSystem _files;
    private readonly IReadOnlyList<string?> _paths;
    private readonly SafeFileHandle?[] _handles;
    private readonly int[] _firstRows;      // of each unit, and at the end the number of all

    /// <param name="files">The file system.</param>
    /// <param name="paths">The file of rows of each unit; null where it has none.</param>
    /// <param name="rowBytes">Length of a row.</param>
    public MeasureTable(IFileSystem files, IReadOnlyList<string?> paths, int rowBytes)
    {
        (_files, _paths, RowBytes) = (files, paths, rowBytes);
        _handles = new SafeFileHandle?[paths.Count];
        _firstRows = new int[paths.Count + 1];
        for (int i = 0; i < paths.Count; i++)
        {
            long rows = _firstRows[i] + (paths[i] is { } path ? files.FileLength(path) / rowBytes : 0);
            _firstRows[i + 1] = rows <= int.MaxValue ? (int)rows
                : throw new UserErrorException($"corpus.steps: the corpus has more than {int.MaxValue} documents, or parts of documents, at a step that compares them; build it in parts.");
        }
    }

    /// <summary>Length of a row in bytes.</summary>
    public int RowBytes { get; }

    /// <summary>Rows of all units.</summary>
    public int Rows => _firstRows[^1];

    /// <summary>The first row of a unit; of the unit behind the last, the number of all rows.</summary>
    public int FirstRow(int unit) => _firstRows[unit];

    /// <summary>The unit of a row.</summary>
    public int UnitOf(int row)
    {
        int unit = Array.BinarySearch(_firstRows, row);
        // Units without rows share their first row with the next: the last of them holds the row.
        if (unit < 0) return ~unit - 1;
        while (_firstRows[unit + 1] == row) unit++;
        return unit;
    }

    /// <summary>Goes through all rows in order.</summary>
    public void ForEach(RowAction action, CancellationToken cancellation)
    {
        byte[] buffer = new byte[RowBytes * Math.Max(1, (1 << 18) / RowBytes)];
        for (int file = 0; file < _paths.Count; file++)
        {
            if (_firstRows[file] == _firstRows[file + 1]) continue;
            using Stream stream = _files.OpenRead(_paths[file]!);
            for (int row = _firstRows[file]; row < _firstRows[file + 1];)
            {
                cancellation.ThrowIfCancellationRequested();
                int wanted = Math.Min(buffer.Length, (_firstRows[file + 1] - row) * RowBytes);
                stream.ReadExactly(buffer, 0, wanted);
                for (int at = 0; at < wanted; at += RowBytes, row++)
                    if (buffer.AsSpan(at, RowBytes).ContainsAnyExcept((byte)0)) action(row, buffer.AsSpan(at, RowBytes));
            }
        }
    }

    /// <summary>Reads one row; any number of threads may.</summary>
    public void Read(int row, Span<byte> destination)
    {
        int file = UnitOf(row);
        SafeFileHandle? handle = Volatile.Read(ref _handles[file]);
        if (handle is null)
        {
            SafeFileHandle opened = File.OpenHandle(_paths[file]!);
            handle = Interlocked.CompareExchange(ref _handles[file], opened, null);
            if (handle is null) handle = opened;
            else opened.Dispose();
        }
        long offset = (long)(row - _firstRows[file]) * RowBytes;
        for (int done = 0, read; done < RowBytes; done += read)
            if ((read = RandomAccess.Read(handle, destination[done..RowBytes], offset + done)) == 0)
                throw new IOException($"'{_paths[file]}' is shorter than it was.");
    }

    public void Dispose()
    {
        foreach (SafeFileHandle? handle in _handles) handle?.Dispose();
    }
}

/// <summary>Is given a row and its number.</summary>
internal delegate void RowAction(int row, ReadOnlySpan<byte> measure);
