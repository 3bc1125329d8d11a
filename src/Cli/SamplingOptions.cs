using System.CommandLine;
using OpenEuroLLM.Core;
using OpenEuroLLM.Inference;

namespace OpenEuroLLM.Cli;

/// <summary>The options that <c>generate</c> and <c>chat</c> share. Their ranges are checked by the engine's table of limits.</summary>
internal sealed class SamplingOptions
{
    private readonly Option<double?> _temperature = new("--temperature") { Description = "Divides the logits; 0 always takes the most likely token. Default: the model's.", HelpName = "T" };
    private readonly Option<int?> _topK = new("--top-k") { Description = "Keep the K most likely tokens; 0 keeps all. Default: the model's.", HelpName = "K" };
    private readonly Option<double?> _topP = new("--top-p") { Description = "Keep the most likely tokens that reach this sum of probabilities. Default: the model's.", HelpName = "P" };
    private readonly Option<double?> _repetitionPenalty = new("--repetition-penalty") { Description = "Above 1 makes tokens that were there already less likely. Default: the model's.", HelpName = "R" };
    private readonly Option<double?> _minP = new("--min-p") { Description = "Keep tokens at least this share as likely as the most likely one. Default: the model's.", HelpName = "P" };
    private readonly Option<double?> _typicalP = new("--typical-p") { Description = "Keep the tokens nearest to the expected surprise that reach this sum of probabilities. Default: the model's.", HelpName = "P" };
    private readonly Option<double> _presencePenalty = new("--presence-penalty") { Description = "Above 0 makes tokens that the answer has already less likely.", HelpName = "F" };
    private readonly Option<double> _frequencyPenalty = new("--frequency-penalty") { Description = "The same, as often as the answer has them.", HelpName = "F" };
    private readonly Option<ulong> _seed = new("--seed") { Description = "Seed of the random draws; the same seed gives the same text.", HelpName = "N" };

    /// <summary>Most tokens of an answer.</summary>
    public Option<int?> MaxTokens { get; } = new("--max-tokens") { Description = "Most tokens to generate. Default: until the context is full.", HelpName = "N" };

    /// <summary>Threads that compute.</summary>
    public Option<int?> Threads { get; } = ThreadsOption();

    /// <summary>The option <c>--model</c>.</summary>
    public static Option<string?> Model() => new("--model") { Description = "A model folder or a .gguf file, or the NAME of a fetched model. Default: the built-in model.", HelpName = "PATH" };

    /// <summary>The option <c>--adapter</c>.</summary>
    public static Option<string[]> Adapter() => new("--adapter")
    {
        Description = "A LoRA adapter folder that is merged into the model; several are summed.",
        HelpName = "DIR",
        DefaultValueFactory = _ => [],
    };

    /// <summary>The option <c>--threads</c>.</summary>
    public static Option<int?> ThreadsOption() =>
        new("--threads") { Description = "Threads that compute; their number changes no result. Default: one per processor.", HelpName = "N" };

    /// <summary>Loads the model that the options name; what a user should know of it goes to the error output.</summary>
    public static InferenceEngine Load(ParseResult parsed, Option<string?> model, Option<string[]> adapter, Option<int?> threads)
    {
        var engine = InferenceEngine.Load(ModelPath.Resolve(parsed.GetValue(model)), RunCommand.ThreadCount(parsed.GetValue(threads)), adapters: parsed.GetValue(adapter));
        foreach (string note in engine.Notes) parsed.InvocationConfiguration.Error.WriteLine($"note: {note}");
        return engine;
    }

    /// <summary>A refused request in the words of the command line: <c>--max-tokens</c>, not <c>max_tokens</c>.</summary>
    public static UserErrorException Explain(RequestException exception)
    {
        string message = exception.Message;
        foreach (string field in (ReadOnlySpan<string>)["max_tokens", "top_k", "top_p", "min_p", "typical_p", "repetition_penalty", "presence_penalty", "frequency_penalty"])
            message = message.Replace(field, $"--{field.Replace('_', '-')}", StringComparison.Ordinal);
        message = message.Replace("speculation.tokens", "--speculate", StringComparison.Ordinal);
        if (exception.Field == "logprobs") message = message.Replace("logprobs", "--logprobs", StringComparison.Ordinal);
        return new UserErrorException(message, exception);
    }

    public void AddTo(Command command)
    {
        foreach (Option option in (ReadOnlySpan<Option>)
                 [MaxTokens, _temperature, _topK, _topP, _minP, _typicalP, _repetitionPenalty, _presencePenalty, _frequencyPenalty, _seed, Threads])
            command.Add(option);
    }

    /// <summary>What was asked for; the model's defaults elsewhere.</summary>
    public Sampling Read(ParseResult parsed, Sampling otherwise) => new(
        parsed.GetValue(_temperature) ?? otherwise.Temperature,
        parsed.GetValue(_topK) ?? otherwise.TopK,
        parsed.GetValue(_topP) ?? otherwise.TopP,
        parsed.GetValue(_repetitionPenalty) ?? otherwise.RepetitionPenalty,
        parsed.GetValue(_seed),
        parsed.GetValue(_minP) ?? otherwise.MinP,
        parsed.GetValue(_typicalP) ?? otherwise.TypicalP,
        parsed.GetValue(_presencePenalty),
        parsed.GetValue(_frequencyPenalty));
}
