using System.Buffers.Binary;
using System.Globalization;
using System.Text.Json.Nodes;
using OpenEuroLLM.Core;

namespace OpenEuroLLM.Privacy.Rights;

/// <summary>What a store holds.</summary>
/// <param name="Hosts">Sites.</param>
/// <param name="Files">Fetches by kind and status class: <c>robots 2xx</c>.</param>
/// <param name="LeftOut">Fetches beyond what is kept of a site.</param>
public sealed record PolicyStoreSummary(long Hosts, IReadOnlyDictionary<string, long> Files, long LeftOut);

/// <summary>Makes a store, or the next generation of one: adding the same fetches again changes nothing, and their order makes no difference. Memory is bounded: fetches are sorted in runs
/// on the disk.</summary>
public sealed class PolicyStoreWriter : IDisposable
{
    /// <summary>Fetches kept of one address, the newest.</summary>
    public const int MostVersions = 64;

    /// <summary>Fetches kept of one site.</summary>
    public const int MostOfHost = 512;

    private const long DefaultMemoryBytes = 128L << 20;

    private readonly IFileSystem _files;
    private readonly string _store;
    private readonly long _memoryBytes;
    private readonly AtomicDirectory _output;
    private readonly List<string> _runs = [];
    private readonly List<SiteFile> _pending = [];
    private long _pendingBytes;

    private PolicyStoreWriter(string store, IFileSystem files, IClock clock, long memoryBytes)
    {
        (_store, _files, _memoryBytes) = (Path.GetFullPath(store), files, memoryBytes);
        string? before = PolicyStoreFiles.Current(files, _store);
        var settings = new JsonObject { ["format"] = "oellm-policies-1", ["versions"] = MostVersions, ["filesOfHost"] = MostOfHost };
        if (before is not null) settings["before"] = Manifest.Read(files, before).Sha256();
        _output = AtomicDirectory.Create(PolicyStoreFiles.Next(files, _store), PolicyStoreFiles.Stage, settings, files, clock);
    }

    /// <summary>Begins a store or its next generation.</summary>
    /// <param name="store">The folder.</param>
    /// <param name="fileSystem">The file system; the machine's own by default.</param>
    /// <param name="clock">The clock; the machine's own by default.</param>
    /// <param name="memoryBytes">Memory for fetches that are not sorted yet.</param>
    /// <exception cref="UserErrorException">The folder holds something else, or cannot be written.</exception>
    public static PolicyStoreWriter Create(string store, IFileSystem? fileSystem = null, IClock? clock = null, long memoryBytes = DefaultMemoryBytes)
    {
        ArgumentNullException.ThrowIfNull(store);
        IFileSystem files = fileSystem ?? PhysicalFileSystem.Instance;
        try
        {
            if (files.FileExists(Path.Combine(store, Manifest.FileName))) throw new UserErrorException($"{store}: is the output of another stage; choose another folder for the policies.");
            return new PolicyStoreWriter(store, files, clock ?? SystemClock.Instance, memoryBytes);
        }
        catch (Exception error) when (StorageFailure.Is(error))
        {
            throw StorageFailure.Explain(error, store);
        }
    }

    /// <summary>Adds a fetch.</summary>
    public void Add(SiteFile file)
    {
        ArgumentNullException.ThrowIfNull(file);
        _pending.Add(file);
        _pendingBytes += file.Size;
        if (_pendingBytes > _memoryBytes) Guard(WriteRun);
    }

    /// <summary>Records a file that was read.</summary>
    public void AddInputFile(string path, string recordedAs) => _output.AddInputFile(path, recordedAs);

    /// <summary>Writes the store with what an earlier generation holds, and removes that.</summary>
    /// <exception cref="UserErrorException">The disk failed; the earlier generation is as it was.</exception>
    public PolicyStoreSummary Commit() => Guard(() =>
    {
        IReadOnlyList<string> before = PolicyStoreFiles.Generations(_files, _store);
        PolicyStoreSummary summary = WriteAll(before.Count > 0 ? Path.Combine(before[^1], PolicyStoreFiles.Lines) : null);
        foreach (string run in _runs) _files.Delete(run);
        foreach ((string name, long count) in summary.Files) _output.Count(new ManifestCount(PolicyStoreFiles.Stage, name, Documents: count));
        if (summary.LeftOut > 0) _output.Count(new ManifestCount(PolicyStoreFiles.Stage, "left-out", Documents: summary.LeftOut));
        _output.Commit();
        foreach (string old in before) Remove(old);
        return summary;
    });

    /// <inheritdoc/>
    public void Dispose() => _output.Dispose();

    private void Remove(string generation)
    {
        try
        {
            _files.Delete(generation);
        }
        catch (Exception error) when (StorageFailure.Is(error))
        {
            // Nobody looks at it any more, and the next update removes it.
        }
    }

    private void WriteRun()
    {
        _pending.Sort(SiteFile.Compare);
        string path = Path.Combine(_output.Path, string.Create(CultureInfo.InvariantCulture, $"run-{_runs.Count:00000}.jsonl"));
        using (Stream stream = _files.CreateFile(path))
        {
            foreach (SiteFile file in _pending)
            {
                stream.Write(file.ToJsonLine());
                stream.WriteByte((byte)'\n');
            }
        }
        _runs.Add(path);
        _pending.Clear();
        _pendingBytes = 0;
    }

