using System.Security.Cryptography;
using System.Text.Json.Nodes;

namespace OpenEuroLLM.Tokenizers.Tests;

public sealed class GoldenTests
{
    private static readonly JsonNode Golden = JsonNode.Parse(
        typeof(GoldenTests).Assembly.GetManifestResourceStream("token-ids.json") ?? throw new InvalidOperationException("token-ids.json is not embedded."))!;

    [Fact]
    public void Training_gives_the_golden_file() =>
        Assert.Equal((string?)Golden["tokenizerSha256"], Convert.ToHexStringLower(SHA256.HashData(TokenizerJson.Write(Texts.Tokenizer))));

    [Fact]
    public void Encoding_gives_the_ids_of_an_independent_implementation()
    {
        var texts = Golden["texts"]!.AsArray();
        Assert.Equal(Texts.All, texts.Select(text => (string?)text!["text"]));
        foreach (var text in texts)
            // That implementation has no way to leave special tokens unmatched.
            Assert.Equal(text!["ids"]!.AsArray().Select(id => (int)id!), Texts.Tokenizer.Encode((string)text["text"]!, allowSpecial: true));
    }
}
