using OpenEuroLLM.Inference;
using OpenEuroLLM.Serving.OpenAi.Responses;

namespace OpenEuroLLM.Serving.Tests.OpenAi.Responses;

/// <summary>Which turns go when a conversation does not fit.</summary>
public sealed class ResponseTruncationTests
{
    // s: system, u: user, a: assistant, c: assistant with a call, t: its output. The model sees as many turns as the number says.
    [Theory]
    [InlineData("suauau", 6, "suauau", 0)]
    [InlineData("suauau", 5, "suau", 2)]
    [InlineData("suauau", 4, "suau", 2)]
    [InlineData("suauau", 3, "su", 4)]
    [InlineData("suauau", 1, "su", 4)]
    [InlineData("auau", 3, "uau", 1)]
    [InlineData("usuau", 3, "su", 3)]
    [InlineData("suctctct", 6, "suctct", 2)]
    [InlineData("suctctct", 4, "suct", 4)]
    [InlineData("suctctct", 2, "suct", 4)]
    [InlineData("uauctcttct", 8, "uctcttct", 2)]
    [InlineData("uauctcttct", 6, "ucttct", 4)]
    [InlineData("uauctcttct", 5, "uct", 7)]
    [InlineData("aa", 1, "aa", 0)]
    [InlineData("s", 0, "s", 0)]
    [InlineData("", 0, "", 0)]
    public void Whole_exchanges_are_forgotten_from_the_beginning(string turns, int most, string kept, int dropped)
    {
        ResponseTurn[] conversation = [.. turns.Select((kind, place) => new ResponseTurn(new ChatMessage(RoleOf(kind), place + ":" + kind), kind == 's' ? 0 : 1))];

        var (messages, gone) = ResponseTruncation.Fit(conversation, messages => messages.Count <= most);

        Assert.Equal(kept, string.Concat(messages.Select(message => message.Content[^1])));
        Assert.Equal(dropped, gone);
        Assert.Equal(messages.Select(message => message.Content).Order(StringComparer.Ordinal), messages.Select(message => message.Content));
    }

    private static string RoleOf(char kind) => kind switch
    {
        's' => "system",
        'u' => "user",
        't' => "tool",
        _ => "assistant",
    };
}