    private PolicyStoreSummary WriteAll(string? earlier)
    {
        _pending.Sort(SiteFile.Compare);
        IEnumerable<SiteFile>[] sources = [.. _runs.Select(Read), _pending, .. earlier is null ? [] : (IEnumerable<IEnumerable<SiteFile>>)[Read(earlier)]];
        var counts = new SortedDictionary<string, long>(StringComparer.Ordinal);
        long hosts = 0, leftOut = 0;
        using Stream lines = _files.CreateFile(Path.Combine(_output.Path, PolicyStoreFiles.Lines)), index = _files.CreateFile(Path.Combine(_output.Path, PolicyStoreFiles.Index));
        SiteFile? last = null;
        int ofHost = 0, ofAddress = 0;
        long place = 0;
        var contents = new HashSet<string>(StringComparer.Ordinal);
        byte[] number = new byte[sizeof(long)];
        foreach (SiteFile file in Merge(sources))
        {
            if (last is not null && SiteFile.Compare(last, file) == 0) continue;
            bool sameHost = last?.Host == file.Host, sameAddress = sameHost && last!.Kind == file.Kind && last.Url == file.Url;
            if (!sameHost) (hosts, ofHost) = (hosts + 1, 0);
            if (!sameAddress) ofAddress = 0;
            if (!sameAddress) contents.Clear();
            last = file;
            if (ofAddress++ >= MostVersions || ofHost++ >= MostOfHost)
            {
                leftOut++;
                continue;
            }
            bool known = file.Sha256 is not null && !contents.Add(file.Sha256);
            byte[] line = (known ? file with { Content = null } : file).ToJsonLine();
            BinaryPrimitives.WriteInt64LittleEndian(number, place);
            index.Write(number);
            lines.Write(line);
            lines.WriteByte((byte)'\n');
            place += line.Length + 1;
            string name = $"{RightsNames.OfKind(file.Kind)} {(file.Status < 100 ? "no answer" : FormattableString.Invariant($"{file.Status / 100}xx"))}";
            counts[name] = counts.GetValueOrDefault(name) + 1;
        }
        return new PolicyStoreSummary(hosts, counts, leftOut);
    }

    /// <summary>Several sorted lists as one.</summary>
    private static IEnumerable<SiteFile> Merge(IEnumerable<SiteFile>[] sources)
    {
        var heads = new PriorityQueue<IEnumerator<SiteFile>, (SiteFile File, int Source)>(Comparer<(SiteFile File, int Source)>.Create((one, other) =>
        {
            int order = SiteFile.Compare(one.File, other.File);
            // Of equal fetches the one with its content comes first: the other has it in an earlier line of its own list.
            if (order == 0) order = (other.File.Content is not null).CompareTo(one.File.Content is not null);
            return order != 0 ? order : one.Source.CompareTo(other.Source);
        }));
        var all = new List<IEnumerator<SiteFile>>();
        try
        {
            for (int source = 0; source < sources.Length; source++)
            {
                all.Add(sources[source].GetEnumerator());
                if (all[source].MoveNext()) heads.Enqueue(all[source], (all[source].Current, source));
            }
            while (heads.TryDequeue(out IEnumerator<SiteFile>? head, out (SiteFile File, int Source) first))
            {
                yield return first.File;
                if (head.MoveNext()) heads.Enqueue(head, (head.Current, first.Source));
            }
        }
        finally
        {
            foreach (IEnumerator<SiteFile> source in all) source.Dispose();
        }
    }

    private IEnumerable<SiteFile> Read(string path)
    {
        using Stream stream = _files.OpenRead(path);
        byte[] buffer = new byte[1 << 16];
        int start = 0, end = 0;
        while (true)
        {
            int feed;
            int searched = start;
            while ((feed = Array.IndexOf(buffer, (byte)'\n', searched, end - searched)) < 0)
            {
                searched = end;
                if (start > 0)
                {
                    Buffer.BlockCopy(buffer, start, buffer, 0, end - start);
                    (start, end, searched) = (0, end - start, searched - start);
                }
                if (end == buffer.Length) Array.Resize(ref buffer, end < PolicyStoreFiles.MostLineBytes ? 2 * end : throw Damaged(path));
                int read = stream.Read(buffer, end, buffer.Length - end);
                if (read == 0) break;
                end += read;
            }
            if (feed < 0)
            {
                if (end > start) throw Damaged(path);
                yield break;
            }
            yield return Parse(buffer.AsMemory(start, feed - start), path);
            start = feed + 1;
        }
    }

    private static SiteFile Parse(ReadOnlyMemory<byte> line, string path)
    {
        try
        {
            return SiteFile.Parse(line);
        }
        catch (FormatException)
        {
            throw Damaged(path);
        }
    }

    private static UserErrorException Damaged(string path) => new($"{path}: a line is damaged; remove the store and make it again from the archives.");

    private void Guard(Action action) => Guard(() =>
    {
        action();
        return true;
    });

    private T Guard<T>(Func<T> action)
    {
        try
        {
            return action();
        }
        catch (Exception error) when (StorageFailure.Is(error))
        {
            throw StorageFailure.Explain(error, _store);
        }
    }
}
