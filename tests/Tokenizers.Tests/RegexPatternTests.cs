using System.Text;
using OpenEuroLLM.Core;

namespace OpenEuroLLM.Tokenizers.Tests;

/// <summary>The general engine. What the expressions must match was asked of Oniguruma, through the tokenizers package.</summary>
public sealed class RegexPatternTests
{
    [Theory]
    [InlineData("a$", "a\na", "0-1 2-3")]
    [InlineData("^a", "a\na", "0-1 2-3")]
    [InlineData("\\Aa", "a\na", "0-1")]
    [InlineData("a.b", "a\nb", "")]
    [InlineData("(?m)a.b", "a\nb", "0-3")]
    [InlineData("(?x) a b # c", "ab", "0-2")]
    [InlineData("(?i:'s)", "'S 'ſ 's", "0-2 3-6 7-9")]
    [InlineData("(?i:k)", "kK\u212a", "0-1 1-2 2-5")]
    [InlineData("(?i:σ)", "σςΣ", "0-2 2-4 4-6")]
    [InlineData("(?i:i)", "iIıİ", "0-1 1-2")]
    [InlineData("(?i:ẞ)", "ẞß", "0-3 3-5")]
    [InlineData("(?i:[ẞ])", "ẞß", "0-3 3-5")]
    [InlineData("(?i:Ꭰ)", "Ꭰꭰ", "0-3 3-6")]
    [InlineData("(?i:θ)", "θϑϴΘ", "0-2 2-4 4-6 6-8")]
    [InlineData("(?i:ǆ)", "ǆǅǄ", "0-2 2-4 4-6")]
    [InlineData("(?i:[a-z])", "ſK", "0-2 2-3")]
    [InlineData("(?i:\\p{Lu})", "aA", "1-2")]
    [InlineData("(?i:[\\p{Lu}])", "aA", "0-1 1-2")]
    [InlineData("(?i:[^a])", "aAb", "2-3")]
    [InlineData("(?i:[^\\p{Lu}a])", "aAbB", "")]
    [InlineData("(?i:[[a]b])", "AB", "0-1 1-2")]
    [InlineData("(?i)(?-i)a", "A", "")]
    [InlineData("a(?i)b|c", "aB C aC", "0-2 5-7")]
    [InlineData("[[:^alpha:]]", "a1", "1-2")]
    [InlineData("[[:punct:]]+", "a.$+!", "1-5")]
    [InlineData("\\p{punct}+", "a.$+!", "1-2 4-5")]
    [InlineData("\\h+", "abcxyz 12", "0-3 7-9")]
    [InlineData("\\R", "a\r\nb", "1-3")]
    [InlineData("[a-c&&[^b]]+", "abc", "0-1 2-3")]
    [InlineData("[a&&]", "a", "")]
    [InlineData("[^a&&b]", "b", "0-1")]
    [InlineData("[a[bc]]+", "abcd", "0-3")]
    [InlineData("[a-c-e]+", "abc-e", "0-5")]
    [InlineData("[-a]+", "a-", "0-2")]
    [InlineData("[a-]+", "a-", "0-2")]
    [InlineData("[a\\-z]+", "a-z", "0-3")]
    [InlineData("[]a]", "a]", "0-1 1-2")]
    [InlineData("[\\b]", "\b", "0-1")]
    [InlineData("[\\s\\S]", "\n", "0-1")]
    [InlineData("\\p{Han}+", "漢字かな", "0-6")]
    [InlineData("\\p{latn}+", "aæя", "0-3")]
    [InlineData("\\p{uppercase letter}", "aA", "1-2")]
    [InlineData("\\p{^L}", "a1", "1-2")]
    [InlineData("\\P{L}", "a1", "1-2")]
    [InlineData("\\p{L}{2,}?", "abc", "0-2")]
    [InlineData("a{,2}", "aaa", "0-2 2-3 3-3")]
    [InlineData("x{2}+", "xxxxx", "0-4")]
    [InlineData("a{2}?", "aaaaa", "0-2 2-4 4-4 5-5")]
    [InlineData("a{,3}?b", "aaab", "0-4")]
    [InlineData("a{2", "a{2", "0-3")]
    [InlineData("{a", "{a", "0-2")]
    [InlineData("a**", "aa", "0-2 2-2")]
    [InlineData("(?<=a)b", "ab", "1-2")]
    [InlineData("(?<!a)b", "abcb", "3-4")]
    [InlineData("(?<=a+)b", "aab", "2-3")]
    [InlineData("(?<=a|bc)d", "adbcd", "1-2 4-5")]
    [InlineData("(?<=(?:a|b+)c)d", "bbcd", "3-4")]
    [InlineData("(?<!a|b)c", "acbcc", "4-5")]
    [InlineData("(?<=a*)b", "aab", "2-3")]
    [InlineData("\\u00e9", "é", "0-2")]
    [InlineData("\\x{e9}", "é", "0-2")]
    [InlineData("\\x41\\012", "A\n", "0-2")]
    [InlineData("(?>a+)b", "aab", "0-3")]
    [InlineData("(?>a|ab)c", "abc", "")]
    [InlineData("a++b", "aab", "0-3")]
    [InlineData("a++a", "aaa", "")]
    [InlineData("(?:ab)++a", "ababa", "0-5")]
    [InlineData("(?:ab?)++b", "ababb", "0-5")]
    [InlineData("(?#c)a", "a", "0-1")]
    [InlineData("\\bfoo\\b", "foo foo1 föö", "0-3")]
    [InlineData("(?<n>a)", "a", "0-1")]
    [InlineData("a+?", "aaa", "0-1 1-2 2-3")]
    [InlineData("a||b", "ab", "0-1 1-1 2-2")]
    [InlineData("(?:a|ab)(?:c|bcd)", "abcd", "0-4")]
    [InlineData("(a*)*b", "aaab", "0-4")]
    [InlineData("(a|b*)*c", "abbac", "0-5")]
    [InlineData("(?:a?)+?b", "aab", "0-3")]
    [InlineData("\\d{1,3}(?=(?:\\d{3})*\\b)", "1234567", "0-1 1-4 4-7")]
    [InlineData("^", "a\nb\n", "0-0 2-2")]
    [InlineData("$", "a\nb\n", "1-1 3-3 4-4")]
    [InlineData("\\Z", "a\nb\n", "3-3 4-4")]
    [InlineData("\\w+|[^\\w\\s]+", ",\u00B2 \u00B2", "0-3 4-6")]
    [InlineData("\\B", "ab cd", "1-1 4-4")]
    public void Matches_as_the_reference_does(string regex, string text, string matches)
    {
        Assert.Equal(matches, string.Join(' ', Matches(RegexPattern.Compile(regex, "test"), Encoding.UTF8.GetBytes(text)).Select(match => $"{match.Start}-{match.End}")));
    }

