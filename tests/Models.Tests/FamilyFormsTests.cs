using System.Text.Json.Nodes;
using OpenEuroLLM.Core;
using OpenEuroLLM.Formats;
using OpenEuroLLM.Formats.Quantization;
using OpenEuroLLM.Models.Olmo;
using OpenEuroLLM.Models.Phi;
using OpenEuroLLM.Tensors;

namespace OpenEuroLLM.Models.Tests;

/// <summary>What single families have for themselves in files, and training of each.</summary>
public sealed class FamilyFormsTests : IDisposable
{
    private static readonly int[] Tokens = [1, 7, 49, 3, 3, 20, 11, 0, 31, 48, 5, 9, 9, 40, 2];

    private readonly string folder = Directory.CreateTempSubdirectory("oellm-family-forms-").FullName;
    private readonly Engine engine = new(2);

    public static TheoryData<string> Kinds => [.. ModelFamily.AllKinds];

    public void Dispose()
    {
        engine.Dispose();
        Directory.Delete(folder, recursive: true);
    }

    [Theory, InlineData("q4_k_m", "Q5_K"), InlineData("q5_k_m", "Q6_K"), InlineData("q4_k", "Q4_K")]
    public void Queries_keys_and_values_in_one_matrix_take_the_next_type_of_a_mix(string type, string expected)
    {
        foreach (var kind in (string[])["phi3", "gpt2"])
        {
            var config = ModelFamily.OfKind(kind)!.Sized(kind, new ModelSizes(4, 256, 4, 4, 1024, 512, 64) { HeadDimension = 64 }, "here");
            var plan = StoragePlan.Of(type, config);
            Assert.Equal([expected], config.Weights.Where(shape => shape.Role == WeightRole.QueryKeyValue).Select(shape => plan.FormatOf(shape).Name).Distinct());
        }
    }

    [Theory, MemberData(nameof(Kinds))]
    public void Every_weight_learns_and_a_recomputed_layer_gives_the_same_bits(string kind)
    {
        using var model = Sized(kind, 2);
        var loss = Train(model);
        var gradients = model.Weights.ToDictionary(weight => weight.Name, weight => weight.Gradient.ToArray());
        foreach (var weight in model.Weights)
        {
            var gradient = gradients[weight.Name];
            var length = Math.Sqrt(gradient.Sum(value => (double)value * value));
            Assert.True(length > 0, $"{weight.Name} gets no gradient.");
            // A step along a weight's own gradient changes the loss by the gradient's length.
            var step = weight.Rows == 1 ? 0.01 : 0.003 * Math.Sqrt(weight.Values.ToArray().Sum(value => (double)value * value));
            var kept = weight.Values.ToArray();
            var change = (After(step) - After(-step)) / 2;
            kept.CopyTo(weight.Values);
            Assert.True(Math.Abs(change - step * length) <= 0.02 * step * length + 1e-6, $"{weight.Name}: the loss changes by {change}, the gradient says {step * length}.");

            double After(double amount)
            {
                for (var i = 0; i < kept.Length; i++) weight.Values[i] = (float)(kept[i] + amount * gradient[i] / length);
                return Loss(model);
            }
        }
        engine.Recompute = true;
        foreach (var weight in model.Weights) weight.Gradient.Clear();
        Assert.Equal(loss, Train(model));
        Assert.All(model.Weights, weight => Assert.Equal(gradients[weight.Name], weight.Gradient.ToArray()));
    }

