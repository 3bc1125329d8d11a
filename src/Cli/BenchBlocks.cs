using System.CommandLine;
using OpenEuroLLM.Core;
using OpenEuroLLM.Formats.Quantization;

namespace OpenEuroLLM.Cli;

/// <summary><c>oellm bench blocks</c>: what each block format loses of normal numbers, and how fast it is written.</summary>
internal static class BenchBlocks
{
    private const int Columns = 4096;

    public static Command Create()
    {
        var rows = BenchCommand.Number("--rows", $"Rows of {Columns} normal numbers.", 64);
        var json = BenchCommand.Json("type, bits, error, weightedError, weightedErrorWithImportance, numbersPerSecond");
        var command = new Command("blocks", "Rounds normal numbers to each block format. error: root of the squared error as a share of that of the numbers; weighted: each column by an importance that is " +
            "itself spread over about two powers of ten, without telling the encoder of it and with.\nExample: oellm bench blocks --rows 64") { rows, json };
        command.SetAction((parsed, cancellation) => Task.Run(() =>
        {
            BenchCommand.RequireRange("--rows", parsed.GetValue(rows), 1, 4096);
            var output = parsed.InvocationConfiguration.Output;
            if (!parsed.GetValue(json)) output.WriteLine("type    bits   error  weighted  with importance  million numbers/s");
            var random = new CounterRandom(7, 0);
            var (numbers, importance) = (new float[parsed.GetValue(rows) * Columns], new float[Columns]);
            for (var i = 0; i < numbers.Length; i++) numbers[i] = random.NormalAt((ulong)i);
            var weights = random.Substream("importance");
            for (var i = 0; i < Columns; i++) importance[i] = (float)Numerics.Exp(weights.NormalAt((ulong)i));
            foreach (var format in BlockFormat.All.Where(format => format.IsQuantized))
            {
                cancellation.ThrowIfCancellationRequested();
                output.WriteLine(Measure(format, numbers, importance, parsed.GetValue(json)));
            }
            return ExitCode.Success;
        }, CancellationToken.None));
        return command;
    }

    private static string Measure(BlockFormat format, float[] numbers, float[] importance, bool asJson)
    {
        var clock = SystemClock.Instance;
        var blocks = new byte[checked((int)(numbers.Length / Columns * format.RowBytes(Columns)))];
        var decoded = new float[numbers.Length];
        format.Encode(numbers.AsSpan(0, Columns), blocks.AsSpan(0, (int)format.RowBytes(Columns))); // compiled and warm
        var start = clock.Timestamp;
        format.Encode(numbers, blocks);
        var rate = numbers.Length / clock.SecondsSince(start);
        format.Decode(blocks, decoded);
        var (error, weighted) = (Error(numbers, decoded, []), Error(numbers, decoded, importance));
        format.Encode(numbers, importance, blocks);
        format.Decode(blocks, decoded);
        var told = Error(numbers, decoded, importance);
        var bits = 8.0 * format.BlockBytes / format.BlockElements;
        if (!asJson) return FormattableString.Invariant($"{format.Name,-5} {bits,6:0.00} {100 * error,6:0.00}% {100 * weighted,8:0.00}% {100 * told,15:0.00}% {rate / 1e6,18:0.0}");
        return JsonLine.Of(writer =>
        {
            writer.WriteString("type", format.Name);
            writer.WriteNumber("bits", bits);
            writer.WriteNumber("error", Math.Round(error, 6));
            writer.WriteNumber("weightedError", Math.Round(weighted, 6));
            writer.WriteNumber("weightedErrorWithImportance", Math.Round(told, 6));
            writer.WriteNumber("numbersPerSecond", Math.Round(rate));
        });
    }

    private static double Error(float[] numbers, float[] decoded, float[] importance)
    {
        var (lost, whole) = (0.0, 0.0);
        for (var i = 0; i < numbers.Length; i++)
        {
            var weight = importance.Length == 0 ? 1.0 : importance[i % Columns];
            lost += weight * ((double)numbers[i] - decoded[i]) * ((double)numbers[i] - decoded[i]);
            whole += weight * numbers[i] * numbers[i];
        }
        return Math.Sqrt(lost / whole);
    }
}
