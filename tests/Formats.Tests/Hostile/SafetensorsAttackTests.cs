using System.Text;

namespace OpenEuroLLM.Formats.Tests.Hostile;

/// <summary>Safetensors files made by hand to harm their reader, beside those of <see cref="SafetensorsTests"/>.</summary>
public sealed class SafetensorsAttackTests : IDisposable
{
    private static readonly Dictionary<string, (byte[] Bytes, string Message)> Attacks = new()
    {
        ["an empty file"] = ([], "the file has 0 bytes"),
        ["a length and nothing else"] = ([2, 0, 0, 0, 0, 0, 0, 0], "the file has 8 bytes; it is truncated"),
        ["a header of 0 bytes"] = (new byte[8], "does not start with '{'"),
        ["a header of 2^64-1 bytes"] = ([255, 255, 255, 255, 255, 255, 255, 255, .. "{}"u8], "header length is 18446744073709551615"),
        ["a header of 2^63 bytes, negative to a careless reader"] = ([0, 0, 0, 0, 0, 0, 0, 0x80, .. "{}"u8], "header length is 9223372036854775808"),
        ["a header that ends one byte after the file"] = ([3, 0, 0, 0, 0, 0, 0, 0, .. "{}"u8], "truncated"),
        ["a header length in the other order of bytes"] = ([0, 0, 0, 0, 0, 0, 0, 2, .. "{}"u8], "header length is 144115188075855872"),
        ["a pickle"] = ([0x80, 2, .. "ctorch._utils\n_rebuild_tensor_v2"u8], "header length is"),
        ["a zip, as new pickles are"] = ([.. "PK\x3\x4"u8, .. new byte[40]], "the header should end at byte"),
        ["a page of a server"] = ([.. "<!DOCTYPE html><html>"u8], "header length is"),
        ["a pointer of git-lfs"] = ([.. "version https://git-lfs.github.com/spec/v1\n"u8], "header length is"),
        ["nested 70 deep"] = (Of("{\"a\":" + new string('[', 70) + new string(']', 70) + "}"), "tensor 'a' is no object"),
        ["metadata nested 100,000 deep"] = (Of("{\"__metadata__\":{\"a\":" + new string('{', 100_000)), "is no text"),
        ["a byte-order mark"] = (Of("\uFEFF{}"), "does not start with '{'"),
        ["two objects"] = (Of("{}{}"), "not valid JSON"),
        ["a comma too many"] = (Of("{\"__metadata__\":{},}"), "not valid JSON"),
        ["a line break in a name"] = (Of("{\"a\nb\":{}}"), "not valid JSON"),
        ["an escape that ends early"] = (Of("{\"\\u00"), "not valid JSON"),
        ["a zero byte after the object"] = (Of("{}\0"), "not valid JSON"),
        ["UTF-8 that is cut"] = (Raw([.. "{\"a"u8, 0xE2, 0x82]), "not valid UTF-8"),
        ["an overlong slash"] = (Raw([.. "{\""u8, 0xC0, 0xAF, .. "\":{}}"u8]), "not valid UTF-8"),
        ["UTF-16"] = (Raw(Encoding.Unicode.GetBytes("{}")), "not valid JSON"),
        ["a name of 200,000 letters"] = (Of("{\"" + new string('n', 200_000) + "\":{\"dtype\":\"F31\"}}"), "tensor 'nnnn"),
        ["a name that steers the terminal"] = (Of("{\"\\u001b[2J\\u0007\":{\"dtype\":\"F31\"}}"), "has dtype 'F31'"),
        ["a type of 200,000 letters"] = (Of("{\"a\":{\"dtype\":\"" + new string('F', 200_000) + "\"}}"), "has dtype 'FFFF"),
        ["a type that is a number"] = (Of("{\"a\":{\"dtype\":7,\"shape\":[1],\"data_offsets\":[0,1]}}"), "has dtype 'Number'"),
        ["a type in small letters"] = (Of("{\"a\":{\"dtype\":\"f32\",\"shape\":[1],\"data_offsets\":[0,4]}}", 4), "has dtype 'f32'"),
        ["a shape that is a number"] = (Tensor("U8", "1", "[0,1]", 1), "shape is no list"),
        ["a shape that is null"] = (Tensor("U8", "null", "[0,1]", 1), "shape is no list"),
        ["a shape with a text"] = (Tensor("U8", "[\"1\"]", "[0,1]", 1), "no whole number"),
        ["a shape with a list"] = (Tensor("U8", "[[1]]", "[0,1]", 1), "no whole number"),
        ["a shape with true"] = (Tensor("U8", "[true]", "[0,1]", 1), "no whole number"),
        ["a shape with NaN"] = (Tensor("U8", "[NaN]", "[0,1]", 1), "not valid JSON"),
        ["a shape with 1e3"] = (Tensor("U8", "[1e3]", "[0,1000]", 1000), "no whole number"),
        ["a shape with 1.0"] = (Tensor("U8", "[1.0]", "[0,1]", 1), "no whole number"),
        ["a shape with 2^63"] = (Tensor("U8", "[9223372036854775808]", "[0,1]", 1), "no whole number"),
        ["a shape with 2^64"] = (Tensor("U8", "[18446744073709551616]", "[0,0]", 0), "no whole number"),
        ["a shape with -0"] = (Tensor("U8", "[-0]", "[0,1]", 1), "no whole number"),
        ["a shape of 100 extents"] = (Tensor("U8", $"[{string.Join(',', Enumerable.Repeat("1", 100))}]", "[0,1]", 1), "holds more than 32 numbers"),
        ["a shape of a million zeros"] = (Tensor("U8", $"[{string.Join(',', Enumerable.Repeat("0", 1_000_000))}]", "[0,0]", 0), "holds more than 32 numbers"),
        ["elements that wrap around to 0"] = (Tensor("F32", "[4294967296,4294967296]", "[0,0]", 0), "overflows"),
        ["bits that wrap around"] = (Tensor("F64", "[288230376151711744]", "[0,0]", 0), "occupies 0 bytes"),
        ["bytes that wrap around to 4"] = (Tensor("F32", "[4611686018427387905]", "[0,4]", 4), "overflows"),
        ["an odd number of halves of a byte"] = (Tensor("F4", "[1]", "[0,1]", 1), "fills no whole bytes"),
        ["three numbers of six bits"] = (Tensor("F6_E2M3", "[3]", "[0,2]", 2), "fills no whole bytes"),
        ["offsets that are a text"] = (Tensor("U8", "[1]", "\"0,1\"", 1), "data_offsets is no list"),
        ["offsets that are an object"] = (Tensor("U8", "[1]", "{\"0\":1}", 1), "data_offsets is no list"),
        ["one offset"] = (Tensor("U8", "[1]", "[0]", 1), "lacks dtype, shape or two data_offsets"),
        ["a negative offset"] = (Tensor("U8", "[1]", "[-1,0]", 1), "no whole number"),
        ["offsets beyond 2^63"] = (Tensor("U8", "[1]", "[18446744073709551614,18446744073709551615]", 1), "no whole number"),
        ["offsets that lie inside the header"] = (Tensor("U8", "[1]", "[9223372036854775800,9223372036854775801]", 1), "beyond any file"),
        ["a size that lies by one"] = (Tensor("U8", "[2]", "[0,1]", 1), "occupies 1 bytes; its shape [2] of U8 needs 2"),
        ["an exabyte in a file of 100 bytes"] = (Tensor("U8", "[1152921504606846976]", "[0,1152921504606846976]", 1), "needs 1152921504606846976 bytes"),
        ["an empty tensor in a hole"] = (Tensor("U8", "[0]", "[5,5]", 8), "starts at data byte 5; expected 0"),
        ["an empty tensor after the end"] = (Tensor("U8", "[0]", "[64,64]", 0), "starts at data byte 64; expected 0"),
        ["bytes of a second file behind the tensors"] = (Of("{}", 100), "no bytes after the last tensor"),
        ["the same offsets twice"] = (Of("{\"a\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4]},\"b\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4]}}", 4), "starts at data byte 0; expected 4"),
        ["one tensor inside another"] = (Of("{\"a\":{\"dtype\":\"U8\",\"shape\":[8],\"data_offsets\":[0,8]},\"b\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[3,5]}}", 8), "starts at data byte 3; expected 8"),
        ["a tensor that is a list"] = (Of("{\"a\":[]}"), "tensor 'a' is no object"),
        ["a tensor that is null"] = (Of("{\"a\":null}"), "tensor 'a' is no object"),
        ["a tensor without fields"] = (Of("{\"a\":{}}"), "lacks dtype, shape or two data_offsets"),
        ["a shape twice"] = (Of("{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"shape\":[9],\"data_offsets\":[0,1]}}", 1), "has 'shape' twice"),
        ["offsets twice"] = (Of("{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1],\"data_offsets\":[0,9]}}", 1), "has 'data_offsets' twice"),
        ["metadata with an object"] = (Of("{\"__metadata__\":{\"a\":{}}}"), "'__metadata__.a' is no text"),
        ["metadata with null"] = (Of("{\"__metadata__\":{\"a\":null}}"), "'__metadata__.a' is no text"),
        ["metadata that is a tensor too"] = (Of("{\"__metadata__\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}", 1), "'__metadata__.shape' is no text"),
    };

    private readonly TemporaryFolder _folder = new();

    public static TheoryData<string> Names => [.. Attacks.Keys];

    public void Dispose() => _folder.Dispose();

    [Theory, MemberData(nameof(Names))]
    public void Refuses(string attack)
    {
        string path = _folder.File("model.safetensors");
        File.WriteAllBytes(path, Attacks[attack].Bytes);
        Attack.IsRefused(path, file => SafetensorsFile.Open(file).Dispose(), Attacks[attack].Message);
    }

    private static byte[] Of(string header, int dataBytes = 0) => [.. Raw(Encoding.UTF8.GetBytes(header)), .. new byte[dataBytes]];

    private static byte[] Raw(byte[] header) => [.. BitConverter.GetBytes((ulong)header.Length), .. header];

    private static byte[] Tensor(string type, string shape, string offsets, int dataBytes) =>
        Of($"{{\"a\":{{\"dtype\":\"{type}\",\"shape\":{shape},\"data_offsets\":{offsets}}}}}", dataBytes);
}
