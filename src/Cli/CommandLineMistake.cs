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
        if (command.Subcommands.Count > 0 && !parsed.Errors.Any(error => WrongType().IsMatch(error.Message))) return new UserErrorException($"'{name}' needs a command; {help}");
        return new UserErrorException($"{string.Join(" ", parsed.Errors.Select(error => Words(error.Message)))} {help}");
    }

    /// <summary>Refuses what the parser takes for something else than was meant: a comma in a number, which it passes over, empty names of files, and misspelt
    /// options where files are expected.</summary>
    public static void RefuseMisread(ParseResult parsed)
    {
        foreach (var option in parsed.CommandResult.Children.OfType<System.CommandLine.Parsing.OptionResult>())
        {
            foreach (string value in option.Tokens.Select(token => token.Value))
            {
                if ((option.Option.ValueType == typeof(double) || option.Option.ValueType == typeof(double?)) && value.Contains(','))
                    throw new UserErrorException($"{option.Option.Name} is '{value}'; expected a number with a point, such as 0.5.");
                if (value.Length == 0 && option.Option.HelpName is ("PATH" or "FILE" or "DIR" or "FOLDER" or "GLOB"))
                    throw new UserErrorException($"{option.Option.Name} is empty; expected a path. Was a variable not set?");
            }
        }
        foreach (var argument in parsed.CommandResult.Children.OfType<System.CommandLine.Parsing.ArgumentResult>())
        {
            foreach (string value in argument.Tokens.Select(token => token.Value))
            {
                if (value.Length == 0) throw new UserErrorException($"argument '{argument.Argument.Name}' is empty; expected a value. Was a variable not set?");
                // A command that takes files takes a misspelt option for one of them.
                if (!value.StartsWith("--", StringComparison.Ordinal) || File.Exists(value) || Directory.Exists(value)) continue;
                string name = Name(parsed);
                throw new UserErrorException($"{Unknown(value.Split('=')[0], parsed.CommandResult.Command, name)} '{name} --help' shows the options and an example.");
            }
        }
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
