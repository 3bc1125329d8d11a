using OpenEuroLLM.Core;

namespace OpenEuroLLM.Tokenizers;

/// <summary>What a tokenizer is named by: a file, a folder, or the name of a tokenizer that lies beside the program.</summary>
public static class BuiltInTokenizer
{
    private const string FolderStart = "europa-tokenizer-";

    /// <summary>The names of the built-in tokenizers.</summary>
    public static IReadOnlyList<string> Names { get; } = ["europa-16k", "europa-64k"];

    /// <summary>The path to load: as given where there is such a file or folder, else the built-in tokenizer of that name.</summary>
    /// <param name="given">The path or name.</param>
    /// <param name="setting">The option or setting that says it, for the error message.</param>
    /// <exception cref="UserErrorException">There is neither.</exception>
    public static string Resolve(string given, string setting = "--tokenizer")
    {
        ArgumentNullException.ThrowIfNull(given);
        if (File.Exists(given) || Directory.Exists(given))
            return given;
        if (given.IndexOfAny(['/', '\\', '.']) >= 0)
            return given;     // a path that is not there: whoever reads it says so
        string? name = Names.FirstOrDefault(name => given == name || given == FolderOf(name));
        string folder = Path.Combine(AppContext.BaseDirectory, "models", FolderOf(name ?? given));
        if (name is not null && Directory.Exists(folder))
            return folder;
        throw new UserErrorException(name is not null
            ? $"{setting} '{given}': this build has no built-in tokenizers ({folder} is absent); name a folder."
            : $"{setting} '{given}': there is no such file or folder, and no built-in tokenizer of this name{SuggestedName.Hint(given, [.. Names])}");
    }

    /// <summary>Loads it.</summary>
    /// <param name="given">The path or name.</param>
    /// <param name="setting">The option or setting that says it, for the error message.</param>
    /// <exception cref="UserErrorException">There is none, or it cannot be read.</exception>
    public static Tokenizer Load(string given, string setting = "--tokenizer") => Tokenizer.Load(Resolve(given, setting));

    private static string FolderOf(string name) => FolderStart + name[(name.LastIndexOf('-') + 1)..];
}
