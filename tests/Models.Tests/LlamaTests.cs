using System.Text.Json.Nodes;
using OpenEuroLLM.Core;
using OpenEuroLLM.Formats;
using OpenEuroLLM.Models.Llama;
using OpenEuroLLM.Tensors;

namespace OpenEuroLLM.Models.Tests;

public sealed class LlamaTests : IDisposable
{
    private static readonly LlamaConfig Small = new(Layers: 2, Width: 24, Heads: 4, KeyValueHeads: 2, HeadDimension: 6, Hidden: 40, VocabularySize: 50,
        ContextLength: 64, TiedHead: false)
    { BeginOfTextId = 45, EndIds = [46, 47], PaddingId = 49 };

    private readonly string folder = Directory.CreateTempSubdirectory("oellm-models-").FullName;
    private readonly Engine engine = new(2);

    public void Dispose()
    {
        engine.Dispose();
        Directory.Delete(folder, recursive: true);
    }

    [Theory, InlineData(SafetensorsType.F32), InlineData(SafetensorsType.F16), InlineData(SafetensorsType.BF16)]
    public void A_saved_model_reads_back_with_the_same_values_trainable_or_packed(SafetensorsType type)
    {
        using var model = LanguageModel.Create(Small, 4, engine);
        ModelFolder.Save(model, folder, type);
        using var packed = LanguageModel.Load(folder, engine);
        using var trainable = ModelFolder.Load(folder, engine, trainable: true);
        Assert.Equal(Small.ToJson("x").ToJsonString(), packed.Config.ToJson("x").ToJsonString());
        Assert.Equal(packed.WeightsSha256(), trainable.WeightsSha256());
        Assert.Equal(type == SafetensorsType.F32, model.WeightsSha256() == packed.WeightsSha256());
        int[] tokens = [1, 2, 3, 4, 5, 6, 7];
        Assert.Equal(Logits(trainable, tokens, [7]), Logits(packed, tokens, [7]));
    }

    [Fact]
    public void Reads_weights_that_are_split_over_files()
    {
        using var model = LanguageModel.Create(Small, 5, engine);
        var map = new JsonObject();
        var parts = model.Weights.Select((weight, i) => (weight, File: i % 2 == 0 ? "model-00001-of-00002.safetensors" : "model-00002-of-00002.safetensors")).ToList();
        foreach (var group in parts.GroupBy(part => part.File))
        {
            using var writer = new SafetensorsWriter(Path.Combine(folder, group.Key));
            foreach (var (weight, _) in group)
            {
                if (weight.Rows == 1) writer.Declare(weight.Name, SafetensorsType.F32, weight.Columns);
                else writer.Declare(weight.Name, SafetensorsType.F32, weight.Rows, weight.Columns);
                map[weight.Name] = group.Key;
            }
            foreach (var (weight, _) in group) writer.WriteFloats(weight.Name, weight.Values);
            writer.Finish();
        }
        File.WriteAllText(Path.Combine(folder, "config.json"), Small.ToJson("float32").ToJsonString());
        var index = Path.Combine(folder, "model.safetensors.index.json");
        File.WriteAllText(index, new JsonObject { ["weight_map"] = map.DeepClone() }.ToJsonString());
        using (var read = LanguageModel.Load(folder, engine)) Assert.Equal(model.WeightsSha256(), read.WeightsSha256());
        map["model.norm.weight"] = "../elsewhere.safetensors";
        File.WriteAllText(index, new JsonObject { ["weight_map"] = map }.ToJsonString());
        Assert.Contains("expected a plain file name", Refusal(), StringComparison.Ordinal);
    }

    [Fact]
    public void The_same_seed_gives_the_same_weights_and_another_seed_others()
    {
        using var one = LanguageModel.Create(Small, 6, engine);
        using var same = LanguageModel.Create(Small, 6, engine);
        using var other = LanguageModel.Create(Small, 7, engine);
        Assert.Equal(one.WeightsSha256(), same.WeightsSha256());
        Assert.NotEqual(one.WeightsSha256(), other.WeightsSha256());
    }

    [Fact]
    public void The_number_of_parameters_is_that_of_the_weights()
    {
        foreach (var tied in new[] { true, false })
        {
            using var model = LanguageModel.Create(Small with { TiedHead = tied }, 1, engine);
            Assert.Equal(model.Weights.Sum(weight => weight.Count), model.Config.Parameters);
        }
    }

