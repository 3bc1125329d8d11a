namespace OpenEuroLLM.Core;

/// <summary>The result of <see cref="ManifestVerifier.Verify"/>.</summary>
/// <param name="Problem">The first thing that does not match, in words, or null.</param>
/// <param name="Folders">Folders with a manifest that were checked.</param>
/// <param name="Files">Files that were hashed.</param>
/// <param name="Bytes">Their bytes.</param>
/// <param name="ExternalInputs">Recorded inputs that are not here and so could not be checked.</param>
/// <param name="Replaced">Folders that documents were erased from since others were made from them: those others name the folder as it was.</param>
public sealed record VerifyReport(string? Problem, int Folders, int Files, long Bytes, int ExternalInputs, int Replaced = 0)
{
    /// <summary>Whether everything that is here matches.</summary>
    public bool Matches => Problem is null;
}

/// <summary>Recomputes every hash along the chain of manifests.</summary>
public static class ManifestVerifier
{
    /// <summary>Checks a folder: each file against its manifest, no file missing or left over, the run records, sub-folders with
    /// manifests of their own, and the inputs that can be reached. A folder of stage folders (a run) is checked folder by folder.</summary>
    /// <exception cref="UserErrorException">The folder does not exist, or nothing in it has a manifest.</exception>
    public static VerifyReport Verify(string directory, IFileSystem? fileSystem = null)
    {
        var files = fileSystem ?? PhysicalFileSystem.Instance;
        directory = Path.TrimEndingDirectorySeparator(Path.GetFullPath(directory));
        if (!files.DirectoryExists(directory)) throw new UserErrorException($"{directory}: not found; expected the output folder of a stage or a run.");
        var walk = new Walk(files, directory);
        string? problem;
        try
        {
            walk.Folder(directory, covered: false);
            problem = null;
        }
        catch (Mismatch mismatch)
        {
            problem = mismatch.Message;
        }
        catch (Exception exception) when (StorageFailure.Is(exception))
        {
            throw StorageFailure.Explain(exception, directory);
        }

        if (problem is null && walk.Folders == 0)
            throw new UserErrorException($"{directory}: no {Manifest.FileName} in it; expected the output folder of a stage or a run.");
        return new VerifyReport(problem, walk.Folders, walk.Files, walk.Bytes, walk.ExternalInputs, walk.Replaced);
    }

    private sealed class Mismatch(string message) : Exception(message);

    private sealed class Walk(IFileSystem files, string root)
    {
        private readonly HashSet<string> _visited = [];
        private readonly HashSet<string> _external = [];
        private readonly HashSet<string> _replaced = [];

        public int Folders { get; private set; }
        public int Files { get; private set; }
        public long Bytes { get; private set; }
        public int ExternalInputs => _external.Count;
        public int Replaced => _replaced.Count;

        /// <summary>Checks a folder that has a manifest, or else looks for such folders in it; then a loose file is one that nothing covers.</summary>
        public void Folder(string folder, bool covered)
        {
            if (files.FileExists(Path.Combine(folder, Manifest.FileName)))
            {
                Finished(folder);
                return;
            }

            if (covered) return;
            string[] loose = [.. files.EnumerateFiles(folder, recursive: false)];
            foreach (string sub in files.EnumerateDirectories(folder)) Folder(sub, covered: false);
            if (loose.Length > 0 && (Folders > 0 || folder != root))
                throw new Mismatch($"{Name(loose[0])}: no manifest covers this file");
        }

        private void Finished(string folder)
        {
            if (!_visited.Add(folder)) return;
            Folders++;
            string manifestPath = Path.Combine(folder, Manifest.FileName), runPath = Path.Combine(folder, RunRecord.FileName);
            if (!files.FileExists(runPath)) throw new Mismatch($"{Name(runPath)}: missing");
            byte[] manifestBytes = Read(manifestPath), runBytes = Read(runPath);
            var run = Parsed(() => RunRecord.Parse(runBytes, Name(runPath)));
            if (Manifest.Hash(manifestBytes) != run.ManifestSha256) throw new Mismatch($"{Name(manifestPath)}: changed; {RunRecord.FileName} names another hash");
            var manifest = Parsed(() => Manifest.Parse(manifestBytes, Name(manifestPath)));

            foreach (var output in manifest.Outputs) Output(folder, output);
            Surplus(folder, folder, [.. manifest.Outputs.Select(output => output.Path), Manifest.FileName, RunRecord.FileName]);
            foreach (var input in manifest.Inputs) Input(folder, input.Path, input.Sha256);
            foreach (var input in run.Inputs) Input(folder, input.Path, input.Sha256);
        }

        private void Output(string folder, ManifestOutput output)
        {
            string path = Path.Combine(folder, output.Path);
            if (!files.FileExists(path)) throw new Mismatch($"{Name(path)}: missing");
            if (Manifest.Succeeds(files, path, output.Sha256))
            {
                _replaced.Add(Path.GetDirectoryName(path)!);
                return;
            }
            long length = files.FileLength(path);
            if (length != output.Bytes) throw new Mismatch($"{Name(path)}: {length} bytes; the manifest says {output.Bytes}");
            if (Hash(path) != output.Sha256) throw new Mismatch($"{Name(path)}: changed; its hash is not the one in the manifest");
        }

        private void Surplus(string folder, string current, HashSet<string> known)
        {
            foreach (string file in files.EnumerateFiles(current, recursive: false))
                if (!known.Contains(Path.GetRelativePath(folder, file).Replace('\\', '/'))) throw new Mismatch($"{Name(file)}: the manifest does not list this file");
            foreach (string sub in files.EnumerateDirectories(current))
            {
                if (files.FileExists(Path.Combine(sub, Manifest.FileName))) Finished(sub);
                else Surplus(folder, sub, known);
            }
        }

        private void Input(string folder, string recorded, string hash)
        {
            // An input never lies in the folder itself: without "../" it is the name of a file from outside.
            string path = Path.GetFullPath(Path.Combine(folder, recorded));
            if (!recorded.StartsWith("../", StringComparison.Ordinal) || !files.FileExists(path))
            {
                _external.Add(recorded.EndsWith("/" + RunRecord.FileName, StringComparison.Ordinal) ? Path.Combine(Path.GetDirectoryName(path)!, Manifest.FileName) : path);
                return;
            }

            string parent = Path.GetDirectoryName(path)!;
            if (Path.GetFileName(path) == Manifest.FileName && Manifest.Succeeds(files, path, hash)) _replaced.Add(parent);
            else if (Path.GetFileName(path) == RunRecord.FileName && _replaced.Contains(parent)) return;
            else if (Hash(path) != hash) throw new Mismatch($"{Name(path)}: changed since {Name(folder)} was made from it");
            if (Path.GetFileName(path) == Manifest.FileName) Folder(parent, covered: true);
        }

        private string Hash(string path)
        {
            Files++;
            Bytes += files.FileLength(path);
            return Manifest.HashFile(files, path);
        }

        private byte[] Read(string path)
        {
            Files++;
            Bytes += files.FileLength(path);
            return Manifest.ReadAll(files, path);
        }

        private string Name(string path) => path == root ? "." : Path.GetRelativePath(root, path).Replace('\\', '/');

        private static T Parsed<T>(Func<T> parse)
        {
            try
            {
                return parse();
            }
            catch (UserErrorException error)
            {
                throw new Mismatch(error.Message);
            }
        }
    }
}
