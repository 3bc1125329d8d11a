using System.CommandLine;
using OpenEuroLLM.Core;
using OpenEuroLLM.Models;

namespace OpenEuroLLM.Cli;

/// <summary>The architecture and the sizes of a model of random weights, as options.</summary>
internal static class FamilyOptions
{
    /// <summary>Which architecture.</summary>
    public static Option<string> Family() => new("--family")
    {
        Description = $"Architecture: {string.Join(", ", ModelFamily.AllKinds)}; all but the sizes is as in its published models.",
        HelpName = "NAME",
        DefaultValueFactory = _ => "llama",
    };

    /// <summary>A model of these sizes.</summary>
    /// <exception cref="UserErrorException">The architecture is unknown, or does not come in these sizes.</exception>
    public static ModelConfig Sized(string kind, int layers, int width, int heads, int? keyValueHeads, int? dimension, int hidden, int vocabulary, string contextName, int context, bool? tied)
    {
        var family = ModelFamily.OfKind(kind) ?? throw new UserErrorException(
            $"--family is {kind}; {(SuggestedName.Closest(kind, ModelFamily.AllKinds) is { } closest ? $"did you mean '{closest}'? " : "")}known: {string.Join(", ", ModelFamily.AllKinds)}.");
        BenchCommand.RequireRange("--width", width, 2, 1 << 20);
        BenchCommand.RequireRange("--layers", layers, 1, 4096);
        BenchCommand.RequireRange("--heads", heads, 1, 1 << 14);
        BenchCommand.RequireRange("--hidden", hidden, 1, 1 << 22);
        BenchCommand.RequireRange(contextName, context, 1, 1 << 24);
        if (dimension is { } numbers) BenchCommand.RequireRange("--head-dimension", numbers, 2, 512);
        else if (width % heads != 0 || width / heads % 2 != 0 || width / heads > 512)
            throw new UserErrorException(FormattableString.Invariant($"--heads is {heads}; expected a number that divides --width, {width}, into even heads of at most 512."));
        var shared = keyValueHeads ?? heads;
        BenchCommand.RequireRange("--key-value-heads", shared, 1, heads);
        if (heads % shared != 0) throw new UserErrorException(FormattableString.Invariant($"--key-value-heads is {shared}; expected a number that divides --heads, {heads}."));
        var sizes = new ModelSizes(layers, width, heads, shared, hidden, vocabulary, context) { HeadDimension = dimension ?? width / heads, TiedHead = tied };
        return family.Sized(kind, sizes, $"--family {kind}");
    }
}
