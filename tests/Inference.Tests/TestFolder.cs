using System.Text.Json.Nodes;
using OpenEuroLLM.Tokenizers;

namespace OpenEuroLLM.Inference.Tests;

/// <summary>A folder with a small byte-level tokenizer and this project's chat template, removed at the end.</summary>
internal sealed class TestFolder : IDisposable
{
    // Merges that make tokens reach over places where a test wants borders.
    private static readonly (string Left, string Right)[] _merges = [("h", "e"), ("he", "l"), ("Ġ", "a"), ("a", "b"), ("ab", "c"), ("Ã", "©"), ("'", "e")];

    public TestFolder(bool withTemplate = true, string name = "tiny")
    {
        Path = System.IO.Path.Combine(Directory.CreateTempSubdirectory("oellm-inference-").FullName, name);
        Directory.CreateDirectory(Path);
        File.WriteAllText(System.IO.Path.Combine(Path, "tokenizer.json"), TokenizerJson().ToJsonString());
        if (withTemplate) File.WriteAllText(System.IO.Path.Combine(Path, ChatTemplate.FileName), ChatTemplate.Text);
        Tokenizer = Tokenizer.Load(Path);
    }

    public string Path { get; }

    public Tokenizer Tokenizer { get; }

    public void Write(string file, string content) => File.WriteAllText(System.IO.Path.Combine(Path, file), content);

    public void Dispose() => Directory.Delete(System.IO.Path.GetDirectoryName(Path)!, recursive: true);

    private static JsonObject TokenizerJson()
    {
        var vocabulary = new JsonObject();
        var others = new List<int>();
        for (int value = 0; value < 256; value++)
        {
            bool printable = value is >= 33 and <= 126 or >= 161 and <= 172 or >= 174;
            if (!printable) others.Add(value);
            vocabulary[char.ToString((char)(printable ? value : 256 + others.Count - 1))] = value;
        }

        var merges = new JsonArray();
        foreach (var (left, right) in _merges)
        {
            merges.Add(new JsonArray(left, right));
            vocabulary[left + right] = vocabulary.Count;
        }

        var added = new JsonArray();
        foreach (string content in SpecialTokens.All)
        {
            added.Add(new JsonObject
            {
                ["id"] = vocabulary.Count + added.Count,
                ["content"] = content,
                ["single_word"] = false,
                ["lstrip"] = false,
                ["rstrip"] = false,
                ["normalized"] = false,
                ["special"] = true,
            });
        }

        const string pattern = @"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
        return new JsonObject
        {
            ["version"] = "1.0",
            ["truncation"] = null,
            ["padding"] = null,
            ["added_tokens"] = added,
            ["normalizer"] = null,
            ["pre_tokenizer"] = new JsonObject
            {
                ["type"] = "Sequence",
                ["pretokenizers"] = new JsonArray(
                    new JsonObject { ["type"] = "Split", ["pattern"] = new JsonObject { ["Regex"] = pattern }, ["behavior"] = "Isolated", ["invert"] = false },
                    new JsonObject { ["type"] = "ByteLevel", ["add_prefix_space"] = false, ["trim_offsets"] = true, ["use_regex"] = false }),
            },
            ["post_processor"] = null,
            ["decoder"] = new JsonObject { ["type"] = "ByteLevel", ["add_prefix_space"] = true, ["trim_offsets"] = true, ["use_regex"] = true },
            ["model"] = new JsonObject
            {
                ["type"] = "BPE",
                ["dropout"] = null,
                ["unk_token"] = null,
                ["continuing_subword_prefix"] = null,
                ["end_of_word_suffix"] = null,
                ["fuse_unk"] = false,
                ["byte_fallback"] = false,
                ["ignore_merges"] = false,
                ["vocab"] = vocabulary,
                ["merges"] = merges,
            },
        };
    }
}
