using System.Text;

namespace OpenEuroLLM.Serving.Tests.Hostile;

/// <summary>Fields of the wrong type, out of every range, or too many of something: the same table for every dialect.</summary>
public sealed class HostileFieldTests(HostileServer hostile) : IClassFixture<HostileServer>
{
    /// <summary>Values by the kind of JSON that they are.</summary>
    private static readonly (string Kind, string Json)[] Values =
    [
        ("flag", "true"), ("flag", "false"), ("number", "1.5"), ("number", "-0.0001"), ("number", "1e400"), ("number", "-1e400"), ("number", "1e-400"),
        ("integer", "1180591620717411303424"), ("integer", "-9223372036854775809"), ("integer", "99999999999999999999999999999999999999999999"),
        ("integer", "2147483648"), ("integer", "-1"), ("text", "\"\""), ("text", "\"1\""), ("text", "\"\\u0000\""),
        ("list", "[]"), ("list", "[null]"), ("list", "[[]]"), ("list", "[{}]"), ("list", "[1]"), ("object", "{}"), ("object", "{\"\":null}"), ("object", "{\"x\":{\"x\":[]}}"),
    ];

    public static TheoryData<string> Paths => [.. Dialect.All.Select(dialect => dialect.Path)];

    [Theory]
    [MemberData(nameof(Paths))]
    public async Task A_value_of_another_kind_is_400_whatever_the_field(string path)
    {
        Dialect dialect = Dialect.At(path);
        foreach ((string field, string kinds) in dialect.Fields)
        {
            foreach ((string kind, string json) in Values)
            {
                bool taken = kinds.Contains(kind, StringComparison.Ordinal) || (kinds == "number" && kind == "integer");
                (int status, string answer) = await hostile.SendAsync(dialect, Encoding.UTF8.GetBytes(dialect.WithValue(field, json)));
                // A value of the right kind may still be out of range, which the dialect's own tests look at.
                Assert.True(status is 400 or 404 || (taken && status == 200), $"{field}: {json} -> {status}: {answer}");
                if (status != 200) Assert.Equal(dialect.NameOf(status), dialect.ReadError(status, answer).Name);
            }
        }
        await hostile.ServesAsync(dialect);
    }

    [Theory]
    [InlineData("/v1/chat/completions", "model", 404)]
    [InlineData("/v1/completions", "model", 404)]
    [InlineData("/v1/responses", "model", 404)]
    [InlineData("/v1/embeddings", "model", 404)]
    [InlineData("/v1/messages", "model", 404)]
    [InlineData("/v1/messages/count_tokens", "model", 404)]
    public async Task Another_model_is_404_however_it_is_written(string path, string field, int status)
    {
        Dialect dialect = Dialect.At(path);
        foreach (string name in new[] { "other", "SMALL", " small", "small ", "small\\u0000", "../small", "models/small", "https://example.org/small", "\\u001b[2J", "sm\\u0430ll", "{{ 7*7 }}" })
            Assert.Equal(status, (await hostile.RefusedAsync(dialect, dialect.WithValue(field, $"\"{name}\""))).Status);
    }

    [Theory]
    [InlineData("other")]
    [InlineData("SMALL")]
    [InlineData("small%00")]
    [InlineData("..%2fsmall")]
    [InlineData("models%2Fsmall")]
    [InlineData("small:generateContent")]
    [InlineData("%E2%80%AEsmall")]
    [InlineData("sm%FFll")]
    public async Task Another_model_in_the_address_is_404(string name)
    {
        foreach (Dialect dialect in Dialect.All.Where(each => each.IsGemini))
        {
            Dialect moved = dialect with { Path = dialect.Path.Replace("small", name, StringComparison.Ordinal) };
            (int status, string answer) = await hostile.SendAsync(moved, Encoding.UTF8.GetBytes(dialect.With("a")));
            // A NUL is refused before anybody looks for a route.
            if (status == 400 && answer.Length == 0) Assert.Contains("%00", name, StringComparison.Ordinal);
            else Assert.Equal("NOT_FOUND", moved.ReadError(status, answer).Name);
            await hostile.ServesAsync(dialect);
        }
    }

