using System.CommandLine;
using System.Text;
using OpenEuroLLM.Core;
using OpenEuroLLM.Inference;

namespace OpenEuroLLM.Cli;

/// <summary><c>oellm embed</c>: turns each line of a file into a vector.</summary>
internal static class EmbedCommand
{
    private const int BatchLines = 64;
    private const int MostLineBytes = 1 << 22;

    private static readonly UTF8Encoding _strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    public static Command Create()
    {
        var model = SamplingOptions.Model();
        var adapter = SamplingOptions.Adapter();
        var pooling = new Option<Pooling>("--pooling") { Description = "mean: of the states of all tokens; last: the state of the last token.", HelpName = "mean|last", DefaultValueFactory = _ => Pooling.Mean };
        var raw = new Option<bool>("--no-normalize") { Description = "Leave vectors as long as they are; without it each has length 1." };
        var threads = SamplingOptions.ThreadsOption();
        var json = new Option<bool>("--json") { Description = "Print objects instead of bare arrays: file, line, tokens, embedding." };
        var files = new Argument<string[]>("FILE") { Description = "UTF-8 texts, one a line; also .gz and .zst.", Arity = ArgumentArity.OneOrMore };
        var command = new Command("embed", "Turns texts into vectors: one line of text in, one line of JSON out, an array of numbers.\n" +
            "A line longer than the model's context is refused, not cut.\n" +
            "Example: oellm embed --pooling mean sentences.txt > vectors.jsonl") { model, adapter, pooling, raw, json, threads, files };
        command.SetAction((parsed, cancellation) => Task.Run(() =>
        {
            string[] paths = parsed.GetValue(files)!;
            if (paths.FirstOrDefault(path => !File.Exists(path)) is { } missing)
                throw new UserErrorException($"{missing}: there is no such file; expected a file of texts, one a line.");
            using var engine = SamplingOptions.Load(parsed, model, adapter, threads);
            var run = new Run(engine, parsed.GetValue(pooling), !parsed.GetValue(raw), parsed.GetValue(json), parsed.InvocationConfiguration.Output);
            foreach (string path in paths) run.Embed(path, cancellation);
            return ExitCode.Success;
        }, CancellationToken.None));
        return command;
    }

    private sealed class Run(InferenceEngine engine, Pooling pooling, bool normalize, bool asJson, TextWriter output)
    {
        private readonly List<(long Number, string Text)> _lines = [];

        public void Embed(string path, CancellationToken cancellation)
        {
            using var reader = new LineReader(path, MostLineBytes);
            while (reader.MoveNext())
            {
                if (reader.IsCut) throw new UserErrorException($"{path}: line {reader.Number} has more than {MostLineBytes} bytes; expected one text a line.");
                _lines.Add((reader.Number, Decode(path, reader)));
                if (_lines.Count == BatchLines) Flush(path, cancellation);
            }

            Flush(path, cancellation);
        }

        private static string Decode(string path, LineReader reader)
        {
            try
            {
                return _strict.GetString(reader.LineWithoutMark.TrimEnd((byte)'\r'));
            }
            catch (DecoderFallbackException error)
            {
                throw new UserErrorException($"{path}: line {reader.Number} is no UTF-8; expected text in UTF-8.", error);
            }
        }

        private void Flush(string path, CancellationToken cancellation)
        {
            if (_lines.Count == 0) return;
            var embeddings = Vectors(path, cancellation);
            for (int i = 0; i < embeddings.Count; i++)
            {
                var (number, embedding) = (_lines[i].Number, embeddings[i]);
                output.WriteLine(asJson
                    ? JsonLine.Of(writer =>
                    {
                        writer.WriteString("file", path);
                        writer.WriteNumber("line", number);
                        writer.WriteNumber("tokens", embedding.Tokens);
                        writer.WriteStartArray("embedding");
                        foreach (float value in embedding.Vector) writer.WriteNumberValue(value);
                        writer.WriteEndArray();
                    })
                    : JsonLine.OfValue(writer =>
                    {
                        writer.WriteStartArray();
                        foreach (float value in embedding.Vector) writer.WriteNumberValue(value);
                        writer.WriteEndArray();
                    }));
            }

            _lines.Clear();
        }

        private IReadOnlyList<Embedding> Vectors(string path, CancellationToken cancellation)
        {
            try
            {
                return engine.Embed([.. _lines.Select(line => new GenerationInput.TextInput(line.Text))], pooling, normalize, cancellation);
            }
            catch (RequestException exception)
            {
                int at = _lines.FindIndex(line => exception.Field == $"input[{_lines.IndexOf(line)}]");
                string where = at >= 0 ? $"line {_lines[at].Number}" : $"lines {_lines[0].Number} to {_lines[^1].Number}";
                throw new UserErrorException($"{path}: {where}: {(at >= 0 ? exception.Message.Replace($"input[{at}]", "the text", StringComparison.Ordinal) : exception.Message)}", exception);
            }
        }
    }
}
