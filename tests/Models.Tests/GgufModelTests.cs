using System.Text.Json.Nodes;
using OpenEuroLLM.Core;
using OpenEuroLLM.Formats;
using OpenEuroLLM.Formats.Quantization;
using OpenEuroLLM.Models.Llama;
using OpenEuroLLM.Tensors;

namespace OpenEuroLLM.Models.Tests;

public sealed class GgufModelTests : IDisposable
{
    private static readonly LlamaConfig Small = new(Layers: 2, Width: 256, Heads: 4, KeyValueHeads: 2, HeadDimension: 16, Hidden: 512, VocabularySize: 70,
        ContextLength: 64, TiedHead: false)
    { BeginOfTextId = 65, EndIds = [66, 67], PaddingId = 69 };

    private static readonly int[] Tokens = [1, 7, 49, 3, 3, 20, 11, 0, 31, 66];

    private readonly string folder = Directory.CreateTempSubdirectory("oellm-gguf-").FullName;
    private readonly Engine engine = new(2);

    public static TheoryData<string> Rotaries => ["plain", "linear", "llama3"];

    public void Dispose()
    {
        engine.Dispose();
        Directory.Delete(folder, recursive: true);
    }

    [Theory, InlineData("f32", true), InlineData("f32", false), InlineData("bf16", false), InlineData("f16", false)]
    public void A_model_gives_the_same_logits_from_a_file_and_from_a_folder(string type, bool tied)
    {
        var config = Small with { TiedHead = tied };
        var format = BlockFormat.Find(type)!;
        ToFolder(new RandomSource(config, 3), At("folder"), format);
        ToFile(ModelSource.Open(At("folder")), At("model.gguf"), shape => shape.Rows == 1 ? BlockFormat.F32 : format);
        using var one = LanguageModel.Load(At("folder"), engine);
        using var other = LanguageModel.Load(At("model.gguf"), engine);
        Assert.Equal(Logits(one), Logits(other));
        Assert.Equal(one.WeightsSha256(), other.WeightsSha256());
        Assert.All(other.Weights.Where(weight => weight.Rows > 1), weight => Assert.Equal(type, ElementTypes.Name(weight.Type)));
        Assert.Equal(config.ToJson("x").ToJsonString(), (other.Config with { EndIds = config.EndIds, BeginOfTextId = 65, PaddingId = 69 }).ToJson("x").ToJsonString());
    }

    [Theory, InlineData("q8_0", 0.02), InlineData("q4_0", 0.4), InlineData("q4_k", 0.3), InlineData("q6_k", 0.06), InlineData("q4_k_m", 0.3),
        InlineData("q4_1", 0.4), InlineData("q5_0", 0.2), InlineData("q5_1", 0.2), InlineData("q5_k", 0.15), InlineData("q5_k_m", 0.15), InlineData("q3_k", 0.6), InlineData("q2_k", 1.2)]
    public void Quantized_weights_stay_quantized_and_give_nearly_the_same_logits(string type, double bound)
    {
        var plan = StoragePlan.Of(type, Small);
        ToFile(new RandomSource(Small, 4), At("plain.gguf"), StoragePlan.Of("f32", Small).FormatOf);
        ToFile(new RandomSource(Small, 4), At("small.gguf"), plan.FormatOf);
        using var plain = LanguageModel.Load(At("plain.gguf"), engine);
        using var small = LanguageModel.Load(At("small.gguf"), engine);
        Assert.All(small.Weights.Zip(Small.Weights), pair => Assert.Equal(plan.FormatOf(pair.Second).Name, ElementTypes.Name(pair.First.Type), ignoreCase: true));
        float[] expected = Logits(plain), actual = Logits(small);
        var error = Math.Sqrt(expected.Zip(actual, (x, y) => ((double)x - y) * ((double)x - y)).Sum() / expected.Sum(x => (double)x * x));
        Assert.InRange(error, 1e-6, bound);
        Assert.True(new FileInfo(At("small.gguf")).Length < new FileInfo(At("plain.gguf")).Length / 3);
    }

