using System.Collections.Concurrent;
using OpenEuroLLM.Core;

namespace OpenEuroLLM.Corpus.Erasure;

/// <summary>A folder from which documents were erased.</summary>
/// <param name="Folder">The folder.</param>
/// <param name="Stage">Its stage.</param>
/// <param name="Before">Hash of its manifest as it was.</param>
/// <param name="After">Hash of its manifest now.</param>
/// <param name="Documents">Documents that went, those written several times as often as they were written.</param>
/// <param name="Tokens">Their tokens; 0 where the folder counts none.</param>
public sealed record ErasedFolder(string Folder, string Stage, string Before, string After, long Documents, long Tokens);

/// <summary>A folder that was made from documents that have been erased since.</summary>
/// <param name="Folder">The folder.</param>
/// <param name="Stage">Its stage.</param>
/// <param name="ManifestSha256">Hash of its manifest.</param>
/// <param name="Remedy">What frees it of them.</param>
public sealed record AffectedFolder(string Folder, string Stage, string ManifestSha256, string Remedy);

/// <summary>What was forgotten, and what is left to do.</summary>
/// <param name="Asked">Lines of the request.</param>
/// <param name="Documents">Documents that the corpus lost, each once.</param>
/// <param name="NotFound">Lines of the request that name nothing in the corpus; their tombstones stand all the same.</param>
/// <param name="Tombstones">Entries of the list.</param>
/// <param name="TombstonesFile">The list.</param>
/// <param name="Erased">The folders that were changed.</param>
/// <param name="Affected">The folders that were made from the corpus as it was, and are to be made again.</param>
public sealed record ErasureReport(
    long Asked, long Documents, IReadOnlyList<string> NotFound, int Tombstones, string TombstonesFile, IReadOnlyList<ErasedFolder> Erased, IReadOnlyList<AffectedFolder> Affected);

