using System.Buffers;
using System.Buffers.Binary;

namespace OpenEuroLLM.Tokenizers;

/// <summary>Writes the fields of a protobuf message.</summary>
internal sealed class ProtobufWriter
{
    private readonly ArrayBufferWriter<byte> _message = new();

    public ReadOnlySpan<byte> Message => _message.WrittenSpan;

    public void WriteBytes(int number, ReadOnlySpan<byte> value)
    {
        WriteVarint(((ulong)number << 3) | ProtobufReader.Bytes);
        WriteVarint((ulong)value.Length);
        _message.Write(value);
    }

    public void WriteInteger(int number, int value)
    {
        WriteVarint(((ulong)number << 3) | ProtobufReader.Varint);
        WriteVarint((ulong)value);
    }

    public void WriteBoolean(int number, bool value) => WriteInteger(number, value ? 1 : 0);

    public void WriteSingle(int number, float value)
    {
        WriteVarint(((ulong)number << 3) | ProtobufReader.Fixed32);
        BinaryPrimitives.WriteSingleLittleEndian(_message.GetSpan(sizeof(float)), value);
        _message.Advance(sizeof(float));
    }

    /// <summary>Writes whole fields as they were read.</summary>
    public void WriteRaw(ReadOnlySpan<byte> fields) => _message.Write(fields);

    private void WriteVarint(ulong value)
    {
        Span<byte> bytes = stackalloc byte[10];
        int count = 0;
        for (; value >= 0x80; value >>= 7)
            bytes[count++] = (byte)(value | 0x80);
        bytes[count++] = (byte)value;
        _message.Write(bytes[..count]);
    }
}
