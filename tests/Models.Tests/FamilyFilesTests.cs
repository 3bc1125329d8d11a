using System.Text.Json.Nodes;
using OpenEuroLLM.Core;
using OpenEuroLLM.Formats;
using OpenEuroLLM.Formats.Quantization;
using OpenEuroLLM.Models.Gemma;
using OpenEuroLLM.Models.Llama;
using OpenEuroLLM.Models.Qwen;
using OpenEuroLLM.Tensors;

namespace OpenEuroLLM.Models.Tests;

/// <summary>Files of the families: both forms of folders, GGUF, and what is refused.</summary>
public sealed class FamilyFilesTests : IDisposable
{
    private static readonly int[] Tokens = [1, 7, 49, 3, 3, 20, 11, 0, 31, 48, 5, 9, 9, 40];

    private readonly string folder = Directory.CreateTempSubdirectory("oellm-family-files-").FullName;
    private readonly Engine engine = new(2);

    /// <summary>Each kind as a new model has it, and what else changes files.</summary>
    public static TheoryData<string> Models => [.. ModelFamily.AllKinds, .. Variants.Keys];

    private static Dictionary<string, Func<ModelConfig>> Variants { get; } = new()
    {
        ["llama with biases"] = () => (LlamaConfig)Sized("llama") with { AttentionBias = true, MlpBias = true },
        ["llama 3"] = () => (LlamaConfig)Sized("llama") with { Rotary = new RotarySettings(500_000, Scaling: RotaryScaling.Llama3, Factor: 8) },
        ["mistral with a short window"] = () => (LlamaConfig)Sized("mistral") with { Window = 4 },
        ["gemma3 scaled"] = () => (GemmaConfig)Sized("gemma3", 8) with { Window = 4, Rotary = new RotarySettings(1_000_000, Scaling: RotaryScaling.Linear, Factor: 8) },
        ["gemma3 with another period"] = () => (GemmaConfig)Sized("gemma3") with { Window = 4, LocalLayers = [true, false, true, false], LocalRotary = new RotarySettings(5000) },
        ["gemma2 with other caps"] = () => (GemmaConfig)Sized("gemma2") with { Window = 4, AttentionSoftCap = 3, LogitSoftCap = 5 },
    };

    public void Dispose()
    {
        engine.Dispose();
        Directory.Delete(folder, recursive: true);
    }

    [Theory, MemberData(nameof(Models))]
    public void Folders_and_files_hold_the_same_model(string name)
    {
        var config = ConfigOf(name);
        using var model = Create(config);
        var expected = Logits(model);
        Assert.All(expected, value => Assert.True(float.IsFinite(value)));
        ModelFolder.Save(model, Made("folder"), SafetensorsType.F32);
        using (var read = LanguageModel.Load(At("folder"), engine))
        {
            Assert.Equal(config.ToJson("x").ToJsonString(), read.Config.ToJson("x").ToJsonString());
            Assert.Equal(model.WeightsSha256(), read.WeightsSha256());
            Assert.Equal(expected, Logits(read));
        }
        if (config.Family.GgufArchitectures.Count == 0) return;
        using (var source = ModelSource.Open(At("folder")))
        using (var target = new GgufTarget(At("model.gguf"))) ModelConversion.Run(source, target, _ => BlockFormat.F32, cancellation: TestContext.Current.CancellationToken);
        using (var read = LanguageModel.Load(At("model.gguf"), engine))
        {
            Assert.IsType(model.GetType(), read);
            Assert.Equal(expected, Logits(read));
            Made("back");
            ModelFolder.Save(read, At("back"), SafetensorsType.F32);
        }
        using var back = LanguageModel.Load(At("back"), engine);
        Assert.Equal(expected, Logits(back));
    }

