namespace OpenEuroLLM.Formats.Tests.Hostile;

/// <summary>GGUF files made by hand to harm their reader, beside those of <see cref="GgufTests"/>.</summary>
public sealed class GgufAttackTests : IDisposable
{
    private const ulong Largest = ulong.MaxValue, Wrap = 1UL << 63;

    private static readonly byte[] Data = new byte[256];

    private static readonly Dictionary<string, (byte[] Bytes, string Message)> Attacks = new()
    {
        ["an empty file"] = ([], "the file has 0 bytes"),
        ["a mark alone"] = ([.. "GGUF"u8], "the file has 4 bytes"),
        ["23 of 24 bytes"] = (new GgufBytes(0, 0).Done()[..23], "the file has 23 bytes"),
        ["the mark in other letters"] = ([.. "gguf"u8, .. new byte[20]], "does not start with 'GGUF'"),
        ["a pickle"] = ([0x80, 2, .. "ctorch._utils"u8, .. new byte[40]], "does not start with 'GGUF'"),
        ["a zip, as new pickles are"] = ([.. "PK\x3\x4"u8, .. new byte[40]], "does not start with 'GGUF'"),
        ["a page of a server instead of a file"] = ([.. "<!DOCTYPE html><html><body>404</body></html>"u8], "does not start with 'GGUF'"),
        ["a pointer of git-lfs instead of a file"] = ([.. "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n"u8], "does not start with 'GGUF'"),
        ["version 0"] = (new GgufBytes(0, 0, 0).Done(), "the version is 0; expected 2 or 3"),
        ["version 4"] = (new GgufBytes(0, 0, 4).Done(), "the version is 4; expected 2 or 3"),
        ["version 2^32-1"] = (new GgufBytes(0, 0, uint.MaxValue).Done(), "the version is 4294967295"),
        ["2^64-1 tensors"] = (new GgufBytes(Largest, 0).Bytes(Data).Done(), "18446744073709551615 tensors are announced"),
        ["2^63 tensors, negative to a careless reader"] = (new GgufBytes(Wrap, 0).Bytes(Data).Done(), "9223372036854775808 tensors are announced"),
        ["2^63 entries"] = (new GgufBytes(0, Wrap).Bytes(Data).Done(), "9223372036854775808 metadata entries are announced"),
        ["as many tensors as just do not fit"] = (new GgufBytes(11, 0).Bytes(new byte[240]).Done(), "11 tensors are announced; the 240 bytes left cannot hold them"),
        ["more entries than any model has"] = (new GgufBytes(0, 70_000).Bytes(new byte[70_000 * 13]).Done(), "70000 metadata entries are announced; expected at most 65536"),
        ["more tensors than any model has"] = (new GgufBytes(1_100_000, 0).Bytes(new byte[1_100_000 * 24]).Done(), "1100000 tensors are announced; expected at most 1048576"),
        ["a key of 2^64-1 bytes"] = (new GgufBytes(0, 1).U64(Largest).Bytes(Data).Done(), "has 18446744073709551615 bytes; expected at most 65535"),
        ["a key of 2^63 bytes"] = (new GgufBytes(0, 1).U64(Wrap).Bytes(Data).Done(), "has 9223372036854775808 bytes"),
        ["a key that is no UTF-8"] = (new GgufBytes(0, 1).U64(2).Bytes(0xC3, 0x28).U32(4).U32(1).Done(), "the key of metadata entry 0 is not valid UTF-8"),
        ["a key that is an overlong slash"] = (new GgufBytes(0, 1).U64(2).Bytes(0xC0, 0xAF).U32(4).U32(1).Done(), "not valid UTF-8"),
        ["a key that is a surrogate in UTF-8"] = (new GgufBytes(0, 1).U64(3).Bytes(0xED, 0xA0, 0x80).U32(4).U32(1).Done(), "not valid UTF-8"),
        ["a key that steers the terminal"] = (new GgufBytes(0, 1).Entry("\u001b[2J\u0007", 99).Bytes(Data).Done(), "has the type 99; expected 0 to 12"),
        ["a key of 60,000 letters"] = (new GgufBytes(0, 1).Entry(new string('k', 60_000), 99).Bytes(Data).Done(), "has the type 99"),
        ["value type 2^32-1"] = (new GgufBytes(0, 1).Entry("k", uint.MaxValue).Bytes(Data).Done(), "has the type 4294967295"),
        ["the end in the middle of a number"] = (new GgufBytes(0, 1).Entry("k", 10).Bytes(1, 2, 3).Done(), "truncated"),
        ["the end after a type"] = (new GgufBytes(0, 1).Entry("key", 4).Done(), "the file ends in the value of 'key'"),
        ["truth value 255"] = (new GgufBytes(0, 1).Entry("k", 7).Bytes(255).Done(), "the value of 'k' is 255; expected 0 or 1"),
        ["a list with a bad truth value"] = (new GgufBytes(0, 1).Entry("k", 9).U32(7).U64(3).Bytes(0, 1, 7).Done(), "the value of 'k' is 7; expected 0 or 1"),
        ["a text of 2^64-1 bytes"] = (new GgufBytes(0, 1).Entry("k", 8).U64(Largest).Bytes(Data).Done(), "has 18446744073709551615 bytes"),
        ["a text that ends one byte after the file"] = (new GgufBytes(0, 1).Entry("k", 8).U64(257).Bytes(Data).Done(), "has 257 bytes, and the file has 256 left"),
        ["a list of 2^64-1 items"] = (new GgufBytes(0, 1).Entry("k", 9).U32(4).U64(Largest).Bytes(Data).Done(), "has 18446744073709551615 items"),
        ["a list whose bytes wrap around to 8"] = (new GgufBytes(0, 1).Entry("k", 9).U32(10).U64((1UL << 61) + 1).Bytes(Data).Done(), "has 2305843009213693953 items"),
        ["a list of 2^30 texts"] = (new GgufBytes(0, 1).Entry("k", 9).U32(8).U64(1UL << 30).Bytes(Data).Done(), "has 1073741824 items"),
        ["a list of texts of which the last lies"] = (new GgufBytes(0, 1).Entry("k", 9).U32(8).U64(2).Text("a").U64(Largest).Bytes(Data).Done(), "has 18446744073709551615 bytes"),
        ["a list of lists of lists"] = (new GgufBytes(0, 1).Entry("k", 9).U32(9).U64(1).U32(9).U64(1).U32(4).U64(1).U32(0).Bytes(Data).Done(), "array of arrays"),
        ["a list of items of type 13"] = (new GgufBytes(0, 1).Entry("k", 9).U32(13).U64(1).Bytes(Data).Done(), "has the type 13"),
        ["a list without items and a size that is cut"] = (new GgufBytes(0, 1).Entry("k", 9).U32(4).U32(0).Done(), "truncated"),
        ["alignment 2^31"] = (new GgufBytes(0, 1).Entry("general.alignment", 4).U32(1u << 31).Done(), "general.alignment is 2147483648"),
        ["alignment 3"] = (new GgufBytes(0, 1).Entry("general.alignment", 4).U32(3).Done(), "general.alignment is 3"),
        ["alignment -32"] = (new GgufBytes(0, 1).Entry("general.alignment", 5).U32(unchecked((uint)-32)).Done(), "general.alignment is -32"),
        ["alignment as a float that is no number"] = (new GgufBytes(0, 1).Entry("general.alignment", 6).U32(0x7FC00000).Done(), "general.alignment is NaN"),
        ["alignment as a list"] = (new GgufBytes(0, 1).Entry("general.alignment", 9).U32(4).U64(1).U32(32).Done(), "general.alignment is an array of 1"),
        ["alignment twice"] = (new GgufBytes(0, 2).Entry("general.alignment", 4).U32(32).Entry("general.alignment", 4).U32(64).Done(), "'general.alignment' stands there twice"),
        ["a tensor's name of 2^64-1 bytes"] = (new GgufBytes(1, 0).U64(Largest).Bytes(Data).Done(), "the name of tensor 0 has 18446744073709551615 bytes"),
        ["2^32-1 dimensions"] = (new GgufBytes(1, 0).Tensor("t", uint.MaxValue, [1], 0, 0).Bytes(Data).Done(), "has 4294967295 dimensions"),
        ["an extent of 2^64-1"] = (new GgufBytes(1, 0).Tensor("t", 1, [Largest], 0, 0).Bytes(Data).Done(), "has the extent -1"),
        ["an extent of 2^63"] = (new GgufBytes(1, 0).Tensor("t", 1, [Wrap], 0, 0).Bytes(Data).Done(), "has the extent -9223372036854775808"),
        ["extents whose product wraps to 0"] = (new GgufBytes(1, 0).Tensor("t", 2, [1UL << 32, 1UL << 32], 0, 0).Bytes(Data).Done(), "more than 2^63-1 elements"),
        ["extents whose product wraps to 1"] = (new GgufBytes(1, 0).Tensor("t", 3, [0x1_0000_0001, 0xFFFF_FFFF, 1UL << 62], 0, 0).Bytes(Data).Done(), "more than 2^63-1 elements"),
        ["bytes that wrap around to 32"] = (new GgufBytes(1, 0).Tensor("t", 1, [(1UL << 62) + 8], 0, 0).Pad().Bytes(Data).Done(), "more than 2^63-1 bytes"),
        ["bytes beyond the file by one"] = (new GgufBytes(1, 0).Tensor("t", 1, [9], 0, 0).Pad().Bytes(new byte[35]).Done(), "tensor 't' needs 36 bytes"),
        ["a tensor of 8 EB in a file of 300 bytes"] = (new GgufBytes(1, 0).Tensor("t", 1, [1UL << 60], 0, 0).Pad().Bytes(Data).Done(), "tensor 't' needs 4611686018427387904 bytes"),
        ["data that would begin after the end"] = (new GgufBytes(1, 0).Tensor("t", 1, [1], 0, 0).Done(), "truncated"),
        ["an offset inside the header"] = (new GgufBytes(1, 0).Tensor("t", 1, [8], 0, unchecked((ulong)-64)).Pad().Bytes(Data).Done(), "expected 0, where the one before it ends"),
        ["an offset that is not aligned"] = (new GgufBytes(2, 0).Tensor("a", 1, [1], 0, 0).Tensor("b", 1, [1], 0, 4).Pad().Bytes(Data).Done(), "tensor 'b' starts at data byte 4; expected 32"),
        ["two tensors in one place"] = (new GgufBytes(2, 0).Tensor("a", 1, [8], 0, 0).Tensor("b", 1, [8], 0, 0).Pad().Bytes(Data).Done(), "tensor 'b' starts at data byte 0; expected 32"),
        ["an empty tensor, then one in its place with a wrong offset"] = (new GgufBytes(2, 0).Tensor("a", 1, [0], 0, 0).Tensor("b", 1, [8], 0, 32).Pad().Bytes(Data).Done(), "tensor 'b' starts at data byte 32; expected 0"),
        ["tensors in falling order"] = (new GgufBytes(2, 0).Tensor("a", 1, [8], 0, 32).Tensor("b", 1, [8], 0, 0).Pad().Bytes(Data).Done(), "tensor 'a' starts at data byte 32; expected 0"),
        ["type 2^32-1"] = (new GgufBytes(1, 0).Tensor("t", 1, [32], uint.MaxValue, 0).Pad().Bytes(Data).Done(), "has the type 4294967295"),
        ["the retired type 36"] = (new GgufBytes(1, 0).Tensor("t", 1, [32], 36, 0).Pad().Bytes(Data).Done(), "has the type 36, which is retired or not known here"),
        ["rows of 255 in blocks of 256"] = (new GgufBytes(1, 0).Tensor("t", 2, [255, 256], 12, 0).Pad().Bytes(Data).Done(), "rows of 255 numbers; expected a multiple of 256"),
        ["a scalar in blocks"] = (new GgufBytes(1, 0).Tensor("t", 0, [], 8, 0).Pad().Bytes(Data).Done(), "rows of 1 numbers; expected a multiple of 32"),
        ["a name that is no UTF-8"] = (new GgufBytes(1, 0).U64(1).Bytes(0xFF).U32(1).U64(1).U32(0).U64(0).Bytes(Data).Done(), "the name of tensor 0 is not valid UTF-8"),
    };

