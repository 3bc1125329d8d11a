using System.Runtime.InteropServices;
using System.Text;
using OpenEuroLLM.Core;

namespace OpenEuroLLM.Corpus.Deduplication;

/// <summary>A row that repeats an earlier one.</summary>
/// <param name="First">The earlier row.</param>
/// <param name="Later">The row that repeats it.</param>
internal readonly record struct RowPair(int First, int Later);

/// <summary>What a part of a comparison found: collected, then written as a file, in the order of the later rows.</summary>
internal sealed class RowPairs
{
    private readonly List<ulong> _pairs = [];   // the later row in the high half

    /// <summary>Adds a pair.</summary>
    public void Add(int first, int later) => _pairs.Add((ulong)(uint)later << 32 | (uint)first);

    /// <summary>Writes the file; it is there whole or not at all.</summary>
    /// <param name="files">The file system.</param>
    /// <param name="path">Where.</param>
    /// <param name="key">Stands for everything the content follows from.</param>
    /// <param name="writer">Names the process among those that may write the same file.</param>
    public void Write(IFileSystem files, string path, string key, string writer)
    {
        Span<ulong> pairs = CollectionsMarshal.AsSpan(_pairs);
        pairs.Sort();
        string partial = $"{path}.{writer}.partial";
        using (Stream stream = files.CreateFile(partial))
        {
            stream.Write(Encoding.ASCII.GetBytes(key));
            ulong before = ulong.MaxValue;
            foreach (ulong pair in pairs)
            {
                if (pair == before) continue;
                stream.Write(MemoryMarshal.AsBytes(new ReadOnlySpan<ulong>(in pair)));
                before = pair;
            }
            files.FlushToDisk(stream);
        }
        files.Move(partial, path);
    }
}

/// <summary>A file of pairs.</summary>
internal sealed class RowPairFile
{
    private const int PairBytes = sizeof(ulong);

    private readonly IFileSystem _files;
    private readonly string _path;
    private readonly int _headBytes;
    private readonly long _pairs;

    private RowPairFile(IFileSystem files, string path, int headBytes, long pairs) => (_files, _path, _headBytes, _pairs) = (files, path, headBytes, pairs);

    /// <summary>The file, or null when there is none for this key.</summary>
    public static RowPairFile? TryOpen(IFileSystem files, string path, string key)
    {
        if (!files.FileExists(path)) return null;
        byte[] head = new byte[key.Length];
        using Stream stream = files.OpenRead(path);
        return stream.ReadAtLeast(head, head.Length, throwOnEndOfStream: false) == head.Length && Encoding.ASCII.GetString(head) == key
            ? new RowPairFile(files, path, head.Length, (files.FileLength(path) - head.Length) / PairBytes)
            : null;
    }

    /// <summary>The pairs whose later row lies in a range, in the order of these rows.</summary>
    public IEnumerable<RowPair> Of(int from, int to)
    {
        using Stream stream = _files.OpenRead(_path);
        byte[] buffer = new byte[1 << 13];
        long low = 0, high = _pairs;
        while (low < high)
        {
            long middle = (low + high) / 2;
            stream.Seek(_headBytes + middle * PairBytes, SeekOrigin.Begin);
            stream.ReadExactly(buffer, 0, PairBytes);
            if (Pair(buffer).Later < from) low = middle + 1;
            else high = middle;
        }
        stream.Seek(_headBytes + low * PairBytes, SeekOrigin.Begin);
        for (long left = _pairs - low; left > 0;)
        {
            int pairs = (int)Math.Min(left, buffer.Length / PairBytes);
            stream.ReadExactly(buffer, 0, pairs * PairBytes);
            left -= pairs;
            for (int i = 0; i < pairs; i++)
            {
                RowPair pair = Pair(buffer.AsSpan(i * PairBytes));
                if (pair.Later >= to) yield break;
                yield return pair;
            }
        }
    }

    private static RowPair Pair(ReadOnlySpan<byte> bytes)
    {
        ulong pair = MemoryMarshal.Read<ulong>(bytes);
        return new RowPair((int)(uint)pair, (int)(pair >> 32));
    }
}
