using OpenEuroLLM.Core;
using OpenEuroLLM.Formats;

namespace OpenEuroLLM.Tokenizers.Tests;

public sealed class GgufVocabularyTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("oellm-vocabulary-").FullName;

    private string Model => Path.Combine(folder, "model.gguf");

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Theory, InlineData(263), InlineData(600), InlineData(70_000)]
    public void A_made_up_vocabulary_encodes_any_text_and_is_read_back(int size)
    {
        var tokenizer = MadeUpVocabulary.Create(size);
        Assert.Equal(size, tokenizer.VocabularySize);
        Assert.Equal(size, Enumerable.Range(0, size).Select(tokenizer.TokenBytes).Distinct(Bytes.Instance).Count());
        Write(tokenizer, size);
        using var file = GgufFile.Open(Model);
        var read = GgufVocabulary.Read(file);
        foreach (var text in new[] { "", "Příliš žluťoučký kůň", "Ünïcödé 🙂\n\tend", "<|begin_of_text|>" })
        {
            Assert.Equal(text, tokenizer.Decode(tokenizer.Encode(text)));
            Assert.Equal(tokenizer.Encode(text), read.Encode(text));
            Assert.Equal(tokenizer.Encode(text, allowSpecial: true), read.Encode(text, allowSpecial: true));
        }
        Assert.Equal(tokenizer.Chat, read.Chat);
    }

    [Fact]
    public void Ids_without_a_token_are_filled()
    {
        Write(MadeUpVocabulary.Create(300), 310);
        using var file = GgufFile.Open(Model);
        Assert.Equal("[PAD305]", ((string[])file.Value("tokenizer.ggml.tokens")!.Content)[305]);
        Assert.Equal(5, ((int[])file.Value("tokenizer.ggml.token_type")!.Content)[305]);
        Assert.Equal(300, GgufVocabulary.Read(file).VocabularySize);
        Assert.Throws<UserErrorException>(() => GgufVocabulary.Describe(MadeUpVocabulary.Create(300), 299, null, [], null).ToList());
    }

    [Theory]
    [InlineData("model", "bert", "tokenizer.ggml.model is 'bert', which is not known here; expected 'gpt2', 'llama' or 't5'")]
    [InlineData("model", "llama", "tokenizer.ggml.scores is missing; expected an array")]
    [InlineData("pre", "unheard-of", "tokenizer.ggml.pre is 'unheard-of', which is not known here; expected llama-bpe")]
    [InlineData("tokens", "none", "tokenizer.ggml.tokens is 'none'; expected an array")]
    [InlineData("merges", "bad", "merge 0 is 'a zzz'; expected two tokens")]
    [InlineData("token_type", "short", "token_type has 1 items and tokens 300")]
    public void Another_kind_of_tokenizer_is_refused_by_name(string key, string value, string message)
    {
        Write(MadeUpVocabulary.Create(300), 300, ($"tokenizer.ggml.{key}", value switch { "bad" => new[] { "a zzz" }, "short" => new[] { 1 }, _ => value }));
        using var file = GgufFile.Open(Model);
        Assert.Contains(message, Assert.Throws<UserErrorException>(() => GgufVocabulary.Read(file)).Message, StringComparison.Ordinal);
    }

    [Theory, InlineData("bpe-bytes", "llama"), InlineData("unigram-nfkc", "t5")]
    public void A_SentencePiece_vocabulary_is_read_back(string name, string kind)
    {
        var tokenizer = SentencePieceTests.Load(name);
        WriteAll(GgufVocabulary.Describe(tokenizer, tokenizer.VocabularySize + 3, 1, [2], null));
        using var file = GgufFile.Open(Model);
        Assert.Equal(kind, file.Text("tokenizer.ggml.model"));
        var read = GgufVocabulary.Read(file);
        Assert.Equal(tokenizer.VocabularySize, read.VocabularySize);
        foreach (string text in Texts.All)
        {
            Assert.Equal(tokenizer.Encode(text), read.Encode(text));
            Assert.Equal(tokenizer.Decode(tokenizer.Encode(text)), read.Decode(tokenizer.Encode(text)));
        }
    }

    [Theory, InlineData("unigram-suffix", "has its spaces behind words"), InlineData("character", "has one piece a word or character"),
     InlineData("bpe-whole", "no byte fallback, and is pair encoding"), InlineData("unigram-bytes", "has byte fallback and is Unigram")]
    public void What_the_format_cannot_say_is_refused(string name, string message) =>
        Assert.Contains(message, Assert.Throws<UserErrorException>(() => GgufVocabulary.Describe(SentencePieceTests.Load(name), 5000, null, [], null).ToList()).Message, StringComparison.Ordinal);

    [Theory, InlineData("llama-bpe"), InlineData("gpt-2"), InlineData("qwen2"), InlineData("gpt-4o"), InlineData("tekken"), InlineData("smollm")]
    public void A_known_split_is_read_and_written_under_its_name(string name)
    {
        WriteAll(GgufVocabulary.Describe(MadeUpVocabulary.Create(300), 300, null, [], null).Select(entry => entry.Key.EndsWith(".pre", StringComparison.Ordinal) ? new(entry.Key, name) : entry));
        using var file = GgufFile.Open(Model);
        var read = GgufVocabulary.Read(file);
        Assert.Contains(GgufVocabulary.Describe(read, 300, null, [], null), entry => entry is { Key: "tokenizer.ggml.pre", Value: string written } && written == name);
    }

    private void WriteAll(IEnumerable<KeyValuePair<string, object>> metadata)
    {
        using var writer = new GgufWriter(Model);
        foreach (var (key, value) in metadata)
            writer.Add(key, value);
        writer.Finish();
    }

    private void Write(Tokenizer tokenizer, int size, (string Key, object Value)? other = null)
    {
        var chat = tokenizer.Chat;
        using var writer = new GgufWriter(Model);
        foreach (var (key, value) in GgufVocabulary.Describe(tokenizer, size, chat.BeginOfText, [chat.EndOfText, chat.EndOfTurn], chat.Padding))
            writer.Add(key, key == other?.Key ? other.Value.Value : value);
        writer.Finish();
    }

    private sealed class Bytes : IEqualityComparer<byte[]>
    {
        public static readonly Bytes Instance = new();

        public bool Equals(byte[]? left, byte[]? right) => left.AsSpan().SequenceEqual(right);

        public int GetHashCode(byte[] bytes)
        {
            var hash = new HashCode();
            hash.AddBytes(bytes);
            return hash.ToHashCode();
        }
    }
}
