using System.IO.Compression;
using OpenEuroLLM.Corpus.Archives;
using static OpenEuroLLM.Corpus.Tests.Archives.ArchiveFile;

namespace OpenEuroLLM.Corpus.Tests.Archives;

public sealed class GzipTests
{
    [Theory]
    [InlineData(CompressionLevel.NoCompression)]
    [InlineData(CompressionLevel.Fastest)]
    [InlineData(CompressionLevel.Optimal)]
    [InlineData(CompressionLevel.SmallestSize)]
    public void What_the_platform_packs_is_unpacked(CompressionLevel level)
    {
        foreach (byte[] content in Contents()) Assert.Equal(content, Unpack(Gzip(content, level), Packing.Gzip));
    }

    [Fact]
    public void Fixed_codes_and_every_header_field_are_understood()
    {
        Assert.Equal("hello"u8, Unpack([0x1F, 0x8B, 8, 0x1E, 0, 0, 0, 0, 0, 3, 2, 0, 9, 9, .. "name\0"u8, .. "comment\0"u8, 1, 2, 0xCB, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00, 0x86, 0xA6, 0x10, 0x36, 5, 0, 0, 0], Packing.Gzip));
    }

    [Fact]
    public void Members_follow_one_another_and_may_be_empty()
    {
        byte[] content = Contents().ElementAt(3);
        Assert.Equal([.. content, .. content, 7], Unpack([.. Gzip(content), .. Gzip([]), .. Gzip(content), .. Gzip([7])], Packing.Gzip));
        Assert.Empty(Unpack(Gzip([]), Packing.Gzip));
    }

    [Fact]
    public void Cut_at_any_byte_a_file_is_refused()
    {
        byte[] file = [.. Gzip(Bytes("some words, some words, and others")), .. Gzip(Bytes("more"))];
        int first = Gzip(Bytes("some words, some words, and others")).Length;
        for (int length = 0; length < file.Length; length++)
        {
            if (length == first) continue;   // whole, as far as can be seen
            Assert.Equal("cut-short", Assert.Throws<DamagedDataException>(() => Unpack(file[..length], Packing.Gzip)).Reason);
        }
    }

    [Fact]
    public void Other_bytes_behind_and_changed_ones_are_refused()
    {
        byte[] file = Gzip(Bytes("some words, some words, and others"));
        Assert.Equal("damaged", Assert.Throws<DamagedDataException>(() => Unpack([.. file, .. Bytes("more than ten bytes")], Packing.Gzip)).Reason);
        int refused = 0;
        for (int place = 10; place < file.Length; place++)
        {
            byte[] changed = [.. file];
            changed[place] ^= 4;
            try
            {
                Assert.Equal("some words, some words, and others"u8, Unpack(changed, Packing.Gzip));   // bits that fill up the last byte
            }
            catch (DamagedDataException)
            {
                refused++;
            }
        }
        Assert.InRange(refused, file.Length - 11, file.Length - 10);
    }

    [Theory]
    [InlineData(nameof(Packing.Gzip))]
    [InlineData(nameof(Packing.Zstandard))]
    public void Spoilt_files_are_refused_or_read_as_the_platform_reads_them(string packed)
    {
        Packing packing = Enum.Parse<Packing>(packed);
        Assert.SkipUnless(packing != Packing.Zstandard || Zstandard.IsAvailable, "needs libzstd");
        var random = new Random(11);
        byte[][] files = [.. Contents().Skip(1).Take(4).Select(content => content[..Math.Min(content.Length, 3000)]).Select(content => packing == Packing.Gzip ? Gzip(content) : Zstd(content))];
        for (int turn = 0; turn < 2000; turn++)
        {
            byte[] file = [.. files[turn % files.Length]];
            for (int change = random.Next(1, 5); change > 0; change--) file[random.Next(file.Length)] = (byte)random.Next(256);
            if (random.Next(4) == 0) file = file[..random.Next(file.Length)];
            try
            {
                byte[] read = Unpack(file, packing);
                if (packing == Packing.Gzip) Assert.Equal(Platform(file), read);
            }
            catch (DamagedDataException)
            {
            }
        }
    }

    [Fact]
    public void Random_bits_are_never_taken_for_more_than_they_are()
    {
        var random = new Random(12);
        byte[] file = new byte[400];
        for (int turn = 0; turn < 1500; turn++)
        {
            random.NextBytes(file);
            ((byte[])[0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 0]).CopyTo(file, 0);
            file[10] = (byte)((file[10] & ~7) | (random.Next(4) << 1) | random.Next(2));
            Assert.Throws<DamagedDataException>(() => Unpack(file, Packing.Gzip));
        }
    }

    [Theory]
    [InlineData(nameof(Packing.Gzip))]
    [InlineData(nameof(Packing.Zstandard))]
    public void A_bomb_is_refused_in_bounded_memory(string packed)
    {
        Packing packing = Enum.Parse<Packing>(packed);
        Assert.SkipUnless(packing != Packing.Zstandard || Zstandard.IsAvailable, "needs libzstd");
        byte[] bomb = packing == Packing.Gzip ? Gzip(new byte[100 << 20]) : Zstd(new byte[100 << 20]);
        long before = GC.GetAllocatedBytesForCurrentThread();
        using var stream = new UnpackedStream(new MemoryStream(bomb), packing, new ArchiveLimits(Ratio: 200, RatioFreeBytes: 1 << 20));
        byte[] buffer = new byte[1 << 16];
        Assert.Equal("bomb", Assert.Throws<DamagedDataException>(() =>
        {
            while (stream.Read(buffer) > 0)
            {
            }
        }).Reason);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1 << 20);
    }

    private static byte[] Unpack(byte[] file, Packing packing)
    {
        using var unpacked = new UnpackedStream(new MemoryStream(file), packing, ArchiveFile.Limits);
        using var content = new MemoryStream();
        byte[] buffer = new byte[777];
        for (int read; (read = unpacked.Read(buffer)) > 0;) content.Write(buffer, 0, read);
        return content.ToArray();
    }

    private static byte[] Platform(byte[] file)
    {
        using var unpacked = new GZipStream(new MemoryStream(file), CompressionMode.Decompress);
        using var content = new MemoryStream();
        unpacked.CopyTo(content);
        return content.ToArray();
    }

    /// <summary>Nothing, a byte, text, numbers, far repetitions, noise, one byte over and over, noise among repetitions.</summary>
    private static IEnumerable<byte[]> Contents()
    {
        var random = new Random(4);
        yield return [];
        yield return [42];
        yield return Bytes(string.Join(' ', Enumerable.Range(0, 5000).Select(_ => "word" + random.Next(300))));
        yield return Bytes(string.Join('\n', Enumerable.Range(0, 4000)));
        byte[] noise = new byte[40_000];
        random.NextBytes(noise);
        yield return [.. noise[..20_000], .. noise[..32_000], .. noise];
        yield return noise;
        yield return new byte[300_000];
        yield return [.. Enumerable.Range(0, 2000).SelectMany(number => number % 3 == 0 ? noise[number..(number + 7)] : noise[..(number % 290)])];
    }
}
