using System.Text.Json.Nodes;
using OpenEuroLLM.Core;
using OpenEuroLLM.Formats;
using OpenEuroLLM.Formats.Quantization;
using OpenEuroLLM.Models.Gemma;
using OpenEuroLLM.Models.Llama;
using OpenEuroLLM.Models.Olmo;
using OpenEuroLLM.Models.Pharia;
using OpenEuroLLM.Models.Phi;
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
        ["llama 3 with another original context"] = () => (LlamaConfig)Sized("llama") with { Rotary = new RotarySettings(500_000, Scaling: RotaryScaling.Llama3, Factor: 32, OriginalContextLength: 47) },
        ["mistral with a short window"] = () => (LlamaConfig)Sized("mistral") with { Window = 4 },
        ["gemma3 scaled"] = () => (GemmaConfig)Sized("gemma3", 8) with { Window = 4, Rotary = new RotarySettings(1_000_000, Scaling: RotaryScaling.Linear, Factor: 8) },
        ["gemma3 with another period"] = () => (GemmaConfig)Sized("gemma3") with { Window = 4, LocalLayers = [true, false, true, false], LocalRotary = new RotarySettings(5000) },
        ["qwen3 with yarn"] = () => Sized("qwen3") with { Rotary = new RotarySettings(1_000_000, Scaling: RotaryScaling.Yarn, Factor: 4, OriginalContextLength: 16) },
        ["olmo3 with yarn"] = () => (OlmoConfig)Sized("olmo3", 8) with { Window = 4, Rotary = new RotarySettings(500_000, Scaling: RotaryScaling.Yarn, Factor: 8, OriginalContextLength: 8, BetaFast: 8, AttentionFactor: 1.5) },
        ["apertus 3"] = () => Sized("apertus") with { Rotary = new RotarySettings(12_000_000, Scaling: RotaryScaling.Llama3, Factor: 8) },
        ["phi with a window, a part that turns and longrope"] = () => Phi(Sized("phi3"), 64),
        ["phi in its original context"] = () => Phi(Sized("phi3"), 16),
        ["phi with an attention factor of its own"] = () => Phi(Sized("phi3"), 64) is var phi ? phi with { Rotary = phi.Rotary with { AttentionFactor = 1.1902381 } } : phi,
        ["pharia without biases"] = () => (PhariaConfig)Sized("pharia-v1") with { AttentionBias = false, MlpBias = false, TiedHead = true },
        ["gpt2 with a head of its own"] = () => Sized("gpt2") with { TiedHead = false },
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
    [InlineData("olmo2", "attention_bias", "true", "attention_bias is true; this version reads OLMo models with false only")]
    [InlineData("olmo3", "hidden_act", "\"gelu\"", "hidden_act is gelu")]
    [InlineData("olmo3", "layer_types", "[\"full_attention\"]", "layer_types has 1 entries; expected one for each of 4 layers")]
    [InlineData("apertus", "hidden_act", "\"silu\"", "hidden_act is silu; this version reads Apertus models with xielu only")]
    [InlineData("apertus", "qk_norm", "false", "qk_norm is false")]
    [InlineData("apertus", "post_norm", "true", "post_norm is true")]
    [InlineData("phi3", "hidden_act", "\"gelu_new\"", "hidden_act is gelu_new; this version reads Phi models with silu only")]
    [InlineData("phi3", "sliding_window", "0", "sliding_window is 0; expected a whole number from 1")]
    [InlineData("phi3", "partial_rotary_factor", "1.5", "partial_rotary_factor is 1.5; expected a number up to 1")]
    [InlineData("phi3", "partial_rotary_factor", "0.2", "3 numbers of a head of 16 turn; expected an even number")]
    [InlineData("phi3", "rope_parameters", "{\"rope_type\":\"longrope\",\"long_factor\":[1]}", "rope_parameters.short_factor is missing; longrope scaling needs it")]
    [InlineData("phi3", "rope_parameters", "{\"rope_type\":\"longrope\",\"long_factor\":[1,-1],\"short_factor\":[1,1]}", "rope_parameters.long_factor has an entry that is no number above 0")]
    [InlineData("phi3", "rope_parameters", "{\"rope_type\":\"longrope\",\"long_factor\":[1,2],\"short_factor\":[1,1],\"original_max_position_embeddings\":8}", "2 divisors are listed; expected 8")]
    [InlineData("phi3", "rope_parameters", "{\"rope_type\":\"yarn\",\"factor\":0.5}", "the factor of the scaling is 0.5; expected at least 1")]
    [InlineData("phi3", "rope_parameters", "{\"rope_type\":\"yarn\",\"factor\":4,\"beta_fast\":0.5}", "the betas, slow and fast, are 1 and 0.5")]
    [InlineData("qwen3", "rope_parameters", "{\"rope_type\":\"longrope\"}", "rope_parameters.rope_type is longrope; this version reads Qwen models with default, linear, llama3 or yarn only")]
    [InlineData("pharia-v1", "hidden_act", "\"gelu_new\"", "hidden_act is gelu_new; this version reads Pharia models with gelu only")]
    [InlineData("pharia-v1", "rope_scaling", "{\"type\":\"linear\",\"factor\":2}", "rope_scaling is {")]
    [InlineData("gpt2", "activation_function", "\"relu\"", "activation_function is relu; this version reads GPT-2 models with gelu_new only")]
    [InlineData("gpt2", "scale_attn_by_inverse_layer_idx", "true", "scale_attn_by_inverse_layer_idx is true")]
    [InlineData("gpt2", "n_head", "5", "n_embd is 64; expected a multiple of n_head, 5")]
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
            (Sized("pharia-v1"), "GGUF has no architecture for Pharia models"),
            ((OlmoConfig)Sized("olmo3") with { WindowLayers = [true, false, true, false] }, "not all but every 4th"),
            ((OlmoConfig)Sized("olmo3") with { WindowRotary = new RotarySettings(10_000) }, "by a base or a scaling of their own"),
            (Sized("qwen3") with { Rotary = new RotarySettings(10_000, Scaling: RotaryScaling.Yarn, Factor: 2, Truncate: false) }, "truncate is false"),
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

    private static PhiConfig Phi(ModelConfig config, int context)
    {
        float[] shorter = [1, 1.05f, 1.1f, 1.2f, 1.3f, 1.5f], longer = [1, 1.5f, 2, 4, 8.125f, 33.3f];
        var rotary = new RotarySettings(10_000, Dimensions: 12, Scaling: RotaryScaling.LongRope, Factor: context / 16.0, OriginalContextLength: 16, Divisors: context > 16 ? longer : shorter);
        return (PhiConfig)config with { ContextLength = context, Rotary = rotary, Window = 4, Divisors = new(shorter, longer) };
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
