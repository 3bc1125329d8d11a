using System.Text;
using OpenEuroLLM.Core;

namespace OpenEuroLLM.Tokenizers.Tests;

public sealed class TiktokenFileTests
{
    /// <summary>The bytes in order, then tokens that merge in ways that need care.</summary>
    private static readonly string[] Longer = ["th", "in", "he", "the", " t", " the", "ing", "thing", "abc", "bc", "aab", "zzzz", "ab", "aaaa", "aa", "xyxy", "xyx", "xy"];

    private static string Ranks(IEnumerable<string>? longer = null)
    {
        var lines = Enumerable.Range(0, 256).Select(value => Convert.ToBase64String([(byte)value]))
            .Concat((longer ?? Longer).Select(token => Convert.ToBase64String(Encoding.UTF8.GetBytes(token))));
        return string.Join('\n', lines.Select((line, rank) => FormattableString.Invariant($"{line} {rank}"))) + "\n";
    }

    private static Tokenizer Parse(string file, string path = "folder/cl100k_base.tiktoken", string? encoding = null) => TiktokenFile.Parse(Encoding.ASCII.GetBytes(file), path, encoding);

    [Fact]
    public void Merges_by_rank_as_the_definition_does()
    {
        var tokenizer = Parse(Ranks());
        var ranks = Longer.Select((token, i) => (token, Rank: 256 + i)).ToDictionary(entry => entry.token, entry => entry.Rank, StringComparer.Ordinal);
        var numbers = Texts.Numbers(seed: 5).GetEnumerator();
        for (int round = 0; round < 4000; round++)
        {
            var word = new StringBuilder();
            numbers.MoveNext();
            for (uint length = 1 + numbers.Current % 14; length > 0; length--)
            {
                numbers.MoveNext();
                word.Append("abcxyzthing"[(int)(numbers.Current % 11)]);
            }
            Assert.Equal(Definition(word.ToString(), ranks), tokenizer.Encode(word.ToString()));
        }
        Assert.Equal([ranks[" the"]], tokenizer.Encode(" the"));
    }

    [Fact]
    public void Is_the_same_as_tokenizer_json_and_comes_back()
    {
        var tokenizer = Parse(Ranks());
        var again = TokenizerJson.Parse(TokenizerJson.Write(tokenizer), "tokenizer.json");
        foreach (string text in Texts.All.Append("the thing abcabc aaaaaab zzzzz xyxyxyx   "))
            Assert.Equal(tokenizer.Encode(text), again.Encode(text));
        Assert.Equal(Ranks(), Encoding.ASCII.GetString(TiktokenFile.Write(tokenizer)));
        Assert.Equal(Ranks(), Encoding.ASCII.GetString(TiktokenFile.Write(again)));
        Assert.Equal(100257, again.TokenId("<|endoftext|>"));
        Assert.True(again.IsSpecial(100276));
    }

    [Fact]
    public void Merges_that_are_not_the_order_of_tokens_are_no_ranks()
    {
        var error = Assert.Throws<UserErrorException>(() => TiktokenFile.Write(
            new Tokenizer(new BpeModel([.. Enumerable.Range(0, 256).Select(value => new[] { (byte)value }), "ab"u8.ToArray(), "bc"u8.ToArray()],
                [new Merge('b', 'c', 257), new Merge('a', 'b', 256)], ignoreMerges: false), [], new TokenizerSurroundings())));
        Assert.Contains("merges", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_name_or_the_caller_tells_the_encoding()
    {
        Assert.Equal(50256, Parse(Ranks(), "r50k_base.tiktoken").TokenId("<|endoftext|>"));
        Assert.Equal(199999, Parse(Ranks(), "some.ranks", "o200k_base").TokenId("<|endoftext|>"));
        Assert.Contains("cl100k_base", Assert.Throws<UserErrorException>(() => Parse(Ranks(), "some.tiktoken")).Message, StringComparison.Ordinal);
        Assert.Contains("'k100'", Assert.Throws<UserErrorException>(() => Parse(Ranks(), "x", "k100")).Message, StringComparison.Ordinal);
        Assert.Equal(["<|begin_of_text|>", "<|end_of_text|>", "<|reserved_special_token_0|>"], TiktokenEncoding.Find("llama3")!.Special.Take(3).Select(token => token.Content));
        Assert.Equal(("<|reserved_special_token_250|>", 128255), TiktokenEncoding.Find("llama3")!.Special[^1]);
        Assert.True(TiktokenFile.Looks("IQ== 0\nIg== 1\n"u8));
        Assert.False(TiktokenFile.Looks([0x0A, 0x0E, 0x0A, 0x05, (byte)'<', (byte)'u']));
    }

    [Theory]
    [InlineData("AA== 0\nA*== 1\n", ":2: is no rank")]
    [InlineData("AA== 0\nAQ==1\n", ":2: is no rank")]
    [InlineData("AA== 0\n\nAQ== -1\n", ":3: is no rank")]
    [InlineData("AA== 0\nAQ== 1x\n", ":2: is no rank")]
    [InlineData("AA== 99999999999\n", ":1: is no rank")]
    [InlineData(" 0\n", ":1: is no rank")]
    [InlineData("AA== 0\r\nAQ== 0\r\n", ":2: rank 0 stands in line 1 too")]
    [InlineData("AA== 0\nAA== 1\n", ":2: the token stands in line 1 too")]
    [InlineData("AA== 0\nAQ== 2\n", ":2: rank 1 is missing")]
    [InlineData("AA== 0\nAQ== 1\n", "byte 2 has no rank")]
    [InlineData("", "byte 0 has no rank")]
    public void Refuses_malformed_files_with_the_line(string file, string reason)
    {
        var error = Assert.Throws<UserErrorException>(() => Parse(file));
        Assert.StartsWith("folder/cl100k_base.tiktoken", error.Message, StringComparison.Ordinal);
        Assert.Contains(reason, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Refuses_tokens_that_are_too_long()
    {
        Assert.Throws<UserErrorException>(() => Parse(Ranks([new string('a', 257)])));
        Assert.Single(Parse(Ranks([new string('a', 256)])).Encode(new string('a', 256)));
    }

    /// <summary>The lowest rank of two neighbours together, again and again; a whole word that is a token at once.</summary>
    private static List<int> Definition(string word, Dictionary<string, int> ranks)
    {
        if (ranks.TryGetValue(word, out int whole))
            return [whole];
        var parts = word.Select(unit => unit.ToString()).ToList();
        while (true)
        {
            int best = -1;
            for (int place = 0; place + 1 < parts.Count; place++)
                if (ranks.TryGetValue(parts[place] + parts[place + 1], out int rank) && (best < 0 || rank < ranks[parts[best] + parts[best + 1]]))
                    best = place;
            if (best < 0)
                return [.. parts.Select(part => part.Length == 1 ? part[0] : ranks[part])];
            parts[best] += parts[best + 1];
            parts.RemoveAt(best + 1);
        }
    }
}
