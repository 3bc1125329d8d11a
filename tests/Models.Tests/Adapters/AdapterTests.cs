using System.Text.Json.Nodes;
using OpenEuroLLM.Core;
using OpenEuroLLM.Formats;
using OpenEuroLLM.Formats.Quantization;
using OpenEuroLLM.Models.Adapters;
using OpenEuroLLM.Models.Llama;
using OpenEuroLLM.Tensors;

namespace OpenEuroLLM.Models.Tests.Adapters;

public sealed class AdapterTests : IDisposable
{
    private static readonly LlamaConfig Small = new(Layers: 2, Width: 64, Heads: 4, KeyValueHeads: 2, HeadDimension: 16, Hidden: 96, VocabularySize: 70, ContextLength: 64, TiedHead: false);

    private static readonly AdapterConfig Plain = new(Rank: 3, Alpha: 12, TargetModules: ["q_proj", "down_proj"], BaseModel: "org/base");

    private readonly string folder = Directory.CreateTempSubdirectory("oellm-adapters-").FullName;

    public AdapterTests()
    {
        Directory.CreateDirectory(At("base"));
        Directory.CreateDirectory(At("adapter"));
    }

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Theory, InlineData("f32", false), InlineData("bf16", false), InlineData("f16", true), InlineData("q8_0", false)]
    public void Gives_the_rows_that_merging_in_double_precision_gives(string type, bool stabilized)
    {
        var config = Plain with { IsRankStabilized = stabilized };
        var format = BlockFormat.Find(type)!;
        var path = format.IsQuantized ? At("base.gguf") : At("base");
        using (ModelTarget target = format.IsQuantized ? new GgufTarget(path) : new FolderTarget(path))
        using (var random = new RandomSource(Small, 3))
            ModelConversion.Run(random, target, shape => shape.IsVector ? BlockFormat.F32 : shape.Columns % format.BlockElements == 0 ? format : BlockFormat.F16, cancellation: TestContext.Current.CancellationToken);
        var matrices = Matrices(config, Small);
        AdapterWriter.Write(At("adapter"), config, matrices);
        using var source = (AdaptedSource)ModelSource.Open(path, [At("adapter")]);
        Assert.Equal(stabilized ? 12 / Math.Sqrt(3) : 4, config.Scale, 12);
        foreach (var shape in Small.Weights)
        {
            var adapted = matrices.FirstOrDefault(matrix => matrix.Shape.Name == shape.Name);
            float[] before = Read(source.Base, shape), after = Read(source, shape);
            if (adapted is null)
            {
                Assert.Equal(before, after);
                continue;
            }
            Assert.Equal(format.IsQuantized ? BlockFormat.BF16 : source.Base.FormatOf(shape), source.FormatOf(shape));
            var step = source.FormatOf(shape) == BlockFormat.F32 ? 1e-6 : source.FormatOf(shape) == BlockFormat.F16 ? 1.0 / 2048 : 1.0 / 256;
            for (var r = 0; r < shape.Rows; r++)
                for (var c = 0; c < shape.Columns; c++)
                {
                    double sum = 0;
                    for (var k = 0; k < config.Rank; k++) sum += (double)adapted.B.Span[r * config.Rank + k] * adapted.A.Span[k * shape.Columns + c];
                    var expected = before[r * shape.Columns + c] + config.Scale * sum;
                    Assert.InRange(after[r * shape.Columns + c], expected - Math.Abs(expected) * step - 1e-6, expected + Math.Abs(expected) * step + 1e-6);
                }
        }
        Assert.Equal(format.IsQuantized, source.Notes.Any(note => note.Contains("quantized matrices are adapted and held as bf16", StringComparison.Ordinal)));
    }

    [Fact]
    public void Pieces_of_rows_are_those_of_the_whole_and_several_adapters_are_summed()
    {
        Save();
        AdapterWriter.Write(At("adapter"), Plain, Matrices(Plain, Small));
        var shape = Small.Weights.Single(weight => weight.Name == "model.layers.1.self_attn.q_proj.weight");
        using var once = ModelSource.Open(At("base"), [At("adapter")]);
        using var twice = ModelSource.Open(At("base"), [At("adapter"), At("adapter")]);
        float[] whole = Read(once, shape), start = Read(((AdaptedSource)once).Base, shape), both = Read(twice, shape);
        var piece = new float[5 * shape.Columns];
        once.Read(shape, 7, System.Runtime.InteropServices.MemoryMarshal.AsBytes(piece.AsSpan()));
        Assert.Equal(whole.AsSpan(7 * shape.Columns, piece.Length).ToArray(), piece);
        for (var i = 0; i < whole.Length; i++) Assert.Equal(start[i] + 2.0 * (whole[i] - start[i]), both[i], 1e-5);
        Assert.Same(typeof(FolderSource), ModelSource.Open(At("base"), []).GetType());
    }

    [Fact]
    public void A_loaded_model_speaks_with_its_adapter()
    {
        Save();
        AdapterWriter.Write(At("adapter"), Plain, Matrices(Plain, Small), SafetensorsType.BF16);
        using var engine = new Engine(2);
        using var plain = LanguageModel.Load(At("base"), engine);
        using var adapted = LanguageModel.Load(At("base"), engine, [At("adapter")]);
        Directory.CreateDirectory(At("merged"));
        using (var source = ModelSource.Open(At("base"), [At("adapter")]))
        using (var target = new FolderTarget(At("merged")))
            ModelConversion.Run(source, target, source.FormatOf, cancellation: TestContext.Current.CancellationToken);
        using var merged = LanguageModel.Load(At("merged"), engine);
        Assert.NotEqual(plain.WeightsSha256(), adapted.WeightsSha256());
        Assert.Equal(merged.WeightsSha256(), adapted.WeightsSha256());
    }

    [Fact]
    public void Settings_are_read_as_they_were_written()
    {
        Assert.Equivalent(Plain, AdapterConfig.Parse(Plain.ToJson(), "x"), strict: true);
        var other = new AdapterConfig(8, 16.5, null, null, true);
        Assert.Equivalent(other, AdapterConfig.Parse(other.ToJson(), "x"), strict: true);
        Assert.Null(AdapterConfig.Parse(With("target_modules", "all-linear"), "x").TargetModules);
    }

    [Theory]
    [InlineData("peft_type", "\"IA3\"", "peft_type is 'IA3'; this version reads LORA"), InlineData("peft_type", "null", "peft_type is missing")]
    [InlineData("task_type", "\"SEQ_CLS\"", "task_type is 'SEQ_CLS'"), InlineData("bias", "\"all\"", "bias is 'all'"), InlineData("r", "0", "r is 0; expected a whole number from 1 to 4096")]
    [InlineData("r", "-4", "r is -4"), InlineData("r", "2147483648", "r is 2147483648"), InlineData("r", "\"8\"", "r is \"8\""), InlineData("r", "null", "r is missing"), InlineData("r", "1.5", "r is 1.5")]
    [InlineData("lora_alpha", "-1", "lora_alpha is -1; expected a number above 0"), InlineData("lora_alpha", "1e999", "lora_alpha is 1e999"), InlineData("lora_alpha", "null", "lora_alpha is missing")]
    [InlineData("use_dora", "true", "use_dora is true"), InlineData("lora_bias", "true", "lora_bias is true"), InlineData("use_rslora", "1", "use_rslora is 1; expected true or false")]
    [InlineData("modules_to_save", "[\"lm_head\"]", "modules_to_save is given"), InlineData("rank_pattern", "{\"q_proj\":4}", "rank_pattern is given"), InlineData("alpha_pattern", "{\"q_proj\":4}", "alpha_pattern is given")]
    [InlineData("target_parameters", "[\"x\"]", "target_parameters is given"), InlineData("layer_replication", "[[0,1]]", "layer_replication is given"), InlineData("init_lora_weights", "\"pissa_niter_4\"", "which changes the base model's own weights")]
    [InlineData("target_modules", "[1]", "target_modules holds 1; expected names of matrices"), InlineData("target_modules", "{}", "target_modules is {}; expected a list")]
    public void Refuses_settings_that_ask_for_something_else(string key, string value, string message)
    {
        var error = Assert.Throws<UserErrorException>(() => AdapterConfig.Parse(With(key, value == "null" ? null : JsonNode.Parse(value)), "adapter_config.json"));
        Assert.StartsWith("adapter_config.json: ", error.Message, StringComparison.Ordinal);
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
    }

    public static TheoryData<string> Attacks => [.. Broken.Keys];

    private const string Q = "base_model.model.model.layers.0.self_attn.q_proj", Norm = "base_model.model.model.layers.0.input_layernorm";

    private static readonly Dictionary<string, ((string Name, SafetensorsType Type, long[] Shape)[] Tensors, string Message)> Broken = new()
    {
        ["no tensor"] = ([], "there is no tensor in it"),
        ["A without B"] = ([(Q + ".lora_A.weight", SafetensorsType.F32, [3, 64])], "lacks its other half"),
        ["B without A"] = ([(Q + ".lora_B.weight", SafetensorsType.F32, [64, 3])], "lacks its other half"),
        ["another rank"] = ([(Q + ".lora_A.weight", SafetensorsType.F32, [4, 64]), (Q + ".lora_B.weight", SafetensorsType.F32, [64, 4])], "has shape [4, 64]; r and the model expect [3, 64]"),
        ["another width"] = ([(Q + ".lora_A.weight", SafetensorsType.F32, [3, 128]), (Q + ".lora_B.weight", SafetensorsType.F32, [64, 3])], "the adapter was made for another model ('org/base')"),
        ["A turned round"] = ([(Q + ".lora_A.weight", SafetensorsType.F32, [64, 3]), (Q + ".lora_B.weight", SafetensorsType.F32, [64, 3])], "has shape [64, 3]"),
        ["three dimensions"] = ([(Q + ".lora_A.weight", SafetensorsType.F32, [3, 64, 1]), (Q + ".lora_B.weight", SafetensorsType.F32, [64, 3])], "has shape [3, 64, 1]"),
        ["whole numbers"] = ([(Q + ".lora_A.weight", SafetensorsType.I32, [3, 64]), (Q + ".lora_B.weight", SafetensorsType.F32, [64, 3])], "is stored as I32"),
        ["a layer beyond the model"] = ([("base_model.model.model.layers.99.self_attn.q_proj.lora_A.weight", SafetensorsType.F32, [3, 64])], "has no place in this Llama model"),
        ["a vector"] = ([(Norm + ".lora_A.weight", SafetensorsType.F32, [3, 64])], "has no place in this Llama model"),
        ["a matrix that is no target"] = ([("base_model.model.model.layers.0.self_attn.k_proj.lora_A.weight", SafetensorsType.F32, [3, 64])], "is not among target_modules"),
        ["an embedding"] = ([("base_model.model.model.embed_tokens.lora_embedding_A", SafetensorsType.F32, [3, 70])], "is neither lora_A.weight nor lora_B.weight"),
        ["a magnitude of DoRA"] = ([(Q + ".lora_magnitude_vector", SafetensorsType.F32, [64])], "is neither lora_A.weight nor lora_B.weight"),
        ["a whole module"] = ([("base_model.model.lm_head.weight", SafetensorsType.F32, [70, 64])], "is neither lora_A.weight nor lora_B.weight"),
        ["a name without the beginning"] = ([("model.layers.0.self_attn.q_proj.lora_A.weight", SafetensorsType.F32, [3, 64])], "does not begin with base_model.model."),
    };

    [Theory, MemberData(nameof(Attacks))]
    public void Refuses_weights_that_do_not_fit(string attack)
    {
        File.WriteAllBytes(Path.Combine(At("adapter"), "adapter_config.json"), CanonicalJson.Write(Plain.ToJson()));
        using (var writer = new SafetensorsWriter(Path.Combine(At("adapter"), "adapter_model.safetensors")))
        {
            foreach (var (name, type, shape) in Broken[attack].Tensors) writer.Declare(name, type, shape);
            foreach (var (name, _, shape) in Broken[attack].Tensors) writer.Write(name, new byte[4 * shape.Aggregate(1L, (product, extent) => product * extent)]);
            writer.Finish();
        }
        Save();
        var error = Assert.Throws<UserErrorException>(() => ModelSource.Open(At("base"), [At("adapter")]));
        Assert.StartsWith(Path.Combine(At("adapter"), "adapter_model.safetensors") + ": ", error.Message, StringComparison.Ordinal);
        Assert.Contains(Broken[attack].Message, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Refuses_folders_without_an_adapter()
    {
        Save();
        Says("there is no such folder; expected an adapter folder", At("nowhere"));
        Says("no adapter_config.json in this folder", At("base"));
        File.WriteAllBytes(Path.Combine(At("adapter"), "adapter_config.json"), CanonicalJson.Write(Plain.ToJson()));
        Says("no adapter_model.safetensors in this folder", At("adapter"));
        File.WriteAllBytes(Path.Combine(At("adapter"), "adapter_model.bin"), [0x80]);
        Says("is a pickle", At("adapter"));

        void Says(string message, string adapter) =>
            Assert.Contains(message, Assert.Throws<UserErrorException>(() => ModelSource.Open(At("base"), [adapter])).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Numbers_that_become_too_large_are_refused()
    {
        Save();
        var matrices = Matrices(Plain, Small).Select(matrix => matrix with { B = Enumerable.Repeat(float.MaxValue, matrix.B.Length).ToArray() }).ToList();
        AdapterWriter.Write(At("adapter"), Plain, matrices);
        using var engine = new Engine(1);
        Assert.Contains("the adapter does not fit or is damaged", Assert.Throws<UserErrorException>(() => LanguageModel.Load(At("base"), engine, [At("adapter")])).Message, StringComparison.Ordinal);
    }

    private string At(string name) => Path.Combine(folder, name);

    private void Save()
    {
        using var random = new RandomSource(Small, 3);
        using var target = new FolderTarget(At("base"));
        ModelConversion.Run(random, target, _ => BlockFormat.F32, cancellation: TestContext.Current.CancellationToken);
    }

    private static JsonObject With(string key, JsonNode? value)
    {
        var json = Plain.ToJson();
        json[key] = value;
        return json;
    }

    private static List<AdapterMatrix> Matrices(AdapterConfig config, ModelConfig model)
    {
        var numbers = new CounterRandom(17, 0);
        ulong next = 0;
        return [.. model.Weights.Where(shape => config.TargetModules!.Any(name => shape.Name.EndsWith($".{name}.weight", StringComparison.Ordinal)))
            .Select(shape => new AdapterMatrix(shape, Some(config.Rank * shape.Columns), Some(config.Rank * shape.Rows)))];

        float[] Some(int count) => [.. Enumerable.Range(0, count).Select(_ => 0.1f * numbers.NormalAt(next++))];
    }

    private static float[] Read(ModelSource source, WeightShape shape)
    {
        var format = source.FormatOf(shape);
        var bytes = new byte[shape.Rows * format.RowBytes(shape.Columns)];
        source.Read(shape, 0, bytes);
        var values = new float[shape.Count];
        format.Decode(bytes, values);
        return values;
    }
}
