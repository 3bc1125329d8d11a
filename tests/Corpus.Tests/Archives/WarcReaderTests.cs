using System.IO.Compression;
using System.Text;
using OpenEuroLLM.Corpus.Archives;
using static OpenEuroLLM.Corpus.Tests.Archives.ArchiveFile;

namespace OpenEuroLLM.Corpus.Tests.Archives;

public sealed class WarcReaderTests
{
    [Fact]
    public void Records_are_the_same_however_they_are_packed()
    {
        byte[][] records = Records(40);
        byte[] plain = Join(records);
        var expected = Read(plain, Packing.None);
        Assert.Equal(40, expected.Records.Count);
        foreach (byte[] packed in (byte[][])[Gzip(plain), Join(records.Select(record => Gzip(record))), Join(plain.Chunk(700).Select(piece => Gzip(piece))), Join(plain.Chunk(64).Select(piece => Gzip(piece, CompressionLevel.NoCompression)))])
        {
            var read = Read(packed, Packing.Gzip);
            Assert.Equal(expected.Records.Select(record => (record.Id, record.Block)), read.Records.Select(record => (record.Id, record.Block)));
            Assert.Empty(read.Damage);
        }
    }

    [Fact]
    public void Zstandard_archives_are_read_with_and_without_a_dictionary()
    {
        Assert.SkipUnless(Zstandard.IsAvailable, "needs libzstd");
        byte[][] records = Records(40);
        byte[] dictionary = Bytes("WARC/1.0\r\nWARC-Type: resource\r\nWARC-Record-ID: <urn:test:");
        string[] expected = [.. Read(Join(records), Packing.None).Records.Select(record => record.Block)];
        byte[][] files =
        [
            Join(records.Select(record => Zstd(record))),
            Join(records.SelectMany(record => record.Chunk(100)).Select(piece => Zstd(piece))),
            [.. Skippable(0x184D2A5D, dictionary), .. Join(records.Select(record => Zstd(record, dictionary)))],
            [.. Skippable(0x184D2A5D, Zstd(dictionary)), .. Join(records.Select(record => Zstd(record, dictionary)))],
            [.. Zstd(records[0]), .. Skippable(0x184D2A50, [1, 2, 3]), .. Join(records[1..].Select(record => Zstd(record)))],
        ];
        foreach (byte[] file in files)
        {
            var read = Read(file, Packing.Zstandard);
            Assert.Equal(expected, read.Records.Select(record => record.Block));
            Assert.Empty(read.Damage);
        }
    }

    [Fact]
    public void Headers_are_read_leniently()
    {
        byte[] file = Bytes("WARC/1.1\nwarc-type: Response\nWARC-TARGET-URI: <http://example.org/a b>\nX-Long: one\n two\nno colon\nContent-length: 2\n\nhi\n\n");
        using var reader = new WarcReader(new MemoryStream(file), Packing.None);
        WarcRecord record = reader.TryRead()!;
        Assert.Equal((WarcRecordType.Response, "http://example.org/a b", "one two"), (record.Type, record.TargetUri, record.Header("x-long")));
        Assert.Equal("hi", Encoding.UTF8.GetString(record.Block.Span));
        Assert.Null(reader.TryRead());
    }

    [Theory]
    [InlineData("9", "wrong-length")]
    [InlineData("15", "wrong-length")]
    [InlineData("100000", "cut-short")]
    [InlineData("99999999999999999999", "wrong-length")]
    [InlineData("9000000000000000000", "cut-short")]
    [InlineData("-1", "wrong-length")]
    [InlineData("ten", "wrong-length")]
    public void A_record_that_lies_about_its_length_is_told_and_its_neighbours_are_read(string length, string reason)
    {
        byte[] bad = Record(1, Bytes("ten bytes!"), length: length), file = [.. Record(0, "zero"), .. bad, .. Record(2, "two"), .. Record(3, "three")];
        var read = Read(file, Packing.None);
        Assert.Equal([0, 2, 3], read.Records.Select(record => Number(record.Id)));
        Assert.Equal([new ArchiveDamage(Record(0, "zero").Length, reason)], read.Damage);

        byte[] first = Gzip(Record(0, "zero")), packed = [.. first, .. Gzip(bad), .. Gzip(Record(2, "two")), .. Gzip(Record(3, "three"))];
        read = Read(packed, Packing.Gzip);
        Assert.Equal([0, 2, 3], read.Records.Select(record => Number(record.Id)));
        Assert.Equal([new ArchiveDamage(first.Length, "wrong-length")], read.Damage);
    }

