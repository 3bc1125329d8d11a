using System.Buffers;
using System.Globalization;
using System.Text.Json;

namespace OpenEuroLLM.Training;

/// <summary><c>metrics.jsonl</c>: one line for each step, written without allocating anything.</summary>
internal sealed class MetricsFile : IDisposable
{
    private static readonly JsonEncodedText StepName = JsonEncodedText.Encode("step");
    private static readonly JsonEncodedText TokensName = JsonEncodedText.Encode("tokens");
    private static readonly JsonEncodedText LossName = JsonEncodedText.Encode("loss");
    private static readonly JsonEncodedText LearningRateName = JsonEncodedText.Encode("learningRate");
    private static readonly JsonEncodedText GradientNormName = JsonEncodedText.Encode("gradientNorm");
    private static readonly JsonEncodedText HeldOutName = JsonEncodedText.Encode("heldoutLoss");

    private readonly FileStream stream;
    private readonly ArrayBufferWriter<byte> line = new(256);
    private readonly Utf8JsonWriter json;

    /// <summary>Opens the file to append to it.</summary>
    public MetricsFile(string path)
    {
        stream = new FileStream(path, FileMode.Append, FileAccess.Write, FileShare.Read);
        json = new Utf8JsonWriter(line);
    }

    /// <summary>Appends the line of a step.</summary>
    public void Write(long step, long tokens, double loss, double learningRate, double gradientNorm)
    {
        Begin(step);
        json.WriteNumber(TokensName, tokens);
        json.WriteNumber(LossName, Round(loss));
        json.WriteNumber(LearningRateName, Round(learningRate));
        json.WriteNumber(GradientNormName, Round(gradientNorm));
        End();
    }

    /// <summary>Appends the line of a look at the held-out text.</summary>
    public void WriteHeldOut(long step, IReadOnlyList<(string Language, double Nats, double BitsPerByte)> losses)
    {
        Begin(step);
        json.WriteStartObject(HeldOutName);
        foreach (var (language, nats, _) in losses) json.WriteNumber(language, Round(nats));
        json.WriteEndObject();
        End();
    }

    /// <summary>Brings the lines to the disk before the checkpoint that vouches for them.</summary>
    public void Secure() => stream.Flush(flushToDisk: true);

    public void Dispose()
    {
        json.Dispose();
        stream.Dispose();
    }

    /// <summary>Six significant digits: files stay short and the same.</summary>
    public static double Round(double value)
    {
        Span<char> digits = stackalloc char[32];
        value.TryFormat(digits, out var length, "G6", CultureInfo.InvariantCulture);
        return double.Parse(digits[..length], NumberStyles.Float, CultureInfo.InvariantCulture);
    }

    private void Begin(long step)
    {
        line.ResetWrittenCount();
        json.Reset();
        json.WriteStartObject();
        json.WriteNumber(StepName, step);
    }

    private void End()
    {
        json.WriteEndObject();
        json.Flush();
        line.Write("\n"u8);
        stream.Write(line.WrittenSpan);
    }
}