    private readonly TemporaryFolder _folder = new();

    public static TheoryData<string> Names => [.. Attacks.Keys];

    public void Dispose() => _folder.Dispose();

    [Theory, MemberData(nameof(Names))]
    public void Refuses(string attack)
    {
        string path = _folder.File("model.gguf");
        File.WriteAllBytes(path, Attacks[attack].Bytes);
        Attack.IsRefused(path, file => GgufFile.Open(file).Dispose(), Attacks[attack].Message);
    }

    [Fact]
    public void A_file_that_says_it_has_terabytes_is_refused_at_once()
    {
        string path = _folder.File("model.gguf");
        using (var file = File.Create(path))
        {
            file.Write(new GgufBytes(0, 1).Entry("k", 9).U32(0).U64((1UL << 30) + 1).Done());
            file.SetLength(1L << 40); // takes no room on the disk
        }
        Attack.IsRefused(path, file => GgufFile.Open(file).Dispose(), "has 1073741825 items");
    }

    public static TheoryData<string> SplitNames => [.. Splits.Keys];

    // Name of the file that is opened, the files that lie there, what is said.
    private static readonly Dictionary<string, (string Opened, (string Name, byte[] Bytes)[] Files, string Message)> Splits = new()
    {
        ["the second part is missing"] = ("m-00001-of-00002.gguf", [("m-00001-of-00002.gguf", GgufBytes.Part("a", 0, 2))], "m-00002-of-00002.gguf: not found"),
        ["the second part is opened"] = ("m-00002-of-00002.gguf", [("m-00002-of-00002.gguf", GgufBytes.Part("b", 1, 2))], "is file 2 of a model in 2 files; name the first one"),
        ["the first part has another name"] = ("model.gguf", [("model.gguf", GgufBytes.Part("a", 0, 2))], "expected a name that ends in -00001-of-00002.gguf"),
        ["the name has another count"] = ("m-00001-of-00003.gguf", [("m-00001-of-00003.gguf", GgufBytes.Part("a", 0, 2))], "expected a name that ends in -00001-of-00002.gguf"),
        ["65,535 parts in one file"] = ("m-00001-of-65535.gguf", [("m-00001-of-65535.gguf", GgufBytes.Part("a", 0, 65535))], "m-00002-of-65535.gguf: not found"),
        ["no number"] = ("m-00001-of-00002.gguf", [("m-00001-of-00002.gguf", GgufBytes.Part("a", null, 2))], "split.no is missing"),
        ["the first part twice"] = ("m-00001-of-00002.gguf", [("m-00001-of-00002.gguf", GgufBytes.Part("a", 0, 2)), ("m-00002-of-00002.gguf", GgufBytes.Part("b", 0, 2))], "says split.no 0 and split.count 2; expected 1 and 2"),
        ["a part of another split"] = ("m-00001-of-00002.gguf", [("m-00001-of-00002.gguf", GgufBytes.Part("a", 0, 2)), ("m-00002-of-00002.gguf", GgufBytes.Part("b", 1, 3))], "says split.no 1 and split.count 3; expected 1 and 2"),
        ["a second file that is no part"] = ("m-00001-of-00002.gguf", [("m-00001-of-00002.gguf", GgufBytes.Part("a", 0, 2)), ("m-00002-of-00002.gguf", GgufBytes.Part("b", null, null))], "says split.no nothing and split.count nothing"),
        ["a tensor in both parts"] = ("m-00001-of-00002.gguf", [("m-00001-of-00002.gguf", GgufBytes.Part("a", 0, 2)), ("m-00002-of-00002.gguf", GgufBytes.Part("a", 1, 2))], "tensor 'a' stands in two of the files"),
        ["a wrong number of tensors"] = ("m-00001-of-00002.gguf", [("m-00001-of-00002.gguf", GgufBytes.Part("a", 0, 2, 7)), ("m-00002-of-00002.gguf", GgufBytes.Part("b", 1, 2))], "split.tensors.count is 7; the 2 files have 2 tensors"),
        ["a negative number of tensors"] = ("m-00001-of-00002.gguf", [("m-00001-of-00002.gguf", GgufBytes.Part("a", 0, 2, -2)), ("m-00002-of-00002.gguf", GgufBytes.Part("b", 1, 2))], "split.tensors.count is -2; expected a whole number of 0 or more"),
        ["a second part that is cut"] = ("m-00001-of-00002.gguf", [("m-00001-of-00002.gguf", GgufBytes.Part("a", 0, 2)), ("m-00002-of-00002.gguf", GgufBytes.Part("b", 1, 2)[..^1])], "m-00002-of-00002.gguf: tensor 'b' needs 32 bytes"),
        ["a count as text"] = ("m-00001-of-00002.gguf", [("m-00001-of-00002.gguf", new GgufBytes(0, 1).Entry("split.count", 8).Text("2").Done())], "split.count is '2'; expected a whole number"),
        ["a count of 2^64-1"] = ("m-00001-of-00002.gguf", [("m-00001-of-00002.gguf", new GgufBytes(0, 1).Entry("split.count", 10).U64(Largest).Done())], "split.count is 18446744073709551615; expected a whole number"),
    };