    [Theory, MemberData(nameof(Models))]
    public void Older_readers_and_newer_ones_find_the_same_settings(string name)
    {
        var config = ConfigOf(name);
        var json = config.ToJson("float32");
        Assert.Equal(json.ToJsonString(), ModelFamily.Read(json, "config.json").ToJson("float32").ToJsonString());
        // Without what newer writers added: sections of positions and lists of layers.
        foreach (var key in new[] { "rope_parameters", "layer_types", "dtype" }) json.Remove(key);
        Assert.Equal(config.ToJson("float32").ToJsonString(), ModelFamily.Read(json, "config.json").ToJson("float32").ToJsonString());
    }

    [Fact]
    public void A_model_that_also_sees_is_read_for_its_text_under_old_and_new_names()
    {
        var config = (GemmaConfig)Sized("gemma3") with { EndIds = [1, 6] };
        using var model = Create(config);
        var expected = Logits(model);
        foreach (var prefix in new[] { "language_model.model.", "model.language_model." })
        {
            Made("seeing");
            var text = config.ToJson("float32");
            foreach (var key in new[] { "eos_token_id", "model_type", "architectures" }) text.Remove(key);
            var json = new JsonObject { ["model_type"] = "gemma3", ["eos_token_id"] = new JsonArray(1, 6), ["text_config"] = text, ["vision_config"] = new JsonObject() };
            File.WriteAllText(Path.Combine(At("seeing"), "config.json"), json.ToJsonString());
            using (var writer = new SafetensorsWriter(Path.Combine(At("seeing"), "model.safetensors")))
            {
                string Name(Weight weight) => prefix + weight.Name["model.".Length..];
                writer.Declare("vision_tower.vision_model.embeddings.patch_embedding.bias", SafetensorsType.F32, 2);
                foreach (var weight in model.Weights) writer.Declare(Name(weight), SafetensorsType.F32, weight.Rows == 1 ? [weight.Columns] : [weight.Rows, weight.Columns]);
                writer.WriteFloats("vision_tower.vision_model.embeddings.patch_embedding.bias", [1, 2]);
                foreach (var weight in model.Weights) writer.WriteFloats(Name(weight), weight.Values);
                writer.Finish();
            }
            using var read = LanguageModel.Load(At("seeing"), engine);
            Assert.Equal([1, 6], read.Config.EndIds);
            Assert.Equal(expected, Logits(read));
            Directory.Delete(At("seeing"), recursive: true);
        }
    }

    [Fact]
    public void What_published_files_leave_out_is_known()
    {
        // The whole of what the 4B model says about its text.
        var gemma = (GemmaConfig)Read("""
            {"model_type":"gemma3","eos_token_id":[1,106],"text_config":{"hidden_size":2560,"intermediate_size":10240,"model_type":"gemma3_text","num_hidden_layers":34,
            "rope_scaling":{"factor":8.0,"rope_type":"linear"},"sliding_window":1024}}
            """);
        Assert.Equal((8, 4, 256, 262_208, 131_072), (gemma.Heads, gemma.KeyValueHeads, gemma.HeadDimension, gemma.VocabularySize, gemma.ContextLength));
        Assert.Equal(new RotarySettings(1_000_000, Scaling: RotaryScaling.Linear, Factor: 8), gemma.Rotary);
        Assert.Equal((new RotarySettings(10_000), 1024, 29), (gemma.LocalRotary, gemma.Window, gemma.LocalLayers.Count(local => local)));
        Assert.Equal(("2", "1 106", "0"), ($"{gemma.BeginOfTextId}", string.Join(' ', gemma.EndIds), $"{gemma.PaddingId}"));
        Assert.Equal(3_880_263_168, gemma.Parameters);
        var mistral = (LlamaConfig)Read("""{"model_type":"mistral","hidden_size":64,"intermediate_size":96,"num_hidden_layers":2,"num_attention_heads":4,"vocab_size":96}""");
        Assert.Equal(4096, mistral.Window);
        var smol = (LlamaConfig)Read("""{"model_type":"smollm3","hidden_size":64,"intermediate_size":96,"num_hidden_layers":9,"num_attention_heads":4,"vocab_size":96}""");
        Assert.Equal(("3 7", 2_000_000), (string.Join(' ', smol.UnturnedLayers), smol.Rotary.Theta));
        var qwen = (QwenConfig)Read("""
            {"model_type":"qwen2","hidden_size":64,"intermediate_size":96,"num_hidden_layers":4,"num_attention_heads":4,"vocab_size":96,"use_sliding_window":true,"sliding_window":8,"max_window_layers":2}
            """);
        Assert.Equal((8, "2 3"), (qwen.Window, string.Join(' ', qwen.WindowLayers)));
    }

