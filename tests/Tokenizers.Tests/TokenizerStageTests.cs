using OpenEuroLLM.Core;

namespace OpenEuroLLM.Tokenizers.Tests;

public sealed class TokenizerStageTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("oellm-tokenizer-stage-");

    private string Target => Path.Combine(_folder.FullName, "tokenizer");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public void Leaves_a_verified_folder_that_loads()
    {
        string input = Path.Combine(_folder.FullName, "texts.txt");
        File.WriteAllText(input, Texts.Code);
        var trained = TokenizerStage.Run(
            Texts.Training, new BpeTrainerConfig(600, MinimumPairCount: 1), Target, "{{ messages }}", folder => folder.AddInputFile(input, "texts.txt"), new LocalLauncher(2),
            cancellation: TestContext.Current.CancellationToken);
        var loaded = Tokenizer.Load(Target);
        Assert.Equal(600, loaded.VocabularySize);
        Assert.Equal(trained.Encode(Texts.Symbols), loaded.Encode(Texts.Symbols));
        Assert.Equal("{{ messages }}", File.ReadAllText(Path.Combine(Target, "chat_template.jinja")));
        var manifest = Manifest.Read(PhysicalFileSystem.Instance, Target);
        Assert.Equal("tokenizer", manifest.Stage);
        Assert.Equal(["chat_template.jinja", "tokenizer.json", "tokenizer_config.json"], manifest.Outputs.Select(output => output.Path));
        Assert.Equal("texts.txt", Assert.Single(manifest.Inputs).Path);
        Assert.Equal(26, manifest.Counts.Count);
        Assert.Equal(Texts.Training.Sum(text => (long)text.Utf8.Length), manifest.Counts.Sum(count => count.Bytes));
        Assert.Equal(600, (int)manifest.Settings["vocabularySize"]!);
    }

    [Fact]
    public void Without_text_nothing_is_left()
    {
        Assert.Throws<UserErrorException>(() => TokenizerStage.Run([], new BpeTrainerConfig(600), Target, "", _ => { }, new LocalLauncher(1), cancellation: TestContext.Current.CancellationToken));
        Assert.Empty(_folder.EnumerateFileSystemInfos());
    }
}
