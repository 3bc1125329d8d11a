using OpenEuroLLM.Core;

namespace OpenEuroLLM.Corpus.Erasure;

/// <summary>A file that only grows, and by whole additions: a copy with the addition takes its name when it is on the disk, so that no reader and no crash ever sees a part.</summary>
internal static class AppendOnlyFile
{
    private const string Partial = ".partial";

    /// <summary>Adds to a file, which is begun when it is not there.</summary>
    /// <param name="files">The file system.</param>
    /// <param name="path">The file.</param>
    /// <param name="addition">What is added.</param>
    /// <param name="secret">Whether only its owner may read it.</param>
    public static void Add(IFileSystem files, string path, ReadOnlySpan<byte> addition, bool secret = false)
    {
        using (Stream stream = files.CreateFile(path + Partial))
        {
            if (secret && !OperatingSystem.IsWindows()) File.SetUnixFileMode(path + Partial, UnixFileMode.UserRead | UnixFileMode.UserWrite);
            if (files.FileExists(path))
            {
                using Stream before = files.OpenRead(path);
                before.CopyTo(stream);
            }
            stream.Write(addition);
            files.FlushToDisk(stream);
        }
        files.Move(path + Partial, path);
        files.FlushDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
    }
}
