using System.Text;
using OpenEuroLLM.Core;
using OpenEuroLLM.Formats.Quantization;

namespace OpenEuroLLM.Formats.Tests;

public sealed class GgufTests : IDisposable
{
    private static readonly GgufType F32 = GgufType.Of(BlockFormat.F32);

    private readonly TemporaryFolder _folder = new();

    private string Model => _folder.File("model.gguf");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Writes_the_golden_bytes()
    {
        using (var writer = new GgufWriter(Model))
        {
            writer.Add("a", 7u);
            writer.Declare("t", F32, 1, 2);
            writer.Write("t", [1, 2, 3, 4, 5, 6, 7, 8]);
            writer.Finish();
        }
        Assert.Equal("47475546" + "03000000" + "0100000000000000" + "0100000000000000" // mark, version, tensors, entries
            + "0100000000000000" + "61" + "04000000" + "07000000"                         // a: u32 7
            + "0100000000000000" + "74" + "02000000" + "0200000000000000" + "0100000000000000" + "00000000" + "0000000000000000" // t: rows of 2, one row
            + new string('0', 2 * 14)                                                      // to byte 96
            + "0102030405060708" + new string('0', 2 * 24), Convert.ToHexString(File.ReadAllBytes(Model)));
    }

    [Fact]
    public void Every_type_of_value_is_read_as_it_was_written()
    {
        object[] values =
        [
            (byte)200, (sbyte)-5, (ushort)60000, (short)-30000, 4_000_000_000u, -2_000_000_000, 1.5f, true, "Grüße, κόσμε", ulong.MaxValue, long.MinValue, -0.1,
            new byte[] { 1, 2 }, new sbyte[] { -1 }, new ushort[] { 3 }, new short[] { -3 }, new uint[] { 5, 6 }, new[] { -5, 6 }, new[] { 0.5f, float.NaN },
            new[] { true, false }, new[] { "a", "", "ž" }, new ulong[] { 9 }, new[] { -9L }, new[] { 0.25 }, Array.Empty<string>(),
        ];
        using (var writer = new GgufWriter(Model))
        {
            for (int i = 0; i < values.Length; i++)
                writer.Add($"key.{i}", values[i]);
            writer.Finish();
        }
        using var file = GgufFile.Open(Model);
        Assert.Equal((3, 32), (file.Version, file.Alignment));
        Assert.Equal(values, file.Metadata.Select(entry => entry.Value.Content));
        Assert.Equal(Enumerable.Range(0, values.Length).Select(i => $"key.{i}"), file.Metadata.Select(entry => entry.Key));
        Assert.Equal(200, file.Integer("key.0", 0, 255));
        Assert.Equal(1.5, file.Number("key.6"));
        Assert.Equal("Grüße, κόσμε", file.Text("key.8"));
        Assert.Null(file.Text("none"));
        Assert.Contains("key.0 is 200; expected a whole number from 0 to 100.", Assert.Throws<UserErrorException>(() => file.Integer("key.0", 0, 100)).Message, StringComparison.Ordinal);
        Assert.Contains("none is missing; expected a whole number", Assert.Throws<UserErrorException>(() => file.Integer("none", 0, 100)).Message, StringComparison.Ordinal);
        Assert.Contains("key.8 is 'Grüße, κόσμε'; expected a number above 0", Assert.Throws<UserErrorException>(() => file.Number("key.8")).Message, StringComparison.Ordinal);
        Assert.Contains("key.0 is 200; expected a text", Assert.Throws<UserErrorException>(() => file.Text("key.0")).Message, StringComparison.Ordinal);
    }

    [Theory, InlineData(null), InlineData(8u), InlineData(4096u)]
    public void A_file_that_is_read_and_written_again_has_the_same_bytes(uint? alignment)
    {
        WriteSample(Model, alignment);
        string copy = _folder.File("copy.gguf");
        using (var file = GgufFile.Open(Model))
        {
            Assert.All(file.Tensors, tensor => Assert.Equal(0, tensor.FileOffset % file.Alignment));
            using var writer = new GgufWriter(copy);
            foreach (var (key, value) in file.Metadata)
                writer.Add(key, value);
            foreach (var tensor in file.Tensors)
                writer.Declare(tensor.Name, tensor.Type, [.. tensor.Shape]);
            foreach (var tensor in file.Tensors.Reverse())
            {
                writer.Write(tensor.Name, file.Bytes(tensor.Name, 0, (int)tensor.SizeBytes / 2));
                byte[] rest = new byte[tensor.SizeBytes - tensor.SizeBytes / 2];
                file.Read(tensor.Name, tensor.SizeBytes / 2, rest);
                writer.Write(tensor.Name, rest);
            }
            writer.Finish();
        }
        Assert.Equal(File.ReadAllBytes(Model), File.ReadAllBytes(copy));
    }

