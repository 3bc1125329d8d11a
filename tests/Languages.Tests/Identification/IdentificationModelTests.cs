using System.Diagnostics;
using OpenEuroLLM.Core;
using OpenEuroLLM.Languages.Identification;

namespace OpenEuroLLM.Languages.Tests.Identification;

public sealed class IdentificationModelTests : IDisposable
{
    private static readonly byte[] _small = SmallTraining.Model(workers: 1);
    private readonly string _path = Path.Combine(Path.GetTempPath(), $"identification-{Guid.NewGuid():N}.bin");

    [Fact]
    public void The_built_in_model_is_small_and_opens_at_once()
    {
        string path = Path.Combine(AppContext.BaseDirectory, "models", "identification", IdentifierTrainer.FileName);
        Assert.InRange(new FileInfo(path).Length, 1, 8_000_000);
        LanguageIdentifier.Load(path).Dispose(); // the disk's part is not the loader's
        var watch = Stopwatch.StartNew();
        double fastest = double.PositiveInfinity;
        for (int i = 0; i < 5; i++)
        {
            watch.Restart();
            LanguageIdentifier.Load(path).Dispose();
            fastest = Math.Min(fastest, watch.Elapsed.TotalMilliseconds);
        }

        Assert.InRange(fastest, 0, 50);
    }

    [Fact]
    public void A_file_that_is_not_there_is_refused() =>
        Assert.Contains("is not there", Assert.Throws<UserErrorException>(() => LanguageIdentifier.Load(_path)).Message);

    [Theory]
    [InlineData(0, "is no language identification model")]
    [InlineData(8, "is of version")]
    [InlineData(12, "does not hold two tables")]
    [InlineData(16, "is cut short or has something at its end")]
    [InlineData(24, "its hash does not fit")]
    [InlineData(200, "its hash does not fit")]
    public void A_changed_byte_is_noticed(int position, string message)
    {
        byte[] bytes = [.. _small];
        bytes[position] ^= 0x40;
        Assert.Contains(message, Refusal(bytes));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(10)]
    [InlineData(63)]
    [InlineData(64)]
    [InlineData(1000)]
    public void A_cut_file_is_refused(int length) => Assert.Contains(_path, Refusal(_small[..length]));

    [Theory]
    [InlineData(4, -1)]
    [InlineData(4, int.MaxValue)]
    [InlineData(8, 0)]
    [InlineData(8, int.MaxValue)]
    [InlineData(12, 0)]
    [InlineData(12, int.MaxValue)]
    [InlineData(12, 5000)]
    public void Sizes_are_checked_against_the_file(int offset, int value)
    {
        byte[] rest = _small[IdentificationModel.HeadBytes..];
        BitConverter.TryWriteBytes(rest.AsSpan(offset), value);
        Refusal([.. IdentificationModel.Head(rest), .. rest]);
    }

    [Fact]
    public void Hostile_files_with_a_fitting_hash_are_refused_or_harmless()
    {
        var random = new CounterRandom(11, 0);
        byte[] text = "Hvor kommer du fra? Откъде идваш?"u8.ToArray();
        int refused = 0;
        for (ulong round = 0; round < 300; round++)
        {
            byte[] rest = _small[IdentificationModel.HeadBytes..];
            // Every third file is changed where its tables are described, the others anywhere.
            for (ulong change = 0; change < 4; change++)
                rest[random.Below(round * 16 + change, round % 3 == 0 ? 300u : (uint)rest.Length)] = (byte)random.At(round * 16 + 8 + change);
            File.WriteAllBytes(_path, [.. IdentificationModel.Head(rest), .. rest]);
            try
            {
                using var identifier = LanguageIdentifier.Load(_path);
                Assert.False(double.IsNaN(identifier.Identify(text).Confidence));
            }
            catch (UserErrorException)
            {
                refused++;
            }
        }

        Assert.InRange(refused, 50, 299);
    }

    public void Dispose() => File.Delete(_path);

    private string Refusal(byte[] bytes)
    {
        File.WriteAllBytes(_path, bytes);
        return Assert.Throws<UserErrorException>(() => LanguageIdentifier.Load(_path)).Message;
    }
}
