using System.Text.Json.Nodes;
using OpenEuroLLM.Core;
using OpenEuroLLM.Formats;
using OpenEuroLLM.Formats.Quantization;
using OpenEuroLLM.Languages;
using OpenEuroLLM.Models;

namespace OpenEuroLLM.Cli.Tests;

public sealed class QuantizationTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void The_loss_is_told_for_each_of_the_24_languages_and_the_worst_is_named()
    {
        string file = _folder.At("q4.gguf");
        var said = JsonNode.Parse(Oellm.Succeeds("convert", "--to", "gguf", "--quantize", "q4_0", "--calibration", "--calibration-bytes", "512", "--out", file, "--json").Output)!;
        var languages = said["loss"]!["languages"]!.AsObject();
        Assert.Equal(LanguageCatalog.Official.Select(language => language.Code).Order(StringComparer.Ordinal), languages.Select(row => row.Key));
        var worst = languages.MaxBy(row => row.Value!["loss"]!.GetValue<double>());
        Assert.Equal(worst.Key, said["loss"]!["worst"]!.GetValue<string>());
        foreach (var (code, row) in languages)
        {
            Assert.InRange(row!["bytes"]!.GetValue<int>(), 400, 512);
            double before = row["bitsPerByteBefore"]!.GetValue<double>(), after = row["bitsPerByteAfter"]!.GetValue<double>();
            Assert.True(before > 0 && after != before, $"{code}: {before} and {after}");
            Assert.Equal(after / before - 1, row["loss"]!.GetValue<double>(), 0.001);
        }
    }

    [Fact]
    public void A_language_that_lost_too_much_is_named_and_nothing_is_left_behind()
    {
        string file = _folder.At("q4.gguf"), texts = _folder.Write("mt.jsonl", string.Concat(Enumerable.Range(1, 6).Select(i =>
            $"{{\"id\":\"{i}\",\"text\":\"Il-belt kapitali ta' Malta hija l-Belt Valletta, u n-numru huwa {i}.\",\"lang\":\"mt\",\"source\":\"test\",\"license\":\"CC0-1.0\"}}\n")));
        Oellm.Refuses(["convert", "--to", "gguf", "--quantize", "q4_0", "--calibration", texts, "--gate", "loss=0", "--out", file], "was not kept: mt: bits per byte grew from");
        Assert.DoesNotContain(Directory.EnumerateFileSystemEntries(_folder.Root), path => path.Contains("gguf", StringComparison.Ordinal));
        Oellm.Succeeds("convert", "--to", "gguf", "--quantize", "q4_0", "--calibration", texts, "--gate", "loss=0", "mt:loss=0.5", "--out", file);
        Oellm.Refuses(["convert", "--to", "gguf", "--quantize", "q4_0", "--calibration", texts, "--gate", "ga:loss=0.5", "--out", file, "--force"], "ga: there is no text of it");
    }

    [Fact]
    public void Errors_are_weighed_by_the_activations_of_the_texts()
    {
        string plain = _folder.At("plain.gguf"), weighed = _folder.At("weighed.gguf"), again = _folder.At("again.gguf");
        Oellm.Succeeds("convert", "--to", "gguf", "--quantize", "q4_k_m", "--out", plain);
        Oellm.Succeeds("convert", "--to", "gguf", "--quantize", "q4_k_m", "--calibration", "--calibration-bytes", "256", "--threads", "1", "--out", weighed);
        Oellm.Succeeds("convert", "--to", "gguf", "--quantize", "q4_k_m", "--calibration", "--calibration-bytes", "256", "--threads", "2", "--out", again);
        Assert.NotEqual(File.ReadAllBytes(plain), File.ReadAllBytes(weighed));
        Assert.Equal(File.ReadAllBytes(weighed), File.ReadAllBytes(again)); // the same whatever the threads
    }

    [Fact]
    public void Options_that_mean_nothing_are_refused_by_name()
    {
        string file = _folder.At("x.gguf"), one = _folder.Write("ga.txt", "Tá fáilte romhat.");
        string[] start = ["convert", "--to", "gguf", "--quantize", "q4_0", "--out", file];
        Oellm.Refuses([.. start, "--gate", "loss=0.1"], "say --calibration too.");
        Oellm.Refuses([.. start, "--calibration", "--gate", "los=0.1"], "'los' is unknown; known: loss.");
        Oellm.Refuses([.. start, "--calibration", "--gate", "loss=much"], "'much' is no bound; expected a number from 0");
        Oellm.Refuses([.. start, "--calibration", "--gate", "loss=1", "loss=2"], "--gate loss is given twice");
        Oellm.Refuses([.. start, "--calibration", "--calibration-bytes", "10"], "--calibration-bytes is 10; expected at least 256.");
        Oellm.Refuses([.. start, "--calibration", _folder.At("none.txt")], "is not there; expected a file");
        Oellm.Refuses([.. start, "--calibration", one], "has one text alone");
    }

    [Fact]
    public void An_export_that_says_something_else_is_found_out()
    {
        string right = _folder.At("right.gguf"), wrong = _folder.At("wrong.gguf"), model = ModelPath.Resolve(null);
        Oellm.Succeeds("convert", "--to", "gguf", "--out", right);
        // Two weights of equal size under each other's names, as a mistaken table of names would have it.
        using (var file = GgufFile.Open(right))
        using (var writer = new GgufWriter(wrong))
        {
            static string Swapped(string name) => name.Contains("ffn_gate", StringComparison.Ordinal) ? name.Replace("gate", "up", StringComparison.Ordinal) : name.Replace("ffn_up", "ffn_gate", StringComparison.Ordinal);
            foreach (var (key, value) in file.Metadata) writer.Add(key, value);
            foreach (var tensor in file.Tensors) writer.Declare(tensor.Name, tensor.Type, [.. tensor.Shape]);
            foreach (var tensor in file.Tensors) writer.Write(tensor.Name, file.Bytes(Swapped(tensor.Name), 0, (int)tensor.SizeBytes));
            writer.Finish();
        }
        var check = ExportCheck.Of(model, ModelFolder.ReadConfig(model), threads: 2);
        Assert.Contains("bit for bit", check.Compare(right, hasTokenizer: true, [(BlockFormat.BF16, BlockFormat.BF16)], threads: 2), StringComparison.Ordinal);
        Assert.Contains("no number was to change, but its logits differ", Assert.Throws<UserErrorException>(() => check.Compare(wrong, true, [(BlockFormat.BF16, BlockFormat.BF16)], 2)).Message, StringComparison.Ordinal);
        Assert.Contains("have a correlation of", Assert.Throws<UserErrorException>(() => check.Compare(wrong, true, [(BlockFormat.F32, BlockFormat.BF16)], 2)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void No_text_is_on_both_sides_and_none_ends_within_a_character()
    {
        var languages = CalibrationTexts.Read([], 1000);
        Assert.Equal(24, languages.Count);
        foreach (var language in languages)
        {
            Assert.Empty(language.Calibration.Intersect(language.Measurement));
            foreach (var half in new[] { language.Calibration, language.Measurement })
            {
                Assert.InRange(half.Sum(text => System.Text.Encoding.UTF8.GetByteCount(text)), 990, 1000);
                Assert.All(half, text => Assert.False(char.IsHighSurrogate(text[^1])));
            }
        }
    }
}