    [Theory]
    [InlineData("gpt2", """{"model_type":"gpt2"}""", 124_439_808)]
    [InlineData("Pharia-1-LLM-7B", """
        {"model_type":"pharia-v1","hidden_size":4608,"intermediate_size":18432,"num_hidden_layers":27,"num_attention_heads":36,"num_key_value_heads":4,
        "vocab_size":128000,"max_position_embeddings":8192,"rope_theta":1000000,"hidden_act":"gelu","attention_bias":true,"mlp_bias":true,"tie_word_embeddings":false,"rope_scaling":null}
        """, 7_041_544_704)]
    [InlineData("Phi-4-mini", """
        {"model_type":"phi3","hidden_size":3072,"intermediate_size":8192,"num_hidden_layers":32,"num_attention_heads":24,"num_key_value_heads":8,"vocab_size":200064,
        "max_position_embeddings":131072,"partial_rotary_factor":0.75,"sliding_window":262144,"tie_word_embeddings":true}
        """, 3_836_021_760)]
    [InlineData("Phi-3.5-mini", """
        {"model_type":"phi3","hidden_size":3072,"intermediate_size":8192,"num_hidden_layers":32,"num_attention_heads":32,"vocab_size":32064,"max_position_embeddings":131072}
        """, 3_821_079_552)]
    [InlineData("OLMo-2-7B", """
        {"model_type":"olmo2","hidden_size":4096,"intermediate_size":11008,"num_hidden_layers":32,"num_attention_heads":32,"vocab_size":100352,"rms_norm_eps":1e-6,"rope_theta":500000}
        """, 7_298_617_344)]
    public void Published_models_have_as_many_parameters_as_their_cards_say(string name, string json, long parameters) =>
        Assert.Equal((name, parameters), (name, Read(json).Parameters));

    [Fact]
    public void OLMo_3_scales_layers_without_a_window_alone_however_its_file_says_it()
    {
        const string scaling = """{"rope_type":"yarn","factor":8.0,"original_max_position_embeddings":8192,"attention_factor":1.2079441541679836,"beta_fast":32.0,"beta_slow":1.0}""";
        const string sizes = """ "model_type":"olmo3","hidden_size":64,"intermediate_size":96,"num_hidden_layers":5,"num_attention_heads":4,"vocab_size":96,"max_position_embeddings":65536""";
        string[] forms =
        [
            $$"""{ {{sizes}}, "rope_theta":500000, "rope_scaling":{{scaling}} }""",
            $$"""{ {{sizes}}, "rope_parameters":{"rope_theta":500000,{{scaling[1..]}} }""",
            $$$"""{ {{{sizes}}}, "rope_parameters":{"full_attention":{"rope_theta":500000,{{{scaling[1..]}}},"sliding_attention":{"rope_theta":500000,"rope_type":"default"}} }""",
        ];
        foreach (var form in forms)
        {
            var olmo = (OlmoConfig)Read(form);
            Assert.Equal(new RotarySettings(500_000, Scaling: RotaryScaling.Yarn, Factor: 8, OriginalContextLength: 8192), olmo.Rotary);
            Assert.Equal(new RotarySettings(500_000), olmo.WindowRotary);
            Assert.Equal((4096, "1 1 1 0 1"), (olmo.Window, string.Join(' ', olmo.WindowLayers.Select(window => window ? 1 : 0))));
        }
    }

    [Fact]
    public void Yarn_reads_all_that_its_publications_name()
    {
        var rotary = Read("""
            {"model_type":"qwen2","hidden_size":64,"intermediate_size":96,"num_hidden_layers":1,"num_attention_heads":4,"vocab_size":96,"max_position_embeddings":32768,
            "rope_scaling":{"type":"yarn","factor":4.0,"mscale":1.0,"mscale_all_dim":0.5,"beta_fast":16,"beta_slow":2,"truncate":false}}
            """).Rotary;
        Assert.Equal((RotaryScaling.Yarn, 4.0, 32_768, 16.0, 2.0, false), (rotary.Scaling, rotary.Factor, rotary.OriginalContextLength, rotary.BetaFast, rotary.BetaSlow, rotary.Truncate));
        Assert.Equal(RotarySettings.YarnAttentionFactor(4, 1, 0.5), rotary.AttentionFactor);
    }

