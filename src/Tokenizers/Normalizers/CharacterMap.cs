using System.Buffers.Binary;
using System.Text.Unicode;
using OpenEuroLLM.Core;

namespace OpenEuroLLM.Tokenizers;

/// <summary>The rewriting rules of a precompiled character map: a double-array trie over UTF-8 whose values are places in a text of replacements. Immutable.</summary>
internal sealed class CharacterMap
{
    /// <summary>The longest text that a rule may rewrite, in bytes. A longer one has no use, and looking for it would make a text slow to read.</summary>
    public const int LongestRule = 1024;

    private const int HeaderBytes = 4;

    private readonly uint[] _units;
    private readonly byte[] _replacements;

    private CharacterMap(byte[] blob, uint[] units, byte[] replacements) => (Blob, _units, _replacements) = (blob, units, replacements);

    /// <summary>The map as it stands in files.</summary>
    public byte[] Blob { get; }

    /// <summary>Reads a map.</summary>
    /// <param name="blob">The trie's size in bytes (32 bits), the trie, and the replacements, each ended by a zero byte.</param>
    /// <param name="where">What the map belongs to, for messages.</param>
    /// <exception cref="UserErrorException">The map is damaged.</exception>
    public static CharacterMap Parse(ReadOnlySpan<byte> blob, string where)
    {
        if (blob.Length < HeaderBytes)
            throw Refuse($"it has {blob.Length} bytes; expected at least {HeaderBytes}");
        uint trieBytes = BinaryPrimitives.ReadUInt32LittleEndian(blob);
        if (trieBytes >= (uint)blob.Length - HeaderBytes || trieBytes % sizeof(uint) != 0 || trieBytes == 0)
            throw Refuse($"its trie has {trieBytes} bytes; expected a multiple of 4, above 0 and below the {blob.Length - HeaderBytes} bytes behind the header");
        int count = (int)trieBytes / sizeof(uint);
        byte[] replacements = blob[(HeaderBytes + (int)trieBytes)..].ToArray();
        if (replacements[^1] != 0)
            throw Refuse("its last replacement has no end; expected a zero byte");
        if (!Utf8.IsValid(replacements))
            throw Refuse("its replacements are no valid UTF-8");
        uint[] units = new uint[(count + 255) / 256 * 256];
        for (int i = 0; i < count; i++)
            units[i] = BinaryPrimitives.ReadUInt32LittleEndian(blob[(HeaderBytes + i * sizeof(uint))..]);
        units.AsSpan(count).Fill(DoubleArrayUnit.NoUnit);
        CharacterMapCheck.Run(units, count, replacements, Refuse);
        return new CharacterMap(blob.ToArray(), units, replacements);

        UserErrorException Refuse(string what) => new($"{where}: the character map is damaged: {what}. Fetch the file again.");
    }

    /// <summary>Makes a map of rules.</summary>
    /// <param name="rules">What is rewritten (not empty, no text twice), and what it becomes. Neither holds a zero byte.</param>
    public static CharacterMap Build(IEnumerable<(byte[] From, byte[] To)> rules) => Parse(CharacterMapWriter.Write(rules), "rules");

    /// <summary>The longest rule that the text begins with.</summary>
    public bool TryLongestMatch(ReadOnlySpan<byte> text, out int length, out ReadOnlySpan<byte> replacement) =>
        TryMatch(text, longest: true, out length, out replacement);

    /// <summary>The shortest rule that the text begins with.</summary>
    public bool TryShortestMatch(ReadOnlySpan<byte> text, out int length, out ReadOnlySpan<byte> replacement) =>
        TryMatch(text, longest: false, out length, out replacement);

    /// <summary>Whether a rule begins with this text.</summary>
    public bool Begins(ReadOnlySpan<byte> text)
    {
        int place = Offset(_units[0]);
        foreach (byte next in text)
            if (!Step(ref place, next, out _))
                return false;
        return true;
    }

    private static int Offset(uint unit) => DoubleArrayUnit.Offset(unit);

    private bool TryMatch(ReadOnlySpan<byte> text, bool longest, out int length, out ReadOnlySpan<byte> replacement)
    {
        length = 0;
        int found = -1;
        int place = Offset(_units[0]);
        for (int i = 0; i < text.Length && Step(ref place, text[i], out int value); i++)
        {
            if (value < 0)
                continue;
            (length, found) = (i + 1, value);
            if (!longest)
                break;
        }
        replacement = default;
        if (found < 0)
            return false;
        var rest = _replacements.AsSpan(found);
        replacement = rest[..rest.IndexOf((byte)0)];
        return true;
    }

    private bool Step(ref int place, byte next, out int value)
    {
        value = -1;
        place ^= next;
        uint unit = _units[place];
        if (DoubleArrayUnit.Label(unit) != next)
            return false;
        place ^= Offset(unit);
        if (DoubleArrayUnit.HasValue(unit))
            value = DoubleArrayUnit.Value(_units[place]);
        return true;
    }
}
