using System.Text;
using System.Text.Json.Nodes;
using OpenEuroLLM.Core;
using OpenEuroLLM.Formats;
using OpenEuroLLM.Models;
using OpenEuroLLM.Tokenizers;
using OpenEuroLLM.Tokenizers.Tests.Fuzz;

namespace OpenEuroLLM.Inference.Tests;

/// <summary>The settings beside a model, damaged: read, or refused in one line that names the file.</summary>
public sealed class ModelSettingsFuzzTests : IDisposable
{
    private const string Generation = """
        {"bos_token_id":1,"eos_token_id":[2,3],"pad_token_id":0,"do_sample":true,"temperature":0.7,"top_k":40,"top_p":0.9,"min_p":0.05,"typical_p":0.95,
        "repetition_penalty":1.1,"max_new_tokens":200,"transformers_version":"4.50.0"}
        """;

    private readonly TestFolder _folder = new(withTemplate: false);

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Damaged_generation_settings_are_read_or_refused()
    {
        _folder.Write("generation_config.json", Generation);
        var good = GenerationSettings.Read(new ModelPlace(_folder.Path, null), _folder.Tokenizer, new RequestLimits());
        Assert.Equal((0.7, 40, 200), (good.Sampling.Temperature, good.Sampling.TopK, good.MaxTokens!.Value));
        var (read, refused) = Over("generation_config.json", Generation, () =>
        {
            var settings = GenerationSettings.Read(new ModelPlace(_folder.Path, null), _folder.Tokenizer, new RequestLimits());
            Assert.All(settings.Terminators, id => Assert.InRange(id, 0, _folder.Tokenizer.VocabularySize - 1));
            RequestValidator.Check(settings.Sampling, new RequestLimits());
            Assert.True(settings.MaxTokens is null or > 0);
        });
        Assert.True(read > 50 && refused > 300, $"{read} read, {refused} refused");
    }

    [Fact]
    public void Damaged_tokenizer_settings_give_a_template_or_an_obstacle()
    {
        string valid = new JsonObject
        {
            ["tokenizer_class"] = "PreTrainedTokenizerFast",
            ["add_bos_token"] = true,
            ["bos_token"] = new JsonObject { ["content"] = SpecialTokens.BeginOfText, ["special"] = true },
            ["eos_token"] = SpecialTokens.EndOfTurn,
            ["extra_special_tokens"] = new JsonObject { ["image_token"] = "<image>" },
            ["chat_template"] = new JsonArray(
                new JsonObject { ["name"] = "default", ["template"] = "{{ bos_token }}{% for m in messages %}<|{{ m.role }}|>{{ m['content'] | trim }}{{ eos_token }}{% endfor %}" },
                new JsonObject { ["name"] = "tool_use", ["template"] = "{{ tools | tojson }}" }),
        }.ToJsonString();
        _folder.Write("tokenizer_config.json", valid);
        Assert.NotNull(ChatTemplate.Load(_folder.Path, _folder.Tokenizer, null, out string? none));
        Assert.Null(none);
        int templates = 0, obstacles = 0;
        var (read, refused) = Over("tokenizer_config.json", valid, () =>
        {
            var template = ChatTemplate.Load(_folder.Path, _folder.Tokenizer, null, out string? obstacle);
            Assert.Equal(template is null, obstacle is not null);
            if (obstacle is null) templates++;
            else obstacles++;
            Assert.DoesNotContain('\n', obstacle ?? "");
        });
        // A model without a usable template still continues texts: whatever is wrong is an obstacle to chat, said in one line.
        Assert.True(templates > 100 && obstacles > 500 && refused == 0, $"{templates} templates, {obstacles} obstacles, {read} read, {refused} refused");
    }

    [Fact]
    public void A_file_of_settings_that_is_far_too_large_is_refused_unread()
    {
        string path = Path.Combine(_folder.Path, "generation_config.json");
        using (var file = File.Create(path)) file.SetLength(1L << 40);
        long before = GC.GetAllocatedBytesForCurrentThread();
        string message = Assert.Throws<UserErrorException>(() => GenerationSettings.Read(new ModelPlace(_folder.Path, null), _folder.Tokenizer, new RequestLimits())).Message;
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1 << 20);
        Assert.StartsWith($"{path}: the file has 1099511627776 bytes; expected at most 67108864.", message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_memory_of_a_split_model_is_that_of_all_its_files()
    {
        using var small = new SmallLlama();
        long expected;
        using (var source = ModelSource.Open(small.Path)) expected = source.Config.Weights.Sum(shape => 4L * shape.Count);
        Assert.Equal(expected, ModelMemory.WeightBytes(small.Path));
        string first = Split(small.Path);
        Assert.True(new FileInfo(first).Length < expected / 2);
        Assert.Equal(expected, ModelMemory.WeightBytes(first));
    }

    private (int Read, int Refused) Over(string name, string valid, Action attempt)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(valid);
        byte[][] words = [.. new[] { "\"eos_token_id\":null", "\"chat_template\":\"{{ raise_exception('x') }}\"", "{% for", "1e308", "-1", "\"\\ud83d\"", "[[[[", "null" }.Select(Encoding.UTF8.GetBytes)];
        var node = JsonNode.Parse(valid)!;
        string path = Path.Combine(_folder.Path, name);
        return FuzzRun.Over(name, FuzzRun.Cases(1500), random => random.Below(2) == 0 ? Mutation.Bytes(bytes, words, random) : Mutation.Json(node, random), damaged =>
        {
            File.WriteAllBytes(path, damaged);
            try
            {
                attempt();
            }
            catch (UserErrorException error)
            {
                Assert.StartsWith(path, error.Message, StringComparison.Ordinal);
                throw;
            }
        });
    }

    /// <summary>The model as two files, the embedding in the second one.</summary>
    private static string Split(string folder)
    {
        string whole = Path.Combine(folder, "whole.gguf"), first = Path.Combine(folder, "split-00001-of-00002.gguf"), second = Path.Combine(folder, "split-00002-of-00002.gguf");
        using (var source = ModelSource.Open(folder))
        using (var target = new GgufTarget(whole)) ModelConversion.Run(source, target, source.FormatOf);
        using var file = GgufFile.Open(whole);
        var last = file.Tensors.Where(tensor => tensor.Name == "token_embd.weight" || tensor.Name.StartsWith("blk.1.", StringComparison.Ordinal)).ToList();
        foreach (var (path, number, tensors) in new[] { (first, 0, file.Tensors.Except(last).ToList()), (second, 1, last) })
        {
            using var writer = new GgufWriter(path);
            if (number == 0)
                foreach (var (key, value) in file.Metadata) writer.Add(key, value);
            writer.Add("split.no", (ushort)number);
            writer.Add("split.count", (ushort)2);
            foreach (var tensor in tensors) writer.Declare(tensor.Name, tensor.Type, [.. tensor.Shape]);
            foreach (var tensor in tensors)
            {
                var bytes = new byte[tensor.SizeBytes];
                file.Read(tensor.Name, 0, bytes);
                writer.Write(tensor.Name, bytes);
            }
            writer.Finish();
        }
        return first;
    }
}