    [Theory, InlineData("f32"), InlineData("q8_0"), InlineData("q4_k")]
    public void A_file_that_is_converted_to_what_it_is_has_the_same_bytes(string type)
    {
        ToFile(new RandomSource(Small, 5), At("one.gguf"), StoragePlan.Of(type, Small).FormatOf);
        ToFile(ModelSource.Open(At("one.gguf")), At("two.gguf"), StoragePlan.Of(type, Small).FormatOf);
        Assert.Equal(File.ReadAllBytes(At("one.gguf")), File.ReadAllBytes(At("two.gguf")));
    }

    /// <summary>llama.cpp takes the name to say which vocabulary the file has, and refuses it without these tokens.</summary>
    [Theory, InlineData("my-Phi3-test", "my-Phi 3-test", false), InlineData("phi-3.5 phi3", "phi 3.5 phi 3", false), InlineData("my-Phi3-test", "my-Phi3-test", true), InlineData("phi4", "phi4", false)]
    public void A_name_says_phi_3_only_with_the_vocabulary_of_phi_3(string name, string written, bool published)
    {
        string[] tokens = published ? ["<unk>", "<s>", "</s>", "a", "<|endoftext|>"] : ["<unk>", "<s>", "</s>", "a"];
        using (var source = new RandomSource(Small, 3))
        using (var target = new GgufTarget(At("named.gguf"), name, more: [new("tokenizer.ggml.tokens", tokens)]))
            ModelConversion.Run(source, target, _ => BlockFormat.F32, cancellation: TestContext.Current.CancellationToken);
        using var file = GgufFile.Open(At("named.gguf"));
        Assert.Equal(written, file.Text("general.name"));
    }

    [Fact]
    public void The_result_does_not_depend_on_threads_and_random_weights_are_those_of_training()
    {
        foreach (var threads in new[] { 1, 3 })
        {
            using var source = new RandomSource(Small, 6);
            using var target = new GgufTarget(At($"{threads}.gguf"));
            ModelConversion.Run(source, target, StoragePlan.Of("q6_k", Small).FormatOf, new LocalLauncher(threads), cancellation: TestContext.Current.CancellationToken);
        }
        Assert.Equal(File.ReadAllBytes(At("1.gguf")), File.ReadAllBytes(At("3.gguf")));
        ToFile(new RandomSource(Small, 6), At("plain.gguf"), _ => BlockFormat.F32);
        using var read = LanguageModel.Load(At("plain.gguf"), engine);
        using var created = LanguageModel.Create(Small, 6, engine);
        Assert.Equal(created.WeightsSha256(), read.WeightsSha256());
    }

    [Theory, MemberData(nameof(Rotaries))]
    public void Rotary_scaling_is_kept_in_both_containers(string kind)
    {
        var rotary = new RotarySettings(500_000);
        if (kind != "plain") rotary = rotary with { Scaling = kind == "linear" ? RotaryScaling.Linear : RotaryScaling.Llama3, Factor = kind == "linear" ? 2.5 : 8 };
        var config = Small with { Rotary = rotary };
        ToFolder(new RandomSource(config, 7), At("folder"), BlockFormat.F32);
        ToFile(ModelSource.Open(At("folder")), At("model.gguf"), _ => BlockFormat.F32);
        ToFolder(ModelSource.Open(At("model.gguf")), At("back"), BlockFormat.F32);
        var expected = rotary with { LowFrequencyFactor = 1, HighFrequencyFactor = 4, OriginalContextLength = 8192 };
        float[]? logits = null;
        foreach (var path in new[] { "folder", "model.gguf", "back" })
        {
            using var model = LanguageModel.Load(At(path), engine);
            Assert.Equal(expected, model.Config.Rotary);
            Assert.Equal(logits ??= Logits(model), Logits(model));
        }
        using var file = GgufFile.Open(At("model.gguf"));
        Assert.Equal(kind == "llama3", file.Find("rope_freqs.weight") is not null);
        Assert.Equal(kind == "linear" ? 2.5 : null, file.Value("llama.rope.scaling.factor")?.Number);
    }