    [Theory]
    [InlineData("(a)\\1", "refers back", 3)]
    [InlineData("a\\Kb", "'\\K' is not supported", 1)]
    [InlineData("\\X", "'\\X' is not supported", 0)]
    [InlineData("a(?P<n>a)", "'(?P' is not supported", 1)]
    [InlineData("(?~ab)", "'(?~' is not supported", 0)]
    [InlineData("(?(1)a|b)", "'(?(' is not supported", 0)]
    [InlineData("(?s)a", "'(?s' is not supported", 0)]
    [InlineData("(a", "a group is not closed", 0)]
    [InlineData("a)", "')' closes no group", 1)]
    [InlineData("*a", "'*' repeats nothing", 0)]
    [InlineData("a|*", "'*' repeats nothing", 2)]
    [InlineData("[a", "a class is not closed", 2)]
    [InlineData("[]", "a class is empty", 1)]
    [InlineData("[b-a]", "a range runs backwards", 4)]
    [InlineData("[a-\\d]", "a class stands at the end of a range", 5)]
    [InlineData("[[:foo:]]", "'[:foo:]' is unknown", 8)]
    [InlineData("\\p{Foo}", "property 'Foo' is unknown", 0)]
    [InlineData("\\pL", "no name in braces", 0)]
    [InlineData("a{100001}", "more than 1000 times", 1)]
    [InlineData("a{3,1}", "bounds exchanged", 1)]
    [InlineData("a\\", "escapes nothing", 1)]
    [InlineData("\\xe9", "a byte beyond 7F", 0)]
    [InlineData("\\x{110000}", "is no character", 0)]
    [InlineData("(?<=a++)b", "inside a look-behind", null)]
    public void Refuses_by_name_and_place_what_is_not_supported(string regex, string reason, int? place)
    {
        var error = Assert.Throws<UserErrorException>(() => RegexPattern.Compile(regex, "tokenizer.json: pre_tokenizer"));
        Assert.StartsWith("tokenizer.json: pre_tokenizer: ", error.Message, StringComparison.Ordinal);
        Assert.Contains(reason, error.Message, StringComparison.Ordinal);
        if (place is not null)
            Assert.Contains($"(at character {place})", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Refuses_expressions_that_are_too_deep_or_too_long()
    {
        Assert.Throws<UserErrorException>(() => RegexPattern.Compile(new string('(', 100_000), "test"));
        Assert.Throws<UserErrorException>(() => RegexPattern.Compile(new string('[', 100_000), "test"));
        Assert.Throws<UserErrorException>(() => RegexPattern.Compile("(?:(?:(?:ab){1000}){1000}){1000}", "test"));
    }

    [Theory]
    [InlineData("(a*)*b")]
    [InlineData("(a|aa)+$b")]
    [InlineData("(?:a?){50}a{50}b")]
    [InlineData("(?:a|b|ab)*c")]
    [InlineData("((a+)+)+b")]
    public void What_takes_exponential_time_elsewhere_ends(string regex)
    {
        var text = Encoding.UTF8.GetBytes(new string('a', 60) + "!");
        Assert.Empty(Matches(RegexPattern.Compile(regex, "test"), text));
    }

    [Fact]
    public void A_match_that_would_take_too_long_is_refused_and_long_ones_are_found()
    {
        byte[] text = Encoding.UTF8.GetBytes(new string('a', 300_000));
        Assert.Equal((0, text.Length), Assert.Single(Matches(RegexPattern.Compile("(?:ab|a)+", "test"), text)));
        Assert.Equal((0, text.Length), Assert.Single(Matches(RegexPattern.Compile("[ab]*[ac]+", "test"), text)));
        var error = Assert.Throws<UserErrorException>(() => Matches(RegexPattern.Compile("a+b", "test"), text));
        Assert.Contains("steps", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_broken_byte_is_one_character_of_no_class()
    {
        byte[] text = [.. "a"u8, 0xFF, 0xC3, .. "é"u8, 0xED, 0xA0, 0x80, 0xF0, 0x9F];
        Assert.Equal([(1, 2), (2, 3), (5, 6), (6, 7), (7, 8), (8, 9), (9, 10)], Matches(RegexPattern.Compile(@"[^\s\p{L}\p{N}]", "test"), text));
        Assert.Equal([(1, 2)], Matches(RegexPattern.Compile(@"(?<=a).", "test"), text));
        Assert.Equal([(3, 5)], Matches(RegexPattern.Compile(@"(?<=[^\p{Any}])\p{L}", "test"), text));
        Assert.Equal([(0, 1), (3, 5)], Matches(RegexPattern.Compile(@"\p{Any}", "test"), text));
        Assert.Equal([(0, 9)], Matches(RegexPattern.Compile(@".+(?=.\z)", "test"), text));
    }

    [Fact]
    public void Characters_are_read_alike_in_both_directions()
    {
        var numbers = Texts.Numbers(seed: 7).GetEnumerator();
        byte[] alphabet = [.. "a\u00E9\u4E2D\U0001F642"u8, 0xFF, 0xC3, 0x80, 0xE4, 0xF0];
        for (int round = 0; round < 2000; round++)
        {
            byte[] text = new byte[12];
            for (int i = 0; i < text.Length; i++)
            {
                numbers.MoveNext();
                text[i] = alphabet[numbers.Current % (uint)alphabet.Length];
            }
            var forwards = new List<int>();
            for (int position = 0; position < text.Length; position += Length(text, position))
                forwards.Add(position);
            var backwards = new List<int>();
            for (int position = text.Length; position > 0;)
            {
                CodePoints.ReadBefore(text, position, out int length);
                backwards.Add(position -= length);
            }
            backwards.Reverse();
            Assert.Equal(forwards, backwards);
        }

        static int Length(byte[] text, int position)
        {
            CodePoints.Read(text, position, out int length);
            CharacterClasses.Read(text, position, out int other);
            Assert.Equal(length, other);
            return length;
        }
    }

    /// <summary>All matches, as the reference goes through a text: behind an empty one it goes one character on, and none touches the one before it
    /// without holding anything.</summary>
    internal static List<(int Start, int End)> Matches(ISplitPattern pattern, byte[] text)
    {
        var matches = new List<(int, int)>();
        int from = 0;
        while (from <= text.Length && pattern.TryMatch(text, from, out int start, out int end))
        {
            matches.Add((start, end));
            from = end;
            if (end == start)
            {
                if (start == text.Length)
                    break;
                CodePoints.Read(text, start, out int length);
                from = start + length;
            }
        }
        return matches;
    }
}
