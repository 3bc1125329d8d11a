namespace OpenEuroLLM.Chat.Tests;

/// <summary>The code that documents show is the sample that is built and run.</summary>
public sealed class DocumentTests
{
    [Theory, InlineData("README.md"), InlineData("docs/howto/use-from-dotnet.md")]
    public void A_document_shows_the_sample_as_it_is(string document)
    {
        var root = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(root, "OpenEuroLLM.slnx"))) root = Path.GetDirectoryName(root)!;
        var code = Lines(Path.Combine(root, "samples", "ChatSample", "Program.cs"));
        Assert.True(code.Count > 10);
        var shown = Lines(Path.Combine(root, document)).SkipWhile(line => line != "```csharp").Skip(1).TakeWhile(line => line != "```");
        Assert.Equal(code, shown);
    }

    private static List<string> Lines(string path) => [.. File.ReadAllText(path).Trim().Split('\n').Select(line => line.TrimEnd('\r'))];
}
