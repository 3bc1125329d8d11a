using System.CommandLine;
using System.Text;
using System.Text.Json;
using OpenEuroLLM.Core;
using OpenEuroLLM.Inference;

namespace OpenEuroLLM.Cli;

/// <summary><c>oellm chat</c>: a conversation in the terminal, or one message a line from a pipe.</summary>
internal static class ChatCommand
{
    public static Command Create()
    {
        var model = SamplingOptions.Model();
        var adapter = SamplingOptions.Adapter();
        var system = new Option<string?>("--system") { Description = "A system message in front of the conversation.", HelpName = "TEXT" };
        var json = new Option<bool>("--json") { Description = "Print one JSON object for each answer." };
        var sampling = new SamplingOptions();
        var command = new Command("chat", "Talks with a model: one message a line. /new begins again, /exit leaves; Ctrl+C stops an answer, a second one leaves.\n" +
            "Example: oellm chat --temperature 0.7") { model, adapter, system, json };
        sampling.AddTo(command);

        // A synchronous action: Ctrl+C is this command's own affair, an asynchronous one would be ended by the first.
        command.SetAction(parsed =>
        {
            using var engine = SamplingOptions.Load(parsed, model, adapter, sampling.Threads);
            if (engine.ChatObstacle is string obstacle) throw new UserErrorException(obstacle);
            var conversation = new Conversation(engine, parsed.GetValue(system), sampling.Read(parsed, engine.Info.DefaultSampling),
                parsed.GetValue(sampling.MaxTokens), parsed.GetValue(json), parsed.InvocationConfiguration.Output, parsed.InvocationConfiguration.Error);
            return conversation.Run(Console.In, interactive: !Console.IsInputRedirected);
        });
        return command;
    }

