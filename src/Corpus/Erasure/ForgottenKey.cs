using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using OpenEuroLLM.Corpus.Deduplication;

namespace OpenEuroLLM.Corpus.Erasure;

/// <summary>By what a document is told to be one that has to be forgotten.</summary>
internal enum KeyKind
{
    /// <summary>Its identifier, whatever its source.</summary>
    Id,

    /// <summary>Its source and its identifier.</summary>
    SourceAndId,

    /// <summary>Its address, in the form of <see cref="CanonicalUrl"/>.</summary>
    Url,

    /// <summary>Its text.</summary>
    Text,
}

/// <summary>What one line of a request asks to forget.</summary>
/// <param name="Kind">What the value is.</param>
/// <param name="Value">In the one form in which it is compared.</param>
/// <param name="Place">Where the request says it, with the value where it is no text: for those that are not found.</param>
internal readonly record struct ForgottenKey(KeyKind Kind, string Value, string Place)
{
    /// <summary>The value of an identifier together with its source.</summary>
    public static string OfSourceAndId(string source, string id) => $"{source}\t{id}";

    /// <summary>The value of a text: letters composed and without invisible signs, and any white space the same as any other, so that neither a line break nor the program that copied
    /// the text makes a difference.</summary>
    public static string OfText(string text)
    {
        string clean = UnicodeNormalization.Normalize(text) ?? text;
        var folded = new StringBuilder(clean.Length);
        foreach (char letter in clean)
        {
            if (!char.IsWhiteSpace(letter)) folded.Append(letter);
            else if (folded.Length > 0 && folded[^1] != ' ') folded.Append(' ');
        }
        while (folded.Length > 0 && folded[^1] == ' ') folded.Length--;
        return folded.ToString();
    }
}

/// <summary>Turns what identifies a document into a hash that says nothing to those who have not the key.</summary>
/// <param name="secret">The key.</param>
internal sealed class KeyedHash(byte[] secret)
{
    /// <summary>Length of a key, in bytes.</summary>
    public const int SecretBytes = 32;

    private const int StackBytes = 512;

    /// <summary>Stands for the key: tells a list made with another one.</summary>
    public string Check => Convert.ToHexStringLower(HMACSHA256.HashData(secret, "oellm tombstones"u8));

    /// <summary>The first 128 bits of the HMAC-SHA256 of the kind and the value.</summary>
    public UInt128 Of(KeyKind kind, string value)
    {
        int most = Encoding.UTF8.GetMaxByteCount(value.Length) + 1;
        Span<byte> bytes = most <= StackBytes ? stackalloc byte[StackBytes] : new byte[most];
        bytes[0] = (byte)kind;
        int length = 1 + Encoding.UTF8.GetBytes(value, bytes[1..]);
        Span<byte> hash = stackalloc byte[HMACSHA256.HashSizeInBytes];
        HMACSHA256.HashData(secret, bytes[..length], hash);
        return BinaryPrimitives.ReadUInt128BigEndian(hash);
    }
}