    [Fact]
    public void An_attention_factor_of_longrope_has_the_precision_that_a_file_keeps()
    {
        var rotary = Read("""
            {"model_type":"phi3","hidden_size":64,"intermediate_size":96,"num_hidden_layers":1,"num_attention_heads":4,"vocab_size":96,"max_position_embeddings":4096,
            "original_max_position_embeddings":4096,"rope_scaling":{"type":"longrope","attention_factor":1.1902380714238083,"long_factor":[1,2,3,4,5,6,7,8],"short_factor":[1,1,1,1,1,1,1,1]}}
            """).Rotary;
        Assert.Equal(1.1902381, rotary.AttentionFactor);
    }

    [Theory, InlineData("\"type\":\"su\""), InlineData("\"type\":\"longrope\""), InlineData("\"rope_type\":\"longrope\"")]
    public void Phi_takes_its_list_by_the_context_of_the_model(string type)
    {
        const string longer = "[1,2,3,4,5,6]", shorter = "[1.5,1.5,1.5,1.5,1.5,1.5]";
        foreach (var (context, expected) in new[] { (131_072, 6f), (4097, 6f), (4096, 1.5f) })
        {
            var phi = (PhiConfig)Read($$$"""
                {"model_type":"phi3","hidden_size":64,"intermediate_size":96,"num_hidden_layers":1,"num_attention_heads":4,"vocab_size":96,"max_position_embeddings":{{{context}}},
                "original_max_position_embeddings":4096,"partial_rotary_factor":0.75,"rope_theta":10000.0,"rope_scaling":{"long_factor":{{{longer}}},"short_factor":{{{shorter}}},{{{type}}}}}
                """);
            Assert.Equal((RotaryScaling.LongRope, 12, expected), (phi.Rotary.Scaling, phi.Rotary.Dimensions, phi.Rotary.Divisors.Span[^1]));
            Assert.Equal(context == 4096 ? 1 : context / 4096.0, phi.Rotary.Factor);
            // Served with less context, a model takes the short list, and keeps the attention factor that it was trained with.
            var served = (phi with { ContextLength = 2048 }).ServedRotary;
            Assert.Equal((1.5f, phi.Rotary.Factor), (served.Divisors.Span[^1], served.Factor));
        }
    }

    [Fact]
    public void Apertus_keeps_its_slopes_in_the_metadata_of_GGUF_as_they_are_in_folders()
    {
        using var model = Sized("apertus", 3);
        ToFile(model);
        using (var file = GgufFile.Open(At("model.gguf")))
        {
            Assert.Equal(model.Weights.Where(weight => weight.Name.EndsWith("alpha_p", StringComparison.Ordinal)).Select(weight => weight.Values[0]), (float[])file.Value("xielu.alpha_p")!.Content);
            Assert.Equal(model.Weights.Where(weight => weight.Name.EndsWith("alpha_n", StringComparison.Ordinal)).Select(weight => weight.Values[0]), (float[])file.Value("xielu.alpha_n")!.Content);
            Assert.Equal([0.5f, 0.5f, 0.5f], (float[])file.Value("xielu.beta")!.Content);
            Assert.Equal([-1e-6f, -1e-6f, -1e-6f], (float[])file.Value("xielu.eps")!.Content);
        }
        foreach (var (key, value, expected) in new (string, object?, string)[]
        {
            ("xielu.alpha_p", null, "xielu.alpha_p is missing; expected a number for each of 3 layers"),
            ("xielu.alpha_n", new[] { 1f, 2f }, "xielu.alpha_n is an array of 2; expected a number for each of 3 layers"),
            ("xielu.alpha_n", new[] { 1f, float.NaN, 2f }, "xielu.alpha_n has a number that is not finite"),
            ("xielu.beta", 1f, "xielu.beta is 1; this version reads Apertus models with 0.5 only"),
        })
        {
            Rewrite(key, value);
            Assert.Contains(expected, Assert.Throws<UserErrorException>(() => LanguageModel.Load(At("other.gguf"), engine)).Message, StringComparison.Ordinal);
        }
        Rewrite("xielu.alpha_p", 0.25f); // one number for all layers
        using var read = LanguageModel.Load(At("other.gguf"), engine);
        Assert.All(read.Weights.Where(weight => weight.Name.EndsWith("alpha_p", StringComparison.Ordinal)), weight => Assert.Equal(0.25f, weight.Values[0]));
    }