    [Fact]
    public void Rotary_divisors_of_an_unknown_kind_are_used_and_have_no_place_in_a_folder()
    {
        var divisors = new float[] { 1, 1.5f, 1, 3, 1, 1, 2, 9 };
        var config = Small with { Rotary = new RotarySettings(10_000, Divisors: divisors) };
        ToFile(new RandomSource(config, 8), At("model.gguf"), _ => BlockFormat.F32);
        using (var source = ModelSource.Open(At("model.gguf"))) Assert.Equal(divisors, source.Config.Rotary.Divisors.ToArray());
        Directory.CreateDirectory(At("folder"));
        Assert.Contains("which config.json cannot say", Assert.Throws<UserErrorException>(() => ToFolder(ModelSource.Open(At("model.gguf")), At("folder"), BlockFormat.F32)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Rows_of_queries_and_keys_lie_in_the_order_of_the_format()
    {
        ToFile(new RandomSource(Small, 9), At("model.gguf"), _ => BlockFormat.F32);
        using var source = new RandomSource(Small, 9);
        using var file = GgufFile.Open(At("model.gguf"));
        var shape = Small.Weights.Single(shape => shape.Name == "model.layers.1.self_attn.k_proj.weight");
        var (ours, theirs) = (new byte[1024], new float[256]);
        for (var row = 0; row < shape.Rows; row++)
        {
            // New row 2i of a head is old row i, new row 2i + 1 is old row i + D/2.
            var (head, place) = (row / 16, row % 16);
            source.Read(shape, head * 16 + (place % 2 == 0 ? place / 2 : place / 2 + 8), ours);
            file.ReadFloats("blk.1.attn_k.weight", row * 256L, theirs);
            Assert.Equal(ours, System.Runtime.InteropServices.MemoryMarshal.AsBytes(theirs.AsSpan()).ToArray());
        }
        Assert.Equal([16, 256], (Small with { Heads = 1, KeyValueHeads = 1 }).Weights.Where(s => s.Name.EndsWith("q_proj.weight", StringComparison.Ordinal)).Select(s => new[] { s.Rows, s.Columns }).First());
    }

    [Fact]
    public void The_mixed_preset_gives_more_bits_where_errors_weigh_most()
    {
        var config = Small with { Layers = 24, HeadDimension = 64 };
        var plan = StoragePlan.Of("q4_k_m", config);
        var more = config.Weights.Where(shape => plan.FormatOf(shape) == BlockFormat.Q6_K).Select(shape => shape.Name).ToList();
        int[] layers = [0, 1, 2, 5, 8, 11, 14, 17, 20, 21, 22, 23];
        Assert.Equal([.. layers.SelectMany(layer => new[] { $"model.layers.{layer}.self_attn.v_proj.weight", $"model.layers.{layer}.mlp.down_proj.weight" }), "lm_head.weight"], more);
        Assert.Equal(BlockFormat.Q6_K, StoragePlan.Of("q4_k_m", config with { TiedHead = true }).FormatOf(new WeightShape("model.embed_tokens.weight", 70, 256) { Role = WeightRole.Embedding }));
        Assert.Empty(plan.Notes);
    }

    [Theory]
    [InlineData("q4_k", 288, "Q5_0", "rows of 288 numbers are no multiple of 256: Q5_0 instead of Q4_K (7 weights)")]
    [InlineData("q5_k", 288, "Q5_1", "Q5_1 instead of Q5_K")]
    [InlineData("q3_k", 288, "Q4_0", "Q4_0 instead of Q3_K")]
    [InlineData("q2_k", 288, "Q4_0", "Q4_0 instead of Q2_K")]
    [InlineData("q5_1", 40, "F16", "F16 instead of Q5_1")]
    [InlineData("q6_k", 288, "Q8_0", "Q8_0 instead of Q6_K")]
    [InlineData("q8_0", 40, "F16", "rows of 40 numbers are no multiple of 32: F16 instead of Q8_0")]
    [InlineData("q4_k", 40, "F16", "F16 instead of Q4_K")]
    [InlineData("f16", 40, "F16", null)]
    public void Rows_that_are_no_whole_blocks_fall_back_and_it_is_said(string type, int width, string expected, string? note)
    {
        var plan = StoragePlan.Of(type, Small with { Width = width, Layers = 1 });
        Assert.Equal(expected, plan.FormatOf(new WeightShape("model.layers.0.mlp.up_proj.weight", 512, width) { Role = WeightRole.Up, Layer = 0 }).Name);
        Assert.Equal(BlockFormat.F32, plan.FormatOf(new WeightShape("model.norm.weight", 1, width)));
        if (note is null) Assert.Empty(plan.Notes);
        else Assert.Contains(note, string.Join('\n', plan.Notes), StringComparison.Ordinal);
    }

    [Fact]
    public void An_unknown_type_is_refused_with_a_suggestion() =>
        Assert.Contains("type 'q4_0k' is unknown", Assert.Throws<UserErrorException>(() => StoragePlan.Of("q4_0k", Small)).Message, StringComparison.Ordinal);

    public static TheoryData<string, object?, string> Metadata => new()
    {
        { "general.architecture", "mamba", "general.architecture is 'mamba'; this version reads llama" },
        { "general.architecture", null, "general.architecture is missing" },
        { "llama.block_count", null, "llama.block_count is missing; expected a whole number from 1 to 4096" },
        { "llama.block_count", 3u, "tensor 'blk.2.attn_norm.weight' is missing" },
        { "llama.block_count", 1u, "tensor 'blk.1.attn_norm.weight' has no place" },
        { "llama.embedding_length", 128u, "tensor 'token_embd.weight' has shape [70, 256]; llama.embedding_length expects [tokens, 128]" },
        { "llama.feed_forward_length", 500u, "has shape [512, 256]; the metadata expects [500, 256]" },
        { "llama.vocab_size", 71u, "llama.vocab_size is 71, and tensor 'token_embd.weight' has 70 rows" },
        { "llama.attention.head_count_kv", 3u, "expected a multiple of llama.attention.head_count_kv, 3" },
        { "llama.attention.head_count", new[] { 4, 4 }, "llama.attention.head_count is an array of 2; expected a whole number" },
        { "llama.attention.value_length", 32u, "llama.attention.value_length is 32; this version reads Llama models with the length of a key, 16, only" },
        { "llama.rope.dimension_count", 8u, "llama.rope.dimension_count is 8" },
        { "llama.rope.freq_base", -1f, "llama.rope.freq_base is -1; expected a number above 0" },
        { "llama.rope.freq_base", 0.5f, "the base is 0.5; expected a number above 1" },
        { "llama.rope.scaling.type", "longrope", "llama.rope.scaling.type is longrope; this version reads none, linear and yarn" },
        { "llama.expert_count", 8u, "this version reads Llama models with no experts only" },
        { "split.count", (ushort)2, "split.count is 2 and split.no is missing" },
        { "tokenizer.ggml.bos_token_id", 70u, "tokenizer.ggml.bos_token_id is 70; expected a whole number from 0 to 69" },
    };

    [Theory, MemberData(nameof(Metadata))]
    public void Metadata_that_does_not_fit_is_refused_by_name(string key, object? value, string expected)
    {
        ToFile(new RandomSource(Small, 10), At("good.gguf"), _ => BlockFormat.F32);
        Rewrite(At("good.gguf"), At("model.gguf"), key, value);
        var message = Assert.Throws<UserErrorException>(() => LanguageModel.Load(At("model.gguf"), engine)).Message;
        Assert.StartsWith(At("model.gguf"), message, StringComparison.Ordinal);
        Assert.Contains(expected, message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', message);
    }

    [Fact]
    public void A_type_that_is_not_read_is_refused_by_name()
    {
        using (var good = new RandomSource(Small, 11)) ToFile(good, At("good.gguf"), _ => BlockFormat.F32);
        using (var file = GgufFile.Open(At("good.gguf")))
        using (var writer = new GgufWriter(At("model.gguf")))
        {
            foreach (var (key, value) in file.Metadata) writer.Add(key, value);
            foreach (var tensor in file.Tensors) writer.Declare(tensor.Name, tensor.Name == "blk.0.ffn_up.weight" ? GgufType.Find(20)! : tensor.Type, [.. tensor.Shape]);
            foreach (var tensor in file.Tensors) writer.Write(tensor.Name, tensor.Name == "blk.0.ffn_up.weight" ? new byte[512 * 144] : file.Bytes(tensor.Name, 0, (int)tensor.SizeBytes));
            writer.Finish();
        }
        Assert.Contains("tensor 'blk.0.ffn_up.weight' is stored as IQ4_NL; this version reads F32, F16, BF16, Q8_0, Q4_0, Q4_K, Q6_K, Q4_1, Q5_0, Q5_1, Q5_K, Q3_K, Q2_K.",
            Assert.Throws<UserErrorException>(() => LanguageModel.Load(At("model.gguf"), engine)).Message, StringComparison.Ordinal);
    }

    [Theory, InlineData("f32", 0x7FC00000u), InlineData("f32", 0x7F800000u), InlineData("q8_0", 0x00007E00u), InlineData("q4_k", 0x00007C00u), InlineData("f16", 0xFC00FC00u)]
    public void A_number_that_is_not_finite_is_refused_with_file_and_weight(string type, uint bits)
    {
        ToFile(new RandomSource(Small, 12), At("model.gguf"), StoragePlan.Of(type, Small).FormatOf);
        long place;
        using (var file = GgufFile.Open(At("model.gguf"))) place = file.Tensor("blk.1.ffn_gate.weight").FileOffset;
        var bytes = File.ReadAllBytes(At("model.gguf"));
        BitConverter.TryWriteBytes(bytes.AsSpan((int)place), bits);
        File.WriteAllBytes(At("model.gguf"), bytes);
        var loading = Assert.Throws<UserErrorException>(() => LanguageModel.Load(At("model.gguf"), engine)).Message;
        var converting = Assert.Throws<UserErrorException>(() => ToFile(ModelSource.Open(At("model.gguf")), At("copy.gguf"), StoragePlan.Of(type, Small).FormatOf)).Message;
        foreach (var message in new[] { loading, converting })
        {
            Assert.StartsWith($"{At("model.gguf")}: model.layers.1.mlp.gate_proj.weight: ", message, StringComparison.Ordinal);
            Assert.Contains("row 0", message, StringComparison.Ordinal);
        }
        Assert.False(File.Exists(At("copy.gguf")));
    }

    [Fact]
    public void A_number_that_is_not_finite_is_refused_with_its_file_of_a_folder()
    {
        ToFolder(new RandomSource(Small, 12), At("folder"), BlockFormat.BF16);
        var path = Path.Combine(At("folder"), "model.safetensors");
        long place;
        using (var file = SafetensorsFile.Open(path)) place = file.Tensor("model.layers.1.mlp.gate_proj.weight").FileOffset;
        var bytes = File.ReadAllBytes(path);
        BitConverter.TryWriteBytes(bytes.AsSpan((int)place), (ushort)0x7FC0);
        File.WriteAllBytes(path, bytes);
        var loading = Assert.Throws<UserErrorException>(() => LanguageModel.Load(At("folder"), engine)).Message;
        var converting = Assert.Throws<UserErrorException>(() => ToFile(ModelSource.Open(At("folder")), At("copy.gguf"), StoragePlan.Of("f32", Small).FormatOf)).Message;
        Assert.All([loading, converting], message => Assert.StartsWith($"{path}: model.layers.1.mlp.gate_proj.weight: ", message, StringComparison.Ordinal));
    }

    [Fact]
    public void A_number_too_large_for_its_new_type_is_refused()
    {
        using var model = LanguageModel.Create(Small, 13, engine);
        model.Weights[2].Values[300] = 70_000;
        Directory.CreateDirectory(At("folder"));
        Assert.Contains("model.layers.0.self_attn.q_proj.weight: number 44 in row 1 is 70000; F16 holds magnitudes up to 65519",
            Assert.Throws<UserErrorException>(() => ModelFolder.Save(model, At("folder"), SafetensorsType.F16)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Large_folders_are_written_in_several_files_that_read_back()
    {
        ToFolder(new RandomSource(Small, 14), At("whole"), BlockFormat.F16);
        Directory.CreateDirectory(At("parts"));
        using (var source = ModelSource.Open(At("whole")))
        using (var target = new FolderTarget(At("parts"), largestFileBytes: 400_000))
            ModelConversion.Run(source, target, source.FormatOf, cancellation: TestContext.Current.CancellationToken);
        Assert.InRange(Directory.GetFiles(At("parts"), "model-*-of-*.safetensors").Length, 3, 20);
        Assert.All(Directory.GetFiles(At("parts"), "*.safetensors"), file => Assert.InRange(new FileInfo(file).Length, 1, 410_000));
        var index = JsonNode.Parse(File.ReadAllText(Path.Combine(At("parts"), "model.safetensors.index.json")))!;
        Assert.Equal(Small.Parameters * 2, (long)index["metadata"]!["total_size"]!);
        using var whole = LanguageModel.Load(At("whole"), engine);
        using var parts = LanguageModel.Load(At("parts"), engine);
        Assert.Equal(whole.WeightsSha256(), parts.WeightsSha256());
        Assert.Equal("float16", (string?)JsonNode.Parse(File.ReadAllText(Path.Combine(At("parts"), "config.json")))!["dtype"]);
        Assert.All(parts.Weights.Where(weight => weight.Rows > 1), weight => Assert.Equal(ElementType.F16, weight.Type));
    }

    [Fact]
    public void A_damaged_file_never_fails_otherwise_than_in_one_line()
    {
        var tiny = new LlamaConfig(1, 8, 2, 1, 4, 12, 20, 16);
        ToFile(new RandomSource(tiny, 15), At("good.gguf"), _ => BlockFormat.F32);
        var good = File.ReadAllBytes(At("good.gguf"));
        var random = new CounterRandom(17, 0);
        var refused = 0;
        for (ulong i = 0; i < 600; i++)
        {
            byte[] damaged = i % 3 == 0 ? good[..(int)random.Below(8 * i, (uint)good.Length)] : [.. good];
            for (ulong j = 0; i % 3 != 0 && j < 3; j++) damaged[random.Below(8 * i + j, 1400)] ^= (byte)(1 << (int)(random.At(8 * i + 4 + j) & 7));
            File.WriteAllBytes(At("bad.gguf"), damaged);
            try
            {
                LanguageModel.Load(At("bad.gguf"), engine).Dispose();
            }
            catch (UserErrorException exception)
            {
                refused++;
                Assert.DoesNotContain('\n', exception.Message);
            }
        }
        Assert.InRange(refused, 300, 600);
    }

    private static void ToFile(ModelSource source, string path, Func<WeightShape, BlockFormat> formatOf)
    {
        using (source)
        using (var target = new GgufTarget(path, "test", more: Ends(source.Config))) ModelConversion.Run(source, target, formatOf);
    }

    private static IEnumerable<KeyValuePair<string, object>> Ends(ModelConfig config)
    {
        if (config.BeginOfTextId is { } begin) yield return new("tokenizer.ggml.bos_token_id", (uint)begin);
        if (config.PaddingId is { } padding) yield return new("tokenizer.ggml.padding_token_id", (uint)padding);
    }

    private static void ToFolder(ModelSource source, string path, BlockFormat format)
    {
        Directory.CreateDirectory(path);
        using (source)
        using (var target = new FolderTarget(path)) ModelConversion.Run(source, target, _ => format);
    }

    private static void Rewrite(string from, string to, string key, object? value)
    {
        using var file = GgufFile.Open(from);
        using var writer = new GgufWriter(to);
        foreach (var (known, old) in file.Metadata)
            if (known != key) writer.Add(known, old);
        if (value is not null) writer.Add(key, value);
        foreach (var tensor in file.Tensors) writer.Declare(tensor.Name, tensor.Type, [.. tensor.Shape]);
        foreach (var tensor in file.Tensors) writer.Write(tensor.Name, file.Bytes(tensor.Name, 0, (int)tensor.SizeBytes));
        writer.Finish();
    }

    private string At(string name) => Path.Combine(folder, name);

    private float[] Logits(LanguageModel model)
    {
        engine.Reset();
        var layout = new SequenceLayout();
        layout.Add(Tokens.Length);
        var logits = new float[Tokens.Length * model.VocabularySize];
        model.Logits(model.Forward(Tokens, layout), [.. Enumerable.Range(0, Tokens.Length)], logits);
        return logits;
    }
}
