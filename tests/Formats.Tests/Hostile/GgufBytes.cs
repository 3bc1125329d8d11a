using System.Text;

namespace OpenEuroLLM.Formats.Tests.Hostile;

/// <summary>The bytes of a GGUF file, written field by field and without any check.</summary>
internal sealed class GgufBytes
{
    private readonly List<byte> _bytes = [];

    public GgufBytes(ulong tensors, ulong entries, uint version = 3) => Bytes([.. "GGUF"u8]).U32(version).U64(tensors).U64(entries);

    public GgufBytes Bytes(params byte[] bytes)
    {
        _bytes.AddRange(bytes);
        return this;
    }

    public GgufBytes U16(ushort number) => Bytes(BitConverter.GetBytes(number));

    public GgufBytes U32(uint number) => Bytes(BitConverter.GetBytes(number));

    public GgufBytes U64(ulong number) => Bytes(BitConverter.GetBytes(number));

    public GgufBytes Text(string text) => U64((ulong)Encoding.UTF8.GetByteCount(text)).Bytes(Encoding.UTF8.GetBytes(text));

    public GgufBytes Entry(string key, uint type) => Text(key).U32(type);

    public GgufBytes Tensor(string name, uint dimensions, ulong[] extents, uint type, ulong offset)
    {
        Text(name).U32(dimensions);
        foreach (ulong extent in extents)
            U64(extent);
        return U32(type).U64(offset);
    }

    public GgufBytes Pad(int alignment = 32) => Bytes(new byte[(alignment - (_bytes.Count % alignment)) % alignment]);

    public byte[] Done() => [.. _bytes];

    /// <summary>One part of a split model with one tensor of 32 bytes.</summary>
    public static byte[] Part(string tensor, ushort? number, ushort? count, int? tensors = null)
    {
        var part = new GgufBytes(1, (ulong)((number is null ? 0 : 1) + (count is null ? 0 : 1) + (tensors is null ? 0 : 1)));
        if (number is { } no)
            part.Entry("split.no", 2).U16(no);
        if (count is { } all)
            part.Entry("split.count", 2).U16(all);
        if (tensors is { } total)
            part.Entry("split.tensors.count", 5).U32((uint)total);
        return part.Tensor(tensor, 1, [8], 0, 0).Pad().Bytes(new byte[32]).Done();
    }
}
