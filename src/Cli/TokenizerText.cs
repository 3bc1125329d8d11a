using System.CommandLine;
using System.Globalization;
using System.Text;
using System.Text.Unicode;
using OpenEuroLLM.Core;
using OpenEuroLLM.Tokenizers;

namespace OpenEuroLLM.Cli;

/// <summary><c>oellm tokenizer encode</c> and <c>decode</c>: one line of ids per line of text, and back.</summary>
internal static class TokenizerText
{
    public static Command CreateEncode()
    {
        var (tokenizer, file, json) = (TokenizerCommand.TokenizerPath(), TokenizerCommand.FileArgument(), TokenizerCommand.Json());
        var special = new Option<bool>("--allow-special") { Description = "Control tokens that are written out in the text become those tokens." };
        var around = new Option<bool>("--special") { Description = "Adds the control tokens that the tokenizer puts around a text." };
        var offsets = new Option<bool>("--offsets") { Description = "With --json: the bytes of the line that each token stands for, first and one after the last." };
        var command = new Command("encode", "Turns each line of text into one line of token ids.\nExample: oellm tokenizer encode --tokenizer tokenizer letter.txt")
        {
            tokenizer, file, special, around, offsets, json,
        };
        command.SetAction((parsed, cancellation) => Task.Run(() =>
        {
            var loaded = BuiltInTokenizer.Load(parsed.GetValue(tokenizer)!);
            var output = parsed.InvocationConfiguration.Output;
            var tokens = new List<EncodedToken>();
            using var input = TextFiles.Open(parsed.GetValue(file));
            foreach (byte[] line in TextFiles.Lines(input, parsed.GetValue(file) ?? "standard input"))
            {
                cancellation.ThrowIfCancellationRequested();
                tokens.Clear();
                loaded.EncodeWithOffsets(line, tokens, parsed.GetValue(special), parsed.GetValue(around));
                output.WriteLine(parsed.GetValue(json) ? JsonLine.Of(writer =>
                {
                    writer.WriteStartArray("ids");
                    foreach (var token in tokens)
                        writer.WriteNumberValue(token.Id);
                    writer.WriteEndArray();
                    if (!parsed.GetValue(offsets))
                        return;
                    writer.WriteStartArray("offsets");
                    foreach (var token in tokens)
                    {
                        writer.WriteStartArray();
                        writer.WriteNumberValue(token.Start);
                        writer.WriteNumberValue(token.End);
                        writer.WriteEndArray();
                    }
                    writer.WriteEndArray();
                }) : string.Join(' ', tokens.Select(token => token.Id.ToString(CultureInfo.InvariantCulture))));
            }
            output.Flush();
            return ExitCode.Success;
        }, CancellationToken.None));
        return command;
    }

    public static Command CreateDecode()
    {
        var (tokenizer, file, json) = (TokenizerCommand.TokenizerPath(), TokenizerCommand.FileArgument(), TokenizerCommand.Json());
        var command = new Command("decode", "Turns each line of token ids into one line of text, byte for byte; control tokens are written out.\n" +
            "Example: oellm tokenizer encode --tokenizer tokenizer letter.txt | oellm tokenizer decode --tokenizer tokenizer") { tokenizer, file, json };
        command.SetAction((parsed, cancellation) => Task.Run(() =>
        {
            var loaded = BuiltInTokenizer.Load(parsed.GetValue(tokenizer)!);
            var output = parsed.InvocationConfiguration.Output;
            string where = parsed.GetValue(file) ?? "standard input";
            // Text can hold bytes that are no valid UTF-8, which a text writer would replace: on the console they pass as they are.
            using var console = ReferenceEquals(output, Console.Out) && !parsed.GetValue(json) ? new BufferedStream(Console.OpenStandardOutput(), 1 << 16) : null;
            using var input = TextFiles.Open(parsed.GetValue(file));
            int number = 0;
            foreach (byte[] line in TextFiles.Lines(input, where))
            {
                cancellation.ThrowIfCancellationRequested();
                byte[] bytes = loaded.DecodeBytes(ParseIds(line, where, ++number), skipSpecial: false);
                if (console is not null)
                {
                    console.Write(bytes);
                    console.WriteByte((byte)'\n');
                }
                else
                {
                    output.WriteLine(parsed.GetValue(json) ? JsonLine.Of(writer =>
                    {
                        writer.WriteString("text", Encoding.UTF8.GetString(bytes));
                        if (!Utf8.IsValid(bytes))
                            writer.WriteBase64String("base64", bytes);
                    }) : Encoding.UTF8.GetString(bytes));
                }
            }
            output.Flush();
            return ExitCode.Success;
        }, CancellationToken.None));
        return command;
    }

    private static int[] ParseIds(byte[] line, string where, int number)
    {
        string[] words = Encoding.UTF8.GetString(line).Split((char[])[' ', '\t', '\r'], StringSplitOptions.RemoveEmptyEntries);
        int[] ids = new int[words.Length];
        for (int i = 0; i < words.Length; i++)
            if (!int.TryParse(words[i], NumberStyles.None, CultureInfo.InvariantCulture, out ids[i]))
                throw new UserErrorException(FormattableString.Invariant($"{where}:{number}: '{words[i]}' is no token id; expected whole numbers with spaces between them."));
        return ids;
    }
}