    [Theory]
    [InlineData("smollm3", "use_sliding_window", "true", "use_sliding_window is true; this version reads Llama models with false only")]
    [InlineData("smollm3", "no_rope_layers", "[1,0]", "no_rope_layers has 2 entries; expected one for each of 4 layers")]
    [InlineData("smollm3", "no_rope_layers", "[1,0,2,1]", "no_rope_layers[2] is 2")]
    [InlineData("mistral", "sliding_window", "-1", "sliding_window is -1; expected a whole number from 1")]
    [InlineData("qwen3", "attention_bias", "true", "attention_bias is true; this version reads Qwen models with false only")]
    [InlineData("qwen2", "hidden_act", "\"gelu\"", "hidden_act is gelu")]
    [InlineData("gemma3", "use_bidirectional_attention", "true", "use_bidirectional_attention is true")]
    [InlineData("gemma3", "layer_types", "[\"chunked_attention\",\"full_attention\",\"full_attention\",\"full_attention\"]", "layer_types is chunked_attention; this version reads Gemma models with sliding_attention and full_attention only")]
    [InlineData("gemma3", "layer_types", "[]", "layer_types has 0 entries; expected one for each of 4 layers")]
    [InlineData("gemma2", "hidden_activation", "\"silu\"", "hidden_activation is silu")]
    [InlineData("gemma2", "tie_word_embeddings", "false", "the head is not tied to the embedding")]
    [InlineData("gemma2", "query_pre_attn_scalar", "0", "query_pre_attn_scalar is 0; expected a number above 0")]
    public void Settings_that_a_family_does_not_have_here_are_refused_by_name(string kind, string key, string value, string expected)
    {
        var json = Sized(kind).ToJson("float32");
        json[key] = JsonNode.Parse(value);
        var message = Assert.Throws<UserErrorException>(() => ModelFamily.Read(json, "config.json")).Message;
        Assert.StartsWith("config.json: ", message, StringComparison.Ordinal);
        Assert.Contains(expected, message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_GGUF_cannot_say_is_refused_instead_of_lost()
    {
        (ModelConfig, string)[] cases =
        [
            ((LlamaConfig)Sized("smollm3") with { UnturnedLayers = [0, 2] }, "Layers 0, 2 of the model know no positions"),
            ((QwenConfig)Sized("qwen2") with { Window = 4, WindowLayers = [1, 3] }, "2 layers of the model attend to a window of 4 tokens"),
            ((GemmaConfig)Sized("gemma3") with { QueryScalar = 100 }, "divides scores of attention by the root of 100; GGUF can say the root of 16 for 4 layers of gemma3 only"),
            ((GemmaConfig)Sized("gemma3") with { LogitSoftCap = 30 }, "caps scores or logits"),
            ((GemmaConfig)Sized("gemma3") with { LocalLayers = [true, false, false, true] }, "in no even distance"),
            ((GemmaConfig)Sized("gemma2") with { LogitSoftCap = null }, "caps scores or logits not"),
        ];
        foreach (var (config, expected) in cases)
        {
            var message = Assert.Throws<UserErrorException>(() =>
            {
                using var source = new RandomSource(config, 1);
                using var target = new GgufTarget(At("refused.gguf"));
                ModelConversion.Run(source, target, _ => BlockFormat.F32, cancellation: TestContext.Current.CancellationToken);
            }).Message;
            Assert.Contains(expected, message, StringComparison.Ordinal);
            Assert.False(File.Exists(At("refused.gguf")));
        }
    }

    [Fact]
    public void Biases_of_queries_and_keys_lie_in_the_order_of_their_rows()
    {
        using var model = Create(ConfigOf("llama with biases"));
        ModelFolder.Save(model, Made("folder"), SafetensorsType.F32);
        using (var source = ModelSource.Open(At("folder")))
        using (var target = new GgufTarget(At("model.gguf"))) ModelConversion.Run(source, target, _ => BlockFormat.F32, cancellation: TestContext.Current.CancellationToken);
        using var file = GgufFile.Open(At("model.gguf"));
        foreach (var (ours, theirs) in new[] { ("q", "q"), ("k", "k") })
        {
            var bias = model.Weights.Single(weight => weight.Name == $"model.layers.1.self_attn.{ours}_proj.bias").Values.ToArray();
            var stored = new float[bias.Length];
            file.ReadFloats($"blk.1.attn_{theirs}.bias", 0, stored);
            for (var i = 0; i < bias.Length; i++) Assert.Equal(bias[i / 16 * 16 + (i % 2 == 0 ? i % 16 / 2 : i % 16 / 2 + 8)], stored[i]);
        }
    }

    [Fact]
    public void Gains_that_are_stored_as_their_distance_from_1_are_whole_in_GGUF()
    {
        using var model = Create(Sized("gemma3"));
        ModelFolder.Save(model, Made("folder"), SafetensorsType.F32);
        using (var source = ModelSource.Open(At("folder")))
        using (var target = new GgufTarget(At("model.gguf"))) ModelConversion.Run(source, target, _ => BlockFormat.F32, cancellation: TestContext.Current.CancellationToken);
        using var file = GgufFile.Open(At("model.gguf"));
        var stored = new float[16];
        file.ReadFloats("blk.1.attn_q_norm.weight", 0, stored);
        Assert.Equal(model.Weights.Single(weight => weight.Name == "model.layers.1.self_attn.q_norm.weight").Values.ToArray().Select(gain => gain + 1), stored);
    }

    private static ModelConfig Sized(string kind, int layers = 4)
    {
        var family = ModelFamily.OfKind(kind)!;
        var shared = family.HabitsOf(kind).SharesKeys ? 2 : 4;
        return family.Sized(kind, new ModelSizes(layers, 64, 4, shared, 96, 50, 64), "here");
    }

    private static ModelConfig ConfigOf(string name) => Variants.TryGetValue(name, out var variant) ? variant() : Sized(name);

    private static ModelConfig Read(string json) => ModelFamily.Read((JsonObject)JsonNode.Parse(json)!, "config.json");

    /// <summary>A model whose vectors are not as they begin, so that none of them can be forgotten.</summary>
    private LanguageModel Create(ModelConfig config)
    {
        var model = LanguageModel.Create(config, 3, engine);
        var random = new CounterRandom(5, 0);
        foreach (var weight in model.Weights.Where(weight => weight.Rows == 1))
        {
            var stream = random.Substream(weight.Name);
            for (var i = 0; i < weight.Columns; i++) weight.Values[i] += 0.1f * stream.NormalAt((ulong)i);
        }
        return model;
    }

    private float[] Logits(LanguageModel model)
    {
        engine.Reset();
        var layout = new SequenceLayout();
        layout.Add(Tokens.Length);
        var logits = new float[Tokens.Length * model.VocabularySize];
        model.Logits(model.Forward(Tokens, layout), [.. Enumerable.Range(0, Tokens.Length)], logits);
        return logits;
    }

    private string At(string name) => Path.Combine(folder, name);

    private string Made(string name) => Directory.CreateDirectory(At(name)).FullName;
}
