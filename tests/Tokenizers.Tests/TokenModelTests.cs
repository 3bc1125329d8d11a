using System.Text;
using OpenEuroLLM.Core;

namespace OpenEuroLLM.Tokenizers.Tests;

public sealed class TokenModelTests
{
    private static readonly string[] Letters = ["a", "b", "c", "▁", "é", "日"];

    [Theory, InlineData(1, true), InlineData(2, false), InlineData(3, true)]
    public void Unigram_finds_the_best_path_and_the_first_of_equals(int seed, bool words)
    {
        var random = new Numbers((ulong)seed);
        var pieces = new List<UnigramPiece> { new("<unk>"u8.ToArray(), 0) };
        var scores = new Dictionary<string, (int Id, double Score)>(StringComparer.Ordinal);
        while (pieces.Count < 60)
        {
            string text = random.Text(Letters[..5], 1 + random.Next(4));
            if (words && text.LastIndexOf('▁') > 0)
                continue;
            // Few different scores, so that many paths are equal.
            if (scores.TryAdd(text, (pieces.Count, -1 - random.Next(6) / 2.0)))
                pieces.Add(new UnigramPiece(Encoding.UTF8.GetBytes(text), scores[text].Score));
        }
        var model = new UnigramModel(pieces, unknownId: 0, byteFallback: false);
        foreach (int length in new[] { 0, 1, 2, 7, 20, 20, 20, 100, 40_000 })
        {
            string text = random.Text(Letters, length);
            var tokens = new List<EncodedToken>();
            model.Encode(Encoding.UTF8.GetBytes(text), tokens);
            Assert.Equal(BestPath(text, scores, pieces.Min(piece => piece.Score) - 10), tokens);
        }
    }

    [Fact]
    public void Unigram_falls_back_to_bytes_only_where_all_are_there()
    {
        UnigramPiece[] pieces = [new("<unk>"u8.ToArray(), 0), new("a"u8.ToArray(), -1), new("<0xC3>"u8.ToArray(), 0), new("<0xA9>"u8.ToArray(), 0)];
        var tokens = new List<EncodedToken>();
        new UnigramModel(pieces, 0, byteFallback: true).Encode("aéaé日"u8, tokens);
        Assert.Equal([new(1, 0, 1), new(2, 1, 3), new(3, 1, 3), new(1, 3, 4), new(0, 4, 9)], tokens);
        Assert.Throws<UserErrorException>(() => new UnigramModel(pieces, null, byteFallback: false).Encode("日"u8, []));
    }

    [Theory, InlineData(1, true), InlineData(2, false), InlineData(3, true)]
    public void Pair_encoding_merges_the_lowest_rank_and_the_leftmost_of_equals(int seed, bool words)
    {
        var random = new Numbers((ulong)seed);
        List<string> texts = ["<unk>", .. Letters[..5]];
        var merges = new List<Merge>();
        while (merges.Count < 80)
        {
            var (left, right) = (1 + random.Next(texts.Count - 1), 1 + random.Next(texts.Count - 1));
            string text = texts[left] + texts[right];
            if (text.Length > 8 || (words && text.LastIndexOf('▁') > 0) || merges.Any(merge => merge.Left == left && merge.Right == right))
                continue;
            if (!texts.Contains(text))
                texts.Add(text);
            merges.Add(new Merge(left, right, texts.IndexOf(text)));
        }
        var model = new TextBpeModel([.. texts.Select(Encoding.UTF8.GetBytes)], merges, new TextBpeSettings(0, [], [], FuseUnknown: true, ByteFallback: false, IgnoreMerges: false));
        foreach (int length in new[] { 0, 1, 2, 7, 20, 20, 100, 400 })
        {
            string text = random.Text(Letters, length);
            var tokens = new List<EncodedToken>();
            model.Encode(Encoding.UTF8.GetBytes(text), tokens);
            Assert.Equal(Merged(text, texts, merges), tokens.Select(token => token.Id));
            int place = 0;
            foreach (var token in tokens)
            {
                Assert.Equal(place, token.Start);
                place = token.End;
            }
            Assert.Equal(Encoding.UTF8.GetByteCount(text), place);
        }
    }

    [Fact]
    public void Pair_encoding_decorates_characters_inside_and_at_the_end_of_words()
    {
        string[] texts = ["<unk>", "a", "##b", "##c</w>", "a</w>", "a##b"];
        var settings = new TextBpeSettings(0, "##"u8.ToArray(), "</w>"u8.ToArray(), FuseUnknown: false, ByteFallback: false, IgnoreMerges: false);
        var model = new TextBpeModel([.. texts.Select(Encoding.UTF8.GetBytes)], [new Merge(1, 2, 5)], settings);
        Assert.Equal([5, 3], Ids(model, "abc"));
        Assert.Equal([4], Ids(model, "a"));
        Assert.Equal([0, 0], Ids(model, "xy"));
    }

