using System.Text;

namespace OpenEuroLLM.Serving.Tests.Hostile;

/// <summary>Bodies that are no JSON, JSON with two meanings, or JSON that is too much of something: the same table for every dialect.</summary>
public sealed class HostileBodyTests(HostileServer hostile) : IClassFixture<HostileServer>
{
    private static readonly Dictionary<string, Func<Dialect, byte[]>> Malformed = new()
    {
        ["nothing"] = _ => [],
        ["a blank"] = _ => " "u8.ToArray(),
        ["a list"] = _ => "[]"u8.ToArray(),
        ["null"] = _ => "null"u8.ToArray(),
        ["a number"] = _ => "1e999"u8.ToArray(),
        ["two objects"] = dialect => Bytes(dialect.With("a") + dialect.With("a")),
        ["a comma at the end"] = dialect => Bytes(dialect.With("a")[..^1] + ",}"),
        ["a comment"] = dialect => Bytes("/* */" + dialect.With("a")),
        ["single quotes"] = dialect => Bytes(dialect.With("a").Replace('"', '\'')),
        ["a byte order mark"] = dialect => [0xEF, 0xBB, 0xBF, .. Bytes(dialect.With("a"))],
        ["UTF-16"] = dialect => Encoding.Unicode.GetBytes(dialect.With("a")),
        ["a byte of no character"] = dialect => Replaced(dialect, [0xFF]),
        ["half a character"] = dialect => Replaced(dialect, [0xC5]),
        ["an overlong form"] = dialect => Replaced(dialect, [0xC0, 0xAF]),
        ["a surrogate in UTF-8"] = dialect => Replaced(dialect, [0xED, 0xA0, 0x80]),
        ["beyond Unicode"] = dialect => Replaced(dialect, [0xF4, 0x90, 0x80, 0x80]),
        ["half a surrogate pair, escaped"] = dialect => Replaced(dialect, "\\ud800"u8.ToArray()),
        ["the other half alone"] = dialect => Replaced(dialect, "\\udc00 and more"u8.ToArray()),
        ["a surrogate pair the wrong way round"] = dialect => Replaced(dialect, "\\udc00\\ud800"u8.ToArray()),
        ["a raw control character"] = dialect => Replaced(dialect, [0x01]),
        ["a raw NUL"] = dialect => Replaced(dialect, [0x00]),
        ["an unknown escape"] = dialect => Replaced(dialect, "\\x41"u8.ToArray()),
        ["a field twice"] = dialect => Bytes(dialect.With("a")[..^1] + "," + dialect.With("b")[1..]),
        ["a field twice, once escaped"] = dialect => Bytes("{\"\\u0078\":1,\"x\":1," + dialect.With("b")[1..]),
        ["a field twice further in"] = dialect => Bytes("{\"x\":[{\"y\":1,\"y\":2}]," + dialect.With("b")[1..]),
        ["NaN"] = dialect => Bytes("{\"x\":NaN," + dialect.With("b")[1..]),
        ["Infinity"] = dialect => Bytes("{\"x\":-Infinity," + dialect.With("b")[1..]),
        ["a hexadecimal number"] = dialect => Bytes("{\"x\":0x10," + dialect.With("b")[1..]),
        ["a number with a leading zero"] = dialect => Bytes("{\"x\":01," + dialect.With("b")[1..]),
        ["10,000 lists"] = dialect => Bytes("{\"x\":" + new string('[', 10_000) + new string(']', 10_000) + "," + dialect.With("b")[1..]),
        ["10,000 lists that never end"] = _ => Bytes("{\"x\":" + new string('[', 10_000)),
        ["10,000 objects"] = dialect => Bytes(string.Concat(Enumerable.Repeat("{\"x\":", 10_000)) + "1" + new string('}', 10_000)),
    };

    public static TheoryData<string, string> MalformedCases => Cases(Malformed.Keys);

    [Theory]
    [MemberData(nameof(MalformedCases))]
    public async Task Malformed_or_ambiguous_json_is_400(string path, string what)
    {
        Dialect dialect = Dialect.At(path);

        Fault fault = await hostile.RefusedAsync(dialect, Malformed[what](dialect));

        Assert.Equal(400, fault.Status);
    }

    [Theory]
    [MemberData(nameof(Paths))]
    public async Task Every_cut_of_a_good_body_is_400(string path)
    {
        Dialect dialect = Dialect.At(path);
        byte[] whole = Bytes(dialect.With("žluťoučký"));
        for (int length = 0; length < whole.Length; length++)
        {
            (int status, string answer) = await hostile.SendAsync(dialect, whole[..length]);
            Assert.True(status == 400, $"{length} bytes: {status}");
            dialect.ReadError(status, answer);
        }
        await hostile.ServesAsync(dialect);
    }

    [Theory]
    [MemberData(nameof(Paths))]
    public async Task Another_content_type_is_415(string path)
    {
        Dialect dialect = Dialect.At(path);
        foreach (string? type in new[] { null, "", "text/plain", "text/html", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/json; charset=utf-16", "application/json5", "application/*", "json" })
            Assert.Equal(415, (await hostile.RefusedAsync(dialect, Bytes(dialect.With("a")), type)).Status);
        foreach (string type in new[] { "application/json", "APPLICATION/JSON", "application/json; charset=utf-8", "application/json;charset=\"UTF-8\"" })
            Assert.Equal(200, (await hostile.SendAsync(dialect, Bytes(dialect.With("a")), type)).Status);
    }

    [Theory]
    [MemberData(nameof(Paths))]
    public async Task A_body_beyond_the_limit_is_413(string path)
    {
        Dialect dialect = Dialect.At(path);

        Assert.Equal(413, (await hostile.RefusedAsync(dialect, Bytes(dialect.With("a") + new string(' ', HostileServer.MaxBodyBytes)))).Status);
    }

    [Theory]
    [MemberData(nameof(Paths))]
    public async Task A_name_of_half_a_megabyte_or_of_control_characters_is_400_and_shown_short(string path)
    {
        Dialect dialect = Dialect.At(path);
        foreach (string name in new[] { new string('x', 500_000), "\\u0000\\u001b[31m\\r\\nSet-Cookie: a", "\\u202e\\u2066", "__proto__", "constructor", "", "model\\u0000", " model", "MODEL" })
        {
            Fault fault = await hostile.RefusedAsync(dialect, "{\"" + name + "\":1," + dialect.With("a")[1..]);
            Assert.Equal(400, fault.Status);
            Assert.InRange(fault.Message.Length, 10, 250);
        }
    }

    public static TheoryData<string> Paths => [.. Dialect.All.Select(dialect => dialect.Path)];

    private static TheoryData<string, string> Cases(IEnumerable<string> names)
    {
        var cases = new TheoryData<string, string>();
        foreach (string name in names)
            foreach (Dialect dialect in Dialect.All) cases.Add(dialect.Path, name);
        return cases;
    }

    private static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);

    /// <summary>The good body with these bytes in the middle of the user's text.</summary>
    private static byte[] Replaced(Dialect dialect, byte[] with)
    {
        string[] halves = dialect.Good.Split("TEXT");
        return [.. Bytes(halves[0]), (byte)'a', .. with, (byte)'b', .. Bytes(halves[1])];
    }
}
