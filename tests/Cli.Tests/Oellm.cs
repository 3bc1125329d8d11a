using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;

namespace OpenEuroLLM.Cli.Tests;

/// <summary>What a command left behind.</summary>
internal sealed record Outcome(int Code, string Output, string Error)
{
    /// <summary>The last line on error output: what a failed command says.</summary>
    public string Said => Error.TrimEnd('\n', '\r').Split('\n')[^1].TrimEnd('\r');
}

/// <summary>Runs the program: in memory, or as a process of its own where that is what is tested.</summary>
internal static class Oellm
{
    /// <summary>Long enough for any test on a busy machine; a hanging child must not hang the tests.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    public static Outcome Run(params string[] arguments)
    {
        using StringWriter output = new() { NewLine = "\n" }, error = new() { NewLine = "\n" };
        int code = Program.RunAsync(arguments, output, error, TestContext.Current.CancellationToken).GetAwaiter().GetResult();
        return new Outcome(code, output.ToString(), error.ToString());
    }

    public static Outcome Succeeds(params string[] arguments)
    {
        var outcome = Run(arguments);
        Assert.True(outcome.Code == 0, $"exit code {outcome.Code}: {outcome.Error}");
        return outcome;
    }

    /// <summary>A mistake of the user: exit code 2, no output, one line that says what, and no stack trace.</summary>
    public static string Refuses(IReadOnlyList<string> arguments, params ReadOnlySpan<string> words) => Refused(Run([.. arguments]), words);

    public static string Refused(Outcome outcome, params ReadOnlySpan<string> words)
    {
        Assert.True(outcome.Code == 2, $"exit code {outcome.Code}: {outcome.Error}");
        Assert.Equal("", outcome.Output);
        Assert.StartsWith("oellm: ", outcome.Said);
        Assert.Single(outcome.Error.Split('\n'), line => line.Contains("oellm: ", StringComparison.Ordinal));
        Assert.DoesNotContain("   at ", outcome.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("Exception", outcome.Error, StringComparison.Ordinal);
        foreach (string word in words) Assert.Contains(word, outcome.Said, StringComparison.Ordinal);
        return outcome.Said;
    }

    /// <summary>Runs a process of its own.</summary>
    /// <param name="arguments">The command line.</param>
    /// <param name="input">What it reads from standard input.</param>
    /// <param name="killAt">The process is killed when it says a line that begins so.</param>
    /// <param name="variable">An environment variable that is set to 0.</param>
    public static Outcome Process(IReadOnlyList<string> arguments, string input = "", string? killAt = null, string? variable = null)
    {
        var start = new ProcessStartInfo(Host)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardOutputEncoding = Encoding.UTF8,
            StandardErrorEncoding = Encoding.UTF8,
        };
        start.ArgumentList.Add(Path.Combine(AppContext.BaseDirectory, "oellm.dll"));
        foreach (string argument in arguments) start.ArgumentList.Add(argument);
        if (variable is not null) start.Environment[variable] = "0";
        using var process = new Process { StartInfo = start };
        StringBuilder output = new(), error = new();
        process.OutputDataReceived += (_, line) => Add(output, line.Data);
        process.ErrorDataReceived += (_, line) =>
        {
            Add(error, line.Data);
            if (killAt is not null && line.Data?.StartsWith(killAt, StringComparison.Ordinal) == true) process.Kill();
        };
        Assert.True(process.Start());
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        process.StandardInput.Write(input);
        process.StandardInput.Close();
        if (!process.WaitForExit(Patience))
        {
            process.Kill(entireProcessTree: true);
            Assert.Fail($"'oellm {string.Join(' ', arguments)}' did not end within {Patience}.");
        }
        process.WaitForExit(); // the readers are done as well
        return new Outcome(process.ExitCode, output.ToString(), error.ToString());
    }

    // The runtime this test runs on: an installation of its own need not be on the path.
    internal static string Host => Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", "..", OperatingSystem.IsWindows() ? "dotnet.exe" : "dotnet"));

    private static void Add(StringBuilder text, string? line)
    {
        if (line is not null) text.Append(line).Append('\n');
    }
}
