using System.Buffers.Binary;
using System.Text;
using OpenEuroLLM.Core;

namespace OpenEuroLLM.Tokenizers.Tests;

public sealed class CharacterMapTests
{
    private static readonly (string From, string To)[] Rules = [("ﬁ", "fi"), ("e\u0301", "é"), ("é", "e"), ("\u00A0", " "), ("½", "1⁄2"), ("①", "1"), ("①②", "twelve"), ("x", "")];

    private static CharacterMap Map => CharacterMap.Build(Rules.Select(rule => (Encoding.UTF8.GetBytes(rule.From), Encoding.UTF8.GetBytes(rule.To))));

    [Theory, InlineData("①②③", "twelve", 6, "1", 3), InlineData("①③", "1", 3, "1", 3), InlineData("e\u0301x", "é", 3, "é", 3), InlineData("xx", "", 1, "", 1)]
    public void The_longest_and_the_shortest_rule_are_found(string text, string longest, int longestBytes, string shortest, int shortestBytes)
    {
        Assert.True(Map.TryLongestMatch(Encoding.UTF8.GetBytes(text), out int length, out var replacement));
        Assert.Equal((longest, longestBytes), (Encoding.UTF8.GetString(replacement), length));
        Assert.True(Map.TryShortestMatch(Encoding.UTF8.GetBytes(text), out length, out replacement));
        Assert.Equal((shortest, shortestBytes), (Encoding.UTF8.GetString(replacement), length));
    }

    [Theory, InlineData("e"), InlineData(""), InlineData("②①"), InlineData("\0")]
    public void Text_without_a_rule_is_told(string text) => Assert.False(Map.TryLongestMatch(Encoding.UTF8.GetBytes(text), out _, out _));

    [Fact]
    public void Many_rules_are_written_and_read_back()
    {
        var rules = Enumerable.Range(0, 20_000).Select(i => (From: Encoding.UTF8.GetBytes(new Rune(0x100 + i * 2).ToString() + (char)('a' + i % 26)), To: Encoding.UTF8.GetBytes($"{i % 1000}"))).ToList();
        var map = CharacterMap.Parse(CharacterMap.Build(rules).Blob, "x");
        Assert.All(rules, rule =>
        {
            Assert.True(map.TryLongestMatch([.. rule.From, (byte)'z'], out int length, out var replacement));
            Assert.Equal(rule.From.Length, length);
            Assert.True(replacement.SequenceEqual(rule.To));
        });
    }

    [Fact]
    public void A_damaged_map_is_refused()
    {
        byte[] blob = Map.Blob;
        Refused([], "it has 0 bytes");
        Refused(Changed(0, (uint)blob.Length), "its trie has");
        Refused(Changed(0, 6), "its trie has 6 bytes");
        Refused(blob[..^1], "its last replacement has no end");
        Refused(Changed(4, 0x1FFFFF << 10), "points to");
        int value = Enumerable.Range(1, (int)BinaryPrimitives.ReadUInt32LittleEndian(blob) / 4).First(i => Unit(i) is > 0x8000_0000 and < 0x8000_1000);
        Refused(Changed(4 * value, 0x8000_FFFF), "replacement 65535");
        // The root's only child leads back to the root's own children.
        uint[] units = new uint[256];
        Array.Fill(units, 0x8000_0000u);
        units[0] = 1u << 10;
        units[1 ^ 'a'] = 'a' | ((uint)(1 ^ 'a' ^ 1) << 10);
        Refused([0, 4, 0, 0, .. units.SelectMany(BitConverter.GetBytes), 0], "back to itself");

        uint Unit(int index) => BinaryPrimitives.ReadUInt32LittleEndian(blob.AsSpan(4 * index));

        byte[] Changed(int place, uint unit)
        {
            byte[] changed = [.. blob];
            BinaryPrimitives.WriteUInt32LittleEndian(changed.AsSpan(place), unit);
            return changed;
        }

        static void Refused(byte[] map, string message) =>
            Assert.Contains(message, Assert.Throws<UserErrorException>(() => CharacterMap.Parse(map, "x.model")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Any_bytes_are_a_map_or_refused()
    {
        byte[] blob = Map.Blob;
        byte[] text = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat("ﬁ e\u0301 ①② x", 20)));
        using var numbers = Texts.Numbers(9).GetEnumerator();
        for (int round = 0; round < 3000; round++)
        {
            byte[] damaged = [.. blob];
            for (int i = 0; i < 3; i++)
                damaged[Next(damaged.Length)] = (byte)Next(256);
            try
            {
                var map = CharacterMap.Parse(damaged, "x");
                for (int start = 0; start < text.Length; start++)
                    map.TryLongestMatch(text.AsSpan(start), out _, out _);
            }
            catch (UserErrorException)
            {
                // Refused with a message.
            }
        }

        int Next(int below)
        {
            numbers.MoveNext();
            return (int)(numbers.Current % (uint)below);
        }
    }
}
