using OpenEuroLLM.Corpus.Archives;

namespace OpenEuroLLM.Corpus.Readers;

/// <summary>Opens files that may be packed. Unlike the platform's reader of gzip, what is cut short or damaged is an error and not a shorter file.</summary>
public static class UnpackedFile
{
    /// <summary>Opens a file for reading from beginning to end, unpacked where its name ends in <c>.gz</c> or <c>.zst</c>.</summary>
    /// <returns>The content; reading throws an <see cref="InvalidDataException"/> where the packed data are damaged, cut short, or unpack to far more than themselves.</returns>
    /// <exception cref="IOException">The file cannot be opened.</exception>
    /// <exception cref="Core.UserErrorException">The file is packed with Zstandard and its library is missing.</exception>
    public static Stream Open(string path)
    {
        Packing packing = path.EndsWith(".gz", StringComparison.OrdinalIgnoreCase) ? Packing.Gzip : path.EndsWith(".zst", StringComparison.OrdinalIgnoreCase) ? Packing.Zstandard : Packing.None;
        if (packing == Packing.Zstandard) Zstandard.RequireAvailable(path);
        var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 16);
        return packing == Packing.None ? file : new Checked(file, new UnpackedStream(file, packing, SourceFile.Limits));
    }

    private sealed class Checked(FileStream file, UnpackedStream content) : ForwardStream
    {
        public override int Read(Span<byte> buffer)
        {
            try
            {
                return content.Read(buffer);
            }
            catch (DamagedDataException error)
            {
                throw new InvalidDataException(error.Message, error);
            }
        }

        protected override void Dispose(bool disposing)
        {
            if (disposing)
            {
                content.Dispose();
                file.Dispose();
            }
            base.Dispose(disposing);
        }
    }
}