/// <summary>Erases documents from finished folders: from the corpus and from the token shards made of it, with tombstones that keep them from ever coming in again, and a list of
/// everything else that was made from them.</summary>
/// <remarks>Old or new at every moment: successors are written beside the folders, sealed, and exchanged for them in one step each, the corpus first (see <see cref="Leftovers"/>). The
/// same call, repeated, ends what was cut off. Manifests say which ones they replace, so that a chain made from the old corpus can still be verified.</remarks>
public static class CorpusErasure
{
    /// <summary>The list of tombstones of a corpus folder where nobody chooses another: beside it.</summary>
    public static string DefaultTombstones(string corpus) => Path.Combine(Path.GetDirectoryName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(corpus)))!, Erasure.Tombstones.FileName);

    /// <summary>Erases.</summary>
    /// <param name="corpus">A folder made by <see cref="CorpusStage"/>.</param>
    /// <param name="request">What is to be forgotten; when it names nothing, what the tombstones name is.</param>
    /// <param name="tombstones">The list to add to; beside the corpus when absent.</param>
    /// <param name="tokens">Folders of token shards made of the corpus, beside those that are found.</param>
    /// <param name="search">Folders in which to look for what was made from the corpus; the one that the corpus lies in when there are none.</param>
    /// <param name="launcher">Runs the work.</param>
    /// <param name="fileSystem">The file system; the machine's own by default.</param>
    /// <param name="clock">The clock; the machine's own by default.</param>
    /// <param name="cancellation">Stops the work before anything is exchanged.</param>
    /// <exception cref="UserErrorException">The request, a folder or the list cannot be read, or the disk failed. The folders are as they were, or new.</exception>
    public static ErasureReport Run(
        string corpus, ErasureRequest request, string? tombstones, IReadOnlyList<string> tokens, IReadOnlyList<string> search, ILauncher launcher,
        IFileSystem? fileSystem = null, IClock? clock = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        ArgumentNullException.ThrowIfNull(launcher);
        corpus = Path.TrimEndingDirectorySeparator(Path.GetFullPath(corpus));
        string list = Path.GetFullPath(tombstones ?? DefaultTombstones(corpus));
        IFileSystem files = fileSystem ?? PhysicalFileSystem.Instance;
        try
        {
            IReadOnlyList<ForgottenKey> keys = request.Read(files);
            if (keys.Count == 0 && !files.FileExists(list)) throw new UserErrorException($"{list}: not found, and nothing is named to forget; name it with --ids, --urls or --text.");
            foreach (string root in search)
                if (!files.DirectoryExists(root)) throw new UserErrorException($"{root}: not found; expected a folder to search.");
            Directory.CreateDirectory(Path.GetDirectoryName(list)!);
            using FileStream claim = Claim(list);
            string[] roots = search.Count > 0 ? [.. search] : [Path.GetDirectoryName(corpus)!];
            return new Work(corpus, keys, list, [.. tokens.Select(folder => Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder)))], roots, launcher, files, clock ?? SystemClock.Instance, cancellation).Run();
        }
        catch (Exception error) when (StorageFailure.Is(error))
        {
            throw StorageFailure.Explain(error, corpus);
        }
    }

    /// <summary>One erasure at a time writes to a list.</summary>
    private static FileStream Claim(string list)
    {
        try
        {
            return new FileStream(list + ".lock", FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException error) when (File.Exists(list + ".lock"))
        {
            throw new UserErrorException($"{list}: is being written by another erasure; wait for it.", error);
        }
    }

    private sealed class Work(
        string corpus, IReadOnlyList<ForgottenKey> keys, string list, IReadOnlyList<string> named, string[] roots, ILauncher launcher, IFileSystem files, IClock clock, CancellationToken cancellation)
    {
        public ErasureReport Run()
        {
            Leftovers.Settle(corpus, null, files);
            Manifest manifest = Manifest.Read(files, corpus);
            if (manifest.Stage != CorpusStage.StageName)
                throw new UserErrorException($"{corpus}: is the output of the stage '{manifest.Stage}'; expected a corpus folder, made by 'oellm corpus build'.");
            string before = HashOf(corpus);
            foreach (string target in Folders.Below(roots, files, cancellation).Interrupted.Union(named).Where(target => target != corpus)) Leftovers.Settle(target, before, files);
            Folders folders = Folders.Below(roots, files, cancellation);
            (string Folder, Manifest Manifest)[] tokens = Tokens(folders, manifest, before);

            Tombstones tombstones = Tombstones.OpenOrBegin(list, files);
            (KeyKind Kind, UInt128 Entry)[] entries = [.. keys.Select(key => (key.Kind, tombstones.EntryOf(key.Kind, key.Value)))];
            bool[] known = [.. entries.Select(entry => tombstones.Contains(entry.Entry))];
            string id = RequestOf(entries);
            tombstones.Add(entries);
            var log = new ErasureLog(list, files, clock);
            long forgotten = log.Taken(id, before, manifest, keys, tombstones.Sha256());

            var found = new ConcurrentDictionary<UInt128, bool>();
            ErasedFile[] lines = ErasedLines.Find(corpus, manifest, tombstones, found, files, launcher, cancellation);
            IReadOnlyList<ErasedFolder> erased = Erase(manifest, before, lines, tombstones, tokens);
            Manifest after = Manifest.Read(files, corpus);
            string[] notFound = [.. keys.Where((_, number) => !known[number] && !found.ContainsKey(entries[number].Entry)).Select(key => key.Place)];
            var report = new ErasureReport(keys.Count, ErasureLog.ForgottenIn(after) - forgotten, notFound, tombstones.Count, list, erased, Affected(after));
            log.Done(id, HashOf(corpus), report);
            return report;
        }

        private static string RequestOf(IEnumerable<(KeyKind Kind, UInt128 Entry)> entries) => Manifest.Hash(System.Text.Encoding.ASCII.GetBytes(
            string.Join('\n', entries.Select(entry => entry.Entry).Distinct().Order().Select(entry => entry.ToString("x32", System.Globalization.CultureInfo.InvariantCulture)))))[..16];

        private string HashOf(string folder) => Manifest.HashFile(files, Path.Combine(folder, Manifest.FileName));

        /// <summary>The token folders made from the corpus as it is.</summary>
        private (string Folder, Manifest Manifest)[] Tokens(Folders folders, Manifest manifest, string before)
        {
            foreach (string folder in named)
            {
                Manifest tokens = Manifest.Read(files, folder);
                if (tokens.Stage != TokenizeStage.StageName) throw new UserErrorException($"{folder}: is the output of the stage '{tokens.Stage}'; expected token shards, made by 'oellm corpus tokenize'.");
                if (tokens.Inputs.Any(input => input.Sha256 == before)) continue;
                throw new UserErrorException(tokens.Inputs.Any(input => manifest.Replaces?.Contains(input.Sha256) == true)
                    ? $"{folder}: was made from {corpus} before an earlier erasure, in which it was not named; remove it and tokenize again."
                    : $"{folder}: was not made from {corpus}; name the token shards of this corpus.");
            }
            IEnumerable<string> found = folders.Finished.Where(folder => folder.Manifest.Stage == TokenizeStage.StageName && folder.Manifest.Inputs.Any(input => input.Sha256 == before)).Select(folder => folder.Folder);
            return [.. found.Union(named).Select(folder => (folder, Manifest.Read(files, folder)))];
        }

        private List<ErasedFolder> Erase(Manifest manifest, string before, ErasedFile[] lines, Tombstones tombstones, (string Folder, Manifest Manifest)[] tokens)
        {
            var eraser = new CorpusEraser(corpus, manifest, lines, tombstones, [.. keys.Where(key => key.Kind == KeyKind.Text).Select(key => key.Value)], files);
            if (!eraser.Changes) return [];
            var outputs = new List<AtomicDirectory>();
            bool exchanged = false;
            try
            {
                AtomicDirectory output = Begin(corpus, manifest, before, outputs);
                eraser.Write(output);
                string after = Seal(output, manifest, corpus, eraser.TakenOver);
                var erased = new List<ErasedFolder> { new(corpus, manifest.Stage, before, after, lines.Sum(file => (long)file.Erased.Count), lines.Sum(file => file.Erased.Sum(line => (long)line.Tokens))) };
                foreach ((string folder, Manifest of) in tokens)
                {
                    string was = HashOf(folder);
                    var tokenEraser = new TokenEraser(folder, of, lines, files);
                    AtomicDirectory shards = Begin(folder, of, was, outputs);
                    tokenEraser.Write(shards, before, after, Runs(folder, output.Path));
                    erased.Add(new ErasedFolder(folder, of.Stage, was, Seal(shards, of, folder, tokenEraser.TakenOver), tokenEraser.Documents, tokenEraser.Tokens));
                }
                cancellation.ThrowIfCancellationRequested();
                if (erased.Any(folder => HashOf(folder.Folder) != folder.Before)) throw new UserErrorException($"{corpus}: was changed by another process meanwhile; wait for it, and call again.");
                foreach (AtomicDirectory folder in outputs)
                {
                    folder.Commit(launcher.Workers);
                    exchanged = true;
                }
                foreach (ErasedFolder folder in erased) Leftovers.Settle(folder.Folder, null, files);
                if (erased.FirstOrDefault(folder => AtomicDirectory.Abandoned(folder.Folder, files).Count > 0) is { } remains)
                    throw new UserErrorException($"{AtomicDirectory.Abandoned(remains.Folder, files)[0]}: holds what was erased and could not be removed; remove it.");
                return erased;
            }
            finally
            {
                foreach (AtomicDirectory folder in outputs)
                {
                    if (exchanged) folder.Leave();   // the next call gives it its name
                    folder.Dispose();
                }
            }
        }

        private AtomicDirectory Begin(string folder, Manifest manifest, string hash, List<AtomicDirectory> outputs)
        {
            AtomicDirectory output = AtomicDirectory.Create(folder, manifest.Stage, manifest.Settings, files, clock, replace: true);
            outputs.Add(output);
            output.Succeed([.. manifest.Replaces ?? [], hash]);
            return output;
        }

        /// <summary>Seals a successor. What it took over must be what the manifest says: a damaged file must not become a sound one.</summary>
        private string Seal(AtomicDirectory output, Manifest manifest, string folder, IReadOnlySet<string> takenOver)
        {
            Manifest successor = output.Seal(launcher.Workers);
            var old = manifest.Outputs.ToDictionary(file => file.Path, file => file.Sha256);
            foreach (ManifestOutput file in successor.Outputs.Where(file => takenOver.Contains(file.Path)))
                if (file.Sha256 != old[file.Path]) throw CorpusEraser.Changed(Path.Combine(folder, file.Path));
            return successor.Sha256();
        }

        /// <summary>The run records of a token folder's inputs: that of the corpus is its successor's.</summary>
        private IEnumerable<RunInput> Runs(string folder, string successor)
        {
            string run = Path.Combine(folder, RunRecord.FileName);
            if (!files.FileExists(run)) yield break;
            using Stream stream = files.OpenRead(run);
            using var content = new MemoryStream();
            stream.CopyTo(content);
            string own = Path.GetRelativePath(folder, Path.Combine(corpus, RunRecord.FileName)).Replace('\\', '/');
            foreach (RunInput input in RunRecord.Parse(content.ToArray(), run).Inputs)
                yield return input.Path == own ? input with { Sha256 = Manifest.HashFile(files, Path.Combine(successor, RunRecord.FileName)) } : input;
        }

        /// <summary>What was made from the corpus as it was. New token folders name the old ones, which trained models name.</summary>
        private IReadOnlyList<AffectedFolder> Affected(Manifest after)
        {
            if (after.Replaces is not { Count: > 0 } old) return [];
            Folders folders = Folders.Below(roots.Concat(named), files, cancellation);
            string now = HashOf(corpus);
            IEnumerable<string> seeds = folders.Finished.Where(folder => folder.Manifest.Inputs.Any(input => input.Sha256 == now)).SelectMany(folder => folder.Manifest.Replaces ?? []).Concat(old);
            return [.. folders.MadeFrom(seeds).Select(folder => new AffectedFolder(folder.Folder, folder.Manifest.Stage, folder.Sha256, Remedy(folder.Manifest, now)))];
        }

        private static string Remedy(Manifest manifest, string corpusNow) => manifest.Stage switch
        {
            TokenizeStage.StageName when manifest.Inputs.Any(input => input.Sha256 == corpusNow) => "free of them; tokenize again when the tokenizer has been trained again",
            TokenizeStage.StageName => "remove it and tokenize the corpus again",
            "tokenizer" => "train it again: its tokens were chosen by the old text",
            "training" => "train again from the new tokens: the weights have seen the old ones",
            "checkpoint" => "remove it: the weights have seen the old tokens",
            _ => "make it again from what is made again before it",
        };
    }
}
