using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;
using System.Security.Cryptography;
using OpenEuroLLM.Tensors.Kernels;
using static OpenEuroLLM.Tensors.Tests.Agreement;

namespace OpenEuroLLM.Tensors.Tests;

/// <summary>The promise that results do not depend on the instruction set, checked in processes that lack some.</summary>
public sealed class InstructionSetTests
{
    private const string HashFile = "OELLM_TEST_HASH_FILE";

    /// <summary>Bits of a product layer and of a small training step. It changes only when a kernel's arithmetic is changed on purpose.</summary>
    private const string ExpectedHash = "acddbaf61b0b766ac27ebe80e666ef7fb3f2af24350daacb85baffa60405a283";

    /// <summary>Bits of products with packed weights of every type: half precision and quantized.</summary>
    private const string ExpectedPackedHash = "7ca17fad70419d97f317fab65d331e817ba40c722ed9f4cd73b94112dd4ff4d4";

    [Theory]
    [InlineData(null)]
    [InlineData("DOTNET_EnableAVX512")]
    [InlineData("DOTNET_EnableAVX2")]
    [InlineData("DOTNET_EnableHWIntrinsic")]
    public async Task A_process_without_an_instruction_set_computes_the_same_bits(string? switchedOff)
    {
        var file = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
        // The muxer that runs this process, whichever runner has started it: <root>/shared/Microsoft.NETCore.App/<version>/.
        var dotnet = Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", "..", OperatingSystem.IsWindows() ? "dotnet.exe" : "dotnet");
        var start = new ProcessStartInfo(Path.GetFullPath(dotnet)) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in new[] { "exec", typeof(InstructionSetTests).Assembly.Location, "-noColor",
            "-method", $"{typeof(InstructionSetTests).FullName}.{nameof(The_bits_are_the_committed_ones)}",
            "-method", $"{typeof(GatedTests).FullName}.{nameof(GatedTests.The_bits_are_the_committed_ones)}",
            "-method", $"{typeof(MixedDecoderTests).FullName}.{nameof(MixedDecoderTests.The_bits_are_the_committed_ones)}",
            "-method", $"{typeof(InstructionSetTests).FullName}.{nameof(The_bits_of_packed_weights_are_the_committed_ones)}",
            "-method", $"{typeof(InstructionSetTests).FullName}.{nameof(The_instruction_sets_are_what_the_environment_asks_for)}" })
            start.ArgumentList.Add(argument);
        foreach (var name in new[] { "DOTNET_EnableAVX512", "DOTNET_EnableAVX2", "DOTNET_EnableHWIntrinsic" }) start.Environment.Remove(name);
        if (switchedOff is not null) start.Environment[switchedOff] = "0";
        start.Environment[HashFile] = file;
        using var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        var output = await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken) + await errors;
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        try
        {
            Assert.True(File.Exists(file), output);
            Assert.Equal(Hash(), await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken));
            Assert.True(process.ExitCode == 0, output);
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Fact]
    public void The_bits_are_the_committed_ones()
    {
        var hash = Hash();
        if (Environment.GetEnvironmentVariable(HashFile) is { } file) File.WriteAllText(file, hash);
        Assert.Equal(ExpectedHash, hash);
    }

    [Fact]
    public void The_bits_of_packed_weights_are_the_committed_ones()
    {
        var found = PackedHash();
        Assert.True(found == ExpectedPackedHash, found);
    }

    [Fact]
    public void The_instruction_sets_are_what_the_environment_asks_for()
    {
        if (Environment.GetEnvironmentVariable("DOTNET_EnableHWIntrinsic") == "0") Assert.False(Avx.IsSupported || Fma.IsSupported);
        if (Environment.GetEnvironmentVariable("DOTNET_EnableAVX2") == "0") Assert.False(Avx2.IsSupported || Fma.IsSupported);
        if (Environment.GetEnvironmentVariable("DOTNET_EnableAVX512") == "0") Assert.False(Avx512F.IsSupported);
        Assert.Equal(Avx512F.IsSupported, Tile.Wide);
    }

    private static unsafe string PackedHash()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        using var backend = new CpuBackend(2);
        using var x = Numbers.Random(8, 256, 1);
        foreach (var type in Enum.GetValues<ElementType>())
        {
            using var weight = QuantizedProductTests.Stored(type, 41, 256, 2);
            foreach (var rows in new[] { 1, 8 })
            {
                using var y = Numbers.Random(rows, 41, 3);
                backend.Product(x.Data, rows, weight, y.Data);
                hash.AppendData(MemoryMarshal.AsBytes(y.Values));
            }
        }
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private static string Hash()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        void Append(ReadOnlySpan<float> values) => hash.AppendData(MemoryMarshal.AsBytes(values));
        using var engine = new Engine(2);
        using var weight = Weight.Trainable("layer", 40, 70);
        Normal(40 * 70, 1).CopyTo(weight.Values);
        var x = Normal(256 * 70, 2);
        var all = Bits(engine.Product(engine.Create(256, 70, x), weight).Values);
        foreach (var rows in new[] { 1, 2, 17, 256 })
        {
            var y = engine.Product(engine.Create(rows, 70, x.AsSpan(0, rows * 70)), weight).Values;
            Assert.Equal(all.AsSpan(0, rows * 40).ToArray(), Bits(y));
            Append(y);
        }
        engine.Reset();
        using var decoder = new SmallDecoder(layers: 2, width: 20, heads: 2, keyValueHeads: 1, hidden: 27, vocabulary: 50, tied: true);
        var (tokens, targets) = decoder.Text(74);
        Append(decoder.Step(engine, tokens, targets, SmallDecoder.Layout(1, 65, 8)).Values);
        foreach (var trained in decoder.Weights)
        {
            Append(trained.Gradient);
            using var first = new NumberBuffer(trained.Count);
            using var second = new NumberBuffer(trained.Count);
            engine.Update(trained, first, second, new AdamWStep(1e-2f, 0.9f, 0.95f, 1e-8f, 0.1f, 0.1f, 0.05f, 0.5f));
            Append(trained.Values);
        }
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
