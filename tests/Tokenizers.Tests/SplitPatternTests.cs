using System.Text;
using System.Text.RegularExpressions;

namespace OpenEuroLLM.Tokenizers.Tests;

public sealed class SplitPatternTests
{
    private static readonly Regex Reference = new(SplitPattern.Regex, RegexOptions.CultureInvariant);

    [Fact]
    public void Splits_as_the_regular_expression_does_in_every_language()
    {
        foreach (string text in Texts.All)
            AssertAsReference(text);
        AssertAsReference(string.Join("\n\n", Texts.All.Where(text => text.All(unit => !char.IsSurrogate(unit)))));
    }

    [Theory]
    [InlineData("")]
    [InlineData(" ")]
    [InlineData("  ")]
    [InlineData("\n")]
    [InlineData(" \n ")]
    [InlineData("  \r\n \n  x")]
    [InlineData("a  b   c")]
    [InlineData("a \t b\t\tc\td")]
    [InlineData("x   ")]
    [InlineData("x \n   ")]
    [InlineData("'s't're've'm'll'd'S'T'RE'Ve'lL'D'x'r'v'l're")]
    [InlineData("it''s ''' ' s '")]
    [InlineData("1234567 12 1a1 ½²Ⅷ٣४५६७")]
    [InlineData("!?...\n\n\r\nx ...\n !x")]
    [InlineData(" !a !  ! ?b\u00A0c\u2003\u3000d")]
    [InlineData("\u0085a\u2028b\u2029c\u1680\u180Ed\u200Be\uFEFF")]
    [InlineData("e\u0301te\u0301 का हि ไทย 한국어 日本語 עברית")]
    [InlineData("\u0000\u0001a\u007Fb\uFFFD\uE000c\uFFFF")]
    [InlineData("$var _name @user #tag a_b-c/d")]
    public void Splits_hard_places_as_the_regular_expression_does(string text) => AssertAsReference(text);

    [Fact]
    public void Splits_random_mixtures_as_the_regular_expression_does()
    {
        const string alphabet = "aéЖß'sStTrReEvVlLmMdD019²½ \u00A0\t\n\r\v\u0085\u3000.,!-_(\u0301\u200D中٣";
        var numbers = Texts.Numbers(seed: 1).GetEnumerator();
        var text = new StringBuilder();
        for (int round = 0; round < 4000; round++)
        {
            text.Clear();
            numbers.MoveNext();
            for (uint length = numbers.Current % 40; length > 0; length--)
            {
                numbers.MoveNext();
                text.Append(alphabet[(int)(numbers.Current % (uint)alphabet.Length)]);
            }
            AssertAsReference(text.ToString());
        }
    }

    [Fact]
    public void Every_character_of_the_basic_plane_has_the_class_of_the_regular_expression()
    {
        (CharacterClass Class, Regex Regex)[] classes =
        [
            (CharacterClass.LineBreak, new(@"^[\r\n]\z")), (CharacterClass.Uppercase, new(@"^[\p{Lu}\p{Lt}]\z")), (CharacterClass.Lowercase, new(@"^\p{Ll}\z")),
            (CharacterClass.Caseless, new(@"^[\p{Lm}\p{Lo}]\z")), (CharacterClass.Mark, new(@"^\p{M}\z")), (CharacterClass.Number, new(@"^\p{N}\z")),
            (CharacterClass.Space, new(@"^\s\z")), (CharacterClass.Symbol, new(@"^[\p{P}\p{S}]\z")), (CharacterClass.Other, new("")),
        ];
        for (int value = 0; value < 0x10000; value++)
        {
            if (value is >= 0xD800 and < 0xE000)
                continue;
            string text = ((char)value).ToString();
            byte[] utf8 = Encoding.UTF8.GetBytes(text);
            Assert.Equal(classes.First(entry => entry.Regex.IsMatch(text)).Class, CharacterClasses.Read(utf8, 0, out int length));
            Assert.Equal(utf8.Length, length);
        }
    }

    [Fact]
    public void Letters_and_numbers_beyond_the_basic_plane_are_letters_and_numbers() =>
        Assert.Equal(["𐌰𐌱𐌲", " 𝟙𝟚"[..1], "𝟙𝟚𝟛", "𝟜", " 𝒳", "🙂🙂", " 🙂"], Split(Encoding.UTF8.GetBytes("𐌰𐌱𐌲 𝟙𝟚𝟛𝟜 𝒳🙂🙂 🙂")));

    [Fact]
    public void The_long_s_counts_as_s_after_an_apostrophe() =>
        Assert.Equal(["x", "'\u017F", "till"], Split(Encoding.UTF8.GetBytes("x'\u017Ftill")));

    [Fact]
    public void Broken_bytes_are_single_characters_that_are_neither_letters_nor_spaces()
    {
        byte[] text = [.. "ab"u8, 0xFF, 0xC3, .. " "u8, 0xED, 0xA0, 0x80, .. "é"u8, 0xF0, 0x9F, 0x99];
        byte[][] words = [.. SplitBytes(text).Select(word => word)];
        byte[][] expected = [[.. "ab"u8], [0xFF, 0xC3], [.. " "u8, 0xED, 0xA0, 0x80], [.. "é"u8], [0xF0, 0x9F, 0x99]];
        Assert.Equal(expected, words);
        Assert.Equal(CharacterClass.Other, CharacterClasses.Read([0xC1, 0x81], 0, out int length));   // an overlong A
        Assert.Equal(1, length);
        Assert.Equal(CharacterClass.Other, CharacterClasses.Read([0xE0, 0x81, 0x81], 0, out length));
        Assert.Equal(1, length);
        Assert.Equal(CharacterClass.Other, CharacterClasses.Read([0xF5, 0x80, 0x80, 0x80], 0, out length));
        Assert.Equal(1, length);
    }

    [Fact]
    public void The_recorded_Unicode_version_is_that_of_the_tables()
    {
        // U+1C89 became a letter with version 16.0; U+088F becomes one with 17.0.
        Assert.Equal("16.0", CharacterClasses.UnicodeVersion);
        Assert.Equal(CharacterClass.Uppercase, CharacterClasses.Read("\u1C89"u8, 0, out _));
        Assert.Equal(CharacterClass.Other, CharacterClasses.Read("\u088F"u8, 0, out _));
    }

    private static void AssertAsReference(string text)
    {
        // Beyond the basic plane the reference sees two units that are neither letter nor number, as emoji are here too.
        Assert.Equal(Reference.Matches(text).Select(match => match.Value), Split(Encoding.UTF8.GetBytes(text)));
    }

    private static IEnumerable<string> Split(byte[] text) => SplitBytes(text).Select(Encoding.UTF8.GetString);

    private static List<byte[]> SplitBytes(byte[] text)
    {
        var words = new List<byte[]>();
        for (int start = 0; start < text.Length;)
        {
            int end = SplitPattern.WordEnd(text, start);
            Assert.True(end > start && end <= text.Length);
            words.Add(text[start..end]);
            start = end;
        }
        return words;
    }
}
