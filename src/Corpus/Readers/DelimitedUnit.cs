using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using OpenEuroLLM.Core;
using OpenEuroLLM.Corpus.Archives;

namespace OpenEuroLLM.Corpus.Readers;

/// <summary>A table: a document a row. Which column is what, <see cref="ColumnNames"/> says; the first row has the names, unless the names are numbers. Columns without a
/// meaning go into the metadata.</summary>
internal sealed class DelimitedUnit(SourceFile file, CorpusConfig config) : FileUnit(file, new ByteRange(0, long.MaxValue))
{
    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private byte Separator => (byte)(File.RecordedAs.Contains(".tsv", StringComparison.OrdinalIgnoreCase) ? '\t' : ',');

    public override IEnumerable<Document> Read(IFileSystem files, Action<long> progress, Action<SkippedInput>? skipped = null)
    {
        using Stream content = Guard(() => File.OpenUnpacked(files, progress));
        var rows = new CsvReader(content, Separator);
        var bad = new BadLines(config.BadLineShare, skipped);
        string[] names = [];
        if (!config.Columns.AreNumbers)
        {
            if (Guard(() => Next(rows, bad)) is not { } header)
            {
                bad.Check();
                yield break;
            }
            names = header;
            if (Array.IndexOf(names, config.Columns.Text) < 0)
                throw new UserErrorException($"{File.Path}: has the columns {string.Join(", ", names.Take(12).Select(name => $"'{name}'"))}; expected one named '{config.Columns.Text}' for the text. Set corpus.columns.text to a name, or to a number where the first row has none.");
        }
        while (Guard(() => Next(rows, bad)) is { } row)
        {
            if (ToDocument(row, names, Place(rows), bad) is not { } document) continue;
            bad.Good();
            yield return document;
        }
        bad.Check();
    }

    private string Place(CsvReader rows) => string.Create(CultureInfo.InvariantCulture, $"{File.Path}:{rows.Line}");

    private string[]? Next(CsvReader rows, BadLines bad)
    {
        while (true)
        {
            try
            {
                return rows.Read()?.Select(field => Strict.GetString(field)).ToArray();
            }
            catch (DecoderFallbackException error)
            {
                bad.Bad("bad-line", Place(rows), new UserErrorException($"{Place(rows)}: the row is not UTF-8; convert the file.", error));
            }
            catch (InvalidDataException error)
            {
                bad.Bad("line-too-long", Place(rows), new UserErrorException($"{Place(rows)}: {error.Message}; mend the row.", error));
            }
            catch (DamagedDataException error)
            {
                bad.Bad(error.Reason, Place(rows), Damaged(Place(rows), error), spoilsFile: true);
                return null;
            }
        }
    }

    private Document? ToDocument(string[] row, string[] names, string place, BadLines bad)
    {
        ColumnNames columns = config.Columns;
        string? Value(string name)
        {
            int index = columns.AreNumbers ? int.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out int number) ? number - 1 : -1 : Array.IndexOf(names, name);
            return index >= 0 && index < row.Length && row[index].Length > 0 ? row[index] : null;
        }

        void Refuse(string what) => bad.Bad("bad-line", place, new UserErrorException($"{place}: {what}; mend or remove the row."));

        if (names.Length > 0 && row.Length != names.Length)
        {
            Refuse($"the row has {row.Length} fields; expected {names.Length}");
            return null;
        }
        if (Value(columns.Text) is not { } text)
        {
            Refuse($"the column '{columns.Text}' is empty or missing");
            return null;
        }
        if ((Value(columns.Lang) ?? File.Language ?? (config.Languages is [var only] ? only : null)) is not { } language)
        {
            Refuse($"the language is unknown: there is no column '{columns.Lang}', and neither the file's folder nor its name says it");
            return null;
        }
        JsonObject metadata = [];
        for (int i = 0; i < names.Length; i++)
            if (row[i].Length > 0 && !columns.Has(names[i])) metadata[names[i]] = row[i];
        return new Document(
            Value(columns.Id) ?? $"{File.RecordedAs}{place[File.Path.Length..]}", text, language, Value(columns.Source) ?? File.RecordedAs.Split('/')[^1].Split('.')[0],
            Value(columns.License) ?? config.TextLicense, Value(columns.Url), Value(columns.Date), metadata.Count > 0 ? metadata : null);
    }
}
