using System.CommandLine;
using OpenEuroLLM.Core;

namespace OpenEuroLLM.Cli;

/// <summary>The executable <c>oellm</c>: the only place where parts are chosen and joined.</summary>
internal static class Program
{
    /// <summary>The commands, in the order of the way from text to served model.</summary>
    public static IReadOnlyList<Func<Command>> Commands { get; } =
    [
        QuickstartCommand.Create, RunCommand.Create, LanguagesCommand.Create, CorpusCommand.Create, TokenizerCommand.Create, TrainCommand.Create,
        EvaluateCommand.Create, GenerateCommand.Create, ChatCommand.Create, ServeCommand.Create, CardCommand.Create, VerifyCommand.Create, ProveCommand.Create,
    ];

    public static async Task<int> Main(string[] arguments)
    {
        Console.OutputEncoding = new System.Text.UTF8Encoding(encoderShouldEmitUTF8Identifier: false);
        return await RunAsync(arguments, Console.Out, Console.Error).ConfigureAwait(false);
    }

    /// <summary>Runs one command.</summary>
    /// <returns>An <see cref="ExitCode"/>.</returns>
    public static async Task<int> RunAsync(string[] arguments, TextWriter output, TextWriter error, CancellationToken cancellation = default)
    {
        var root = new RootCommand("OpenEuroLLM: raw text in, a served and documented European language model out.");
        foreach (var create in Commands) root.Add(create());
        var parsed = root.Parse(arguments);
        if (parsed.Errors.Count > 0)
        {
            foreach (var mistake in parsed.Errors) error.WriteLine($"oellm: {mistake.Message}");
            error.WriteLine("oellm: 'oellm --help' lists the commands; each has --help with an example.");
            return ExitCode.UserError;
        }
        try
        {
            var configuration = new InvocationConfiguration { Output = output, Error = error, EnableDefaultExceptionHandler = false };
            return await parsed.InvokeAsync(configuration, cancellation).ConfigureAwait(false);
        }
        catch (Exception exception) when (Unwrap(exception) is UserErrorException mistake)
        {
            error.WriteLine($"oellm: {mistake.Message}");
            return ExitCode.UserError;
        }
        catch (Exception exception) when (Unwrap(exception) is OperationCanceledException)
        {
            error.WriteLine("oellm: interrupted; the same command goes on where it stopped.");
            return ExitCode.Interrupted;
        }
        catch (Exception exception)
        {
            error.WriteLine($"oellm: this is a defect of the program, please report it with the lines below.\n{exception}");
            return ExitCode.Bug;
        }
    }

    private static Exception Unwrap(Exception exception) => exception is AggregateException { InnerExceptions.Count: 1 } one ? Unwrap(one.InnerExceptions[0]) : exception;
}
