using System.Globalization;
using OpenEuroLLM.Core;
using OpenEuroLLM.Languages.Identification;

namespace OpenEuroLLM.Cli;

/// <summary>Writes the answers of <c>oellm identify</c>.</summary>
internal sealed class IdentifyOutput(LanguageIdentifier identifier, TextWriter output, bool json, int top, double threshold)
{
    private readonly IdentifiedLanguage[] _best = new IdentifiedLanguage[top];

    /// <summary>An answer for each line.</summary>
    public void Lines(LineReader lines, CancellationToken cancellation)
    {
        while (lines.MoveNext())
        {
            if (lines.Number % 1024 == 0) cancellation.ThrowIfCancellationRequested();
            Answer(lines.Line, null);
        }
    }

    /// <summary>One answer for the file.</summary>
    public void Document(LineReader lines, string? file, CancellationToken cancellation) => Answer(Read(lines, LanguageIdentifier.MostBytes, cancellation), file);

    /// <summary>The parts of the file by language.</summary>
    public void Segments(LineReader lines, string? file, CancellationToken cancellation)
    {
        byte[] text = Read(lines, LineReader.MostBytes, cancellation);
        if (text.Length >= LineReader.MostBytes)
            throw new UserErrorException(FormattableString.Invariant($"{file ?? "standard input"}: is longer than {LineReader.MostBytes} bytes, too long to be divided; split it."));
        foreach (var segment in identifier.Segment(text, threshold))
            output.WriteLine(json
                ? JsonLine.Of(writer =>
                {
                    if (file is not null) writer.WriteString("file", file);
                    writer.WriteNumber("start", segment.Start);
                    writer.WriteNumber("length", segment.Length);
                    writer.WriteString("language", segment.Label);
                    writer.WriteNumber("confidence", Math.Round(segment.Confidence, 4));
                })
                : string.Create(CultureInfo.InvariantCulture, $"{segment.Start}\t{segment.Start + segment.Length}\t{segment.Label}\t{segment.Confidence:0.0000}"));
    }

    private static byte[] Read(LineReader lines, int most, CancellationToken cancellation)
    {
        using var text = new MemoryStream();
        while (text.Length < most && lines.MoveNext())
        {
            cancellation.ThrowIfCancellationRequested();
            text.Write(lines.Line);
            text.WriteByte((byte)'\n');
        }

        return text.ToArray();
    }

    private void Answer(ReadOnlySpan<byte> text, string? file)
    {
        int count = identifier.Rank(text, _best);
        string first = _best[0].Confidence >= threshold ? _best[0].Label : LanguageIdentifier.Unknown;
        output.WriteLine(json
            ? JsonLine.Of(writer =>
            {
                if (file is not null) writer.WriteString("file", file);
                writer.WriteString("language", first);
                writer.WriteNumber("confidence", Math.Round(_best[0].Confidence, 4));
                if (top == 1) return;
                writer.WriteStartArray("languages");
                foreach (var (label, confidence) in _best[..count])
                {
                    writer.WriteStartObject();
                    writer.WriteString("language", label);
                    writer.WriteNumber("confidence", Math.Round(confidence, 4));
                    writer.WriteEndObject();
                }

                writer.WriteEndArray();
            })
            : top == 1
                ? string.Create(CultureInfo.InvariantCulture, $"{first}\t{_best[0].Confidence:0.0000}")
                : string.Join('\t', _best.Take(count).Select(best => string.Create(CultureInfo.InvariantCulture, $"{best.Label}\t{best.Confidence:0.0000}"))));
    }
}