    [Fact]
    public void Bytes_between_records_are_passed_over()
    {
        byte[] file = [.. Bytes("rubbish\nmore\n"), .. Record(0, "zero"), .. Bytes("rubbish WARC/1.0\nmore\n"), .. Record(1, "one"), .. Bytes("\nWARC/x\n"), .. Record(2, "two")];
        var read = Read(file, Packing.None);
        Assert.Equal([2], read.Records.Select(record => Number(record.Id)));   // what leads into rubbish has a wrong length
        byte[] packed = [.. Bytes("rubbish\n"), .. Gzip(Record(0, "zero")), .. Bytes("\u001f\u008b rubbish"), .. Gzip(Record(1, "one")), .. Gzip(Bytes("no record")), .. Gzip(Record(2, "two"))];
        read = Read(packed, Packing.Gzip);
        Assert.Equal([0, 1, 2], read.Records.Select(record => Number(record.Id)));
        Assert.Equal(["damaged", "damaged", "no-record"], read.Damage.Select(damage => damage.Reason));
    }

    [Fact]
    public void Every_changed_byte_of_a_packed_archive_costs_at_most_its_record()
    {
        byte[][] members = [.. Records(5).Select(record => Gzip(record))];
        byte[] file = Join(members);
        int start = members[0].Length + members[1].Length;
        for (int place = start; place < start + members[2].Length; place++)
        {
            byte[] changed = [.. file];
            changed[place] ^= 0x40;
            var read = Read(changed, Packing.Gzip);
            int[] numbers = [.. read.Records.Select(record => Number(record.Id))];
            Assert.Equal([0, 1, 3, 4], numbers.Where(number => number != 2));
            if (!numbers.Contains(2)) Assert.Equal([new ArchiveDamage(start, read.Damage[0].Reason)], read.Damage);
        }
    }

    [Theory]
    [InlineData(nameof(Packing.None))]
    [InlineData(nameof(Packing.Gzip))]
    [InlineData(nameof(Packing.Zstandard))]
    public void Cut_at_any_byte_an_archive_gives_its_whole_records_and_tells_of_the_rest(string packed)
    {
        Packing packing = Enum.Parse<Packing>(packed);
        Assert.SkipUnless(packing != Packing.Zstandard || Zstandard.IsAvailable, "needs libzstd");
        byte[][] members = [.. Records(3).Select(record => packing switch { Packing.Gzip => Gzip(record), Packing.Zstandard => Zstd(record), _ => record })];
        byte[] file = Join(members);
        for (int length = 0; length < file.Length; length++)
        {
            var read = Read(file[..length], packing);
            int end = 0, whole = members.TakeWhile(member => (end += member.Length) <= length).Count();
            Assert.InRange(read.Records.Count, whole, packing == Packing.None ? whole + 1 : whole);   // a record without its last line ends is whole
            int ends = members.Take(whole).Sum(member => member.Length);
            if (read.Records.Count == whole && length > ends && file[ends..length].Any(value => value is not ((byte)'\r' or (byte)'\n')))
                Assert.Equal(ends, Assert.Single(read.Damage).Offset);
        }
    }

