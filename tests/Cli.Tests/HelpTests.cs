using System.CommandLine;
using System.Reflection;
using System.Text.RegularExpressions;

namespace OpenEuroLLM.Cli.Tests;

/// <summary>What holds for every command.</summary>
public sealed partial class HelpTests
{
    public static TheoryData<string> Everything => [.. Paths(Program.Root(), "")];

    private static IEnumerable<string> Paths(Command command, string before) =>
        command.Subcommands.SelectMany(sub => Paths(sub, $"{before} {sub.Name}".Trim()).Prepend($"{before} {sub.Name}".Trim()));

    [Theory]
    [MemberData(nameof(Everything))]
    public void Help_shows_an_example_that_the_command_line_understands(string command)
    {
        string help = Oellm.Succeeds([.. command.Split(' '), "--help"]).Output.ReplaceLineEndings("\n");
        var example = Example().Match(help);
        Assert.True(example.Success, $"'oellm {command} --help' has no line 'Example: oellm {command} ...'.");
        string line = Assert.Single(example.Groups["line"].Value.Split(" > ")[0].Split(" | "), part => part.StartsWith($"oellm {command}", StringComparison.Ordinal));
        var parsed = Program.Root().Parse(line["oellm ".Length..]);
        Assert.Empty(parsed.Errors);
        Assert.Empty(parsed.UnmatchedTokens);
    }

    [Fact]
    public void Every_command_has_a_class_of_tests()
    {
        var classes = typeof(HelpTests).Assembly.GetTypes().Where(type => type.GetMethods().Any(method => method.GetCustomAttribute<FactAttribute>() is not null)).Select(type => type.Name).ToHashSet();
        Assert.Equal([], Program.Commands.Select(create => create().Name).Where(name => !classes.Contains($"{char.ToUpperInvariant(name[0])}{name[1..]}CommandTests")));
    }

    [Fact]
    public void Every_option_and_argument_says_what_it_is() =>
        Assert.Equal([], Everything.Select(row => row.Data).SelectMany(path =>
        {
            var command = Program.Root().Parse($"{path} --help").CommandResult.Command;
            return command.Options.Cast<Symbol>().Concat(command.Arguments).Where(symbol => string.IsNullOrWhiteSpace(symbol.Description)).Select(symbol => $"{path}: {symbol.Name}");
        }));

    [Fact]
    public void The_commands_are_listed() =>
        Assert.All(Program.Commands, create => Assert.Contains($"  {create().Name} ", Oellm.Succeeds("--help").Output, StringComparison.Ordinal));

    [Theory]
    [InlineData("", "'oellm' needs a command", "'oellm --help' shows the commands.")]
    [InlineData("generat --prompt x", "command 'generat' of 'oellm' is unknown; did you mean 'generate'?", "'oellm --help' shows the commands.")]
    [InlineData("xyz", "command 'xyz' of 'oellm' is unknown; known: quickstart, run, ", "--help")]
    [InlineData("corpus", "'oellm corpus' needs a command", "--help")]
    [InlineData("corpus bild", "command 'bild' of 'oellm corpus' is unknown; did you mean 'build'?", "'oellm corpus --help' shows the commands.")]
    [InlineData("generate --promt x", "option '--promt' of 'oellm generate' is unknown; did you mean '--prompt'?", "'oellm generate --help' shows the options and an example.")]
    [InlineData("generate", "--prompt", "is required", "'oellm generate --help'")]
    [InlineData("languages all", "argument 'all' of 'oellm languages' is unknown; expected nothing more.", "'oellm languages --help'")]
    [InlineData("quickstart --bogus", "'--bogus'")]
    [InlineData("generate --prompt x --threads abc", "--threads is 'abc'; expected a whole number up to 2147483647.", "--help")]
    [InlineData("generate --prompt x --max-tokens 99999999999", "--max-tokens is '99999999999'; expected a whole number up to 2147483647.", "--help")]
    [InlineData("generate --prompt x --temperature warm", "--temperature is 'warm'; expected a number.", "--help")]
    [InlineData("generate --prompt x --seed -1", "--seed is '-1'; expected a whole number from 0.", "--help")]
    public void A_command_line_that_is_not_understood_is_one_line_with_where_help_is(string arguments, params string[] words) =>
        Assert.Single(Oellm.Refuses(arguments.Split(' ', StringSplitOptions.RemoveEmptyEntries), words).Split('\n'));

    [GeneratedRegex(@"Example: (?<line>oellm [^\n]*)")]
    private static partial Regex Example();
}
