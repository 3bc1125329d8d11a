using OpenEuroLLM.Core;
using OpenEuroLLM.Formats;

namespace OpenEuroLLM.Tokenizers.Tests;

/// <summary>What folders and files had before tokenizer.json.</summary>
public sealed class OlderFormsTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("oellm-older-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Theory, InlineData("bpe-bytes"), InlineData("unigram-nfkc"), InlineData("unigram-bytes")]
    public void A_folder_with_a_SentencePiece_model_alone_is_read(string name)
    {
        var expected = SentencePieceTests.Load(name);
        expected.Save(folder);
        foreach (string file in Directory.GetFiles(folder).Where(file => Path.GetFileName(file) != "tokenizer.model")) File.Delete(file);
        Assert.Equal(["tokenizer.model"], Directory.GetFiles(folder).Select(Path.GetFileName));
        var read = Tokenizer.Load(folder);
        Assert.Equal(expected.VocabularySize, read.VocabularySize);
        foreach (string text in Texts.All) Assert.Equal(expected.Encode(text), read.Encode(text));
    }

    [Theory, InlineData("<0x-1>"), InlineData("<0x+1>"), InlineData("<0x 1>"), InlineData("<0x1>"), InlineData("<0x100>"), InlineData("<0xG1>"), InlineData("<0x4２>"), InlineData("0x41"), InlineData("")]
    public void A_byte_token_that_is_no_byte_is_refused(string text)
    {
        var tokenizer = SentencePieceTests.Load("bpe-bytes");
        string path = Path.Combine(folder, "model.gguf");
        using (var writer = new GgufWriter(path))
        {
            foreach (var (key, value) in GgufVocabulary.Describe(tokenizer, tokenizer.VocabularySize, 1, [2], null))
                writer.Add(key, key == "tokenizer.ggml.tokens" ? ((IEnumerable<string>)value).Select(token => token == "<0x42>" ? text : token).ToArray() : value);
            writer.Finish();
        }
        using var file = GgufFile.Open(path);
        var error = Assert.Throws<UserErrorException>(() => GgufVocabulary.Read(file));
        Assert.StartsWith(path, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
    }
}