    [Theory]
    [InlineData("unaffable", "1 2 3")]
    [InlineData("una", "1 4")]
    [InlineData("unx", "0")]
    [InlineData("x", "0")]
    [InlineData("", "")]
    [InlineData("aaaaaaaaaaaaaaaaaaaaa", "0")]
    public void WordPiece_takes_the_longest_token_or_the_whole_word_is_unknown(string word, string ids)
    {
        string[] texts = ["[UNK]", "un", "##aff", "##able", "##a", "a"];
        var model = new WordPieceModel([.. texts.Select(Encoding.UTF8.GetBytes)], 0, "##"u8.ToArray(), 20);
        Assert.Equal(ids, string.Join(' ', Ids(model, word)));
    }

    [Fact]
    public void A_word_is_a_token_or_unknown()
    {
        string[] texts = ["<unk>", "hello"];
        Assert.Equal([1], Ids(new WordLevelModel([.. texts.Select(Encoding.UTF8.GetBytes)], 0), "hello"));
        Assert.Equal([0], Ids(new WordLevelModel([.. texts.Select(Encoding.UTF8.GetBytes)], 0), "hell"));
        Assert.Throws<UserErrorException>(() => Ids(new WordLevelModel([.. texts.Select(Encoding.UTF8.GetBytes)], null), "hell"));
    }

    private static IEnumerable<int> Ids(ITokenModel model, string text)
    {
        var tokens = new List<EncodedToken>();
        model.Encode(Encoding.UTF8.GetBytes(text), tokens);
        return tokens.Select(token => token.Id);
    }

    /// <summary>The definition: every piece at every place, ties to the first.</summary>
    private static List<EncodedToken> BestPath(string text, Dictionary<string, (int Id, double Score)> pieces, double unknown)
    {
        var best = new (double Score, int From, int Id)?[text.Length + 1];
        best[0] = (0, 0, 0);
        for (int start = 0; start < text.Length; start++)
        {
            for (int length = 1; length <= 4 && start + length <= text.Length; length++)
                if (pieces.TryGetValue(text.Substring(start, length), out var piece))
                    Offer(start + length, best[start]!.Value.Score + piece.Score, start, piece.Id);
            if (!pieces.ContainsKey(text.Substring(start, 1)))
                Offer(start + 1, best[start]!.Value.Score + unknown, start, 0);
        }
        var tokens = new List<EncodedToken>();
        for (int end = text.Length; end > 0; end = best[end]!.Value.From)
        {
            var (_, from, id) = best[end]!.Value;
            var token = new EncodedToken(id, Encoding.UTF8.GetByteCount(text.AsSpan(0, from)), Encoding.UTF8.GetByteCount(text.AsSpan(0, end)));
            if (id == 0 && tokens.Count > 0 && tokens[^1].Id == 0)
                tokens[^1] = tokens[^1] with { Start = token.Start };
            else
                tokens.Add(token);
        }
        tokens.Reverse();
        return tokens;

        void Offer(int end, double score, int from, int id)
        {
            if (best[end] is not { } old || score > old.Score)
                best[end] = (score, from, id);
        }
    }

    private static List<int> Merged(string text, List<string> texts, List<Merge> merges)
    {
        var ids = new List<int>();
        foreach (char character in text)
        {
            int id = Math.Max(0, texts.IndexOf(character.ToString()));
            if (id > 0 || ids.Count == 0 || ids[^1] != 0)
                ids.Add(id);
        }
        while (true)
        {
            var (rank, place) = Enumerable.Range(0, Math.Max(0, ids.Count - 1))
                .Select(i => (Rank: merges.FindIndex(merge => merge.Left == ids[i] && merge.Right == ids[i + 1]), Place: i)).Where(pair => pair.Rank >= 0).DefaultIfEmpty((-1, 0)).Min();
            if (rank < 0)
                return ids;
            ids[place] = merges[rank].Merged;
            ids.RemoveAt(place + 1);
        }
    }

    private sealed class Numbers(ulong seed)
    {
        private readonly CounterRandom _random = new(seed, 0);
        private ulong _index;

        public int Next(int below) => (int)((uint)_random.At(_index++) % (uint)below);

        public string Text(string[] letters, int length) => string.Concat(Enumerable.Range(0, length).Select(_ => letters[Next(letters.Length)]));
    }
}
