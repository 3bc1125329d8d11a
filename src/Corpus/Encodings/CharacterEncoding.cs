using System.Collections.Concurrent;
using System.Text;

namespace OpenEuroLLM.Corpus.Encodings;

/// <summary>An encoding of characters: turns its bytes into UTF-8. Whatever the bytes are, the outcome is valid; what stands for no character becomes U+FFFD.</summary>
internal sealed class CharacterEncoding
{
    private static readonly ConcurrentDictionary<string, CharacterEncoding> Known = new(StringComparer.Ordinal);

    private readonly Encoding? _platform;
    private readonly byte[][]? _utf8;
    private readonly Lazy<Dictionary<char, byte>>? _bytes;

    private CharacterEncoding(string name)
    {
        Name = name;
        Characters = SingleByteTables.Characters(name);
        if (Characters is null)
        {
            if (name != "utf-8") _platform = SingleByteTables.Platform(name) ?? throw new ArgumentException($"The encoding '{name}' is unknown.", nameof(name));
            return;
        }
        _utf8 = [.. Characters.Select(character => Encoding.UTF8.GetBytes([character]))];
        _bytes = new(() =>
        {
            var bytes = new Dictionary<char, byte>();
            for (int i = 0; i < 256; i++) bytes.TryAdd(Characters[i], (byte)i);
            return bytes;
        });
    }

    /// <summary>Its name, one of those <see cref="EncodingLabels.Find"/> gives.</summary>
    public string Name { get; }

    /// <summary>The characters of the 256 bytes; null when characters have more than one byte.</summary>
    public IReadOnlyList<char>? Characters { get; }

    /// <summary>The encoding of a name.</summary>
    /// <exception cref="ArgumentException">There is none.</exception>
    public static CharacterEncoding Of(string name) => Known.GetOrAdd(name, static key => new CharacterEncoding(key));

    /// <summary>The text as UTF-8.</summary>
    public byte[] ToUtf8(ReadOnlySpan<byte> bytes)
    {
        if (_utf8 is null)
            return Encoding.UTF8.GetBytes(Name == "utf-8" ? Encoding.UTF8.GetString(bytes) : _platform!.GetString(bytes));
        int length = 0;
        for (int i = 0; i < bytes.Length;)
        {
            int ascii = bytes[i..].IndexOfAnyInRange((byte)0x80, (byte)0xFF);
            if (ascii < 0) ascii = bytes.Length - i;
            length += ascii;
            i += ascii;
            for (; i < bytes.Length && bytes[i] >= 0x80; i++) length += _utf8[bytes[i]].Length;
        }
        byte[] text = new byte[length];
        int place = 0;
        for (int i = 0; i < bytes.Length;)
        {
            int ascii = bytes[i..].IndexOfAnyInRange((byte)0x80, (byte)0xFF);
            if (ascii < 0) ascii = bytes.Length - i;
            bytes.Slice(i, ascii).CopyTo(text.AsSpan(place));
            place += ascii;
            i += ascii;
            for (; i < bytes.Length && bytes[i] >= 0x80; i++)
                foreach (byte part in _utf8[bytes[i]]) text[place++] = part;
        }
        return text;
    }

    /// <summary>The bytes of a text; null when it has a character that the encoding lacks.</summary>
    public byte[]? TryEncode(string text)
    {
        if (_bytes is null) return _platform is null ? Encoding.UTF8.GetBytes(text) : _platform.GetBytes(text);
        byte[] bytes = new byte[text.Length];
        for (int i = 0; i < text.Length; i++)
            if (!_bytes.Value.TryGetValue(text[i], out bytes[i]) || (bytes[i] >= 0x80 && text[i] is >= '\u0080' and < '\u00A0')) return null;
        return bytes;
    }
}
