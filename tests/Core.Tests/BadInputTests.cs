using System.Text;
using System.Text.Json.Nodes;

namespace OpenEuroLLM.Core.Tests;

/// <summary>Thousands of damaged files: each is either read or refused in one line, never anything else.</summary>
public sealed class BadInputTests
{
    private static readonly byte[][] _pieces = [.. new[] { "\"", "\\ud800", "{", "}", "[", "]", ",", ":", "null", "1e999", "-1", "\\", "\n", "//", "/*", "true", "\"seed\":", "\u0000" }.Select(Encoding.UTF8.GetBytes), [0xFF], [0xC3]];

    private static IEnumerable<byte[]> Damaged(byte[] sound, int count, string name)
    {
        var random = new CounterRandom(5, 0).Substream(name);
        ulong next = 0;
        int Below(int bound) => (int)random.Below(next++, (uint)bound);
        for (int i = 0; i < count; i++)
        {
            var bytes = sound.ToList();
            for (int damages = 1 + Below(3); damages > 0 && bytes.Count > 1; damages--)
            {
                int at = Below(bytes.Count);
                switch (Below(4))
                {
                    case 0: bytes[at] ^= (byte)(1 << Below(8)); break;
                    case 1: bytes.RemoveRange(at, Math.Min(1 + Below(9), bytes.Count - at)); break;
                    case 2: bytes.InsertRange(at, _pieces[Below(_pieces.Length)]); break;
                    default: bytes.InsertRange(at, bytes.GetRange(at, Math.Min(Below(30), bytes.Count - at))); break;
                }
            }

            yield return [.. bytes];
        }
    }

    private static void ReadsOrRefuses(string sound, string name, Action<byte[]> read)
    {
        read(Encoding.UTF8.GetBytes(sound));
        int refused = 0;
        foreach (byte[] damaged in Damaged(Encoding.UTF8.GetBytes(sound), 4000, name))
        {
            try
            {
                read(damaged);
            }
            catch (UserErrorException error)
            {
                refused++;
                Assert.DoesNotContain('\n', error.Message);
                Assert.StartsWith("here", error.Message);
            }
            catch (Exception exception)
            {
                Assert.Fail($"{exception.GetType().Name} for {Encoding.UTF8.GetString(damaged)}: {exception}");
            }
        }

        Assert.InRange(refused, 1000, 3999);
    }

    [Fact]
    public void A_damaged_document_is_read_or_refused() => ReadsOrRefuses(
        """{"id":"a/1","text":"Příliš žluťoučký","lang":"cs","source":"s","license":"CC BY 4.0","url":"u","date":null,"metadata":{"b":[1,2.50],"messages":[{"role":"user","content":"x"}]}}""",
        "document", bytes => Document.Parse(bytes, "here").ToJsonLine());

    [Fact]
    public void A_damaged_recipe_is_read_or_refused() => ReadsOrRefuses(
        """{ "training": { "warmupSteps": 10, "seed": 7, "schedule": "Cosine" }, "corpus": { "source": "x", "steps": [ { "step": "min-words", "words": 5 }, { "step": "language", "keep": ["cs"] } ], "extra": { "a": 1 } }, "nested": { "required": "r", "numbers": [1, 2] } }""",
        "recipe", bytes => RecipeReader.Parse(bytes, "here", TestRecipeContext.Default.TestRecipe, ["training.seed=9", "nested.numbers[0]=4"]));

    [Fact]
    public void A_damaged_manifest_is_read_or_refused() => ReadsOrRefuses(
        Encoding.UTF8.GetString(new Manifest("corpus", new JsonObject { ["seed"] = 1, ["steps"] = new JsonArray("a") }, [new("../a/manifest.json", "0", "0")], [new("a/b", 5, "0")], [new("s", "r", "cs", Documents: 4)], "1").ToJson()),
        "manifest", bytes => Manifest.Parse(bytes, "here").ToJson());
}
