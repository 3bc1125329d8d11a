using System.Text.Json;

namespace OpenEuroLLM.Corpus.Extraction;

/// <summary>What a page says about its article for search engines, in JSON-LD.</summary>
internal sealed class LinkedData
{
    private const int MaximumDepth = 64;

    /// <summary>The whole text, if it is given.</summary>
    public string? Body { get; private set; }

    /// <summary>The headline.</summary>
    public string? Headline { get; private set; }

    /// <summary>When it was published, as written.</summary>
    public string? Published { get; private set; }

    /// <summary>The language, as written.</summary>
    public string? Language { get; private set; }

    /// <summary>The address of the licence.</summary>
    public string? License { get; private set; }

    /// <summary>Reads one block; a damaged one counts up to the damage. Of each fact the first is kept, of the text the longest.</summary>
    public void Read(ReadOnlySpan<byte> json)
    {
        var reader = new Utf8JsonReader(AsciiWord.Trim(json), new JsonReaderOptions { AllowTrailingCommas = true, CommentHandling = JsonCommentHandling.Skip, MaxDepth = MaximumDepth });
        try
        {
            while (reader.Read())
            {
                if (reader.TokenType != JsonTokenType.PropertyName) continue;
                if (reader.ValueTextEquals("articleBody"u8)) Body = Longer(Body, Value(ref reader));
                else if (reader.ValueTextEquals("headline"u8)) Headline ??= Value(ref reader);
                else if (reader.ValueTextEquals("datePublished"u8)) Published ??= Value(ref reader);
                else if (reader.ValueTextEquals("inLanguage"u8)) Language ??= Value(ref reader);
                else if (reader.ValueTextEquals("license"u8)) License ??= Value(ref reader);
            }
        }
        catch (JsonException)
        {
            // Every tenth site writes line feeds or stray signs here; what was read before stays.
        }
        catch (InvalidOperationException)
        {
            // A string that is no valid UTF-16 once its escapes are undone.
        }
    }

    private static string? Value(ref Utf8JsonReader reader) => reader.Read() && reader.TokenType == JsonTokenType.String ? reader.GetString() : null;

    private static string? Longer(string? first, string? second) => (second?.Length ?? 0) > (first?.Length ?? 0) ? second : first;
}
