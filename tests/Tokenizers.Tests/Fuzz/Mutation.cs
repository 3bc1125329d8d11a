using System.Text;
using System.Text.Json.Nodes;

namespace OpenEuroLLM.Tokenizers.Tests.Fuzz;

/// <summary>Ways to damage a valid file.</summary>
internal static class Mutation
{
    private static readonly string[] Numbers = ["-1", "0", "1e308", "4294967295", "2147483647", "9223372036854775807", "99999999999999999999999", "-2147483649", "0.5", "1e-320"];

    private static readonly string[] Values =
    [
        "null", "true", "\"\"", "[]", "{}", "\"x\"", "[[]]", "[null,1]", "\"\\ud800\"", "\"\\u0000\"", "\"Sequence\"", "{\"type\":\"Sequence\"}", "{\"Regex\":\"(a+)+$\"}", "{\"Regex\":\"(\"}", "{\"String\":\"\"}",
        "{\"type\":\"Replace\",\"pattern\":{\"Regex\":\".\"},\"content\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"}", "{\"type\":\"Unknown\"}", "\"▁\"", "[\"a\",\"b\",\"c\"]", "\"" + "Zm9v" + "\"",
    ];

    /// <summary>Damages bytes in one to four places.</summary>
    public static byte[] Bytes(byte[] valid, IReadOnlyList<byte[]> others, FuzzRandom random)
    {
        var bytes = valid.ToList();
        for (int times = 1 + random.Below(4); times > 0; times--)
        {
            int at = random.Below(bytes.Count + 1), length = Math.Min(bytes.Count - at, random.Below(4) == 0 ? random.Below(400) : random.Below(12));
            switch (random.Below(9))
            {
                case 0 when at < bytes.Count: bytes[at] ^= (byte)(1 << random.Below(8)); break;
                case 1 when at < bytes.Count: bytes[at] = random.Byte(); break;
                case 2: bytes.RemoveRange(at, bytes.Count - at); break;
                case 3: bytes.InsertRange(at, bytes.GetRange(at, length)); break;
                case 4: bytes.RemoveRange(at, length); break;
                case 5: for (int i = 0; i < length; i++) bytes[at + i] = 0xFF; break;
                case 6: for (int i = 0; i < length; i++) bytes[at + i] = 0; break;
                case 7: bytes.InsertRange(at, Encoding.UTF8.GetBytes(random.Of(Numbers))); break;
                default:
                    byte[] other = random.Of(others);
                    int from = random.Below(other.Length + 1);
                    bytes.InsertRange(at, other.AsSpan(from, Math.Min(other.Length - from, random.Below(200))).ToArray());
                    break;
            }
        }
        return [.. bytes];
    }

    /// <summary>Damages one to three values of a JSON document, which stays well formed.</summary>
    public static byte[] Json(JsonNode valid, FuzzRandom random)
    {
        // Marks stand for values that a JSON tree cannot hold, such as numbers beyond any type.
        var root = valid.DeepClone();
        var marks = new Dictionary<string, string>();
        for (int times = 1 + random.Below(3); times > 0; times--)
        {
            var all = Containers(root).ToList();
            var container = random.Of(all);
            if (container is JsonObject named)
            {
                string? key = named.Count == 0 ? null : random.Of([.. named.Select(pair => pair.Key)]);
                switch (random.Below(6))
                {
                    case 0 when key is not null: named.Remove(key); break;
                    case 1 when key is not null: named[key + random.Of([" ", "x", "s"])] = named[key]?.DeepClone(); break;
                    case 2: named[random.Of(["type", "id", "content", "vocab", "merges", "pattern", "normalizers", ""])] = Mark(); break;
                    case 3 when key is not null && random.Of(all) is var other: named[key] = other == root ? null : other.DeepClone(); break;
                    default: named[key ?? "type"] = Mark(); break;
                }
            }
            else if (container is JsonArray list)
            {
                int at = list.Count == 0 ? 0 : random.Below(list.Count);
                switch (random.Below(5))
                {
                    case 0 when list.Count > 0: list.RemoveAt(at); break;
                    case 1 when list.Count > 0: list.Insert(at, list[at]?.DeepClone()); break;
                    case 2 when list.Count > 1: (int to, var moved) = (random.Below(list.Count), list[at]?.DeepClone()); list[to] = moved; break;
                    case 3 when list.Count > 0: list[at] = Mark(); break;
                    default: list.Insert(at, Mark()); break;
                }
            }
        }
        string text = root.ToJsonString();
        foreach (var (mark, value) in marks)
            text = text.Replace($"\"{mark}\"", value, StringComparison.Ordinal);
        return Encoding.UTF8.GetBytes(text);

        JsonNode Mark()
        {
            string mark = FormattableString.Invariant($"@mark{marks.Count}@");
            marks[mark] = random.Below(3) switch { 0 => random.Of(Numbers), 1 => random.Of(Values), _ => random.Below(20) == 0 ? new string('[', 3000) + new string(']', 3000) : random.Of(Values) };
            return mark;
        }
    }

    private static IEnumerable<JsonNode> Containers(JsonNode node)
    {
        yield return node;
        foreach (var child in node switch { JsonObject named => named.Select(pair => pair.Value), JsonArray list => list, _ => Enumerable.Empty<JsonNode?>() })
            if (child is JsonObject or JsonArray)
                foreach (var inner in Containers(child))
                    yield return inner;
    }
}
