using System.CommandLine;
using System.Text.Json.Nodes;
using OpenEuroLLM.Core;

namespace OpenEuroLLM.Cli.Tests;

/// <summary>The commands that look at what is there: languages, verify, card.</summary>
public sealed class InspectionCommandsTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("oellm-inspect-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static (int Code, string Output, string Error) Run(Command command, params string[] arguments)
    {
        using StringWriter output = new(), error = new();
        int code = command.Parse(arguments).Invoke(new InvocationConfiguration { Output = output, Error = error, EnableDefaultExceptionHandler = false });
        return (code, output.ToString(), error.ToString());
    }

    private string Made()
    {
        string path = Path.Combine(_folder, "out");
        using var output = AtomicDirectory.Create(path, "test", []);
        File.WriteAllText(Path.Combine(output.Path, "a.txt"), "text");
        output.Commit();
        return path;
    }

    [Fact]
    public void Languages_are_listed_one_a_line()
    {
        var (code, output, _) = Run(LanguagesCommand.Create());
        Assert.Equal(0, code);
        Assert.Equal(1 + 37, output.TrimEnd().Split('\n').Length);
        Assert.Contains("sr    srp    candidate    sr-Cyrl sr-Latn", output);
    }

    [Fact]
    public void Languages_are_listed_for_machines_too()
    {
        var rows = Run(LanguagesCommand.Create(), "--json").Output.TrimEnd().Split('\n').Select(line => JsonNode.Parse(line)!).ToList();
        Assert.Equal(37, rows.Count);
        Assert.Equal(24, rows.Count(row => (string)row["status"]! == "official" && (bool)row["sample"]!));
        Assert.Contains(rows, row => (string)row["code"]! == "ka" && (string)row["nativeName"]! == "ქართული" && !(bool)row["sample"]!);
    }

    [Fact]
    public void Verify_says_what_it_checked()
    {
        var (code, output, error) = Run(VerifyCommand.Create(), Made());
        Assert.Equal((0, ""), (code, error));
        Assert.Contains("everything matches; files 3, folders 1, ", output);
    }

    [Fact]
    public void Verify_names_the_first_thing_that_does_not_match()
    {
        string path = Made();
        File.WriteAllText(Path.Combine(path, "a.txt"), "test");
        Assert.Equal((2, "", $"oellm: {path}: does not match. a.txt: changed; its hash is not the one in the manifest.\n"), Run(VerifyCommand.Create(), path));
        var (code, output, _) = Run(VerifyCommand.Create(), path, "--json");
        Assert.Equal(2, code);
        Assert.False((bool)JsonNode.Parse(output)!["matches"]!);
        Assert.StartsWith("a.txt: changed", (string)JsonNode.Parse(output)!["problem"]!);
    }

    [Fact]
    public void Folders_that_are_none_of_ours_are_user_errors()
    {
        Assert.Throws<UserErrorException>(() => Run(VerifyCommand.Create(), _folder));
        Assert.Throws<UserErrorException>(() => Run(VerifyCommand.Create(), Path.Combine(_folder, "nowhere")));
        Assert.Throws<UserErrorException>(() => Run(CardCommand.Create(), _folder));
    }
}
