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

    [Theory, InlineData(true), InlineData(false)]
    public void Agrees_with_the_plain_definition_in_double_precision(bool tied)
    {
        using var model = LanguageModel.Create(Small with { TiedHead = tied }, 3, engine);
        int[] tokens = [1, 7, 49, 3, 3, 20, 11, 0, 31];
        var actual = Logits(model, tokens, [5, 4]);
        var expected = PlainLlama.Logits(model, tokens[..5]).Concat(PlainLlama.Logits(model, tokens[5..])).ToArray();
        Assert.Equal(expected.Length, actual.Length);
        for (var i = 0; i < expected.Length; i++) Assert.Equal(expected[i], actual[i], 2e-5);
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

/// <summary>The family as its papers write it: loops over doubles, one whole sequence, nothing shared with the engine.</summary>
internal static class PlainLlama
{
    public static double[] Logits(LanguageModel model, int[] tokens)
    {
        var c = model.Config;
        var w = model.Weights.ToDictionary(weight => weight.Name, Rows);
        var x = tokens.Select(token => w["model.embed_tokens.weight"][token].ToArray()).ToArray();
        for (var layer = 0; layer < c.Layers; layer++)
        {
            var p = $"model.layers.{layer}.";
            var a = x.Select(row => Norm(row, w[p + "input_layernorm.weight"][0], c.NormEpsilon)).ToArray();
            var q = a.Select((row, t) => Rotate(Times(w[p + "self_attn.q_proj.weight"], row), c.HeadDimension, t, c.Rotary.Theta)).ToArray();
            var k = a.Select((row, t) => Rotate(Times(w[p + "self_attn.k_proj.weight"], row), c.HeadDimension, t, c.Rotary.Theta)).ToArray();
            var v = a.Select(row => Times(w[p + "self_attn.v_proj.weight"], row)).ToArray();
            for (var t = 0; t < x.Length; t++)
            {
                var attended = new double[c.Heads * c.HeadDimension];
                for (var h = 0; h < c.Heads; h++)
                {
                    var (from, kv) = (h * c.HeadDimension, h / (c.Heads / c.KeyValueHeads) * c.HeadDimension);
                    var scores = Enumerable.Range(0, t + 1).Select(s => Enumerable.Range(0, c.HeadDimension).Sum(d => q[t][from + d] * k[s][kv + d]) / Math.Sqrt(c.HeadDimension)).ToArray();
                    var exponentials = scores.Select(score => Numerics.Exp(score - scores.Max())).ToArray();
                    for (var s = 0; s <= t; s++)
                        for (var d = 0; d < c.HeadDimension; d++) attended[from + d] += exponentials[s] / exponentials.Sum() * v[s][kv + d];
                }
                var h1 = Plus(x[t], Times(w[p + "self_attn.o_proj.weight"], attended));
                var m = Norm(h1, w[p + "post_attention_layernorm.weight"][0], c.NormEpsilon);
                var gate = Times(w[p + "mlp.gate_proj.weight"], m);
                var up = Times(w[p + "mlp.up_proj.weight"], m);
                x[t] = Plus(h1, Times(w[p + "mlp.down_proj.weight"], [.. gate.Zip(up, (g, u) => g / (1 + Numerics.Exp(-g)) * u)]));
            }
        }
        var head = w[c.TiedHead ? "model.embed_tokens.weight" : "lm_head.weight"];
        return [.. x.SelectMany(row => Times(head, Norm(row, w["model.norm.weight"][0], c.NormEpsilon)))];
    }

    private static double[][] Rows(Weight weight)
    {
        var row = new float[weight.Columns];
        return [.. Enumerable.Range(0, weight.Rows).Select(r =>
        {
            weight.CopyRow(r, row);
            return row.Select(value => (double)value).ToArray();
        })];
    }

    private static double[] Norm(double[] x, double[] gain, double epsilon)
    {
        var root = Math.Sqrt(x.Sum(value => value * value) / x.Length + epsilon);
        return [.. x.Select((value, i) => value / root * gain[i])];
    }

    private static double[] Times(double[][] matrix, double[] x) => [.. matrix.Select(row => row.Zip(x, (a, b) => a * b).Sum())];

    private static double[] Plus(double[] a, double[] b) => [.. a.Zip(b, (x, y) => x + y)];

    private static double[] Rotate(double[] x, int dimension, int position, double theta)
    {
        var y = new double[x.Length];
        for (var head = 0; head < x.Length; head += dimension)
        {
            for (var i = 0; i < dimension / 2; i++)
            {
                var angle = position * Numerics.Pow(theta, -2.0 * i / dimension);
                var (a, b) = (x[head + i], x[head + i + dimension / 2]);
                y[head + i] = a * Numerics.Cos(angle) - b * Numerics.Sin(angle);
                y[head + i + dimension / 2] = b * Numerics.Cos(angle) + a * Numerics.Sin(angle);
            }
        }
        return y;
    }
}
