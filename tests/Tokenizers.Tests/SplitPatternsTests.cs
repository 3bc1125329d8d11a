using System.Text;

namespace OpenEuroLLM.Tokenizers.Tests;

/// <summary>The hand-written scanners, against the general engine.</summary>
public sealed class SplitPatternsTests
{
    private static readonly string[] Alphabet =
    [
        "a", "b", "Z", "é", "Ж", "ж", "ß", "ǅ", "ʰ", "ª", "中", "न", "\u0301", "\u093F", "\u200D", "'", "'", "s", "S", "t", "re", "Ve", "lL", "m", "D", "ſ",
        "0", "1", "9", "½", "²", "Ⅷ", "٣", " ", " ", " ", "\u00A0", "\u3000", "\t", "\n", "\r\n", "\r", "\v", "\u0085", ".", ",", "!", "/", "-", "_", "(", "$", "€", "🙂",
        "𝒜", "𝟙", "\u0000",
    ];

    public static TheoryData<string> WellKnown => [.. SplitPatterns.WellKnown];

    [Theory]
    [MemberData(nameof(WellKnown))]
    public void Each_scanner_splits_as_the_general_engine_does(string regex)
    {
        var scanner = SplitPatterns.Find(regex)!;
        var general = RegexPattern.Compile(regex, "test");
        foreach (byte[] text in HardTexts())
            AssertSame(general, scanner, text);
    }

    [Fact]
    public void Every_character_is_split_as_by_the_general_engine()
    {
        foreach (string regex in SplitPatterns.WellKnown)
        {
            var text = new StringBuilder();
            for (int value = 0; value < 0x11000; value++)
            {
                if (!Rune.IsValid(value))
                    continue;
                text.Append(new Rune(value).ToString()).Append(value % 3 == 0 ? "a" : value % 3 == 1 ? " " : "").Append(value % 7 == 0 ? "A" : "");
            }
            AssertSame(RegexPattern.Compile(regex, "test"), SplitPatterns.Find(regex)!, Encoding.UTF8.GetBytes(text.ToString()));
        }
    }

    [Fact]
    public void The_named_scanner_of_cl100k_takes_three_numbers_as_tiktoken_does()
    {
        // In tokenizer.json {1,3}+ repeats, so what tiktoken means has another pattern there.
        Assert.Equal(SplitPatterns.Cl100kThreeNumbers, SplitPatterns.Cl100k.Replace("{1,3}+", "{1,3}", StringComparison.Ordinal));
        Assert.Same(SplitPatterns.Scanner.Cl100k, SplitPatterns.Find(SplitPatterns.Cl100kThreeNumbers));
        Assert.NotSame(SplitPatterns.Scanner.Cl100k, SplitPatterns.Find(SplitPatterns.Cl100k));
    }

    [Fact]
    public void Numbers_cut_out_before_GPT_2_split_as_the_two_steps_do()
    {
        var fused = SplitPatterns.Chain([SingleNumbers.Instance, SplitPatterns.Find(SplitPatterns.Gpt2)!]);
        Assert.Same(SplitPatterns.Scanner.SingleNumbersThenGpt2, fused);
        var steps = SplitPatterns.Chain([RegexPattern.Compile(@"\p{N}", "test"), RegexPattern.Compile(SplitPatterns.Gpt2, "test")]);
        foreach (byte[] text in HardTexts())
            Assert.Equal(Words(steps, text), Words(fused, text));
    }

    [Fact]
    public void A_chain_cuts_matches_and_gaps_again()
    {
        string[] regexes =
        [
            @"\p{N}{1,3}", "[一-龥\u3040-ゟ゠-ヿ]+",
            @"[!""#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
        ];
        var chain = SplitPatterns.Chain([.. regexes.Select(regex => SplitPatterns.Compile(regex, "test"))]);
        Assert.Equal(
            ["Hello", ",", " wor", "ld", "  ", "123", "4", "中文かな", "x", ".abc", "\u0001\u0001", " !?\n", " "],
            Words(chain, Encoding.UTF8.GetBytes("Hello, wor\u200Bld  1234中文かなx.abc\u0001\u0001 !?\n ")).Select(Convert.FromHexString).Select(Encoding.UTF8.GetString)
                .Select(word => word.Replace("\u200B", "", StringComparison.Ordinal)).ToArray());
        foreach (byte[] text in HardTexts())
            Assert.Equal(Convert.ToHexString(text), string.Concat(Words(chain, text)));
    }

    [Fact]
    public void A_word_of_a_megabyte_is_one_word_in_linear_time()
    {
        byte[] capitals = Encoding.UTF8.GetBytes("ª" + new string('Ж', 500_000));
        byte[] spaces = Encoding.UTF8.GetBytes(new string(' ', 1_000_000) + "x");
        foreach (string regex in SplitPatterns.WellKnown)
        {
            Assert.InRange(Words(SplitPatterns.Find(regex)!, capitals).Count, 1, 2);
            Assert.Equal(2, Words(SplitPatterns.Find(regex)!, spaces).Count);
        }
    }

    private static IEnumerable<byte[]> HardTexts()
    {
        foreach (string text in Texts.All)
            yield return Encoding.UTF8.GetBytes(text);
        yield return Encoding.UTF8.GetBytes(string.Join("\n\n  ", Texts.All));
        var numbers = Texts.Numbers(seed: 3).GetEnumerator();
        for (int round = 0; round < 1500; round++)
        {
            var text = new List<byte>();
            numbers.MoveNext();
            for (uint length = numbers.Current % 24; length > 0; length--)
            {
                numbers.MoveNext();
                if (round % 10 == 0 && numbers.Current % 5 == 0)
                    text.Add((byte)(0x80 + numbers.Current / 5 % 0x80));   // broken UTF-8
                else
                    text.AddRange(Encoding.UTF8.GetBytes(Alphabet[numbers.Current / 5 % (uint)Alphabet.Length]));
            }
            yield return [.. text];
        }
    }

    private static void AssertSame(RegexPattern general, WordScanner scanner, byte[] text)
    {
        var expected = RegexPatternTests.Matches(general, text).Where(match => match.Start < match.End).ToList();
        var found = new List<(int, int)>();
        for (int start = 0; scanner.TryMatch(text, start, out int at, out int end); start = end)
            found.Add((at, end));
        if (!expected.SequenceEqual(found))
            Assert.Fail($"'{Encoding.UTF8.GetString(text).ReplaceLineEndings("\\n")}' ({Convert.ToHexString(text)[..Math.Min(200, 2 * text.Length)]}): expected {string.Join(' ', expected.Take(40))}, found {string.Join(' ', found.Take(40))}");
        Assert.Equal(expected.Select(match => Convert.ToHexString(text[match.Start..match.End])), Words(scanner, text));
    }

    private static List<string> Words(WordSplitter splitter, byte[] text)
    {
        var receiver = new Collecting([]);
        splitter.Split(text, ref receiver);
        return receiver.Words;
    }

    private readonly record struct Collecting(List<string> Words) : IWordReceiver
    {
        public void Receive(ReadOnlySpan<byte> word) => Words.Add(Convert.ToHexString(word));
    }
}
