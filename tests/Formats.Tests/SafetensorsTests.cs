using System.Text;
using OpenEuroLLM.Core;

namespace OpenEuroLLM.Formats.Tests;

public sealed class SafetensorsTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private string Model => _folder.File("model.safetensors");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Writes_the_golden_bytes()
    {
        using (var writer = new SafetensorsWriter(Model, new Dictionary<string, string>()))
        {
            writer.Declare("a", SafetensorsType.F32, 2);
            writer.WriteFloats("a", [1, 2]);
            writer.Finish();
        }
        byte[] bytes = File.ReadAllBytes(Model);
        Assert.Equal(72, bytes.Length);
        Assert.Equal("3800000000000000", Convert.ToHexString(bytes, 0, 8));
        Assert.Equal("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}  """, Encoding.UTF8.GetString(bytes, 8, 56));
        Assert.Equal("0000803F00000040", Convert.ToHexString(bytes, 64, 8));
    }

    [Fact]
    public void Lays_tensors_out_by_descending_type_then_name_with_the_format_named()
    {
        using (var writer = new SafetensorsWriter(Model))
        {
            writer.Declare("b", SafetensorsType.U8, 3);
            writer.Declare("z", SafetensorsType.F32, 1);
            writer.Declare("é", SafetensorsType.BF16);
            writer.Declare("a", SafetensorsType.BF16, 2, 0);
            writer.Declare("c", SafetensorsType.I64, 1);
            writer.Write("b", [7, 8, 9]);
            writer.WriteFloats("é", [1.5f]);
            writer.Write("c", new byte[8]);
            writer.WriteFloats("z", [-1]);
            writer.Finish();
        }
        byte[] bytes = File.ReadAllBytes(Model);
        string header = Encoding.UTF8.GetString(bytes, 8, BitConverter.ToInt32(bytes));
        Assert.StartsWith("""{"__metadata__":{"format":"pt"},"c":{"dtype":"I64","shape":[1],"data_offsets":[0,8]},"z":{"dtype":"F32","shape":[1],"data_offsets":[8,12]},"a":{"dtype":"BF16","shape":[2,0],"data_offsets":[12,12]},"é":{"dtype":"BF16","shape":[],"data_offsets":[12,14]},"b":{"dtype":"U8","shape":[3],"data_offsets":[14,17]}}""", header, StringComparison.Ordinal);
        Assert.Equal(0, Encoding.UTF8.GetByteCount(header) % 8);

        using var file = SafetensorsFile.Open(Model);
        Assert.Equal("pt", file.Metadata["format"]);
        Assert.Equal(1.5f, ReadAll(file, "é")[0]);
        Assert.Equal([-1f], ReadAll(file, "z"));
        Assert.Empty(ReadAll(file, "a"));
        Assert.Equal([8, 9], file.Bytes("b", 1, 2).ToArray());
    }

    [Fact]
    public void Reads_pieces_of_every_float_type()
    {
        float[] values = [.. Enumerable.Range(0, 300_000).Select(i => i % 251 - 125f)];
        using (var writer = new SafetensorsWriter(Model))
        {
            foreach (var type in (SafetensorsType[])[SafetensorsType.F32, SafetensorsType.F16, SafetensorsType.BF16])
                writer.Declare(type.ToString(), type, 300, 1000);
            foreach (var type in (SafetensorsType[])[SafetensorsType.BF16, SafetensorsType.F16, SafetensorsType.F32])
            {
                writer.WriteFloats(type.ToString(), values.AsSpan(0, 1234));
                writer.WriteFloats(type.ToString(), values.AsSpan(1234));
            }
            writer.Finish();
        }
        using var file = SafetensorsFile.Open(Model);
        foreach (string name in file.Tensors.Keys)
        {
            Assert.Equal(values, ReadAll(file, name));
            float[] piece = new float[1000];
            file.ReadFloats(name, 299_000, piece);
            Assert.Equal(values[299_000..], piece);
            Assert.Throws<ArgumentOutOfRangeException>(() => file.ReadFloats(name, 299_001, piece));
            Assert.Throws<ArgumentOutOfRangeException>(() => file.ReadFloats(name, -1, piece));
        }
    }

    [Fact]
    public void An_unknown_tensor_and_an_integer_tensor_read_as_floats_are_named()
    {
        using (var writer = new SafetensorsWriter(Model))
        {
            writer.Declare("ids", SafetensorsType.I64, 1);
            writer.Write("ids", new byte[8]);
            writer.Finish();
        }
        using var file = SafetensorsFile.Open(Model);
        Assert.Contains("tensor 'weight' is missing", Assert.Throws<UserErrorException>(() => file.Tensor("weight")).Message, StringComparison.Ordinal);
        Assert.Contains("'ids' has type I64; expected F32", Assert.Throws<UserErrorException>(() => file.ReadFloats("ids", new float[1])).Message, StringComparison.Ordinal);
    }

    public static TheoryData<string, string, int, string> MalformedHeaders => new()
    {
        { "not an object", "[1]", 0, "does not start with '{'" },
        { "leading space", " {}", 0, "does not start with '{'" },
        { "broken JSON", """{"a":""", 0, "not valid JSON" },
        { "text after the object", """{} x""", 0, "not valid JSON" },
        { "comment", """{/* */}""", 0, "not valid JSON" },
        { "lone surrogate", """{"\ud800":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}}""", 0, "not valid JSON" },
        { "duplicate tensor", """{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}""", 2, "tensor 'a' stands there twice" },
        { "duplicate tensor, escaped", """{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"\u0061":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}""", 2, "tensor 'a' stands there twice" },
        { "duplicate field", """{"a":{"dtype":"U8","dtype":"U8","shape":[1],"data_offsets":[0,1]}}""", 1, "'dtype' twice" },
        { "duplicate metadata", """{"__metadata__":{},"__metadata__":{}}""", 0, "'__metadata__' stands there twice" },
        { "duplicate metadata entry", """{"__metadata__":{"x":"1","x":"2"}}""", 0, "'__metadata__.x' stands there twice" },
        { "number in metadata", """{"__metadata__":{"x":1}}""", 0, "'__metadata__.x' is no text" },
        { "metadata is a list", """{"__metadata__":[]}""", 0, "'__metadata__' is no object" },
        { "unknown type", """{"a":{"dtype":"F31","shape":[1],"data_offsets":[0,4]}}""", 4, "dtype 'F31'; known: BOOL" },
        { "unknown field", """{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1],"strides":[1]}}""", 1, "unknown field 'strides'" },
        { "missing field", """{"a":{"dtype":"U8","shape":[1]}}""", 0, "lacks dtype, shape or two data_offsets" },
        { "three offsets", """{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1,2]}}""", 1, "lacks dtype, shape or two data_offsets" },
        { "negative extent", """{"a":{"dtype":"U8","shape":[-1],"data_offsets":[0,1]}}""", 1, "no whole number" },
        { "fractional extent", """{"a":{"dtype":"U8","shape":[1.5],"data_offsets":[0,1]}}""", 1, "no whole number" },
        { "end before begin", """{"a":{"dtype":"U8","shape":[1],"data_offsets":[1,0]}}""", 1, "ends at 0, before its start 1" },
        { "product overflows", """{"a":{"dtype":"F32","shape":[4294967296,4294967296,4294967296],"data_offsets":[0,0]}}""", 0, "overflows" },
        { "product overflows before a zero", """{"a":{"dtype":"F32","shape":[4294967296,4294967296,0],"data_offsets":[0,0]}}""", 0, "overflows" },
        { "product wraps to the size", """{"a":{"dtype":"U8","shape":[9223372036854775807,2,2],"data_offsets":[0,4]}}""", 4, "overflows" },
        { "half a byte", """{"a":{"dtype":"F4","shape":[3],"data_offsets":[0,2]}}""", 2, "fills no whole bytes" },
        { "size mismatch", """{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}""", 4, "occupies 4 bytes; its shape [2] of F32 needs 8" },
        { "hole at the start", """{"a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}""", 2, "starts at data byte 1; expected 0" },
        { "hole in the middle", """{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"b":{"dtype":"U8","shape":[1],"data_offsets":[2,3]}}""", 3, "starts at data byte 2; expected 1" },
        { "overlap", """{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}}""", 3, "starts at data byte 1; expected 2" },
        { "bytes after the last", """{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}""", 2, "no bytes after the last tensor" },
        { "data cut", """{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}}""", 3, "truncated" },
        { "offset beyond any file", """{"a":{"dtype":"U8","shape":[1],"data_offsets":[9223372036854775806,9223372036854775807]}}""", 1, "beyond any file" },
        { "name with a line break", """{"a\nb":{"dtype":"F31","shape":[1],"data_offsets":[0,4]}}""", 4, "tensor 'a b'" },
    };

    [Theory, MemberData(nameof(MalformedHeaders))]
    public void Refuses_a_malformed_header(string what, string header, int dataBytes, string message)
    {
        Assert.NotEmpty(what);
        byte[] json = Encoding.UTF8.GetBytes(header);
        File.WriteAllBytes(Model, [.. BitConverter.GetBytes((ulong)json.Length), .. json, .. new byte[dataBytes]]);
        AssertRefused(message);
    }

    [Fact]
    public void Refuses_files_that_are_cut_or_no_safetensors_at_all()
    {
        AssertRefused(": not found");
        File.WriteAllBytes(Model, new byte[7]);
        AssertRefused("the file has 7 bytes");
        File.WriteAllBytes(Model, new byte[8]);
        AssertRefused("does not start with '{'");
        File.WriteAllBytes(Model, [.. BitConverter.GetBytes(100_000_001ul), .. "{}"u8]);
        AssertRefused("header length is 100000001");
        File.WriteAllBytes(Model, [.. BitConverter.GetBytes(ulong.MaxValue), .. "{}"u8]);
        AssertRefused("header length is 18446744073709551615");
        File.WriteAllBytes(Model, [.. BitConverter.GetBytes(3ul), .. "{}"u8]);
        AssertRefused("the file has 10 bytes; it is truncated");
        File.WriteAllBytes(Model, [.. BitConverter.GetBytes(4ul), (byte)'{', 0xC3, (byte)'}', (byte)' ']);
        AssertRefused("not valid UTF-8");
    }

    [Fact]
    public void Any_single_cut_of_a_file_is_refused()
    {
        using (var writer = new SafetensorsWriter(Model))
        {
            writer.Declare("a", SafetensorsType.F32, 2);
            writer.WriteFloats("a", [1, 2]);
            writer.Finish();
        }
        byte[] whole = File.ReadAllBytes(Model);
        for (int length = 0; length < whole.Length; length++)
        {
            File.WriteAllBytes(Model, whole[..length]);
            AssertRefused("");
        }
    }

    [Fact]
    public void Trailing_spaces_and_empty_files_of_tensors_are_fine()
    {
        File.WriteAllBytes(Model, [.. BitConverter.GetBytes(8ul), .. "{}      "u8]);
        using var file = SafetensorsFile.Open(Model);
        Assert.Empty(file.Tensors);
        Assert.Empty(file.Metadata);
    }

    [Fact]
    public void A_tensor_beyond_2_GiB_is_read_where_it_lies()
    {
        // A sparse file: only its ends occupy the disk.
        const long elements = (3L << 30) + 5;
        byte[] header = Encoding.UTF8.GetBytes($$$"""{"a":{"dtype":"U8","shape":[{{{elements}}}],"data_offsets":[0,{{{elements}}}]}}""");
        using (var stream = File.Create(Model))
        {
            stream.Write(BitConverter.GetBytes((ulong)header.Length));
            stream.Write(header);
            stream.Position = 8 + header.Length + elements - 2;
            stream.Write([42, 43]);
        }
        using var file = SafetensorsFile.Open(Model);
        byte[] end = new byte[2];
        file.Read("a", elements - 2, end);
        Assert.Equal([42, 43], end);
        Assert.Equal([42, 43], file.Bytes("a", elements - 2, 2).ToArray());
        Assert.Throws<ArgumentOutOfRangeException>(() => file.Read("a", elements - 1, end));
        Assert.Throws<ArgumentOutOfRangeException>(() => file.Read("a", long.MaxValue, end));
    }

    [Fact]
    public void The_writer_refuses_what_would_leave_a_broken_file()
    {
        using var writer = new SafetensorsWriter(Model);
        writer.Declare("a", SafetensorsType.F32, 2);
        Assert.Throws<ArgumentException>(() => writer.Declare("a", SafetensorsType.F32, 2));
        Assert.Throws<ArgumentException>(() => writer.Declare("__metadata__", SafetensorsType.F32, 2));
        Assert.Throws<ArgumentException>(() => writer.Declare("b", SafetensorsType.F32, -1));
        Assert.Throws<ArgumentException>(() => writer.Declare("b", SafetensorsType.F4, 1));
        Assert.Throws<ArgumentException>(() => writer.WriteFloats("b", [1]));
        writer.WriteFloats("a", [1]);
        Assert.Throws<ArgumentException>(() => writer.WriteFloats("a", [1, 2]));
        Assert.Throws<InvalidOperationException>(() => writer.Declare("c", SafetensorsType.F32, 2));
        Assert.Throws<InvalidOperationException>(writer.Finish);
    }

    [Fact]
    public void A_folder_that_does_not_exist_is_named_when_writing()
    {
        string path = _folder.File("missing/model.safetensors");
        using var writer = new SafetensorsWriter(path);
        var error = Assert.Throws<UserErrorException>(writer.Finish);
        Assert.StartsWith($"{path}: not found", error.Message, StringComparison.Ordinal);
    }

    private static float[] ReadAll(SafetensorsFile file, string name)
    {
        float[] values = new float[file.Tensor(name).Elements];
        file.ReadFloats(name, values);
        return values;
    }

    private void AssertRefused(string message)
    {
        var error = Assert.Throws<UserErrorException>(() => SafetensorsFile.Open(Model));
        Assert.StartsWith($"{Model}: ", error.Message, StringComparison.Ordinal);
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
    }
}
