using System.Globalization;
using System.Text.Json.Nodes;

namespace OpenEuroLLM.Serving.Tests.Hostile;

/// <summary>Schemas that explode, for answers and for tools, and calls that cannot be made: the same table for every dialect that takes them.</summary>
public sealed class HostileSchemaTests(HostileSchemaTests.NamingModel tools) : IClassFixture<HostileSchemaTests.NamingModel>
{
    /// <summary>What would take for ever, or all memory, to compile.</summary>
    internal static IReadOnlyDictionary<string, string> Exploding { get; } = new Dictionary<string, string>
    {
        ["a reference to itself"] = """{"$ref":"#"}""",
        ["a ring of references"] = """{"$ref":"#/$defs/a","$defs":{"a":{"$ref":"#/$defs/b"},"b":{"allOf":[{"$ref":"#/$defs/a"}]}}}""",
        ["alternatives that lead back"] = """{"anyOf":[{"$ref":"#"},{"type":"object","properties":{"a":{"$ref":"#"}}}]}""",
        ["a value without an end"] = """{"type":"object","properties":{"a":{"$ref":"#"}},"required":["a"],"additionalProperties":false}""",
        ["references that double"] = "{\"$defs\":{" + Many(60, "\"d@\":{\"allOf\":[{\"$ref\":\"#/$defs/d%\"},{\"$ref\":\"#/$defs/d%\"}]}") + ",\"d60\":{\"type\":\"object\"}},\"$ref\":\"#/$defs/d0\"}",
        ["alternatives that multiply"] = "{\"type\":\"object\",\"allOf\":[" + Many(40, """{"anyOf":[{"properties":{"a@":{"type":"string"}}},{"properties":{"b@":{"type":"string"}}}]}""") + "]}",
        ["a million alternatives"] = "{\"anyOf\":[" + string.Join(',', Enumerable.Repeat("{}", 1_000_000)) + "]}",
        ["alternatives as many as bytes allow"] = "{\"anyOf\":[" + string.Join(',', Enumerable.Repeat("{}", 340_000)) + "]}",
        ["a huge enum"] = "{\"enum\":[" + Many(70_000, "\"@-%-@\"") + "]}",
        ["depth"] = "{\"type\":\"array\",\"items\":" + string.Concat(Enumerable.Repeat("{\"items\":", 49)) + "{\"type\":\"nothing\"}" + new string('}', 50),
        ["more depth than JSON may have"] = string.Concat(Enumerable.Repeat("{\"items\":", 500)) + "{}" + new string('}', 500),
        ["a huge minItems"] = """{"type":"array","minItems":2000000000,"items":{"type":"string"}}""",
        ["a huge minItems of large items"] = """{"type":"array","minItems":200000,"items":{"type":"array","minItems":20000,"items":{"type":"string","minLength":60000}}}""",
        ["a huge maxLength"] = """{"type":"string","maxLength":2147483647}""",
        ["a pattern that would backtrack and cannot be told early"] = """{"type":"string","pattern":"^(([a-z])+.)+[A-Z]([a-z])+$","maxLength":5000}""",
        ["a pattern whose states double"] = """{"type":"string","pattern":"(a|b)*a(a|b){20}$"}""",
        ["a pattern of repetitions"] = """{"type":"string","pattern":"((((a{1000}){1000}){1000}){1000})"}""",
        ["many patterns"] = "{\"anyOf\":[" + Many(2000, """{"type":"string","pattern":"(a|b)*a(a|b){9}@$"}""") + "]}",
        ["a pattern with memory"] = """{"type":"string","pattern":"(a+)+\\1$"}""",
        ["references to one large place"] = "{\"allOf\":[" + string.Join(',', Enumerable.Repeat("""{"$ref":"#/$defs/a"}""", 20_000)) + "],\"$defs\":{\"a\":{\"enum\":[" + Many(40_000, "@") + "]}}}",
        ["an address"] = """{"$ref":"http://127.0.0.1:1/schema.json"}""",
        ["a number"] = "5",
        ["a list"] = "[]",
    };

    /// <summary>What compiles, and is read in thousands of ways at once.</summary>
    internal static string Ambiguous { get; } = "{\"anyOf\":[" + Many(5000, """{"type":"array","items":{"type":"string","maxLength":@}}""") + "]}";

    public static TheoryData<string> FormPaths => [.. Dialect.All.Where(dialect => dialect.Forms.Any()).Select(dialect => dialect.Path)];

    public static TheoryData<string> ForcePaths => [.. Dialect.All.Where(dialect => dialect.Forced("f") is not null).Select(dialect => dialect.Path)];

