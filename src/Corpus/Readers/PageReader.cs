using System.Text;
using System.Text.Json.Nodes;
using OpenEuroLLM.Core;
using OpenEuroLLM.Corpus.Archives;
using OpenEuroLLM.Corpus.Encodings;
using OpenEuroLLM.Corpus.Extraction;
using OpenEuroLLM.Corpus.Rights;
using OpenEuroLLM.Privacy.Rights;

namespace OpenEuroLLM.Corpus.Readers;

/// <summary>Turns what was fetched from the web into documents: the main text of pages, and plain texts as they are. One object works on one page at a time.</summary>
internal sealed class PageReader(CorpusConfig config)
{
    /// <summary>The language of a page before it is identified.</summary>
    public const string Undetermined = "und";

    /// <summary>Name of the collection.</summary>
    public const string Source = "web";

    private readonly HtmlExtractor _extractor = new();
    private readonly bool _asksForRights = config.Steps.Any(step => step is RightsReserved);

    /// <summary>Whether content of the type can become a document; one without a type may when it begins as HTML.</summary>
    public static bool CanRead(string? type, ReadOnlySpan<byte> content) =>
        type is "text/plain" || MediaTypes.IsHtml(type) || (type is null && BeginsAsHtml(content));

    /// <summary>Reads a page.</summary>
    /// <param name="content">Its bytes in whatever encoding.</param>
    /// <param name="type">Its media type; null for HTML.</param>
    /// <param name="charset">The encoding that its message declares; null when none.</param>
    /// <param name="id">What identifies it.</param>
    /// <param name="url">Its address, where it has one.</param>
    /// <param name="fetched">When it was fetched, where that is known.</param>
    /// <param name="language">Its language where it is known beforehand.</param>
    /// <param name="headers">The headers it came with, where there were any.</param>
    /// <returns>Null when it has no text.</returns>
    /// <exception cref="PoisonException">The extractor failed on it.</exception>
    public Document? Read(ReadOnlySpan<byte> content, string? type, string? charset, string id, string? url, string? fetched, string? language, IReadOnlyList<HeaderField>? headers = null)
    {
        bool html = type is not "text/plain";
        DetectedText text = EncodingDetector.ToUtf8(content, charset, html);
        JsonObject metadata = [];
        if (text.Encoding != "utf-8") metadata["encoding"] = text.Encoding;
        if (!html)
        {
            AddRights(text.Utf8, []);
            return ToDocument(Encoding.UTF8.GetString(text.Utf8), fetched);
        }

        ExtractedPage page;
        try
        {
            page = _extractor.Extract(text.Utf8, url, markdown: true);
        }
        catch (Exception error) when (error is not OutOfMemoryException)   // one page must not stop the line; it is counted and named
        {
            throw new PoisonException(error);
        }
        if (page.Title is { } title) metadata["title"] = title;
        if (page.DeclaredLanguage is { } declared) metadata["declaredLanguage"] = declared;
        if (page.LicenseLinks.Count > 0) metadata["licenseLinks"] = new JsonArray([.. page.LicenseLinks.Select(link => (JsonNode)link)]);
        AddRights(text.Utf8, page.Rights);
        url ??= page.CanonicalUrl;   // some sites name one page, such as their home, as the canonical form of all
        return ToDocument(page.Text, page.Date ?? fetched);

        void AddRights(ReadOnlySpan<byte> utf8, IReadOnlyList<RightsStatement> said)
        {
            if (_asksForRights) metadata[PageRights.Field] = PageStatementReader.Gather(utf8, html, headers, said, fetched).ToJson();
        }

        Document? ToDocument(string words, string? date) => string.IsNullOrWhiteSpace(words)
            ? null
            : new Document(id, words, language ?? Undetermined, Source, config.TextLicense, url, date, metadata.Count > 0 ? metadata : null);
    }

    private static bool BeginsAsHtml(ReadOnlySpan<byte> content)
    {
        content = content.TrimStart(" \t\r\n"u8);
        return Ascii.EqualsIgnoreCase(content[..Math.Min(content.Length, 5)], "<html"u8) || Ascii.EqualsIgnoreCase(content[..Math.Min(content.Length, 9)], "<!doctype"u8);
    }
}

/// <summary>A document on which the program itself failed: it is passed over, counted and named, so that the defect can be found.</summary>
internal sealed class PoisonException(Exception cause) : Exception("a document could not be read", cause);