    [Theory, MemberData(nameof(SplitNames))]
    public void Refuses_split_models_that_lie(string attack)
    {
        var (opened, files, message) = Splits[attack];
        foreach (var (name, bytes) in files)
            File.WriteAllBytes(_folder.File(name), bytes);
        Attack.IsRefused(_folder.File(opened), file => GgufFile.Open(file).Dispose(), message);
    }

    [Fact]
    public void A_split_model_is_read_as_one()
    {
        byte[] second = GgufBytes.Part("b", 1, 2);
        second[^32] = 42;
        File.WriteAllBytes(_folder.File("m-00001-of-00002.gguf"), GgufBytes.Part("a", 0, 2, 2));
        File.WriteAllBytes(_folder.File("m-00002-of-00002.gguf"), second);
        using var file = GgufFile.Open(_folder.File("m-00001-of-00002.gguf"));
        Assert.Equal(["a", "b"], file.Tensors.Select(tensor => tensor.Name));
        Assert.Empty(file.Metadata);
        byte[] read = new byte[2];
        file.Read("b", 0, read);
        Assert.Equal([42, 0], read);
        Assert.Equal(42, file.Bytes("b", 0, 32)[0]);
        Assert.Equal(0, file.Bytes("a", 0, 32)[0]);
    }
}