    [Theory]
    [MemberData(nameof(ConversationPaths))]
    public async Task Roles_that_do_not_exist_and_conversations_without_messages_are_400(string path)
    {
        Dialect dialect = Dialect.At(path);
        string messages = dialect.IsGemini ? "contents" : "messages";
        foreach (string role in new[] { "", "User", "root", "system\\nuser", "<|system|>", "assistant ", "tool", "\\u0000" })
            Assert.Equal(400, (await hostile.RefusedAsync(dialect, dialect.WithValue(messages + ".0.role", $"\"{role}\""))).Status);
        Assert.Equal(400, (await hostile.RefusedAsync(dialect, dialect.WithValue(messages, "[]"))).Status);
        Assert.Equal(400, (await hostile.RefusedAsync(dialect, dialect.WithValue(messages, "[" + string.Join(',', Enumerable.Repeat("{}", 5000)) + "]"))).Status);
    }

    [Fact]
    public async Task Too_many_messages_stops_choices_and_alternatives_are_400()
    {
        string many(string item, int count) => "[" + string.Join(',', Enumerable.Repeat(item, count)) + "]";
        (Dialect Dialect, string Field, string Json)[] cases =
        [
            (Dialect.Chat, "messages", many("""{"role":"user","content":""}""", 4097)),
            (Dialect.Messages, "messages", many("""{"role":"user","content":""}""", 4097)),
            (Dialect.Messages, "messages.0.content", many("""{"type":"tool_result","tool_use_id":"a"}""", 4097)),
            (Dialect.Generate, "contents", many("""{"parts":[{"text":""}]}""", 4097)),
            (Dialect.Chat, "stop", many("\"a\"", 17)), (Dialect.Completions, "stop", many("\"a\"", 17)), (Dialect.Messages, "stop_sequences", many("\"a\"", 17)),
            (Dialect.Generate, "generationConfig.stopSequences", many("\"a\"", 17)),
            (Dialect.Chat, "stop", $"\"{new string('a', 257)}\""), (Dialect.Messages, "stop_sequences", $"[\"{new string('a', 257)}\"]"),
            (Dialect.Chat, "n", "17"), (Dialect.Chat, "n", "2147483647"), (Dialect.Completions, "n", "2147483647"), (Dialect.Generate, "generationConfig.candidateCount", "2147483647"),
            (Dialect.Chat, "top_logprobs", "21"), (Dialect.Completions, "logprobs", "2147483647"), (Dialect.Generate, "generationConfig.logprobs", "21"),
            (Dialect.Completions, "prompt", many("\"a\"", 257)), (Dialect.Embeddings, "input", many("\"a\"", 2049)),
            (Dialect.Completions, "prompt", many("1", 300)), (Dialect.Completions, "prompt", "[2147483647]"), (Dialect.Completions, "prompt", "[-1]"),
            (Dialect.Chat, "logit_bias", "{" + string.Join(',', Enumerable.Range(0, 1025).Select(id => FormattableString.Invariant($"\"{id}\":1"))) + "}"),
            (Dialect.Chat, "stop_token_ids", many("1", 65)), (Dialect.Chat, "cache_salt", $"\"{new string('a', 257)}\""),
        ];
        foreach ((Dialect dialect, string field, string json) in cases)
            Assert.Equal(400, (await hostile.RefusedAsync(dialect, dialect.WithValue(field, json))).Status);
    }

    [Theory]
    [InlineData("/v1/chat/completions", "max_tokens")]
    [InlineData("/v1/completions", "max_tokens")]
    [InlineData("/v1/responses", "max_output_tokens")]
    [InlineData("/v1/messages", "max_tokens")]
    [InlineData("/v1beta/models/small:generateContent", "generationConfig.maxOutputTokens")]
    [InlineData("/v1beta/models/small:streamGenerateContent", "generationConfig.maxOutputTokens")]
    public async Task More_tokens_than_the_context_holds_are_400_with_the_counts(string path, string field)
    {
        Dialect dialect = Dialect.At(path);

        foreach (string most in new[] { "257", "2147483647" })
        {
            Fault answer = await hostile.RefusedAsync(dialect, dialect.WithValue(field, most));
            Assert.Equal(400, answer.Status);
            Assert.Contains("context holds 256", answer.Message, StringComparison.Ordinal);
            Assert.Contains(field + " is " + most, answer.Message, StringComparison.Ordinal);
        }
        Fault prompt = await hostile.RefusedAsync(dialect, dialect.With(new string('x', 400)));
        Assert.Matches("40[0-9] tokens; the model's context holds 256", prompt.Message);
    }

    public static TheoryData<string> ConversationPaths => [.. Dialect.Conversations.Select(dialect => dialect.Path)];
}
