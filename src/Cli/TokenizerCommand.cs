using System.CommandLine;
using OpenEuroLLM.Tokenizers;

namespace OpenEuroLLM.Cli;

/// <summary><c>oellm tokenizer</c>: trains a tokenizer, turns text into ids and back, and measures tokenizers by language.</summary>
internal static class TokenizerCommand
{
    public static Command Create() => new("tokenizer", "Trains a tokenizer, turns text into token ids and back, and measures tokenizers language by language.\n" +
        "Example: oellm tokenizer train --input 'texts/*.jsonl' --vocabulary-size 16384 --out tokenizer")
    {
        TokenizerTrain.Create(), TokenizerText.CreateEncode(), TokenizerText.CreateDecode(), TokenizerReport.Create(),
    };

    public static Option<bool> Json() => new("--json") { Description = "One JSON object a line on standard output." };

    public static Option<string> TokenizerPath() => new("--tokenizer") { Description = $"A tokenizer.json, the folder that holds it, or a built-in one: {string.Join(", ", BuiltInTokenizer.Names)}.", HelpName = "PATH", Required = true };

    public static Argument<string?> FileArgument() => new("file") { Description = "The lines; standard input when left out.", HelpName = "FILE", Arity = ArgumentArity.ZeroOrOne };
}
