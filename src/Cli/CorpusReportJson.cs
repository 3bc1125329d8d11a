using System.Text.Json;
using System.Text.Json.Nodes;
using OpenEuroLLM.Corpus;
using OpenEuroLLM.Corpus.Reporting;

namespace OpenEuroLLM.Cli;

/// <summary>The report on a corpus for machines: an object a line, of the kind that its first field names.</summary>
internal static class CorpusReportJson
{
    /// <summary>The row of a language.</summary>
    public static string Line(LanguageFunnel row)
    {
        JsonObject fields = row.ToJson();
        fields.Insert(0, "kind", "language");
        return JsonLine.OfValue(writer => fields.WriteTo(writer));
    }

    /// <summary>All lines.</summary>
    /// <param name="contents">The folder.</param>
    /// <param name="wanted">Whether a language is shown.</param>
    public static IEnumerable<string> Lines(CorpusContents contents, Func<string, bool> wanted)
    {
        bool tokens = contents.Funnel.CountsTokens;
        foreach (LanguageFunnel row in CorpusReport.Of(contents.Funnel).Where(row => wanted(row.Language))) yield return Line(row);
        foreach (LanguageAccount language in contents.Funnel.Languages.Where(language => wanted(language.Language)))
            foreach (StepAccount step in language.Steps) yield return Step(language.Language, step, tokens);
        foreach (OriginAccount row in contents.Licences.Where(row => wanted(row.Language))) yield return Origin("licence", "license", row, tokens);
        foreach (OriginAccount row in contents.Sources.Where(row => wanted(row.Language))) yield return Origin("source", "source", row, tokens);
        foreach (LanguageDomains language in (contents.Domains ?? []).Where(language => wanted(language.Language)))
        {
            yield return JsonLine.Of(writer =>
            {
                writer.WriteString("kind", "domains");
                writer.WriteString("language", language.Language);
                writer.WriteNumber("hosts", language.Hosts);
                writer.WriteNumber("documents", language.Documents);
                writer.WriteNumber("bytes", language.Bytes);
            });
            foreach (DomainAccount domain in language.Largest) yield return Domain(language.Language, domain);
        }
        foreach (CorpusSample sample in (contents.Samples ?? []).Where(sample => wanted(sample.Language))) yield return Sample(sample);
        foreach (SkippedReason reason in contents.Skipped)
        {
            yield return JsonLine.Of(writer =>
            {
                writer.WriteString("kind", "skipped");
                writer.WriteString("reason", reason.Reason);
                if (reason.Count is long number) writer.WriteNumber("number", number);
                else writer.WriteNull("number");
                writer.WriteNumber("listed", reason.Listed);
                writer.WriteStartArray("places");
                foreach (string place in reason.Places) writer.WriteStringValue(place);
                writer.WriteEndArray();
            });
        }
        foreach (string problem in contents.Funnel.Problems)
        {
            yield return JsonLine.Of(writer =>
            {
                writer.WriteString("kind", "problem");
                writer.WriteString("text", problem);
            });
        }
    }

    private static string Step(string language, StepAccount step, bool tokens) => JsonLine.Of(writer =>
    {
        writer.WriteString("kind", "step");
        writer.WriteString("step", step.Step);
        writer.WriteString("language", language);
        writer.WriteNumber("documentsIn", step.In.Documents);
        writer.WriteNumber("documentsOut", step.Out.Documents);
        writer.WriteNumber("bytesIn", step.In.Bytes);
        writer.WriteNumber("bytesOut", step.Out.Bytes);
        WriteTokens(writer, "tokensIn", step.In, tokens);
        WriteTokens(writer, "tokensOut", step.Out, tokens);
        writer.WriteNumber("movedIn", step.MovedIn.Documents);
        writer.WriteNumber("movedInBytes", step.MovedIn.Bytes);
        writer.WriteNumber("movedOut", step.MovedOut.Documents);
        writer.WriteNumber("movedOutBytes", step.MovedOut.Bytes);
        writer.WriteNumber("changed", step.Changed.Documents);
        writer.WriteNumber("changedBytes", step.Changed.Bytes);
        writer.WriteNumber("becameBytes", step.Became.Bytes);
        writer.WriteStartObject("dropped");
        foreach ((string reason, Amount amount) in step.Dropped)
        {
            writer.WriteStartObject(reason);
            WriteAmount(writer, amount, tokens);
            writer.WriteEndObject();
        }
        writer.WriteEndObject();
    });

    private static string Origin(string kind, string name, OriginAccount row, bool tokens) => JsonLine.Of(writer =>
    {
        writer.WriteString("kind", kind);
        writer.WriteString("language", row.Language);
        writer.WriteString(name, row.Name);
        WriteAmount(writer, row.Train, tokens);
        writer.WriteNumber("readDocuments", row.Read.Documents);
        writer.WriteNumber("readBytes", row.Read.Bytes);
        writer.WriteNumber("heldOutDocuments", row.HeldOut.Documents);
        writer.WriteNumber("heldOutBytes", row.HeldOut.Bytes);
        writer.WriteNumber("repeatedDocuments", row.Repeated.Documents);
        writer.WriteNumber("repeatedBytes", row.Repeated.Bytes);
    });

    private static string Domain(string language, DomainAccount domain) => JsonLine.Of(writer =>
    {
        writer.WriteString("kind", "domain");
        writer.WriteString("language", language);
        writer.WriteString("host", domain.Host);
        writer.WriteNumber("documents", domain.Documents);
        writer.WriteNumber("bytes", domain.Bytes);
    });

    private static string Sample(CorpusSample sample) => JsonLine.Of(writer =>
    {
        writer.WriteString("kind", "sample");
        writer.WriteString("step", sample.Step);
        writer.WriteString("reason", sample.Reason);
        writer.WriteString("language", sample.Language);
        if (sample.Source is not null) writer.WriteString("source", sample.Source);
        if (sample.License is not null) writer.WriteString("license", sample.License);
        writer.WriteString("id", sample.Id);
        if (sample.Url is not null) writer.WriteString("url", sample.Url);
        writer.WriteNumber("bytes", sample.Bytes);
        writer.WriteString("text", sample.Text);
    });

    private static void WriteAmount(Utf8JsonWriter writer, Amount amount, bool tokens)
    {
        writer.WriteNumber("documents", amount.Documents);
        writer.WriteNumber("bytes", amount.Bytes);
        WriteTokens(writer, "tokens", amount, tokens);
    }

    private static void WriteTokens(Utf8JsonWriter writer, string name, Amount amount, bool counted)
    {
        if (counted) writer.WriteNumber(name, amount.Tokens);
        else writer.WriteNull(name);
    }
}