    [Fact]
    public void Apertus_folders_hold_the_two_fixed_numbers_and_others_are_refused()
    {
        using var model = Sized("apertus", 2);
        ModelFolder.Save(model, Made("folder"), SafetensorsType.BF16);
        var path = Path.Combine(At("folder"), "model.safetensors");
        long place;
        using (var file = SafetensorsFile.Open(path))
        {
            var number = new float[1];
            file.ReadFloats("model.layers.1.mlp.act_fn.beta", number);
            Assert.Equal(0.5f, number[0]);
            file.ReadFloats("model.layers.1.mlp.act_fn.eps", number);
            Assert.Equal(-1e-6f, number[0]);
            place = file.Tensor("model.layers.1.mlp.act_fn.beta").FileOffset;
        }
        LanguageModel.Load(At("folder"), engine).Dispose();
        var bytes = File.ReadAllBytes(path);
        BitConverter.TryWriteBytes(bytes.AsSpan((int)place), 0.75f);
        File.WriteAllBytes(path, bytes);
        Assert.Contains("model.layers.1.mlp.act_fn.beta is 0.75; this version reads Apertus models with 0.5 only",
            Assert.Throws<UserErrorException>(() => LanguageModel.Load(At("folder"), engine)).Message, StringComparison.Ordinal);
    }

    [Theory, InlineData("transformer."), InlineData("")]
    public void GPT_2_is_read_under_both_names_with_turned_matrices_and_without_its_masks(string prefix)
    {
        using var model = Sized("gpt2", 2);
        File.WriteAllText(Path.Combine(Made("folder"), "config.json"), model.Config.ToJson("float32").ToJsonString());
        var shapes = model.Config.Weights.ToDictionary(shape => shape.Name, StringComparer.Ordinal);
        using (var writer = new SafetensorsWriter(Path.Combine(At("folder"), "model.safetensors")))
        {
            string Name(Weight weight) => prefix + weight.Name["transformer.".Length..];
            string mask = prefix + "h.1.attn.bias";
            writer.Declare(mask, SafetensorsType.F32, 1, 1, 2, 2);
            foreach (var weight in model.Weights) writer.Declare(Name(weight), SafetensorsType.F32, FolderSource.Extents(shapes[weight.Name]));
            writer.WriteFloats(mask, [1, 0, 1, 1]);
            foreach (var weight in model.Weights)
            {
                var shape = shapes[weight.Name];
                Assert.Equal(shape.Name.Contains(".c_", StringComparison.Ordinal) && !shape.IsVector, shape.IsTransposed);
                var values = weight.Values.ToArray();
                writer.WriteFloats(Name(weight), shape.IsTransposed ? [.. Enumerable.Range(0, values.Length).Select(i => values[i % shape.Rows * shape.Columns + i / shape.Rows])] : values);
            }
            writer.Finish();
        }
        using var read = LanguageModel.Load(At("folder"), engine);
        Assert.Equal(model.WeightsSha256(), read.WeightsSha256());
    }

