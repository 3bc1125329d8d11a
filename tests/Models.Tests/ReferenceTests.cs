using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using OpenEuroLLM.Models.Tests.References;

namespace OpenEuroLLM.Models.Tests;

/// <summary>Holds the plain references themselves fast: their values, and that each setting of a tiny model reaches its logits.</summary>
public sealed class ReferenceTests
{
    [Fact]
    public void The_references_give_their_golden_logits()
    {
        var actual = new StringBuilder();
        foreach (var model in TinyModels.All)
        {
            var logits = model.Reference().Logits(TinyModel.Tokens);
            actual.Append(CultureInfo.InvariantCulture, $"{model.Name} {model.Sha256()}\n");
            foreach (var row in (int[])[0, 20, 47])
                actual.Append(CultureInfo.InvariantCulture, $"{row}: {string.Join(' ', Enumerable.Range(0, 8).Select(i => logits[row, 12 * i].ToString("G9", CultureInfo.InvariantCulture)))}\n");
        }
        // Where a change is meant, this file shows what the golden one should become.
        File.WriteAllText(Path.Combine(AppContext.BaseDirectory, "references.actual.txt"), actual.ToString());
        using var golden = new StreamReader(typeof(ReferenceTests).Assembly.GetManifestResourceStream("references.txt")!);
        Assert.Equal(golden.ReadToEnd(), actual.ToString());
    }

    [Theory]
    [InlineData("llama", "rope_theta", "20000.0")]
    [InlineData("llama-3-tied", "rope_parameters", "{\"rope_type\":\"default\",\"rope_theta\":10000.0}")]
    [InlineData("llama-linear", "rope_scaling", "null")]
    [InlineData("mistral-window", "sliding_window", "null")]
    [InlineData("mistral-window", "sliding_window", "9")]
    [InlineData("smollm3", "no_rope_layers", "[1,1,1,1]")]
    [InlineData("qwen2", "use_sliding_window", "true", "sliding_window", "8")]
    [InlineData("qwen2-yarn", "rope_scaling", "null")]
    [InlineData("qwen2-yarn", "rope_scaling", "{\"rope_type\":\"yarn\",\"factor\":4.0,\"original_max_position_embeddings\":32,\"attention_factor\":1.0}")]
    [InlineData("gemma2", "attn_logit_softcapping", "null")]
    [InlineData("gemma2", "final_logit_softcapping", "null")]
    [InlineData("gemma2", "query_pre_attn_scalar", "32")]
    [InlineData("gemma2", "layer_types", "[\"full_attention\",\"sliding_attention\",\"full_attention\",\"sliding_attention\"]")]
    [InlineData("gemma3-text", "rope_local_base_freq", "1000000.0")]
    [InlineData("gemma3-text", "rope_scaling", "null")]
    [InlineData("gemma3-text", "sliding_window_pattern", "2")]
    [InlineData("olmo3", "layer_types", "null")]
    [InlineData("olmo3", "rope_scaling", "null")]
    [InlineData("olmo3", "sliding_window", "7")]
    [InlineData("apertus", "rope_scaling", "null")]
    [InlineData("phi3", "sliding_window", "null")]
    [InlineData("phi3.5-short", "original_max_position_embeddings", "16")]
    [InlineData("phi3.5-short", "rope_scaling", "null")]
    [InlineData("phi4-mini", "original_max_position_embeddings", "64")]
    public void A_setting_changes_the_logits(string name, string key, string value, string? otherKey = null, string? otherValue = null)
    {
        var model = TinyModels.Named(name);
        var settings = (JsonObject)model.Config.DeepClone();
        settings[key] = JsonNode.Parse(value);
        if (otherKey is not null) settings[otherKey] = JsonNode.Parse(otherValue!);
        var expected = model.Reference().Logits(TinyModel.Tokens);
        var changed = model.Reference(settings).Logits(TinyModel.Tokens);
        Assert.True(Agreement.WorstRow(changed, expected) > 0.01, $"{name}: {key} = {value} changes nothing.");
    }

    [Fact]
    public void Later_tokens_do_not_change_earlier_logits()
    {
        foreach (var model in TinyModels.All)
        {
            // LongRoPE is the exception: the length of the whole sequence chooses its factors.
            if (model.Name == "phi4-mini") continue;
            var whole = model.Reference().Logits(TinyModel.Tokens);
            var part = model.Reference().Logits(TinyModel.Tokens[..20]);
            for (var row = 0; row < 20; row++)
                for (var i = 0; i < part.GetLength(1); i++) Assert.Equal(part[row, i], whole[row, i]);
        }
    }
}