    [Fact]
    public void Numbers_of_every_known_type_are_read_in_pieces()
    {
        float[] values = [.. Enumerable.Range(0, 2048).Select(i => new CounterRandom(5, 0).NormalAt((ulong)i))];
        using (var writer = new GgufWriter(Model))
        {
            foreach (var format in BlockFormat.All)
                writer.Declare(format.Name, GgufType.Of(format), 4, 512);
            writer.Declare("raw", GgufType.Find(34)!, 256);
            foreach (var format in BlockFormat.All)
            {
                byte[] blocks = new byte[format.RowBytes(2048)];
                format.Encode(values, blocks);
                writer.Write(format.Name, blocks);
            }
            writer.Write("raw", new byte[54]);
            writer.Finish();
        }
        using var file = GgufFile.Open(Model);
        foreach (var format in BlockFormat.All)
        {
            float[] all = new float[2048], piece = new float[512];
            file.ReadFloats(format.Name, 0, all);
            file.ReadFloats(format.Name, 1024, piece);
            Assert.Equal(all[1024..1536], piece);
            Assert.InRange(all.Zip(values, (x, y) => Math.Abs(x - y)).Max(), 0, format == BlockFormat.F32 ? 0 : format == BlockFormat.Q2_K ? 1 : 0.5);
            Assert.Throws<ArgumentOutOfRangeException>(() => file.ReadFloats(format.Name, 1792, piece));
        }
        Assert.Contains("tensor 'raw' has the type TQ1_0, which is not decoded here", Assert.Throws<UserErrorException>(() => file.ReadFloats("raw", 0, new float[256])).Message, StringComparison.Ordinal);
        Assert.Contains("tensor 'no' is missing; the file has 14 tensors", Assert.Throws<UserErrorException>(() => file.Tensor("no")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Version_2_and_a_missing_last_padding_are_read_too()
    {
        byte[] bytes = new Raw().Entries(0).Tensors(1).Tensor("t", [2], 0, 0).Pad(32).Bytes(new byte[8]).Done();
        bytes[4] = 2;
        File.WriteAllBytes(Model, bytes);
        using var file = GgufFile.Open(Model);
        Assert.Equal(2, file.Version);
        Assert.Equal(8, file.Tensor("t").SizeBytes);
    }

    public static TheoryData<string, byte[], string> Malformed => new()
    {
        { "another kind of file", [.. "GGML"u8, .. new byte[20]], "does not start with 'GGUF'" },
        { "short", [.. "GGUF"u8], "the file has 4 bytes; a GGUF file has at least 24" },
        { "version 1", [.. "GGUF"u8, 1, 0, 0, 0, .. new byte[16]], "the version is 1; expected 2 or 3" },
        { "big-endian", [.. "GGUF"u8, 0, 0, 0, 3, .. new byte[16]], "big-endian" },
        { "too many entries", new Raw().Tensors(0).Entries(1).Done(), "1 metadata entries are announced; the 0 bytes left cannot hold them" },
        { "huge count of entries", new Raw().Tensors(0).Entries(ulong.MaxValue).Bytes(new byte[64]).Done(), "18446744073709551615 metadata entries" },
        { "huge count of tensors", new Raw().Tensors(1UL << 60).Entries(0).Bytes(new byte[64]).Done(), "1152921504606846976 tensors are announced" },
        { "key beyond the file", new Raw().Tensors(0).Entries(1).Number(1000UL).Bytes(new byte[8]).Done(), "the key of metadata entry 0 has 1000 bytes, and the file has 8 left" },
        { "long key", new Raw().Tensors(0).Entries(1).Number(65536UL).Bytes(new byte[70000]).Done(), "has 65536 bytes; expected at most 65535" },
        { "text above 1 GiB", new Raw().Tensors(0).Entries(1).Text("k").Type(8).Number((1UL << 30) + 1).Done(), "has 1073741825 bytes; expected at most 1073741824" },
        { "text beyond the file", new Raw().Tensors(0).Entries(1).Text("k").Type(8).Number(9UL).Done(), "the value of 'k' has 9 bytes, and the file has 0 left" },
        { "text that wraps around", new Raw().Tensors(0).Entries(1).Text("k").Type(8).Number(ulong.MaxValue).Done(), "expected at most" },
        { "invalid UTF-8", new Raw().Tensors(0).Entries(1).Text("k").Type(8).Number(1UL).Bytes([0xFF]).Done(), "the value of 'k' is not valid UTF-8" },
        { "unknown value type", new Raw().Tensors(0).Entries(1).Text("k").Type(13).Done(), "has the type 13; expected 0 to 12" },
        { "truth value 2", new Raw().Tensors(0).Entries(1).Text("k").Type(7).Bytes([2]).Done(), "the value of 'k' is 2; expected 0 or 1" },
        { "array of arrays", new Raw().Tensors(0).Entries(1).Text("k").Type(9).Type(9).Number(0UL).Done(), "array of arrays" },
        { "array beyond the file", new Raw().Tensors(0).Entries(1).Text("k").Type(9).Type(4).Number(3UL).Bytes(new byte[8]).Done(), "has 3 items" },
        { "array above 2^30", new Raw().Tensors(0).Entries(1).Text("k").Type(9).Type(0).Number((1UL << 30) + 1).Done(), "has 1073741825 items; expected at most 1073741824" },
        { "array whose size overflows", new Raw().Tensors(0).Entries(1).Text("k").Type(9).Type(10).Number(1UL << 61).Done(), "has 2305843009213693952 items" },
        { "duplicate key", new Raw().Tensors(0).Entries(2).Text("k").Type(4).Number(1u).Text("k").Type(4).Number(1u).Done(), "metadata key 'k' stands there twice" },
        { "alignment 0", new Raw().Tensors(0).Entries(1).Text("general.alignment").Type(4).Number(0u).Done(), "general.alignment is 0; expected a power of two" },
        { "alignment 24", new Raw().Tensors(0).Entries(1).Text("general.alignment").Type(4).Number(24u).Done(), "general.alignment is 24; expected a power of two" },
        { "alignment 2 MiB", new Raw().Tensors(0).Entries(1).Text("general.alignment").Type(4).Number(1u << 21).Done(), "expected a power of two up to 1048576" },
        { "alignment as text", new Raw().Tensors(0).Entries(1).Text("general.alignment").Type(8).Text("32").Done(), "general.alignment is '32'" },
        { "duplicate tensor", new Raw().Tensors(2).Entries(0).Tensor("t", [0], 0, 0).Tensor("t", [0], 0, 0).Done(), "tensor 't' stands there twice" },
        { "long name", new Raw().Tensors(1).Entries(0).Tensor(new string('n', 64), [0], 0, 0).Done(), "the name of tensor 0 has 64 bytes; expected at most 63" },
        { "five dimensions", new Raw().Tensors(1).Entries(0).Tensor("t", [1, 1, 1, 1, 1], 0, 0).Done(), "has 5 dimensions; expected at most 4" },
        { "negative extent", new Raw().Tensors(1).Entries(0).Tensor("t", [-1], 0, 0).Done(), "has the extent -1" },
        { "elements overflow", new Raw().Tensors(1).Entries(0).Tensor("t", [1L << 32, 1L << 32], 0, 0).Done(), "more than 2^63-1 elements" },
        { "elements overflow before a zero", new Raw().Tensors(1).Entries(0).Tensor("t", [1L << 62, 4, 0], 0, 0).Done(), "more than 2^63-1 elements" },
        { "bytes overflow", new Raw().Tensors(1).Entries(0).Tensor("t", [1L << 62], 0, 0).Done(), "more than 2^63-1 bytes" },
        { "bytes overflow with padding", new Raw().Tensors(1).Entries(0).Tensor("t", [long.MaxValue], 24, 0).Pad(32).Bytes(new byte[64]).Done(), "truncated" },
        { "half a block", new Raw().Tensors(1).Entries(0).Tensor("t", [33], 8, 0).Done(), "rows of 33 numbers; expected a multiple of 32, the block of Q8_0" },
        { "retired type", new Raw().Tensors(1).Entries(0).Tensor("t", [32], 4, 0).Done(), "tensor 't' has the type 4, which is retired or not known here" },
        { "unknown type", new Raw().Tensors(1).Entries(0).Tensor("t", [32], 999, 0).Done(), "has the type 999" },
        { "hole", new Raw().Tensors(2).Entries(0).Tensor("a", [8], 0, 0).Tensor("b", [8], 0, 64).Pad(32).Bytes(new byte[96]).Done(), "tensor 'b' starts at data byte 64; expected 32" },
        { "overlap", new Raw().Tensors(2).Entries(0).Tensor("a", [16], 0, 0).Tensor("b", [8], 0, 32).Pad(32).Bytes(new byte[96]).Done(), "tensor 'b' starts at data byte 32; expected 64" },
        { "first not at 0", new Raw().Tensors(1).Entries(0).Tensor("a", [8], 0, 32).Pad(32).Bytes(new byte[96]).Done(), "starts at data byte 32; expected 0" },
        { "offset wraps around", new Raw().Tensors(1).Entries(0).Tensor("a", [8], 0, ulong.MaxValue - 31).Pad(32).Bytes(new byte[96]).Done(), "expected 0, where the one before it ends" },
        { "data cut", new Raw().Tensors(1).Entries(0).Tensor("a", [8], 0, 0).Pad(32).Bytes(new byte[31]).Done(), "tensor 'a' needs 32 bytes" },
        { "name with a line break", new Raw().Tensors(1).Entries(0).Tensor("a\nb", [33], 8, 0).Done(), "tensor 'a b'" },
    };

    [Theory, MemberData(nameof(Malformed))]
    public void Refuses_a_malformed_file(string what, byte[] bytes, string message)
    {
        Assert.NotEmpty(what);
        File.WriteAllBytes(Model, bytes);
        var error = Assert.Throws<UserErrorException>(() => GgufFile.Open(Model));
        Assert.StartsWith($"{Model}: ", error.Message, StringComparison.Ordinal);
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
    }

    [Fact]
    public void Any_cut_of_the_header_or_the_data_is_refused()
    {
        WriteSample(Model, 8);
        byte[] whole = File.ReadAllBytes(Model);
        for (int length = 0; length < whole.Length - 7; length += length < 600 ? 1 : 97) // the last seven may be padding
        {
            File.WriteAllBytes(Model, whole[..length]);
            Assert.Throws<UserErrorException>(() => GgufFile.Open(Model));
        }
    }

    [Fact]
    public void Damaged_bytes_are_refused_or_read_but_never_crash()
    {
        WriteSample(Model, 8);
        byte[] whole = File.ReadAllBytes(Model);
        int header;
        using (var file = GgufFile.Open(Model))
            header = (int)file.Tensors[0].FileOffset;
        var random = new CounterRandom(13, 0);
        int refused = 0;
        for (ulong i = 0; i < 3000; i++)
        {
            byte[] damaged = [.. whole];
            for (ulong j = 0; j <= random.Below(4 * i, 3); j++)
                damaged[random.Below(1_000_000 + 8 * i + j, (uint)header)] = (byte)random.At(2_000_000 + 8 * i + j);
            File.WriteAllBytes(Model, damaged);
            try
            {
                using var file = GgufFile.Open(Model);
                foreach (var tensor in file.Tensors.Where(tensor => tensor.SizeBytes < 1 << 20))
                    file.Read(tensor.Name, 0, new byte[tensor.SizeBytes]);
            }
            catch (UserErrorException)
            {
                refused++;
            }
        }
        Assert.InRange(refused, 500, 3000);
    }

    [Fact]
    public void A_tensor_beyond_2_GiB_is_read_where_it_lies()
    {
        // A sparse file: only its ends occupy the disk.
        const long elements = (3L << 30) + 32;
        byte[] header = new Raw().Tensors(1).Entries(0).Tensor("a", [elements], 24, 0).Pad(32).Done();
        using (var stream = File.Create(Model))
        {
            stream.Write(header);
            stream.Position = header.Length + elements - 2;
            stream.Write([42, 43]);
        }
        using var file = GgufFile.Open(Model);
        byte[] end = new byte[2];
        file.Read("a", elements - 2, end);
        Assert.Equal([42, 43], end);
        Assert.Equal([42, 43], file.Bytes("a", elements - 2, 2).ToArray());
        Assert.Throws<ArgumentOutOfRangeException>(() => file.Read("a", elements - 1, end));
    }

    [Fact]
    public void The_writer_refuses_what_would_leave_a_broken_file()
    {
        using (var writer = new GgufWriter(Model))
        {
            writer.Add("k", 1u);
            Assert.Throws<ArgumentException>(() => writer.Add("k", 1u));
            Assert.Throws<ArgumentException>(() => writer.Add("date", DateTimeOffset.UnixEpoch));
            Assert.Throws<ArgumentException>(() => writer.Add("general.alignment", 48u));
            writer.Declare("a", F32, 2);
            Assert.Throws<ArgumentException>(() => writer.Declare("a", F32, 2));
            Assert.Throws<ArgumentException>(() => writer.Declare(new string('x', 64), F32, 2));
            Assert.Throws<ArgumentException>(() => writer.Declare("b", F32, 1, 1, 1, 1, 1));
            Assert.Throws<ArgumentException>(() => writer.Declare("b", GgufType.Of(BlockFormat.Q4_K), 128));
            Assert.Throws<ArgumentException>(() => writer.Write("b", [1]));
            writer.Write("a", new byte[4]);
            Assert.Throws<ArgumentException>(() => writer.Write("a", new byte[5]));
            Assert.Throws<InvalidOperationException>(() => writer.Add("l", 1u));
            Assert.Throws<InvalidOperationException>(writer.Finish);
        }
        Assert.Empty(Directory.GetFiles(Path.GetDirectoryName(Model)!));
    }

    [Fact]
    public void A_file_appears_when_it_is_finished_and_leftovers_of_dead_writers_go()
    {
        File.WriteAllText(Model, "older");
        string abandoned = $"{Model}.partial-999999999";
        File.WriteAllText(abandoned, "");
        using (var writer = new GgufWriter(Model))
        {
            writer.Declare("a", F32, 2);
            writer.Write("a", new byte[8]);
            Assert.Equal("older", File.ReadAllText(Model));
            writer.Finish();
        }
        Assert.Equal([Model], Directory.GetFiles(Path.GetDirectoryName(Model)!));
        using var file = GgufFile.Open(Model);
        Assert.Single(file.Tensors);
    }

    private static void WriteSample(string path, uint? alignment)
    {
        using var writer = new GgufWriter(path);
        writer.Add("general.architecture", "sample");
        if (alignment is uint given)
            writer.Add("general.alignment", given);
        writer.Add("tokens", new[] { "a", "b", "Ġc" });
        writer.Add("types", new[] { 1, 1, 3 });
        writer.Add("flag", true);
        writer.Declare("norm", F32, 7);
        writer.Declare("half", GgufType.Of(BlockFormat.F16), 3, 5);
        writer.Declare("four", GgufType.Of(BlockFormat.Q4_0), 2, 64);
        writer.Declare("none", F32, 0);
        writer.Declare("scalar", F32);
        foreach (var (name, bytes) in ((string, int)[])[("norm", 28), ("half", 30), ("four", 72), ("scalar", 4)])
            writer.Write(name, [.. Enumerable.Range(1, bytes).Select(i => (byte)i)]);
        writer.Finish();
    }

    /// <summary>A file by hand, with whatever mistakes; tensors come before entries in the header.</summary>
    private sealed class Raw
    {
        private readonly List<byte> _bytes = [.. "GGUF"u8, 3, 0, 0, 0, .. new byte[16]];
        private ulong _tensors, _entries;

        public Raw Tensors(ulong count)
        {
            _tensors = count;
            return this;
        }

        public Raw Entries(ulong count)
        {
            _entries = count;
            return this;
        }

        public Raw Bytes(byte[] bytes)
        {
            _bytes.AddRange(bytes);
            return this;
        }

        public Raw Number(uint number) => Bytes(BitConverter.GetBytes(number));

        public Raw Number(ulong number) => Bytes(BitConverter.GetBytes(number));

        public Raw Type(uint type) => Number(type);

        public Raw Text(string text) => Number((ulong)Encoding.UTF8.GetByteCount(text)).Bytes(Encoding.UTF8.GetBytes(text));

        public Raw Tensor(string name, long[] extents, uint type, ulong offset)
        {
            Text(name).Number((uint)extents.Length);
            foreach (long extent in extents)
                Number((ulong)extent);
            return Number(type).Number(offset);
        }

        public Raw Pad(int alignment) => Bytes(new byte[(alignment - _bytes.Count % alignment) % alignment]);

        public byte[] Done()
        {
            byte[] bytes = [.. _bytes];
            BitConverter.TryWriteBytes(bytes.AsSpan(8), _tensors);
            BitConverter.TryWriteBytes(bytes.AsSpan(16), _entries);
            return bytes;
        }
    }
}
