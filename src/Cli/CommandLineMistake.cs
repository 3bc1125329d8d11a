using System.CommandLine;
using System.Text.RegularExpressions;
using OpenEuroLLM.Core;

namespace OpenEuroLLM.Cli;

/// <summary>Turns what the command-line parser found into one line: what was found, what was expected, and where help is.</summary>
internal static partial class CommandLineMistake
{
    public static UserErrorException Of(ParseResult parsed)
    {
        var command = parsed.CommandResult.Command;
        string name = Name(parsed);
        string help = $"'{name} --help' shows {(command.Subcommands.Count > 0 ? "the commands" : "the options and an example")}.";
        if (parsed.UnmatchedTokens is [var unknown, ..]) return new UserErrorException($"{Unknown(unknown, command, name)} {help}");
        if (command.Subcommands.Count > 0) return new UserErrorException($"'{name}' needs a command; {help}");
        return new UserErrorException($"{string.Join(" ", parsed.Errors.Select(error => Words(error.Message)))} {help}");
    }

    private static string Unknown(string found, Command command, string name)
    {
        bool option = found.StartsWith('-');
        string[] known = option ? [.. command.Options.Select(each => each.Name)] : [.. command.Subcommands.Select(each => each.Name)];
        string near = SuggestedName.Closest(found, known) is string closest ? $"did you mean '{closest}'?" : known.Length > 0 ? $"known: {string.Join(", ", known)}." : "expected nothing more.";
        return $"{(option ? "option" : command.Subcommands.Count > 0 ? "command" : "argument")} '{found}' of '{name}' is unknown; {near}";
    }

    private static string Name(ParseResult parsed)
    {
        var names = new Stack<string>();
        for (System.CommandLine.Parsing.SymbolResult? at = parsed.CommandResult; at is System.CommandLine.Parsing.CommandResult inner; at = inner.Parent)
            names.Push(inner.Command is RootCommand ? "oellm" : inner.Command.Name);
        return string.Join(' ', names);
    }

    // The parser speaks of types of the platform.
    private static string Words(string message)
    {
        var match = WrongType().Match(message);
        if (!match.Success) return message.ReplaceLineEndings(" ");
        string type = match.Groups["type"].Value;
        string expected = type.Contains("Double", StringComparison.Ordinal) ? "a number"
            : type.Contains("UInt", StringComparison.Ordinal) ? "a whole number from 0"
            : type.Contains("Int32", StringComparison.Ordinal) ? $"a whole number up to {int.MaxValue}" : "a whole number";
        return $"{match.Groups["name"].Value} is '{match.Groups["found"].Value}'; expected {expected}.";
    }

    [GeneratedRegex("^Cannot parse argument '(?<found>.*)' for (option|command|argument) '(?<name>[^']*)' as expected type '(?<type>[^']*)'", RegexOptions.CultureInvariant | RegexOptions.Singleline)]
    private static partial Regex WrongType();
}