    [Fact]
    public void Any_division_into_ranges_gives_every_record_once()
    {
        byte[][] records = Records(30);
        records[7] = Record(7, Join(Records(3, seed: 5)));                                    // an archive within a record
        records[11] = Record(11, Bytes("lies"), length: "40");
        byte[] plain = Join(records), packed = Join(records.Select(record => Gzip(record))), mixed = [.. Gzip(records[0]), .. Gzip(Join(records[1..5])), .. Join(records[5..].Select(record => Gzip(record)))];
        byte[] damaged = [.. packed];
        damaged[packed.Length / 2] ^= 0x55;
        var random = new Random(3);
        foreach ((byte[] file, Packing packing) in ((byte[], Packing)[])[(plain, Packing.None), (packed, Packing.Gzip), (Gzip(plain), Packing.Gzip), (mixed, Packing.Gzip), (damaged, Packing.Gzip)])
        {
            var whole = Read(file, packing);
            for (int turn = 0; turn < 25; turn++)
            {
                long[] cuts = [0, .. Enumerable.Range(0, random.Next(1, 12)).Select(_ => (long)random.Next(1, file.Length)).Distinct().Order(), long.MaxValue];
                var parts = cuts.Zip(cuts.Skip(1)).Select(range => Read(file, packing, null, range.First, range.Second)).ToList();
                Assert.Equal(whole.Records, parts.SelectMany(part => part.Records));
                Assert.Equal(whole.Damage, parts.SelectMany(part => part.Damage));
            }
        }
    }

    [Fact]
    public void Ranges_of_an_archive_larger_than_the_run_up_give_every_record_once()
    {
        var random = new Random(9);
        byte[] noise = new byte[1 << 18];
        byte[][] members = [.. Enumerable.Range(0, 80).Select(number =>
        {
            random.NextBytes(noise);
            byte[] block = number % 7 == 3 ? Join(Enumerable.Range(1000, 50).Select(inner => Gzip(Record(inner, [.. noise[..2000]])))) : [.. noise];   // archives within records
            return Gzip(Record(number, block), CompressionLevel.NoCompression);
        })];
        byte[] file = Join(members);
        long[] cuts = [0, .. Enumerable.Range(1, 15).Select(_ => (long)random.Next(1, file.Length)).Order(), long.MaxValue];
        int[] numbers = [.. cuts.Zip(cuts.Skip(1)).SelectMany(range => Read(file, Packing.Gzip, null, range.First, range.Second).Records.Select(record => Number(record.Id)))];
        Assert.Equal(Enumerable.Range(0, 80), numbers);
    }

    [Fact]
    public void Long_headers_and_large_records_are_passed_over()
    {
        var limits = new ArchiveLimits(HeaderBytes: 1000, Headers: 20, RecordBytes: 5000);
        byte[] longHeader = Record(1, Bytes("x"), extra: $"X-Long: {new string('x', 2000)}\r\n");
        byte[] manyHeaders = Record(2, Bytes("x"), extra: string.Concat(Enumerable.Range(0, 30).Select(number => $"X-{number}: y\r\n")));
        byte[][] records = [Record(0, "zero"), longHeader, manyHeaders, Record(3, new byte[6000]), Record(4, "four")];
        foreach ((byte[] file, Packing packing) in ((byte[], Packing)[])[(Join(records), Packing.None), (Gzip(Join(records)), Packing.Gzip), (Join(records.Select(record => Gzip(record))), Packing.Gzip)])
        {
            var read = Read(file, packing, limits);
            Assert.Equal([0, 4], read.Records.Select(record => Number(record.Id)));
            Assert.Equal(["header-too-long", "header-too-long", "too-large"], read.Damage.Select(damage => damage.Reason));
        }
    }

    [Fact]
    public void A_claimed_length_costs_no_memory()
    {
        byte[] file = Record(0, Bytes("short"), length: "33000000");
        long before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Equal("cut-short", Assert.Single(Read(file, Packing.None).Damage).Reason);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 2 << 20);
    }
}
