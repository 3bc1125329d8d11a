using System.Text.Json.Nodes;
using OpenEuroLLM.Formats;
using OpenEuroLLM.Inference;
using OpenEuroLLM.Models;
using OpenEuroLLM.Models.Llama;
using OpenEuroLLM.Tensors;
using OpenEuroLLM.Tokenizers;

namespace OpenEuroLLM.Serving.Tests;

/// <summary>A real model folder with random weights and a tokenizer of single bytes: what it says is noise, and always the same.</summary>
public sealed class SmallModel : IDisposable
{
    public const int ContextLength = 256;
    private readonly DirectoryInfo parent = Directory.CreateTempSubdirectory("oellm-serving-");

    public SmallModel()
    {
        string folder = Path.Combine(parent.FullName, Name);
        Directory.CreateDirectory(folder);
        File.WriteAllText(Path.Combine(folder, "tokenizer.json"), TokenizerJson().ToJsonString());
        File.WriteAllText(Path.Combine(folder, ChatTemplate.FileName), ChatTemplate.Text);
        var config = new LlamaConfig(Layers: 2, Width: 32, Heads: 2, KeyValueHeads: 1, HeadDimension: 16, Hidden: 48,
            VocabularySize: 256 + SpecialTokens.All.Count, ContextLength, EndIds: [257, 261]);
        using var engine = new Engine(1);
        using var model = LlamaModel.Create(config, seed: 1, engine);
        ModelFolder.Save(model, folder, SafetensorsType.F32);
        Engine = InferenceEngine.Load(folder, threads: 1);
    }

    public static string Name => "small";

    public InferenceEngine Engine { get; }

    public void Dispose()
    {
        Engine.Dispose();
        parent.Delete(recursive: true);
    }

    private static JsonObject TokenizerJson()
    {
        var vocabulary = new JsonObject();
        int others = 0;
        for (int value = 0; value < 256; value++)
        {
            // The alphabet of byte-level tokenizers: printable bytes as themselves, the others from U+0100 on.
            bool printable = value is >= 33 and <= 126 or >= 161 and <= 172 or >= 174;
            vocabulary[char.ToString((char)(printable ? value : 256 + others++))] = value;
        }
        var added = new JsonArray([.. SpecialTokens.All.Select((content, index) => (JsonNode)new JsonObject
        {
            ["id"] = 256 + index, ["content"] = content, ["single_word"] = false, ["lstrip"] = false, ["rstrip"] = false, ["normalized"] = false, ["special"] = true,
        })]);
        return new JsonObject
        {
            ["version"] = "1.0", ["truncation"] = null, ["padding"] = null, ["added_tokens"] = added, ["normalizer"] = null,
            ["pre_tokenizer"] = new JsonObject
            {
                ["type"] = "Sequence",
                ["pretokenizers"] = new JsonArray(
                    new JsonObject { ["type"] = "Split", ["pattern"] = new JsonObject { ["Regex"] = Pattern }, ["behavior"] = "Isolated", ["invert"] = false },
                    new JsonObject { ["type"] = "ByteLevel", ["add_prefix_space"] = false, ["trim_offsets"] = true, ["use_regex"] = false }),
            },
            ["post_processor"] = null,
            ["decoder"] = new JsonObject { ["type"] = "ByteLevel", ["add_prefix_space"] = true, ["trim_offsets"] = true, ["use_regex"] = true },
            ["model"] = new JsonObject
            {
                ["type"] = "BPE", ["dropout"] = null, ["unk_token"] = null, ["continuing_subword_prefix"] = null, ["end_of_word_suffix"] = null,
                ["fuse_unk"] = false, ["byte_fallback"] = false, ["ignore_merges"] = false, ["vocab"] = vocabulary, ["merges"] = new JsonArray(),
            },
        };
    }

    private const string Pattern = @"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
}
