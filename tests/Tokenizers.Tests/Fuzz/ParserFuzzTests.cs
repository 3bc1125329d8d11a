using System.Text;
using OpenEuroLLM.Core;
using OpenEuroLLM.Formats;

namespace OpenEuroLLM.Tokenizers.Tests.Fuzz;

/// <summary>Damaged files of every format: each is read or refused, none crashes, hangs or takes memory beyond its size. <c>OELLM_FUZZ=100</c> runs a hundred times as many.</summary>
public sealed class ParserFuzzTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("oellm-fuzz-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    /// <summary>Whoever reads a damaged file uses it: nothing may be left to go wrong later.</summary>
    private static void Use(Tokenizer tokenizer)
    {
        byte[] probe = [.. Encoding.UTF8.GetBytes(Seeds.Probe), 0xFF, 0xC3];
        foreach (bool special in (bool[])[false, true])
        {
            var ids = new List<int>();
            tokenizer.Encode(probe, ids, special);
            Assert.All(ids, id => Assert.InRange(id, 0, tokenizer.VocabularySize - 1));
            string decoded = tokenizer.Decode([.. ids], skipSpecial: false);
            var stream = new StreamingDecoder(tokenizer, skipSpecial: false);
            Assert.Equal(decoded, string.Concat(ids.Select(stream.Push)) + stream.Flush());
            var placed = new List<EncodedToken>();
            tokenizer.EncodeWithOffsets(probe, placed, special);
            Assert.Equal(ids, placed.Select(token => token.Id));
            Assert.All(placed, token => Assert.True(token.Start >= 0 && token.Start <= token.End && token.End <= probe.Length, $"{token}"));
        }
        tokenizer.TokenId("<s>");
    }

    private static void Json(byte[] bytes) => Use(TokenizerJson.Parse(bytes, "damaged.json"));

    [Fact]
    public void Every_seed_is_valid()
    {
        foreach (var (_, json) in Seeds.Json)
            Json(Seeds.Utf8(json));
        foreach (var (_, model) in Seeds.Models)
            Use(SentencePieceTokenizer.Parse(SentencePieceFormat.Write(model), "valid.model"));
        Json(Seeds.Utf8(Seeds.Crossing));
    }

    [Fact]
    public void Damaged_values_of_a_tokenizer_json()
    {
        var (read, refused) = FuzzRun.Over("json values", FuzzRun.Cases(4000), random => Mutation.Json(random.Of(Seeds.Json).Json, random), Json);
        Assert.True(read > 0 && refused > 0, $"{read} read, {refused} refused: the damage is too small or too large to say anything");
    }

    [Fact]
    public void Damaged_bytes_of_a_tokenizer_json()
    {
        byte[][] seeds = [.. Seeds.Json.Select(seed => Seeds.Utf8(seed.Json))];
        var (read, refused) = FuzzRun.Over("json bytes", FuzzRun.Cases(2500), random => Mutation.Bytes(random.Of(seeds), seeds, random), Json);
        Assert.True(read > 0 && refused > 0, $"{read} read, {refused} refused");
    }

    [Fact]
    public void Damaged_vocabularies_and_merges_of_a_byte_level_tokenizer()
    {
        byte[] seed = Seeds.Utf8(Seeds.Crossing);
        var (read, refused) = FuzzRun.Over("byte level", FuzzRun.Cases(60), random => Mutation.Bytes(seed, [seed], random), Json);
        Assert.True(read + refused > 0);
    }

    [Fact]
    public void Damaged_bytes_of_a_sentence_piece_model()
    {
        byte[][] seeds = [.. Seeds.Models.Select(model => SentencePieceFormat.Write(model.File))];
        var (read, refused) = FuzzRun.Over("model", FuzzRun.Cases(4000), random => Mutation.Bytes(random.Of(seeds), seeds, random), bytes => Use(SentencePieceTokenizer.Parse(bytes, "damaged.model")));
        Assert.True(read > 0 && refused > 0, $"{read} read, {refused} refused");
    }

    [Fact]
    public void Damaged_character_maps()
    {
        byte[] map = CharacterMapWriter.Write([("ﬁ"u8.ToArray(), "fi"u8.ToArray()), ("Å"u8.ToArray(), "A"u8.ToArray()), ("e\u0301"u8.ToArray(), "é"u8.ToArray()), ("x"u8.ToArray(), [])]);
        byte[] probe = Encoding.UTF8.GetBytes(Seeds.Probe + "ﬁÅx");
        var (read, refused) = FuzzRun.Over("character map", FuzzRun.Cases(6000), random => Mutation.Bytes(map, [map], random), bytes =>
        {
            var parsed = CharacterMap.Parse(bytes, "damaged map");
            for (int at = 0; at < probe.Length; at++)
                if (parsed.TryLongestMatch(probe.AsSpan(at), out int length, out var replacement))
                    Assert.True(length > 0 && at + length <= probe.Length && replacement.Length <= bytes.Length);
        });
        Assert.True(refused > 0 && read > 0, $"{read} read, {refused} refused");
    }

    [Fact]
    public void Damaged_vocabularies_of_gguf_files()
    {
        byte[][] seeds = [.. GgufSeeds()];
        string path = Path.Combine(_folder, "damaged.gguf");
        void Read(byte[] bytes)
        {
            File.WriteAllBytes(path, bytes);
            using var file = GgufFile.Open(path);
            Use(GgufVocabulary.Read(file));
        }
        foreach (byte[] seed in seeds)
            Read(seed);
        var (read, refused) = FuzzRun.Over("gguf", FuzzRun.Cases(1200), random => Mutation.Bytes(random.Of(seeds), seeds, random), Read);
        Assert.True(read > 0 && refused > 0, $"{read} read, {refused} refused");
    }

    private IEnumerable<byte[]> GgufSeeds()
    {
        var pairs = MadeUpVocabulary.Create(300);
        yield return Gguf(GgufVocabulary.Describe(pairs, 300, pairs.Chat.BeginOfText, [pairs.Chat.EndOfText], pairs.Chat.Padding));
        foreach (var (name, file) in Seeds.Models)
            if (name is "unigram" or "pairs with bytes")
                yield return Gguf(GgufSentencePiece.Describe(file, file.Pieces.Count));
    }

    private byte[] Gguf(IEnumerable<KeyValuePair<string, object>> values)
    {
        string path = Path.Combine(_folder, "valid.gguf");
        using (var writer = new GgufWriter(path))
        {
            foreach (var (key, value) in values)
                writer.Add(key, value);
            writer.Finish();
        }
        return File.ReadAllBytes(path);
    }

    [Fact]
    public void Damaged_rank_files()
    {
        // Any order of bytes will do for the first 256 ranks; the rest are joined from earlier ones.
        byte[][] tokens = [.. Enumerable.Range(0, 256).Select(value => new[] { (byte)value }), "th"u8.ToArray(), "the"u8.ToArray(), " the"u8.ToArray(), "é"u8.ToArray(), "aé"u8.ToArray(), "\n\n"u8.ToArray()];
        byte[] seed = Encoding.ASCII.GetBytes(string.Concat(tokens.Select((token, rank) => FormattableString.Invariant($"{Convert.ToBase64String(token)} {rank}\n"))));
        string path = Path.Combine(_folder, "damaged_cl100k_base.tiktoken");
        var outcomes = FuzzRun.Over("ranks", FuzzRun.Cases(1500), random => Mutation.Bytes(seed, [seed], random), bytes => Use(TiktokenFile.Parse(bytes, path, "cl100k_base")));
        Assert.True(outcomes.Refused > 0, $"{outcomes}");
    }

    [Fact]
    public void Damaged_and_hostile_split_patterns()
    {
        string[] parts =
        [
            "a", "é", "中", " ", "'", "\\p{L}", "\\p{Lu}", "\\P{N}", "\\s", "\\S", "\\d", "\\w", ".", "[^\\r\\n]", "[a-z", "]", "[", "(?i:", "(?:", "(", ")", "|", "*", "+", "?", "*?", "++", "{1,3}", "{2}", "{,9}", "{99999999}",
            "(?=", "(?!", "(?<=", "(?<!", "(?>", "^", "$", "\\b", "\\1", "\\x{10FFFF}", "\\u", "\\", "(a*)*", "(a|a)*", "[\\s\\S]", "&&", "\\R", "(?<n>", "\\k<n>", "(?#", "\\p{Greek}", "\\p{", "[[:alpha:]]",
        ];
        string[] seeds = [.. SplitPatterns.WellKnown];
        byte[] probe = Encoding.UTF8.GetBytes(Seeds.Probe + new string('a', 40) + "!" + string.Concat(Enumerable.Repeat("aé ", 20)));
        var (read, refused) = FuzzRun.Over("pattern", FuzzRun.Cases(4000), random =>
        {
            string text = random.Below(2) == 0 ? random.Of(seeds) : "";
            for (int times = 1 + random.Below(text.Length > 0 ? 3 : 9); times > 0; times--)
            {
                int at = random.Below(text.Length + 1);
                text = random.Below(4) == 0 ? text.Remove(at, Math.Min(text.Length - at, random.Below(6))) : text.Insert(at, random.Of(parts));
            }
            return Encoding.UTF8.GetBytes(text);
        }, bytes =>
        {
            var pattern = SplitPatterns.Compile(Encoding.UTF8.GetString(bytes), "damaged pattern");
            int from = 0;
            while (from <= probe.Length && pattern.TryMatch(probe, from, out int start, out int end))
            {
                Assert.True(start >= from && end >= start && end <= probe.Length, $"{start} to {end} from {from}");
                from = end > start ? end : end + 1;
            }
        });
        Assert.True(read > 0 && refused > 0, $"{read} read, {refused} refused");
    }

    [Fact]
    public void Nothing_and_noise_are_refused()
    {
        foreach (byte[] bytes in (byte[][])[[], [0], [0xFF], "{"u8.ToArray(), "{}"u8.ToArray(), "[]"u8.ToArray(), "null"u8.ToArray(), new byte[100_000], [.. Enumerable.Repeat((byte)'[', 100_000)], "\uFEFF{}"u8.ToArray()])
        {
            Assert.Throws<UserErrorException>(() => TokenizerJson.Parse(bytes, "noise.json"));
            Assert.Throws<UserErrorException>(() => SentencePieceTokenizer.Parse(bytes, "noise.model"));
            string path = Path.Combine(_folder, "noise.gguf");
            File.WriteAllBytes(path, bytes);
            Assert.Throws<UserErrorException>(() =>
            {
                using var file = GgufFile.Open(path);
                GgufVocabulary.Read(file);
            });
        }
    }
}
