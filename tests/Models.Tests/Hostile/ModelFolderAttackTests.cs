using System.Text;
using System.Text.Json.Nodes;
using OpenEuroLLM.Core;
using OpenEuroLLM.Formats;
using OpenEuroLLM.Formats.Quantization;
using OpenEuroLLM.Models.Llama;
using OpenEuroLLM.Tokenizers.Tests.Fuzz;

namespace OpenEuroLLM.Models.Tests.Hostile;

/// <summary>Model folders made by hand to harm their reader, and damaged ones by seed: one line that says where and what, before memory is taken.</summary>
public sealed class ModelFolderAttackTests : IDisposable
{
    private const long MostAllocatedBytes = 16 << 20;

    private static readonly LlamaConfig Small = new(Layers: 1, Width: 8, Heads: 2, KeyValueHeads: 1, HeadDimension: 4, Hidden: 12, VocabularySize: 20, ContextLength: 32, TiedHead: false)
    { BeginOfTextId = 1, EndIds = [2] };

    private readonly string folder = Directory.CreateTempSubdirectory("oellm-hostile-").FullName;

    public ModelFolderAttackTests()
    {
        using var random = new RandomSource(Small, 1);
        using var target = new FolderTarget(folder);
        ModelConversion.Run(random, target, _ => BlockFormat.F32);
    }

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Theory]
    [InlineData("num_hidden_layers", "0", "expected a whole number from 1 to 4096"), InlineData("num_hidden_layers", "-1", "num_hidden_layers is -1"), InlineData("num_hidden_layers", "2147483647", "num_hidden_layers is 2147483647")]
    [InlineData("num_hidden_layers", "4294967297", "num_hidden_layers is 4294967297"), InlineData("num_hidden_layers", "1e9", "num_hidden_layers is 1e9"), InlineData("num_hidden_layers", "1.5", "num_hidden_layers is 1.5"), InlineData("num_hidden_layers", "\"1\"", "num_hidden_layers is \"1\"")]
    [InlineData("num_hidden_layers", "null", "num_hidden_layers is missing"), InlineData("num_hidden_layers", "[1]", "num_hidden_layers is [1]"), InlineData("num_hidden_layers", "true", "num_hidden_layers is true"), InlineData("num_hidden_layers", "4096", "the weights have no tensor model.layers.1.")]
    [InlineData("hidden_size", "0", "hidden_size is 0"), InlineData("hidden_size", "2147483648", "hidden_size is 2147483648"), InlineData("hidden_size", "1048576", "config.json expects"), InlineData("hidden_size", "-8", "hidden_size is -8")]
    [InlineData("num_attention_heads", "0", "num_attention_heads is 0"), InlineData("num_attention_heads", "3", "config.json expects"), InlineData("num_attention_heads", "-2", "num_attention_heads is -2"), InlineData("num_attention_heads", "99999", "num_attention_heads is 99999")]
    [InlineData("num_key_value_heads", "0", "num_key_value_heads is 0"), InlineData("num_key_value_heads", "3", "num_key_value_heads is 3"), InlineData("num_key_value_heads", "-1", "num_key_value_heads is -1")]
    [InlineData("head_dim", "0", "head_dim is 0"), InlineData("head_dim", "3", "expected an even number"), InlineData("head_dim", "1048576", "head_dim is 1048576"), InlineData("head_dim", "-4", "head_dim is -4")]
    [InlineData("intermediate_size", "0", "intermediate_size is 0"), InlineData("intermediate_size", "2147483647", "intermediate_size is 2147483647"), InlineData("intermediate_size", "13", "config.json expects")]
    [InlineData("vocab_size", "0", "vocab_size is 0"), InlineData("vocab_size", "-20", "vocab_size is -20"), InlineData("vocab_size", "2147483647", "vocab_size is 2147483647"), InlineData("vocab_size", "21", "config.json expects [21, 8]"), InlineData("vocab_size", "19", "config.json expects [19, 8]")]
    [InlineData("max_position_embeddings", "0", "max_position_embeddings is 0"), InlineData("max_position_embeddings", "9223372036854775807", "max_position_embeddings is 9223372036854775807")]
    [InlineData("rms_norm_eps", "0", "rms_norm_eps is 0"), InlineData("rms_norm_eps", "-1e-5", "rms_norm_eps is -1"), InlineData("rms_norm_eps", "1e999", "rms_norm_eps is 1e999"), InlineData("rms_norm_eps", "\"NaN\"", "rms_norm_eps is \"NaN\"")]
    [InlineData("rope_parameters", "{\"rope_theta\":-1}", "rope_theta is -1"), InlineData("rope_parameters", "{\"rope_theta\":0}", "rope_theta is 0"), InlineData("rope_parameters", "{\"rope_type\":\"spiral\"}", "spiral"), InlineData("rope_parameters", "{\"rope_type\":\"linear\"}", "factor is missing")]
    [InlineData("rope_parameters", "{\"rope_type\":\"linear\",\"factor\":-2}", "factor is -2"), InlineData("rope_parameters", "{\"rope_type\":\"llama3\",\"factor\":8}", "low_freq_factor is missing"), InlineData("rope_parameters", "{\"rope_type\":\"linear\",\"factor\":1e999}", "factor is 1e999")]
    [InlineData("rope_parameters", "{\"rope_type\":[1]}", "rope_type"), InlineData("tie_word_embeddings", "\"yes\"", "tie_word_embeddings is \"yes\"; expected true or false"), InlineData("hidden_act", "\"gelu\"", "hidden_act is gelu")]
    [InlineData("bos_token_id", "-1", "bos_token_id is -1"), InlineData("bos_token_id", "20", "bos_token_id is 20; expected the id of a token, from 0 to 19"), InlineData("eos_token_id", "[2,20]", "eos_token_id is 20"), InlineData("eos_token_id", "[[2]]", "eos_token_id is [2]"), InlineData("eos_token_id", "\"</s>\"", "eos_token_id is "), InlineData("pad_token_id", "-2", "pad_token_id is -2")]
    [InlineData("model_type", "null", "model_type is missing; this version reads"), InlineData("model_type", "\"bert\"", "model_type is 'bert'; this version reads"), InlineData("model_type", "7", "model_type is '7'"), InlineData("model_type", "[\"llama\"]", "model_type is missing"), InlineData("model_type", "\"llama\\u0000\"", "model_type is 'llama '")]
    public void Refuses_settings_that_make_no_sense(string key, string value, string message)
    {
        string path = Path.Combine(folder, "config.json");
        var json = JsonNode.Parse(File.ReadAllText(path))!.AsObject();
        if (value == "null") json.Remove(key);
        else json[key] = "@value@";
        if (key == "hidden_size" && value == "1048576") json.Remove("head_dim");
        File.WriteAllText(path, json.ToJsonString().Replace("\"@value@\"", value, StringComparison.Ordinal));
        IsRefused(message);
    }

    [Fact]
    public void Heads_that_do_not_divide_the_width_are_refused_where_their_size_is_not_given()
    {
        string path = Path.Combine(folder, "config.json");
        var json = JsonNode.Parse(File.ReadAllText(path))!.AsObject();
        json.Remove("head_dim");
        json["num_attention_heads"] = 3;
        File.WriteAllText(path, json.ToJsonString());
        IsRefused("hidden_size is 8; expected a multiple of num_attention_heads, 3");
    }

    public static TheoryData<string> Files => [.. Attacks.Keys];

    private static readonly Dictionary<string, (Action<string> Change, string Message)> Attacks = new()
    {
        ["an empty config.json"] = (at => Write(at, "config.json", ""), "config.json: not valid JSON"),
        ["a config.json that is a list"] = (at => Write(at, "config.json", "[]"), "config.json: not valid JSON (the content is not an object)"),
        ["a config.json that is null"] = (at => Write(at, "config.json", "null"), "config.json: not valid JSON"),
        ["a key twice"] = (at => Write(at, "config.json", "{\"model_type\":\"llama\",\"model_type\":\"bert\"}"), "config.json: not valid JSON"),
        ["a key twice, escaped"] = (at => Write(at, "config.json", "{\"model_type\":\"llama\",\"model\\u005ftype\":\"bert\"}"), "config.json: not valid JSON"),
        ["nested 100,000 deep"] = (at => Write(at, "config.json", "{\"a\":" + new string('[', 100_000) + new string(']', 100_000) + "}"), "config.json: not valid JSON"),
        ["half a surrogate in a text"] = (at => Write(at, "config.json", "{\"model_type\":\"\\ud800\"}"), "config.json: not valid JSON"),
        ["half a surrogate in a key"] = (at => Write(at, "config.json", "{\"\\ud800\":1}"), "config.json: not valid JSON"),
        ["bytes that are no UTF-8"] = (at => File.WriteAllBytes(Path.Combine(at, "config.json"), [.. "{\"model_type\":\""u8, 0xFF, .. "\"}"u8]), "config.json: not valid JSON"),
        ["UTF-16"] = (at => File.WriteAllBytes(Path.Combine(at, "config.json"), Encoding.Unicode.GetBytes("{}")), "config.json: not valid JSON"),
        ["NaN"] = (at => Write(at, "config.json", "{\"model_type\":\"llama\",\"hidden_size\":NaN}"), "config.json: not valid JSON"),
        ["a config.json of 5 MB"] = (at => Write(at, "config.json", "{\"a\":\"" + new string('x', 5_000_000) + "\"}"), "expected at most 4194304"),
        ["a config.json of 1 TB"] = (at => { using var file = File.Create(Path.Combine(at, "config.json")); file.SetLength(1L << 40); }, "the file has 1099511627776 bytes"),
        ["a config.json that is a folder"] = (at => { File.Delete(Path.Combine(at, "config.json")); Directory.CreateDirectory(Path.Combine(at, "config.json")); }, "no config.json in this folder"),
        ["a model of remote code"] = (at => Write(at, "config.json", "{\"model_type\":\"my_model\",\"auto_map\":{\"AutoModelForCausalLM\":\"modeling.My\"}}"), "model_type is 'my_model'; this version reads"),
        ["a model_type of a megabyte"] = (at => Write(at, "config.json", "{\"model_type\":\"" + new string('x', 1_000_000) + "\"}"), "model_type is 'xxx"),
        ["a pickle instead of safetensors"] = (at => { File.Delete(Path.Combine(at, "model.safetensors")); Write(at, "pytorch_model.bin", "x"); }, "pytorch_model.bin: is a pickle, which runs the code it contains"),
        ["a checkpoint instead of safetensors"] = (at => { File.Delete(Path.Combine(at, "model.safetensors")); Write(at, "model.ckpt", "x"); }, "model.ckpt: is a pickle"),
        ["no weights"] = (at => File.Delete(Path.Combine(at, "model.safetensors")), "neither model.safetensors nor model.safetensors.index.json"),
        ["an index that is no JSON"] = (at => Index(at, "x"), "index.json: not valid JSON"),
        ["an index without a map"] = (at => Index(at, "{}"), "weight_map is missing"),
        ["an index whose map is a list"] = (at => Index(at, "{\"weight_map\":[]}"), "weight_map is missing"),
        ["a file outside the folder"] = (at => Map(at, "../model.safetensors"), "expected a plain file name"),
        ["a file by its full path"] = (at => Map(at, "/etc/passwd"), "expected a plain file name"),
        ["a file in a folder"] = (at => Map(at, "inner/model.safetensors"), "expected a plain file name"),
        ["a file by a path of Windows"] = (at => Map(at, "..\\\\model.safetensors"), "expected a plain file name"),
        ["a file on a drive"] = (at => Map(at, "C:model.safetensors"), "expected a plain file name"),
        ["a file with a zero in its name"] = (at => Map(at, "model\\u0000.safetensors"), "expected a plain file name"),
        ["a file without a name"] = (at => Map(at, ""), "expected a plain file name"),
        ["the folder itself"] = (at => Map(at, "."), "expected a plain file name"),
        ["a file name that is a number"] = (at => Index(at, "{\"weight_map\":{\"a\":7}}"), "expected a plain file name"),
        ["a file name that is null"] = (at => Index(at, "{\"weight_map\":{\"a\":null}}"), "expected a plain file name"),
        ["a file name that is an object"] = (at => Index(at, "{\"weight_map\":{\"a\":{}}}"), "expected a plain file name"),
        ["a pickle in the index"] = (at => Map(at, "pytorch_model-00001-of-00002.bin"), "is a pickle"),
        ["a file that is missing"] = (at => Map(at, "model-00001-of-00002.safetensors"), "model-00001-of-00002.safetensors: not found"),
        ["an index that is a file"] = (at => Map(at, "config.json"), "config.json: the header length is"),
        ["a tensor that its file does not have"] = (at => { File.Move(Path.Combine(at, "model.safetensors"), Path.Combine(at, "a.safetensors")); Index(at, "{\"weight_map\":{\"nothing\":\"a.safetensors\"}}"); }, "which has no such tensor"),
        ["an index that forgets tensors"] = (at => { File.Move(Path.Combine(at, "model.safetensors"), Path.Combine(at, "a.safetensors")); Index(at, "{\"weight_map\":{\"lm_head.weight\":\"a.safetensors\"}}"); }, "the weights have no tensor model.embed_tokens.weight"),
        ["a tensor too many"] = (at => Weights(at, "intruder", SafetensorsType.F32), "tensor intruder has no place in a Llama model"),
        ["whole numbers as weights"] = (at => Weights(at, "lm_head.weight", SafetensorsType.I32), "lm_head.weight is stored as I32"),
        ["8-bit floats as weights"] = (at => Weights(at, "lm_head.weight", SafetensorsType.F8E4M3), "lm_head.weight is stored as F8_E4M3"),
    };

    [Theory, MemberData(nameof(Files))]
    public void Refuses_folders_that_are_damaged_or_lie(string attack)
    {
        Attacks[attack].Change(folder);
        IsRefused(Attacks[attack].Message);
    }

    [Fact]
    public void Damaged_settings_are_read_or_refused()
    {
        string path = Path.Combine(folder, "config.json");
        byte[] valid = File.ReadAllBytes(path);
        byte[][] words = [.. new[] { "\"rope_scaling\":{\"type\":\"linear\",\"factor\":2}", "\"head_dim\":2", "-1", "1e308", "\"\\ud83d\"", "[[[[", "null" }.Select(Encoding.UTF8.GetBytes)];
        var node = JsonNode.Parse(valid)!;
        var (read, refused) = FuzzRun.Over("config.json", FuzzRun.Cases(1500), random => random.Below(2) == 0 ? Mutation.Bytes(valid, words, random) : Mutation.Json(node, random), bytes =>
        {
            File.WriteAllBytes(path, bytes);
            using var source = ModelSource.Open(folder);
            Assert.InRange(source.Config.Parameters, 1, 1 << 20);
        });
        Assert.True(read > 20 && refused > 500, $"{read} read, {refused} refused");
    }

    [Fact]
    public void A_damaged_gguf_model_is_read_or_refused()
    {
        string path = Path.Combine(folder, "model.gguf");
        using (var random = new RandomSource(Small, 1))
        using (var target = new GgufTarget(path))
            ModelConversion.Run(random, target, _ => BlockFormat.F32, cancellation: TestContext.Current.CancellationToken);
        byte[] valid = File.ReadAllBytes(path);
        byte[][] words = [.. new[] { "llama.block_count", "llama.rope.scaling.type", "general.architecture", "\u0004\0\0\0" }.Select(Encoding.UTF8.GetBytes)];
        int header;
        using (var file = GgufFile.Open(path)) header = (int)file.Tensors[0].FileOffset;
        var (read, refused) = FuzzRun.Over("gguf model", FuzzRun.Cases(1000), random =>
        {
            // Bytes are changed in place, so that most cases reach the settings behind the container.
            if (random.Below(4) == 0) return Mutation.Bytes(valid, words, random);
            byte[] bytes = [.. valid];
            for (int times = 1 + random.Below(3); times > 0; times--) bytes[random.Below(header)] = random.Byte();
            return bytes;
        }, bytes =>
        {
            File.WriteAllBytes(path, bytes);
            using var source = ModelSource.Open(path);
            Assert.InRange(source.Config.Parameters, 1, 1 << 20);
        });
        Assert.True(read > 20 && refused > 300, $"{read} read, {refused} refused");
    }

    private void IsRefused(string message)
    {
        long before = GC.GetAllocatedBytesForCurrentThread();
        var error = Assert.Throws<UserErrorException>(() => ModelSource.Open(folder));
        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
        Assert.StartsWith(folder, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(error.Message, letter => char.IsControl(letter));
        Assert.InRange(error.Message.Length, 10, 1500);
        Assert.InRange(allocated, 0, MostAllocatedBytes);
    }

    private static void Write(string folder, string name, string content) => File.WriteAllText(Path.Combine(folder, name), content);

    private static void Index(string folder, string content)
    {
        File.Delete(Path.Combine(folder, "model.safetensors"));
        Write(folder, "model.safetensors.index.json", content);
    }

    private static void Map(string folder, string file) => Index(folder, $"{{\"weight_map\":{{\"lm_head.weight\":\"{file}\"}}}}");

    /// <summary>The model's weights with one tensor of another type, or one more.</summary>
    private static void Weights(string folder, string name, SafetensorsType type)
    {
        using var writer = new SafetensorsWriter(Path.Combine(folder, "model.safetensors"));
        foreach (var shape in Small.Weights) writer.Declare(shape.Name, shape.Name == name ? type : SafetensorsType.F32, shape.Extents);
        if (Small.Weights.All(shape => shape.Name != name)) writer.Declare(name, type, 1);
        foreach (var shape in Small.Weights) writer.Write(shape.Name, new byte[shape.Count * (shape.Name == name ? SafetensorsTypes.Bits(type) / 8 : 4)]);
        if (Small.Weights.All(shape => shape.Name != name)) writer.Write(name, new byte[4]);
        writer.Finish();
    }
}
