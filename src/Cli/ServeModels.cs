using System.CommandLine;
using OpenEuroLLM.Core;
using OpenEuroLLM.Inference;

namespace OpenEuroLLM.Cli;

/// <summary>The options of <c>oellm serve</c> that say which models are offered, and how much memory they may take.</summary>
internal sealed class ServeModels
{
    private const int LongestName = 128;

    private readonly Option<string[]> model = new("--model")
    {
        Description = "A model folder or a .gguf file, or the NAME of a fetched model; =NAME behind it says what requests call it. May be repeated: a model is loaded when a request " +
            "names it first, the first one at the start. Default: the built-in model.",
        HelpName = "PATH[=NAME]",
        DefaultValueFactory = _ => [],
    };

    private readonly Option<string[]> adapter = SamplingOptions.Adapter();
    private readonly Option<int?> threads = SamplingOptions.ThreadsOption();

    private readonly Option<string?> memory = new("--memory")
    {
        Description = "Memory that all loaded models may take together, with their caches; where it is short, the model that was unused longest is unloaded. Default: nine tenths of what is free.",
        HelpName = "SIZE",
    };

    private readonly Option<int?> cacheTokens = new("--cache-tokens") { Description = "Tokens of all answers together that a model's cache holds: more answers at once, more memory. Default: eight full contexts, at least 16384.", HelpName = "N" };

    private readonly Option<string?> idleUnload = new("--idle-unload") { Description = "Unloads a model that nobody used for so long, such as 10m. Default: never.", HelpName = "TIME" };

    private readonly Option<bool> lazy = new("--lazy") { Description = "Loads no model before a request names it." };

    /// <summary>Adds the options to the command.</summary>
    public void AddTo(Command command)
    {
        foreach (Option option in new Option[] { model, adapter, threads, memory, cacheTokens, idleUnload, lazy }) command.Add(option);
    }

    /// <summary>What the user chose.</summary>
    /// <exception cref="UserErrorException">A path holds no model, or an option is malformed.</exception>
    public (IReadOnlyList<OfferedModel> Models, CatalogueOptions Options, bool Lazy) Of(ParseResult parsed)
    {
        string[] given = parsed.GetValue(model)!, adapters = parsed.GetValue(adapter)!;
        if (given.Length > 1 && adapters.Length > 0)
            throw new UserErrorException("--adapter belongs to one model, but several were given with --model; merge it with 'oellm convert --adapter' first, or serve that model alone.");
        if (parsed.GetValue(cacheTokens) < 1) throw new UserErrorException(FormattableString.Invariant($"--cache-tokens is {parsed.GetValue(cacheTokens)}; expected 1 or more."));
        IReadOnlyList<OfferedModel> models = given.Length == 0 ? [new OfferedModel(ModelPath.Resolve(null), null, adapters)] : [.. given.Select(text => Read(text, adapters))];
        return (models, new CatalogueOptions(
            parsed.GetValue(memory) is { } size ? ByteSize.Parse(size, "--memory") : null,
            parsed.GetValue(idleUnload) is { } time ? Duration.Parse(time, "--idle-unload") : null,
            RunCommand.ThreadCount(parsed.GetValue(threads)), new EngineLimits(CacheTokens: parsed.GetValue(cacheTokens))), parsed.GetValue(lazy));
    }

    // What lies there under the whole text is meant, so that paths with an equals sign need no name.
    private static OfferedModel Read(string text, string[] adapters)
    {
        int equals = text.LastIndexOf('=');
        if (equals < 0 || Directory.Exists(text) || File.Exists(text)) return new OfferedModel(ModelPath.Resolve(text), null, adapters);
        string name = text[(equals + 1)..];
        if (name.Length is 0 or > LongestName || name.Any(letter => !char.IsAsciiLetterOrDigit(letter) && letter is not ('-' or '_' or '.' or '/' or ':')))
            throw new UserErrorException($"--model is '{text}': the name behind '=' is '{name}'; expected 1 to {LongestName} of the letters a-z, A-Z, digits, '-', '_', '.', '/' and ':'.");
        return new OfferedModel(ModelPath.Resolve(text[..equals]), name, adapters);
    }
}
