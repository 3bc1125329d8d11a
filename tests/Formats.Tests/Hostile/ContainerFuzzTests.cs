using System.Text;
using OpenEuroLLM.Formats.Quantization;
using OpenEuroLLM.Tokenizers.Tests.Fuzz;

namespace OpenEuroLLM.Formats.Tests.Hostile;

/// <summary>Damaged containers are read or refused with one line, in bounded time and memory. <c>OELLM_FUZZ=N</c> tries N times as many.</summary>
public sealed class ContainerFuzzTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Damaged_safetensors()
    {
        string path = _folder.File("model.safetensors");
        byte[][] seeds = [Safetensors(path, 1, true), Safetensors(path, 5, false), Safetensors(path, 0, true)];
        byte[][] words = [.. new[] { "{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}", "\"__metadata__\":{", "[0,0,0,0]", "\"\\u0061\"", "18446744073709551615", "-1" }.Select(Encoding.UTF8.GetBytes)];
        var (read, refused) = FuzzRun.Over("safetensors", FuzzRun.Cases(2500), random => Damaged(random, seeds, words, 8), bytes =>
        {
            File.WriteAllBytes(path, bytes);
            using var file = SafetensorsFile.Open(path);
            Assert.Equal(bytes.Length, file.Tensors.Values.Select(tensor => tensor.FileOffset + tensor.SizeBytes).DefaultIfEmpty(bytes.Length).Max());
            foreach (var tensor in file.Tensors.Values)
                file.Read(tensor.Name, 0, new byte[tensor.SizeBytes]);
        });
        Assert.True(read > 50 && refused > 1000, $"{read} read, {refused} refused");
    }

    [Fact]
    public void Damaged_gguf()
    {
        string path = _folder.File("model.gguf");
        byte[][] seeds = [Gguf(path, 0), Gguf(path, 3), GgufBytes.Part("t", 0, 1)];
        byte[][] words = [.. new[] { "general.alignment", "split.count", "GGUF", "\u0009\0\0\0\u0009\0\0\0", "\0\0\0\0\0\0\0\u0080" }.Select(Encoding.UTF8.GetBytes)];
        var (read, refused) = FuzzRun.Over("gguf", FuzzRun.Cases(2500), random => Damaged(random, seeds, words, 24), bytes =>
        {
            File.WriteAllBytes(path, bytes);
            using var file = GgufFile.Open(path);
            foreach (var tensor in file.Tensors)
            {
                Assert.InRange(tensor.FileOffset, 0, bytes.Length);
                if (tensor.SizeBytes > 0)
                    file.Read(tensor.Name, 0, new byte[tensor.SizeBytes]);
            }
        });
        Assert.True(read > 50 && refused > 1000, $"{read} read, {refused} refused");
    }

    // Half of the cases have a number in the size fields of the beginning changed, where most faults of such readers were.
    private static byte[] Damaged(FuzzRandom random, byte[][] seeds, byte[][] words, int head)
    {
        byte[] bytes = Mutation.Bytes(random.Of(seeds), words, random);
        if (bytes.Length > head && random.Below(4) == 0)
            bytes[random.Below(head)] = random.Of<byte>([0, 1, 2, 127, 128, 255]);
        return bytes;
    }

    private static byte[] Safetensors(string path, int tensors, bool metadata)
    {
        using (var writer = new SafetensorsWriter(path, metadata ? null : new Dictionary<string, string>()))
        {
            for (int i = 0; i < tensors; i++)
                writer.Declare($"model.layers.{i}.weight", i % 2 == 0 ? SafetensorsType.F32 : SafetensorsType.BF16, 2, i);
            for (int i = 0; i < tensors; i++)
                writer.WriteFloats($"model.layers.{i}.weight", new float[2 * i]);
            writer.Finish();
        }
        return File.ReadAllBytes(path);
    }

    private static byte[] Gguf(string path, int tensors)
    {
        using (var writer = new GgufWriter(path))
        {
            writer.Add("general.architecture", "llama");
            writer.Add("tokenizer.ggml.tokens", new[] { "<unk>", "<0x41>", "a" });
            writer.Add("tokenizer.ggml.scores", new[] { 0f, 1f, 2f });
            writer.Add("general.alignment", 64u);
            writer.Add("flag", true);
            for (int i = 0; i < tensors; i++)
                writer.Declare($"blk.{i}.weight", GgufType.Of(i == 2 ? BlockFormat.Q8_0 : BlockFormat.F32), 2, 32);
            for (int i = 0; i < tensors; i++)
                writer.Write($"blk.{i}.weight", new byte[i == 2 ? 68 : 256]);
            writer.Finish();
        }
        return File.ReadAllBytes(path);
    }
}
