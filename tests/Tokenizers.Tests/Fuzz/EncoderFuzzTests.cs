using System.Text;

namespace OpenEuroLLM.Tokenizers.Tests.Fuzz;

/// <summary>Any text through tokenizers of every kind: nothing is lost where bytes are kept, places lie in order inside the text, and decoding in pieces is decoding at once.</summary>
public sealed class EncoderFuzzTests
{
    // What random text is made of: characters that some step treats in its own way.
    private static readonly string[] Pieces =
    [
        "a", "Z", "é", "e\u0301", "ß", "İ", "ǅ", "Ω", "я", "ქ", "中", "한", "ﬁ", "🙂", "👩‍👩‍👧", "🇪🇺", "\U0010FFFF", "\uFFFD", "\uFEFF", "\u200B", "\u00AD", " ", "  ", "\t", "\n", "\r\n", "\r", "\u00A0", "\u3000", "\u2028",
        "'s", "’s", "'LL", "0", "12", "½", "Ⅷ", ".", "…", "--", "_", "▁", "Ġ", "##", "<s>", "<|user|>", "</s>", "<unk>", "[CLS]", "<0x41>", "ab", "the ", " und", "http://x.eu/", "\0", "\u0301", "\u0903",
    ];

    private static byte[] RandomText(FuzzRandom random)
    {
        var bytes = new List<byte>();
        bool broken = random.Below(2) == 0;
        for (int length = random.Below(40); length > 0; length--)
        {
            if (broken && random.Below(5) == 0)
                bytes.Add(random.Byte());
            else if (random.Below(6) == 0)
                bytes.AddRange(Encoding.UTF8.GetBytes(new Rune(random.Below(2) == 0 ? random.Below(0xD800) : 0xE000 + random.Below(0x102000)).ToString()));
            else if (random.Below(25) == 0)
                bytes.AddRange(Enumerable.Repeat(Encoding.UTF8.GetBytes(random.Of(Pieces)), random.Below(200)).SelectMany(piece => piece));
            else
                bytes.AddRange(Encoding.UTF8.GetBytes(random.Of(Pieces)));
        }
        return [.. bytes];
    }

    private static void Check(Tokenizer tokenizer, byte[] text, bool keepsBytes)
    {
        foreach (bool special in (bool[])[false, true])
        {
            var ids = new List<int>();
            tokenizer.Encode(text, ids, special);
            var placed = new List<EncodedToken>();
            tokenizer.EncodeWithOffsets(text, placed, special);
            Assert.Equal(ids, placed.Select(token => token.Id));
            int before = 0;
            foreach (var token in placed)
            {
                Assert.True((token.Start >= before || !keepsBytes) && token.Start <= token.End && token.End <= text.Length, $"{token} after {before} in {text.Length} bytes");
                before = token.Start;
            }
            if (keepsBytes)
                Assert.Equal(text, tokenizer.DecodeBytes([.. ids], skipSpecial: false));
            foreach (bool skip in (bool[])[false, true])
            {
                var stream = new StreamingDecoder(tokenizer, skip);
                Assert.Equal(tokenizer.Decode([.. ids], skip), string.Concat(ids.Select(stream.Push)) + stream.Flush());
            }
            // Elsewhere the token of what is unknown counts as a control token, and one step or another gives places that go back.
            if (keepsBytes && !special)
                Assert.DoesNotContain(ids, tokenizer.IsSpecial);
        }
    }

    [Fact]
    public void Byte_level_tokenizers_keep_any_bytes()
    {
        var golden = Seeds.Read("byte-level.json");
        var tokenizers = golden["patterns"]!.AsArray().Select(pattern => GoldenByteLevelTests.WithPattern((string)pattern!["regex"]!)).Append(Texts.Tokenizer).ToList();
        FuzzRun.Over("encode bytes", FuzzRun.Cases(1500), RandomText, text =>
        {
            foreach (var tokenizer in tokenizers)
                Check(tokenizer, text, keepsBytes: true);
        });
    }

    [Fact]
    public void Tokenizers_of_every_component_hold_their_promises()
    {
        // Components that reorder or drop what is decoded have no round trip; the golden files say what they give.
        var tokenizers = Seeds.Json.Select(seed => TokenizerJson.Parse(Seeds.Utf8(seed.Json), seed.Name)).Concat(Seeds.Models.Select(model => SentencePieceTokenizer.Parse(SentencePieceFormat.Write(model.File), model.Name))).ToList();
        // What a tokenizer allocates once, such as the cache of its words, is not counted with the first text.
        foreach (var tokenizer in tokenizers)
            Check(tokenizer, "probe"u8.ToArray(), keepsBytes: false);
        FuzzRun.Over("encode any", FuzzRun.Cases(60), RandomText, text =>
        {
            foreach (var tokenizer in tokenizers)
                Check(tokenizer, text, keepsBytes: false);
        }, allowance: tokenizers.Count * (4L << 20));
    }

    [Fact]
    public void Random_ids_decode_in_pieces_as_at_once()
    {
        var tokenizers = Seeds.Json.Select(seed => TokenizerJson.Parse(Seeds.Utf8(seed.Json), seed.Name)).Concat(Seeds.Models.Select(model => SentencePieceTokenizer.Parse(SentencePieceFormat.Write(model.File), model.Name)))
            .Append(Texts.Tokenizer).ToList();
        FuzzRun.Over("decode", FuzzRun.Cases(40), random => [.. Enumerable.Range(0, 60).Select(_ => random.Byte())], numbers =>
        {
            foreach (var tokenizer in tokenizers)
            {
                int[] ids = [.. numbers.Select((number, i) => ((i * 251) + number) % tokenizer.VocabularySize).Where(id => Knows(tokenizer, id))];
                foreach (bool skip in (bool[])[false, true])
                {
                    var stream = new StreamingDecoder(tokenizer, skip);
                    Assert.Equal(tokenizer.Decode(ids, skip), string.Concat(ids.Select(stream.Push)) + stream.Flush());
                }
            }
        });

        static bool Knows(Tokenizer tokenizer, int id)
        {
            try
            {
                return tokenizer.TokenBytes(id) is not null;
            }
            catch (Core.UserErrorException)
            {
                return false;   // a hole in the vocabulary
            }
        }
    }
}
