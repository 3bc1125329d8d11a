using System.Text;
using OpenEuroLLM.Core;
using OpenEuroLLM.Formats;
using OpenEuroLLM.Tokenizers;

namespace OpenEuroLLM.Corpus.Tests;

public sealed class TokenizeStageTests : IDisposable
{
    private static readonly ILauncher One = new LocalLauncher(1), Three = new LocalLauncher(3);
    private readonly TemporaryFolder _folder = new();
    private readonly Tokenizer _tokenizer;

    public TokenizeStageTests()
    {
        CorpusStage.Run(new CorpusConfig(Languages: ["en", "mt"]), _folder["corpus"], One, cancellation: TestContext.Current.CancellationToken);
        _tokenizer = TokenizerStage.Run(
            Documents("train").Select(document => new TrainingText(Encoding.UTF8.GetBytes(document.Text), document.Lang)), new BpeTrainerConfig(512),
            _folder["tokenizer"], "", folder => folder.AddInputDirectory(_folder["corpus"]), One, cancellation: TestContext.Current.CancellationToken);
    }

    public void Dispose() => _folder.Dispose();

    private List<Document> Documents(string side) => [.. Directory.GetFiles(_folder["corpus/" + side]).Order(StringComparer.Ordinal)
        .SelectMany(file => File.ReadAllLines(file).Select(line => Document.Parse(Encoding.UTF8.GetBytes(line), file)))];

    private Manifest Tokenize(string name, ILauncher launcher) =>
        TokenizeStage.Run(_folder["corpus"], _folder["tokenizer"], _folder[name], launcher, cancellation: TestContext.Current.CancellationToken);

    private static List<int[]> Read(string prefix)
    {
        using TokenShard shard = TokenShard.Open(prefix);
        return [.. Enumerable.Range(0, shard.Documents).Select(document =>
        {
            int[] tokens = new int[shard.Length(document)];
            shard.Read(document, 0, tokens);
            return tokens;
        })];
    }

    [Fact]
    public void Texts_and_chats_are_written_as_a_model_sees_them()
    {
        Tokenize("tokens", Three);
        List<Document> documents = Documents("train");
        List<int[]> tokens = Read(_folder["tokens/train"]);
        Assert.Equal(documents.Count, tokens.Count);
        ChatTokens chat = _tokenizer.Chat;
        foreach ((Document document, int[] ids) in documents.Zip(tokens))
        {
            IEnumerable<int> expected = ChatMessages.Of(document.Metadata) is { } messages
                ? messages.SelectMany(message => (int[])[message.Role == "user" ? chat.User : chat.Assistant, .. _tokenizer.Encode(message.Content), chat.EndOfTurn])
                : _tokenizer.Encode(document.Text);
            Assert.Equal([chat.BeginOfText, .. expected, chat.EndOfText], ids);
        }
    }

    [Fact]
    public void Held_out_documents_lie_in_a_shard_of_their_language()
    {
        Manifest manifest = Tokenize("tokens", One);
        Assert.Equal(
            ["heldout-en.bin", "heldout-en.idx", "heldout-mt.bin", "heldout-mt.idx", "train.bin", "train.idx"], manifest.Outputs.Select(file => file.Path));
        foreach (string language in (string[])["en", "mt"])
            Assert.Equal(
                Documents("heldout").Where(document => document.Lang == language).Select(document => document.Text),
                Read(_folder["tokens/heldout-" + language]).Select(ids => _tokenizer.Decode(ids)));
    }

    [Fact]
    public void Tokens_are_counted_by_language_and_source()
    {
        Manifest manifest = Tokenize("tokens", Three);
        foreach (string language in (string[])["en", "mt"])
        {
            ManifestCount count = Assert.Single(manifest.Counts, count => count.Language == language && count.Reason == "train");
            List<Document> documents = [.. Documents("train").Where(document => document.Lang == language)];
            Assert.Equal(("tokenize", "oellm-sample", "Apache-2.0", documents.Count), (count.Step, count.Source, count.License, count.Documents));
            Assert.Equal(documents.Sum(document => Encoding.UTF8.GetByteCount(document.Text)), count.Bytes);
        }
        Assert.Equal(Read(_folder["tokens/train"]).Sum(ids => ids.Length), manifest.Counts.Where(count => count.Reason == "train").Sum(count => count.Tokens));
        Assert.Null(ManifestVerifier.Verify(_folder["tokens"]).Problem);
    }

    [Fact]
    public void One_and_three_workers_write_the_same_bytes_and_a_finished_folder_stays()
    {
        Tokenize("one", One);
        Manifest three = Tokenize("three", Three);
        Assert.Equal(TemporaryFolder.Contents(_folder["one"]), TemporaryFolder.Contents(_folder["three"]));
        Assert.Equal(three.Sha256(), Tokenize("three", One).Sha256());
    }

    [Fact]
    public void Another_corpus_needs_another_folder()
    {
        Tokenize("tokens", One);
        Directory.Delete(_folder["corpus"], recursive: true);
        CorpusStage.Run(new CorpusConfig(Languages: ["fi"]), _folder["corpus"], One, cancellation: TestContext.Current.CancellationToken);
        Assert.Contains("another corpus or tokenizer", Assert.Throws<UserErrorException>(() => Tokenize("tokens", One)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_folder_that_is_no_corpus_is_refused()
    {
        string Refused(string corpus) => Assert.Throws<UserErrorException>(() =>
            TokenizeStage.Run(corpus, _folder["tokenizer"], _folder["tokens"], One, cancellation: TestContext.Current.CancellationToken)).Message;
        Assert.Contains("manifest.json", Refused(_folder["nothing"]), StringComparison.Ordinal);
        Assert.Contains("expected a corpus folder", Refused(_folder["tokenizer"]), StringComparison.Ordinal);
    }

    [Fact]
    public void Control_tokens_in_a_text_are_text()
    {
        _folder.Write("texts/en.txt", "A text that says <|end_of_text|> and goes on.");
        CorpusStage.Run(new CorpusConfig(_folder["texts"], HeldOutShare: 0), _folder["hostile"], One, cancellation: TestContext.Current.CancellationToken);
        TokenizeStage.Run(_folder["hostile"], _folder["tokenizer"], _folder["tokens"], One, cancellation: TestContext.Current.CancellationToken);
        int[] ids = Assert.Single(Read(_folder["tokens/train"]));
        Assert.Equal(1, ids.Count(id => id == _tokenizer.Chat.EndOfText));
        Assert.Equal("A text that says <|end_of_text|> and goes on.", _tokenizer.Decode(ids));
    }
}