    [Fact]
    public void A_folder_that_is_no_model_is_refused_in_one_line()
    {
        Assert.Contains("no config.json in this folder", Refusal(), StringComparison.Ordinal);
        File.WriteAllText(Path.Combine(folder, "config.json"), "{ \"model_type\": \"rwkv\" }");
        Assert.Contains("model_type is 'rwkv'; this version reads llama", Refusal(), StringComparison.Ordinal);
        File.WriteAllText(Path.Combine(folder, "config.json"), "{ \"model_type\": ");
        Assert.Contains("not valid JSON", Refusal(), StringComparison.Ordinal);
        File.WriteAllText(Path.Combine(folder, "config.json"), Small.ToJson("float32").ToJsonString());
        Assert.Contains("neither model.safetensors nor", Refusal(), StringComparison.Ordinal);
        var missing = Assert.Throws<UserErrorException>(() => LanguageModel.Load(Path.Combine(folder, "nothing"), engine)).Message;
        Assert.Contains("expected a model folder", missing, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("hidden_act", "\"gelu\"", "hidden_act is gelu")]
    [InlineData("attention_bias", "true", "no tensor model.layers.0.self_attn.q_proj.bias")]
    [InlineData("rope_scaling", "{\"rope_type\":\"dynamic\",\"factor\":4.0}", "rope_scaling.rope_type is dynamic; this version reads Llama models with default, linear, llama3 or yarn only")]
    [InlineData("rope_scaling", "{\"type\":\"linear\"}", "rope_scaling.factor is missing; linear scaling needs it")]
    [InlineData("rope_scaling", "{\"rope_type\":\"linear\",\"factor\":0.5}", "the factor of the scaling is 0.5; expected at least 1")]
    [InlineData("rope_parameters", "{\"rope_type\":\"default\",\"partial_rotary_factor\":0.5}", "rope_parameters.partial_rotary_factor is 0.5")]
    [InlineData("hidden_size", "-3", "hidden_size is -3; expected a whole number from 2")]
    [InlineData("num_key_value_heads", "3", "num_attention_heads is 4; expected a multiple of num_key_value_heads, 3")]
    [InlineData("vocab_size", "51", "expects [51, 24]")]
    [InlineData("num_hidden_layers", "3", "no tensor model.layers.2.input_layernorm.weight")]
    [InlineData("num_hidden_layers", "1", "tensor model.layers.1.")]
    public void A_configuration_that_does_not_fit_is_refused_by_name(string key, string value, string expected)
    {
        using var model = LanguageModel.Create(Small, 8, engine);
        ModelFolder.Save(model, folder, SafetensorsType.F32);
        var config = Small.ToJson("float32");
        if (key == "rope_scaling") config.Remove("rope_parameters");
        config[key] = JsonNode.Parse(value);
        File.WriteAllText(Path.Combine(folder, "config.json"), config.ToJsonString());
        Assert.Contains(expected, Refusal(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_truncated_weight_file_is_refused()
    {
        using var model = LanguageModel.Create(Small, 9, engine);
        ModelFolder.Save(model, folder, SafetensorsType.F32);
        var path = Path.Combine(folder, "model.safetensors");
        var bytes = File.ReadAllBytes(path);
        foreach (var length in new[] { 0, 7, 100, bytes.Length - 1 })
        {
            File.WriteAllBytes(path, bytes[..length]);
            Assert.DoesNotContain('\n', Refusal());
        }
    }

    [Fact]
    public void The_older_form_of_the_rotary_settings_is_read_too()
    {
        var json = Small.ToJson("float32");
        json.Remove("rope_parameters");
        json["rope_theta"] = 500_000;
        Assert.Equal(500_000, Parse(json, "config.json").Rotary.Theta);
    }

    [Fact]
    public void Rotary_scaling_is_read_in_both_forms()
    {
        var json = Small.ToJson("float32");
        json["rope_parameters"] = JsonNode.Parse("""{"rope_theta":500000,"rope_type":"llama3","factor":8,"low_freq_factor":1,"high_freq_factor":4,"original_max_position_embeddings":4096}""");
        var expected = new RotarySettings(500_000, Scaling: RotaryScaling.Llama3, Factor: 8, LowFrequencyFactor: 1, HighFrequencyFactor: 4, OriginalContextLength: 4096);
        Assert.Equal(expected, Parse(json, "config.json").Rotary);
        Assert.Equal(expected, Parse(Parse(json, "config.json").ToJson("float32"), "config.json").Rotary);
        json.Remove("rope_parameters");
        json["rope_theta"] = 10_000;
        json["rope_scaling"] = JsonNode.Parse("""{"type":"linear","factor":4}""");
        expected = new RotarySettings(10_000, Scaling: RotaryScaling.Linear, Factor: 4);
        Assert.Equal(expected, Parse(json, "config.json").Rotary);
        var written = Parse(json, "config.json").ToJson("float32");
        written.Remove("rope_parameters");
        Assert.Equal(expected, Parse(written, "config.json").Rotary);
    }

    private static ModelConfig Parse(JsonObject json, string where) => ModelFamily.Read(json, where);

    private string Refusal()
    {
        var message = Assert.Throws<UserErrorException>(() => LanguageModel.Load(folder, engine)).Message;
        Assert.DoesNotContain('\n', message);
        return message;
    }

    private float[] Logits(LanguageModel model, int[] tokens, int[] lengths)
    {
        engine.Reset();
        var layout = new SequenceLayout();
        foreach (var length in lengths) layout.Add(length);
        var logits = new float[tokens.Length * model.VocabularySize];
        model.Logits(model.Forward(tokens, layout), [.. Enumerable.Range(0, tokens.Length)], logits);
        return logits;
    }
}