    internal static string Form(string schema) => Dialect.Chat.Forms.First().Format.Replace("SCHEMA", schema, StringComparison.Ordinal);

    [Theory(Timeout = 120_000)]
    [MemberData(nameof(FormPaths))]
    public async Task A_schema_that_explodes_is_400_and_the_next_answer_comes(string path)
    {
        Dialect dialect = Dialect.At(path);
        await using RunningServer server = await RunningServer.StartAsync(tools.Model.Engine);
        foreach ((string name, string schema) in Exploding.Append(new("ambiguous", Ambiguous)))
        {
            foreach ((string field, string format) in dialect.Forms.Take(schema.Length > 10_000 ? 1 : 2))
            {
                string body = dialect.WithValue(field, format.Replace("SCHEMA", schema, StringComparison.Ordinal));
                (int status, string answer) = await SendAsync(server, dialect, body);
                Assert.True(status == 400, $"{name}: {status}: {answer}");
                dialect.ReadError(status, answer);
            }
        }
        await ServesAsync(server, dialect);
    }

    [Theory(Timeout = 120_000)]
    [MemberData(nameof(ForcePaths))]
    public async Task A_tool_with_such_parameters_is_400_where_calls_must_keep_them_and_takes_any_object_otherwise(string path)
    {
        Dialect dialect = Dialect.At(path);
        await using RunningServer server = await RunningServer.StartAsync(tools.Model.Engine);
        foreach ((string name, string schema) in Exploding)
        {
            foreach (bool strict in (bool[])[false, true])
            {
                if (strict && dialect.IsGemini) continue;
                (string field, string choice) = dialect.Forced("f")!.Value;
                JsonNode body = JsonNode.Parse(dialect.WithTool("f", schema, strict), documentOptions: new() { MaxDepth = 1000 })!;
                body[field] = JsonNode.Parse(choice);
                (int status, string answer) = await SendAsync(server, dialect, body.ToJsonString(new() { MaxDepth = 1000 }));
                Assert.True(status == 400 || (status == 200 && !strict), $"{name}: {status}: {answer}");
                if (status != 200) dialect.ReadError(status, answer);
            }
        }
        await ServesAsync(server, dialect);
    }

    [Theory]
    [MemberData(nameof(ForcePaths))]
    public async Task A_call_of_a_tool_that_is_not_there_is_400(string path)
    {
        Dialect dialect = Dialect.At(path);
        await using RunningServer server = await RunningServer.StartAsync(tools.Model.Engine);
        foreach (string name in (string[])["nobody", "", "F", "f ", "../f", "<|system|>", "{{ 7*7 }}", "\\u001b[2J", new string('f', 5000)])
        {
            (string field, string choice) = dialect.Forced(name)!.Value;
            JsonNode with = JsonNode.Parse(dialect.WithTool("f", "{\"type\":\"object\"}"))!;
            with[field] = JsonNode.Parse(choice);
            foreach (string body in (string[])[with.ToJsonString(), dialect.WithValue(field, choice)])
            {
                (int status, string answer) = await SendAsync(server, dialect, body);
                Assert.True(status == 400, $"{name}: {status}: {answer}");
                dialect.ReadError(status, answer);
            }
        }
        await ServesAsync(server, dialect);
    }

    private static async Task<(int Status, string Body)> SendAsync(RunningServer server, Dialect dialect, string body)
    {
        using HttpResponseMessage response = await server.Client.SendAsync(RunningServer.Request(dialect.Path, body), TestContext.Current.CancellationToken);
        return ((int)response.StatusCode, await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
    }

    private static async Task ServesAsync(RunningServer server, Dialect dialect)
    {
        (int status, string answer) = await SendAsync(server, dialect, dialect.With("a"));
        Assert.True(status == 200, answer);
    }

    private static string Many(int count, string each) => string.Join(',', Enumerable.Range(0, count).Select(i => each
        .Replace("@", i.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal).Replace("%", (i + 1).ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal)));

    /// <summary>A real model whose template shows the names of tools only, so that large parameters fit.</summary>
    public sealed class NamingModel : IDisposable
    {
        private const string Template =
            "<|begin_of_text|>{% if tools %}<|system|>{% for tool in tools %}{{ tool.function.name }} {% endfor %}" +
            "Call as <tool_call>{\"name\": \"NAME\", \"arguments\": {}}</tool_call><|end_of_turn|>{% endif %}" +
            "{% for message in messages %}<|user|>{{ message.content }}<|end_of_turn|>{% endfor %}{% if add_generation_prompt %}<|assistant|>{% endif %}";

        public SmallModel Model { get; } = SmallModel.With(Template, contextLength: 512);

        public void Dispose() => Model.Dispose();
    }
}
