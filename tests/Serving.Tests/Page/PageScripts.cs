using OpenEuroLLM.Inference;

namespace OpenEuroLLM.Serving.Tests.Page;

/// <summary>Engines that answer as the tests of the page need it.</summary>
internal static class PageScripts
{
    /// <summary>Answers every request with one text, in pieces of a few characters.</summary>
    public static ScriptedEngine Answering(string text, int pieceLength = 7) => new()
    {
        Script = (_, _) => ScriptedEngine.Events(Pieces(text, pieceLength)),
    };

    public static GenerationEvent[] Pieces(string text, int pieceLength = 7)
    {
        var events = new List<GenerationEvent>();
        for (int at = 0; at < text.Length; at += pieceLength)
            events.Add(new GenerationEvent.Text(0, text.Substring(at, Math.Min(pieceLength, text.Length - at))));
        events.Add(new GenerationEvent.Finished(0, FinishReason.Stop, new Usage(9, events.Count)));
        return [.. events];
    }

    public static string[] MessagesOf(GenerationRequest request) =>
        [.. Assert.IsType<GenerationInput.Messages>(request.Input).Items.Select(message => $"{message.Role}: {message.Content}")];

    /// <summary>An answer with every form of Markdown that the page draws.</summary>
    public const string Rich = """
        # Capitals

        Some *capitals* of **member states**, with `code`, ~~struck~~ words and [a link](https://example.org/a?b=c).

        1. Helsinki
        2. Lisbon
           - on the Tagus
           - since 1255

        | State | Capital | Founded |
        |:------|:-------:|--------:|
        | Finland | Helsinki | 1550 |
        | Portugal | Lisbon | |

        > A quotation
        > of two lines.

        ```csharp
        Console.WriteLine("<b>not bold</b>"); // a line that is long enough to be wider than a phone in any typeface
        ```

        ---

        The end, see https://example.org/end.
        """;
}
