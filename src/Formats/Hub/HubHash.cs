using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace OpenEuroLLM.Formats.Hub;

/// <summary>The hash by which the hub names a file's content: SHA-256 (64 digits) of large files, git's hash of a blob (40 digits) of the others.</summary>
public sealed class HubHash : IDisposable
{
    private const int PieceBytes = 1 << 20;

    private readonly IncrementalHash _hash;
    private readonly string _name;

    /// <summary>Begins to check a file.</summary>
    /// <param name="name">The expected hash; <see cref="IsName"/> holds for it.</param>
    /// <param name="sizeBytes">The expected size, which is part of git's hash.</param>
    public HubHash(string name, long sizeBytes)
    {
        if (!IsName(name))
            throw new ArgumentException($"'{name}' is no hash.", nameof(name));
        _name = name;
#pragma warning disable CA5350 // git's hash names the content here; what is signed or large goes by SHA-256
        _hash = IncrementalHash.CreateHash(name.Length == 40 ? HashAlgorithmName.SHA1 : HashAlgorithmName.SHA256);
#pragma warning restore CA5350
        if (name.Length == 40)
            _hash.AppendData(Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"blob {sizeBytes}\0")));
    }

    /// <summary>Whether a text has the form of a content's hash: 40 or 64 lower-case hexadecimal digits.</summary>
    public static bool IsName(string text) => text.Length is 40 or 64 && text.All(char.IsAsciiHexDigitLower);

    /// <summary>Whether a text has the form of a commit: 40 lower-case hexadecimal digits.</summary>
    public static bool IsCommit(string text) => text.Length == 40 && IsName(text);

    /// <summary>Takes the next bytes.</summary>
    public void Append(ReadOnlySpan<byte> bytes) => _hash.AppendData(bytes);

    /// <summary>Takes the next bytes from a stream.</summary>
    /// <param name="stream">Read from its place on.</param>
    /// <param name="count">How many bytes; fewer are taken where it ends.</param>
    /// <param name="cancellation">Stops between pieces.</param>
    public void Append(Stream stream, long count, CancellationToken cancellation = default)
    {
        byte[] piece = new byte[(int)Math.Min(PieceBytes, Math.Max(count, 1))];
        while (count > 0 && stream.Read(piece, 0, (int)Math.Min(piece.Length, count)) is > 0 and int read)
        {
            cancellation.ThrowIfCancellationRequested();
            _hash.AppendData(piece, 0, read);
            count -= read;
        }
    }

    /// <summary>Whether all bytes taken since the last question have the expected hash.</summary>
    public bool Matches() => Convert.ToHexStringLower(_hash.GetHashAndReset()) == _name;

    /// <summary>Whether a file has a hash.</summary>
    public static bool Matches(string path, string name, CancellationToken cancellation = default)
    {
        using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 1);
        using var hash = new HubHash(name, stream.Length);
        hash.Append(stream, stream.Length, cancellation);
        return hash.Matches();
    }

    /// <inheritdoc/>
    public void Dispose() => _hash.Dispose();
}
