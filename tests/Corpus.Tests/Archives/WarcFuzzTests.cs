using OpenEuroLLM.Corpus.Archives;
using static OpenEuroLLM.Corpus.Tests.Archives.ArchiveFile;

namespace OpenEuroLLM.Corpus.Tests.Archives;

public sealed class WarcFuzzTests
{
    [Theory]
    [InlineData(nameof(Packing.None))]
    [InlineData(nameof(Packing.Gzip))]
    [InlineData(nameof(Packing.Zstandard))]
    public void Spoilt_archives_end_and_give_only_what_was_written(string packed)
    {
        Packing packing = Enum.Parse<Packing>(packed);
        Assert.SkipUnless(packing != Packing.Zstandard || Zstandard.IsAvailable, "needs libzstd");
        var random = new Random(21);
        byte[][] records = Records(12);
        HashSet<string> written = [.. Read(Join(records), Packing.None).Records.Select(record => record.Block)];
        byte[] file = Join(records.Select(record => packing switch { Packing.Gzip => Gzip(record), Packing.Zstandard => Zstd(record), _ => record }));
        var limits = new ArchiveLimits(HeaderBytes: 2000, Headers: 30, RecordBytes: 100_000);
        for (int turn = 0; turn < 500; turn++)
        {
            byte[] spoilt = Spoil(file, random);
            var read = Read(spoilt, packing, limits);
            Assert.InRange(read.Records.Count, 0, 24);
            if (packing == Packing.Gzip) Assert.All(read.Records, record => Assert.Contains(record.Block, written));   // the checksum tells
            if (turn % 10 == 0 && packing != Packing.Zstandard)
            {
                long cut = random.Next(1, spoilt.Length + 1);
                Assert.Equal(read.Records, [.. Read(spoilt, packing, limits, 0, cut).Records, .. Read(spoilt, packing, limits, cut).Records]);
            }
        }
    }

    [Fact]
    public void Lines_made_at_random_of_the_words_of_the_format_are_survived()
    {
        var random = new Random(22);
        string[] words = ["WARC/1.0", "\r\n", "\n", "Content-Length: ", "5", "100000", "-1", "99999999999", ":", " ", "x", "WARC-Type: response", "HTTP/1.1 200 OK", "http://a/ 1.2.3.4 20140101000000 text/html 10\n", "filedesc://a 0.0.0.0 20140101000000 text/plain 3\n", "\0", "ÿ"];
        for (int turn = 0; turn < 1000; turn++)
        {
            byte[] file = Bytes(string.Concat(Enumerable.Range(0, random.Next(1, 60)).Select(_ => words[random.Next(words.Length)])));
            Read(file, Packing.None, new ArchiveLimits(HeaderBytes: 200, Headers: 5, RecordBytes: 1000));
            Read(Gzip(file), Packing.Gzip);
        }
    }

    [Fact]
    public void Records_that_all_lie_are_read_in_time_that_grows_with_the_file_only()
    {
        byte[] file = Join(Enumerable.Range(0, 4_000).Select(number => Record(number, Bytes("x"), length: "20000000")));
        var read = Read(file, Packing.None);
        Assert.Empty(read.Records);
        Assert.InRange(read.Damage.Count, 1, 4_000);
    }

    [Fact]
    public void A_bomb_among_records_is_passed_over_in_bounded_memory()
    {
        byte[] zeros = new byte[32 << 20];
        byte[] bomb = Gzip([.. Record(1, [], length: "400000000")[..^4], .. zeros, .. zeros]);
        byte[] file = [.. Gzip(Record(0, "zero")), .. bomb, .. Gzip(Record(2, "two"))];
        long before = GC.GetAllocatedBytesForCurrentThread();
        var read = Read(file, Packing.Gzip, new ArchiveLimits(Ratio: 200, RatioFreeBytes: 1 << 20));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 4 << 20);
        Assert.Equal([0, 2], read.Records.Select(record => Number(record.Id)));
        Assert.Equal("bomb", Assert.Single(read.Damage).Reason);
    }

    private static byte[] Spoil(byte[] file, Random random)
    {
        var spoilt = new List<byte>(file);
        for (int change = random.Next(1, 6); change > 0; change--)
        {
            int place = random.Next(spoilt.Count);
            switch (random.Next(5))
            {
                case 0:
                    spoilt[place] = (byte)random.Next(256);
                    break;
                case 1:
                    spoilt.RemoveRange(place, Math.Min(random.Next(1, 200), spoilt.Count - place));
                    break;
                case 2:
                    spoilt.InsertRange(place, Enumerable.Range(0, random.Next(1, 50)).Select(_ => (byte)random.Next(256)));
                    break;
                case 3:
                    spoilt.InsertRange(place, spoilt.GetRange(0, Math.Min(spoilt.Count, random.Next(1, 100))));
                    break;
                default:
                    spoilt[place] = (byte)"0123456789\r\n:"[random.Next(13)];
                    break;
            }
            if (spoilt.Count == 0) spoilt.Add(0);
        }
        return [.. spoilt];
    }
}