    [Theory]
    [InlineData("""{"model_type":"mixtral","num_local_experts":8}""", "model_type is 'mixtral', a mixture of experts; this version reads llama, ")]
    [InlineData("""{"model_type":"deepseek_v3","n_routed_experts":256,"kv_lora_rank":512}""", "model_type is 'deepseek_v3', a mixture of experts, with latent attention; this version reads ")]
    [InlineData("""{"model_type":"mamba","state_size":16}""", "model_type is 'mamba', with state-space layers; this version reads ")]
    [InlineData("""{"model_type":"llama4","text_config":{"num_local_experts":16}}""", "model_type is 'llama4', a mixture of experts; ")]
    [InlineData("""{"model_type":"eurobert","architectures":["EuroBertForMaskedLM"]}""", "model_type is 'eurobert', an encoder; ")]
    [InlineData("""{"model_type":"t5","is_encoder_decoder":true}""", "model_type is 't5', an encoder; ")]
    [InlineData("""{"model_type":"unheard"}""", "model_type is 'unheard'; this version reads llama, mistral, smollm3, qwen2, qwen3, gemma2, gemma3_text, gemma3, olmo2, olmo3, apertus, phi3, pharia-v1, gpt2.")]
    public void A_family_that_is_not_read_is_named_with_what_it_has_and_those_that_are(string json, string expected)
    {
        var message = Assert.Throws<UserErrorException>(() => Read(json)).Message;
        Assert.Contains(expected, message, StringComparison.Ordinal);
        Assert.EndsWith("pharia-v1, gpt2.", message, StringComparison.Ordinal);
    }

    private static ModelConfig Read(string json) => ModelFamily.Read((JsonObject)JsonNode.Parse(json)!, "config.json");

    private LanguageModel Sized(string kind, int layers)
    {
        var family = ModelFamily.OfKind(kind)!;
        var shared = family.HabitsOf(kind).SharesKeys ? 2 : 4;
        var model = LanguageModel.Create(family.Sized(kind, new ModelSizes(layers, 32, 4, shared, 48, 50, 64), "here"), 3, engine);
        var random = new CounterRandom(5, 0);
        foreach (var weight in model.Weights.Where(weight => weight.Rows == 1))
        {
            // Vectors are not as they begin, so that none of them can be forgotten.
            var stream = random.Substream(weight.Name);
            for (var i = 0; i < weight.Columns; i++) weight.Values[i] += 0.1f * stream.NormalAt((ulong)i);
        }
        return model;
    }

    private double Train(LanguageModel model)
    {
        engine.Reset();
        engine.Record();
        var layout = Layout();
        var losses = model.Loss(model.Forward(Tokens.AsSpan(0, 14), layout), Tokens.AsSpan(1), 1.0 / 14).Values.ToArray();
        engine.Backward();
        return losses.Average(loss => (double)loss);
    }

    private double Loss(LanguageModel model)
    {
        engine.Reset();
        var losses = new float[14];
        model.TokenLosses(model.Forward(Tokens.AsSpan(0, 14), Layout()), Tokens.AsSpan(1), losses);
        return losses.Average(loss => (double)loss);
    }

    private static SequenceLayout Layout()
    {
        var layout = new SequenceLayout();
        layout.Add(9);
        layout.Add(5);
        return layout;
    }

    private void ToFile(LanguageModel model)
    {
        ModelFolder.Save(model, Made("folder"), SafetensorsType.F32);
        using var source = ModelSource.Open(At("folder"));
        using var target = new GgufTarget(At("model.gguf"));
        ModelConversion.Run(source, target, _ => BlockFormat.F32);
    }

    private void Rewrite(string key, object? value)
    {
        using var file = GgufFile.Open(At("model.gguf"));
        using var writer = new GgufWriter(At("other.gguf"));
        foreach (var (known, old) in file.Metadata)
            if (known != key) writer.Add(known, old);
        if (value is not null) writer.Add(key, value);
        foreach (var tensor in file.Tensors) writer.Declare(tensor.Name, tensor.Type, [.. tensor.Shape]);
        foreach (var tensor in file.Tensors) writer.Write(tensor.Name, file.Bytes(tensor.Name, 0, (int)tensor.SizeBytes));
        writer.Finish();
    }

    private string At(string name) => Path.Combine(folder, name);

    private string Made(string name) => Directory.CreateDirectory(At(name)).FullName;
}
