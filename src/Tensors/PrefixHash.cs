using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace OpenEuroLLM.Tensors;

/// <summary>The name of a full page of keys and values: what the tokens from the beginning of the sequence to the page's end are, and whose they are.</summary>
/// <remarks>Each name is the SHA-256 of the one before and the page's tokens, so equal names mean equal beginnings; nobody can make two
/// beginnings with one name, which would hand one tenant's text to another.</remarks>
/// <param name="High">The first half of the hash.</param>
/// <param name="Low">The second half of the hash.</param>
public readonly record struct PrefixHash(UInt128 High, UInt128 Low)
{
    private const int Bytes = 32;

    /// <summary>The beginning of every chain of one tenant.</summary>
    /// <param name="salt">Only sequences with the same salt share pages; null is a salt of its own.</param>
    public static PrefixHash Root(string? salt) => Of(SHA256.HashData(Encoding.UTF8.GetBytes(salt is null ? "shared" : "salt " + salt)));

    /// <summary>The name of the page that follows.</summary>
    /// <param name="tokens">The page's tokens.</param>
    public PrefixHash Next(ReadOnlySpan<int> tokens)
    {
        Span<byte> bytes = stackalloc byte[Bytes + KeyValueCache.PageTokens * sizeof(int)];
        var length = Bytes + tokens.Length * sizeof(int);
        if (length > bytes.Length) throw new ArgumentException($"a page has at most {KeyValueCache.PageTokens} tokens, not {tokens.Length}", nameof(tokens));
        BinaryPrimitives.WriteUInt128BigEndian(bytes, High);
        BinaryPrimitives.WriteUInt128BigEndian(bytes[(Bytes / 2)..], Low);
        for (var i = 0; i < tokens.Length; i++) BinaryPrimitives.WriteInt32LittleEndian(bytes[(Bytes + i * sizeof(int))..], tokens[i]);
        Span<byte> hash = stackalloc byte[Bytes];
        SHA256.HashData(bytes[..length], hash);
        return Of(hash);
    }

    private static PrefixHash Of(ReadOnlySpan<byte> hash) =>
        new(BinaryPrimitives.ReadUInt128BigEndian(hash), BinaryPrimitives.ReadUInt128BigEndian(hash[(Bytes / 2)..]));
}
