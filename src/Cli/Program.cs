using System.CommandLine;
using OpenEuroLLM.Core;

namespace OpenEuroLLM.Cli;

/// <summary>The executable <c>oellm</c>: the only place where parts are chosen and joined.</summary>
internal static class Program
{
    /// <summary>The commands, in the order of the way from text to served model.</summary>
    public static IReadOnlyList<Func<Command>> Commands { get; } =
    [
        QuickstartCommand.Create, RunCommand.Create, LanguagesCommand.Create, IdentifyCommand.Create, CorpusCommand.Create, TokenizerCommand.Create, TrainCommand.Create,
        EvaluateCommand.Create, GenerateCommand.Create, EmbedCommand.Create, ChatCommand.Create, ServeCommand.Create, KeysCommand.Create, AuditCommand.Create, ConvertCommand.Create, FetchCommand.Create, InitCommand.Create, BenchCommand.Create, CardCommand.Create,
        VerifyCommand.Create, DoctorCommand.Create, ProveCommand.Create,
    ];

    public static async Task<int> Main(string[] arguments)
    {
        Console.OutputEncoding = new System.Text.UTF8Encoding(encoderShouldEmitUTF8Identifier: false);
        return await RunAsync(arguments, Console.Out, Console.Error).ConfigureAwait(false);
    }

    /// <summary>The whole command line.</summary>
    public static RootCommand Root()
    {
        var root = new RootCommand("OpenEuroLLM: raw text in, a served and documented European language model out.");
        root.Add(FetchCommand.Offline());
        foreach (var create in Commands) root.Add(create());
        return root;
    }

    /// <summary>Runs one command.</summary>
    /// <returns>An <see cref="ExitCode"/>.</returns>
    public static async Task<int> RunAsync(string[] arguments, TextWriter output, TextWriter error, CancellationToken cancellation = default)
    {
        bool resumes = false;
        try
        {
            var parsed = Root().Parse(arguments);
            resumes = parsed.CommandResult.Command is ResumableCommand;
            if (parsed.Errors.Count > 0) throw CommandLineMistake.Of(parsed);
            CommandLineMistake.RefuseMisread(parsed);
            var configuration = new InvocationConfiguration { Output = output, Error = error, EnableDefaultExceptionHandler = false };
            if (parsed.CommandResult.Command is ServingCommand) configuration.ProcessTerminationTimeout = null;
            return await parsed.InvokeAsync(configuration, cancellation).ConfigureAwait(false);
        }
        catch (Exception exception) when (Unwrap(exception) is UserErrorException mistake)
        {
            error.WriteLine($"oellm: {mistake.Message}");
            return ExitCode.UserError;
        }
        catch (Exception exception) when (Unwrap(exception) is OperationCanceledException)
        {
            error.WriteLine(resumes ? "oellm: interrupted; the same command goes on where it stopped." : "oellm: interrupted; nothing is left half-written.");
            return ExitCode.Interrupted;
        }
        catch (Exception exception) when (Unwrap(exception) is { } failure && StorageFailure.Is(failure))
        {
            error.WriteLine($"oellm: {StorageFailure.Explain(failure, Place(failure)).Message}");
            return ExitCode.UserError;
        }
        catch (Exception exception)
        {
            error.WriteLine($"oellm: this is a defect of the program, please report it with the lines below.\n{exception}");
            return ExitCode.Bug;
        }
    }

    /// <summary>Where storage failed: the path that the platform's message quotes, otherwise the stream that has none.</summary>
    private static string Place(Exception failure)
    {
        int start = failure.Message.IndexOf('\'', StringComparison.Ordinal), end = failure.Message.LastIndexOf('\'');
        return end > start + 1 ? failure.Message[(start + 1)..end] : "standard output";
    }

    private static Exception Unwrap(Exception exception) => exception is AggregateException { InnerExceptions.Count: 1 } one ? Unwrap(one.InnerExceptions[0]) : exception;
}