    /// <summary>The loop, apart from the terminal so that it can be run in memory.</summary>
    internal sealed class Conversation(
        IInferenceEngine engine, string? system, Sampling sampling, int? maxTokens, bool asJson, TextWriter output, TextWriter error)
    {
        private const string Dim = "\u001b[2m", Undim = "\u001b[0m";

        private readonly List<ChatMessage> _messages = [];
        private volatile Func<bool>? _stopAnswer;

        public int Run(TextReader input, bool interactive)
        {
            ConsoleCancelEventHandler interrupt = (_, pressed) =>
            {
                pressed.Cancel = true;
                if (!StopAnswer()) Environment.Exit(ExitCode.Interrupted);
            };
            Console.CancelKeyPress += interrupt;
            try
            {
                Begin();
                if (interactive) error.WriteLine($"{engine.Info.Name}. /new begins again, /exit leaves.");
                for (ulong turn = 0; ; turn++)
                {
                    if (interactive) error.Write("> ");
                    string? line = input.ReadLine();
                    if (line is null || line.Trim() == "/exit") return ExitCode.Success;
                    if (line.Trim() == "/new") Begin();
                    else if (line.Trim().Length > 0) Answer(line, turn, interactive);
                }
            }
            finally
            {
                Console.CancelKeyPress -= interrupt;
            }
        }

        /// <summary>Stops the answer under way; false when there is none, or it was stopped before.</summary>
        public bool StopAnswer() => _stopAnswer?.Invoke() ?? false;

        private void Begin()
        {
            _messages.Clear();
            if (system is not null) _messages.Add(new ChatMessage("system", system));
        }

        private void Answer(string line, ulong turn, bool interactive)
        {
            _messages.Add(new ChatMessage("user", line));
            var answer = new Said();
            var stop = new CancellationTokenSource(); // without a timer there is nothing to dispose, and Ctrl+C may still hold it
            _stopAnswer = () =>
            {
                if (stop.IsCancellationRequested) return false;
                stop.Cancel();
                return true;
            };
            try
            {
                // The turn is part of the seed: otherwise every answer would draw the same numbers.
                var request = new GenerationRequest(new GenerationInput.Messages([.. _messages]), sampling with { Seed = sampling.Seed + turn }, maxTokens);
                var end = Stream(request, answer, interactive, stop.Token).GetAwaiter().GetResult();
                output.WriteLine(asJson ? JsonLine.Of(writer => Write(writer, answer, end)) : "");
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
                output.WriteLine();
            }
            catch (RequestException exception) when (interactive)
            {
                error.WriteLine($"{SamplingOptions.Explain(exception).Message} /new begins again.");
                _messages.RemoveAt(_messages.Count - 1);
                return;
            }
            catch (RequestException exception)
            {
                throw SamplingOptions.Explain(exception);
            }
            finally
            {
                _stopAnswer = null;
            }

            _messages.Add(new ChatMessage("assistant", answer.Text.ToString())
            {
                Reasoning = answer.Reasoning.Length > 0 ? answer.Reasoning.ToString() : null,
                ToolCalls = answer.Calls.Count > 0 ? answer.Calls : null,
            });
        }

        /// <summary>The answer goes to the output; what the model thinks before it goes to the error output, dimmed at a terminal.</summary>
        private async Task<GenerationEvent.Finished> Stream(GenerationRequest request, Said answer, bool interactive, CancellationToken cancellation)
        {
            bool terminal = interactive && !Console.IsOutputRedirected, dimmed = interactive && !Console.IsErrorRedirected, thinking = false;
            GenerationEvent.Finished? end = null;
            try
            {
                await foreach (var happened in engine.Generate(request, cancellation).ConfigureAwait(false))
                {
                    if (happened is GenerationEvent.Finished finished) end = finished;
                    answer.Add(happened);
                    if (asJson) continue;
                    if (happened is GenerationEvent.Reasoning thought)
                    {
                        if (!thinking && dimmed) await error.WriteAsync(Dim).ConfigureAwait(false);
                        thinking = true;
                        await Show(error, dimmed ? Printable(thought.Value) : thought.Value).ConfigureAwait(false);
                    }
                    else if (happened is GenerationEvent.Text or GenerationEvent.ToolCall)
                    {
                        await EndThinking().ConfigureAwait(false);
                        if (happened is GenerationEvent.Text piece) await Show(output, terminal ? Printable(piece.Value) : piece.Value).ConfigureAwait(false);
                        else await Show(output, $"\n{JsonLine.Of(writer => Write(writer, answer.Calls[^1]))}\n").ConfigureAwait(false);
                    }
                }
            }
            finally
            {
                await EndThinking().ConfigureAwait(false);
            }

            return end!;

            async Task EndThinking()
            {
                if (thinking) await Show(error, dimmed ? Undim + error.NewLine : error.NewLine).ConfigureAwait(false);
                thinking = false;
            }
        }

        private static async Task Show(TextWriter writer, string text)
        {
            await writer.WriteAsync(text).ConfigureAwait(false);
            await writer.FlushAsync(CancellationToken.None).ConfigureAwait(false);
        }

        private static void Write(Utf8JsonWriter writer, Said answer, GenerationEvent.Finished end)
        {
            if (answer.Reasoning.Length > 0) writer.WriteString("reasoning", answer.Reasoning.ToString());
            GenerateCommand.Write(writer, answer.Text.ToString(), end);
            if (answer.Calls.Count == 0) return;
            writer.WriteStartArray("toolCalls");
            foreach (var call in answer.Calls)
            {
                writer.WriteStartObject();
                Write(writer, call);
                writer.WriteEndObject();
            }

            writer.WriteEndArray();
        }

        private static void Write(Utf8JsonWriter writer, ToolCall call)
        {
            writer.WriteString("id", call.Id);
            writer.WriteString("tool", call.Name);
            writer.WritePropertyName("arguments");
            writer.WriteRawValue(call.Arguments);
        }

        // What a model says must not steer the terminal.
        private static string Printable(string text) =>
            string.Concat(text.Select(letter => char.IsControl(letter) && letter is not ('\n' or '\t') ? '\uFFFD' : letter));

        /// <summary>One answer as it grows.</summary>
        private sealed class Said
        {
            public StringBuilder Text { get; } = new();

            public StringBuilder Reasoning { get; } = new();

            public List<ToolCall> Calls { get; } = [];

            public void Add(GenerationEvent happened)
            {
                switch (happened)
                {
                    case GenerationEvent.Text piece:
                        Text.Append(piece.Value);
                        break;
                    case GenerationEvent.Reasoning thought:
                        Reasoning.Append(thought.Value);
                        break;
                    case GenerationEvent.ToolCall call:
                        Calls.Add(new ToolCall(call.Id, call.Name, call.Arguments));
                        break;
                }
            }
        }
    }
}
