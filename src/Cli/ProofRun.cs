using System.Text.Json.Nodes;
using OpenEuroLLM.Core;

namespace OpenEuroLLM.Cli;

/// <summary>A proof under way: its working folder, its options, and how it runs the program.</summary>
internal sealed record ProofRun(string Name, string Folder, IReadOnlyList<string> Settings, ulong Seed, TextWriter Output, TextWriter Error, CancellationToken Cancellation)
{
    private const string RecipeName = "proof.jsonc";

    public int? Kills { get; init; }

    public long Tokens { get; init; }

    public long Documents { get; init; }

    public int Pairs { get; init; }

    public long? Bytes { get; init; }

    public IReadOnlyList<string> Input { get; init; } = [];

    public string? Only { get; init; }

    public string? Model { get; init; }

    public int? Count { get; init; }

    public int? Streams { get; init; }

    public double? Minutes { get; init; }

    /// <summary>The recipe that the program is run with.</summary>
    public string RecipePath => Path.Combine(Folder, RecipeName);

    /// <summary>Empties the working folder. Only one that an earlier proof made is emptied: a wrong --out must not cost anyone their files.</summary>
    public static void Clear(string folder)
    {
        if (File.Exists(folder)) throw new UserErrorException($"{folder}: is a file; expected a folder, choose another --out.");
        if (Directory.Exists(folder) && Directory.EnumerateFileSystemEntries(folder).Any())
        {
            if (!File.Exists(Path.Combine(folder, RecipeName)))
                throw new UserErrorException($"{folder}: holds files of something else; choose another --out.");
            Directory.Delete(folder, recursive: true);
        }
        Directory.CreateDirectory(folder);
    }

    /// <summary>Writes the recipe. A wrong setting is said here and not by a child.</summary>
    /// <param name="text">The recipe.</param>
    /// <param name="settings">Settings laid over it that are not the user's.</param>
    public Recipe WriteRecipe(string text, params IReadOnlyList<string> settings)
    {
        File.WriteAllText(RecipePath, text);
        return Recipe.Load(RecipePath, [.. settings, .. Settings]);
    }

    public void Say(string text) => Error.WriteLine(text);

    /// <summary>Starts the program.</summary>
    /// <param name="arguments">Its command line.</param>
    /// <param name="switchedOff">A variable of its environment that is set to 0.</param>
    public ProofChild Start(IReadOnlyList<string> arguments, string? switchedOff = null)
    {
        Cancellation.ThrowIfCancellationRequested();
        return ProofChild.Start(arguments, switchedOff);
    }

    /// <summary>Runs the program to its end; a run that fails is a failed proof.</summary>
    public void RunToEnd(string what, IReadOnlyList<string> arguments, string? switchedOff = null)
    {
        using ProofChild child = Start(arguments, switchedOff);
        child.Wait(Cancellation);
        if (child.ExitCode != OpenEuroLLM.Core.ExitCode.Success)
            throw new UserErrorException(FormattableString.Invariant($"{what} ended with exit code {child.ExitCode}: {child.LastWords}"));
    }

    /// <summary>Prints the result.</summary>
    public int Conclude(bool holds, JsonObject details)
    {
        details["proof"] = Name;
        details["holds"] = holds;
        Output.WriteLine(details.ToJsonString());
        return holds ? ExitCode.Success : ExitCode.Bug;
    }
}
