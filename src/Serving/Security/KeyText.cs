using System.Buffers;
using System.Security.Cryptography;
using System.Text;

namespace OpenEuroLLM.Serving.Security;

/// <summary>The text of a key: <c>oellm_ID_SECRET</c>, with 48 random bits that identify it and 256 that prove it, in hex. The beginning lets
/// scanners of leaked secrets find it.</summary>
internal static class KeyText
{
    public const int IdLetters = 12;
    private const int SecretLetters = 64;
    private static readonly SearchValues<char> HexLetters = SearchValues.Create("0123456789abcdef");
    private const string Beginning = "oellm_";

    /// <summary>A new key.</summary>
    public static (string Id, string Text) Create()
    {
        string id = RandomNumberGenerator.GetHexString(IdLetters, lowercase: true);
        return (id, $"{Beginning}{id}_{RandomNumberGenerator.GetHexString(SecretLetters, lowercase: true)}");
    }

    /// <summary>The id in a text that has the form of a key, or null.</summary>
    public static string? IdOf(string text)
    {
        if (text.Length != Beginning.Length + IdLetters + 1 + SecretLetters || !text.StartsWith(Beginning, StringComparison.Ordinal)) return null;
        string id = text.Substring(Beginning.Length, IdLetters);
        return text[Beginning.Length + IdLetters] == '_' && IsHex(id) && IsHex(text.AsSpan(Beginning.Length + IdLetters + 1)) ? id : null;
    }

    public static byte[] Hash(string text) => SHA256.HashData(Encoding.UTF8.GetBytes(text));

    public static bool IsHex(ReadOnlySpan<char> text) => text.Length > 0 && !text.ContainsAnyExcept(HexLetters);
}
