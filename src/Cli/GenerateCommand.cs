using System.CommandLine;
using System.Text;
using System.Text.Json;
using OpenEuroLLM.Core;
using OpenEuroLLM.Inference;

namespace OpenEuroLLM.Cli;

/// <summary><c>oellm generate</c>: continues a text.</summary>
internal static class GenerateCommand
{
    public static Command Create()
    {
        var model = SamplingOptions.Model();
        var adapter = SamplingOptions.Adapter();
        var prompt = new Option<string>("--prompt") { Description = "The text to continue.", Required = true, HelpName = "TEXT" };
        var sampling = new SamplingOptions();
        var stop = new Option<string[]>("--stop")
        {
            Description = "Text that ends the continuation and is not part of it; may be given several times.",
            HelpName = "TEXT",
            DefaultValueFactory = _ => [],
        };
        var speculate = new Option<int?>("--speculate") { Description = "Tokens guessed ahead at most, where the text repeats something; faster there, and the same text. Default: none.", HelpName = "N" };
        var likelihoods = new Option<int?>("--logprobs") { Description = "With --json also each token, the logarithm of its probability, and the N likeliest tokens in its place.", HelpName = "N" };
        var json = new Option<bool>("--json") { Description = "Print one JSON object: text, finishReason, promptTokens, completionTokens." };
        var command = new Command("generate", "Continues a text and prints the continuation alone, as it comes.\n" +
            "Example: oellm generate --prompt \"The capital of Austria is\" --max-tokens 16 --temperature 0") { model, adapter, prompt, stop, speculate, likelihoods, json };
        sampling.AddTo(command);
        command.SetAction(async (parsed, cancellation) =>
        {
            using var engine = SamplingOptions.Load(parsed, model, adapter, sampling.Threads);
            bool asJson = parsed.GetValue(json);
            if (parsed.GetValue(likelihoods) is not null && !asJson) throw new UserErrorException("--logprobs: likelihoods are printed as JSON only; say --json too.");
            var request = new GenerationRequest(new GenerationInput.TextInput(parsed.GetValue(prompt)!),
                sampling.Read(parsed, engine.Info.DefaultSampling), parsed.GetValue(sampling.MaxTokens), parsed.GetValue(stop),
                Speculation: parsed.GetValue(speculate) is int ahead ? new Speculation(ahead) : null, Logprobs: parsed.GetValue(likelihoods));
            return await Run(engine, request, asJson, parsed.InvocationConfiguration.Output, cancellation).ConfigureAwait(false);
        });
        return command;
    }

    private static async Task<int> Run(
        InferenceEngine engine, GenerationRequest request, bool asJson, TextWriter output, CancellationToken cancellation)
    {
        var text = new StringBuilder();
        var tokens = new List<GenerationEvent.Token>();
        GenerationEvent.Finished? end = null;
        try
        {
            await foreach (var happened in engine.Generate(request, cancellation).ConfigureAwait(false))
            {
                switch (happened)
                {
                    case GenerationEvent.Text piece when asJson:
                        text.Append(piece.Value);
                        break;
                    case GenerationEvent.Text piece:
                        await output.WriteAsync(piece.Value).ConfigureAwait(false);
                        await output.FlushAsync(CancellationToken.None).ConfigureAwait(false);
                        break;
                    case GenerationEvent.Token token when request.Logprobs is not null:
                        tokens.Add(token);
                        break;
                    case GenerationEvent.Finished finished:
                        end = finished;
                        break;
                }
            }
        }
        catch (RequestException exception)
        {
            throw SamplingOptions.Explain(exception);
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            await output.WriteLineAsync().ConfigureAwait(false);
            return ExitCode.Interrupted;
        }

        await output.WriteLineAsync(asJson ? JsonLine.Of(writer =>
        {
            Write(writer, text.ToString(), end!);
            if (request.Logprobs is not null) WriteTokens(writer, tokens);
        }) : "").ConfigureAwait(false);
        return ExitCode.Success;
    }

    private static void WriteTokens(Utf8JsonWriter writer, List<GenerationEvent.Token> tokens)
    {
        writer.WriteStartArray("tokens");
        foreach (var token in tokens)
        {
            writer.WriteStartObject();
            writer.WriteNumber("id", token.Id);
            writer.WriteNumber("logprob", token.Likelihood!.LogProbability);
            writer.WriteStartArray("alternatives");
            foreach (var other in token.Likelihood.Alternatives)
            {
                writer.WriteStartObject();
                writer.WriteNumber("id", other.Id);
                writer.WriteNumber("logprob", other.LogProbability);
                writer.WriteEndObject();
            }

            writer.WriteEndArray();
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
    }

    internal static void Write(Utf8JsonWriter writer, string text, GenerationEvent.Finished end)
    {
        writer.WriteString("text", text);
        writer.WriteString("finishReason", end.Reason == FinishReason.Stop ? "stop" : "length");
        if (end.StopText is not null) writer.WriteString("stop", end.StopText);
        writer.WriteNumber("promptTokens", end.Usage.PromptTokens);
        writer.WriteNumber("completionTokens", end.Usage.CompletionTokens);
    }
}
