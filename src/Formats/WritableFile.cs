using System.Diagnostics;
using System.Globalization;
using Microsoft.Win32.SafeHandles;
using OpenEuroLLM.Core;

namespace OpenEuroLLM.Formats;

/// <summary>A new file written at positions, with failures (no permission, disk full) in the user's words.</summary>
internal sealed class WritableFile : IDisposable
{
    private const string PartialMark = ".partial-";

    private readonly string _path;
    private readonly string? _target;
    private readonly SafeFileHandle _handle;

    public WritableFile(string path) : this(path, null) { }

    private WritableFile(string path, string? target)
    {
        _path = path;
        _target = target;
        try
        {
            _handle = File.OpenHandle(path, FileMode.Create, FileAccess.Write);
        }
        catch (Exception error) when (StorageFailure.Is(error))
        {
            throw StorageFailure.Explain(error, target ?? path);
        }
    }

    /// <summary>A file that stands under a temporary name beside its own until <see cref="Commit"/>, and is gone when that is not reached.
    /// What writers that ended early left there is removed.</summary>
    public static WritableFile Replacing(string path)
    {
        path = Path.GetFullPath(path);
        try
        {
            RemoveAbandoned(path);
        }
        catch (Exception error) when (StorageFailure.Is(error))
        {
            throw StorageFailure.Explain(error, path);
        }
        return new WritableFile(string.Create(CultureInfo.InvariantCulture, $"{path}{PartialMark}{Environment.ProcessId}"), path);
    }

    public void Write(ReadOnlySpan<byte> bytes, long offset)
    {
        try
        {
            RandomAccess.Write(_handle, bytes, offset);
        }
        catch (Exception error) when (StorageFailure.Is(error))
        {
            throw StorageFailure.Explain(error, _target ?? _path);
        }
    }

    /// <summary>Sets the final length, waits until everything is on the disk, and gives the file its name, replacing one that is there.</summary>
    public void Commit(long length)
    {
        try
        {
            RandomAccess.SetLength(_handle, length);
            RandomAccess.FlushToDisk(_handle);
            _handle.Dispose();
            File.Move(_path, _target!, overwrite: true);
            PhysicalFileSystem.Instance.FlushDirectory(Path.GetDirectoryName(_target!)!);
        }
        catch (Exception error) when (StorageFailure.Is(error))
        {
            throw StorageFailure.Explain(error, _target!);
        }
    }

    public void Dispose()
    {
        _handle.Dispose();
        if (_target is null)
            return;
        try
        {
            File.Delete(_path); // gone already when it was committed
        }
        catch (Exception error) when (StorageFailure.Is(error))
        {
            // The remains carry no name that a reader looks at, and the next writer removes them.
        }
    }

    private static void RemoveAbandoned(string path)
    {
        string folder = Path.GetDirectoryName(path)!;
        if (!Directory.Exists(folder))
            return;
        string start = Path.GetFileName(path) + PartialMark;
        foreach (string sibling in Directory.EnumerateFiles(folder))
        {
            string name = Path.GetFileName(sibling);
            if (name.StartsWith(start, StringComparison.Ordinal)
                && int.TryParse(name.AsSpan(start.Length), NumberStyles.None, CultureInfo.InvariantCulture, out int process) && !IsRunning(process))
                File.Delete(sibling);
        }
    }

    private static bool IsRunning(int process)
    {
        try
        {
            using var found = Process.GetProcessById(process);
            return !found.HasExited;
        }
        catch (ArgumentException)
        {
            return false;
        }
    }
}
