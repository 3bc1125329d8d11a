using System.Buffers.Binary;
using OpenEuroLLM.Core;

namespace OpenEuroLLM.Tokenizers;

/// <summary>Reads the fields of one protobuf message from memory; a length is never trusted before it was held against what is there.</summary>
/// <param name="message">The bytes of the message.</param>
/// <param name="where">The message's name, for errors.</param>
internal ref struct ProtobufReader(ReadOnlySpan<byte> message, string where)
{
    public const int Varint = 0, Fixed64 = 1, Bytes = 2, Fixed32 = 5;

    private const int MaximumNumber = (1 << 29) - 1;
    private const int VarintBytes = 10;

    private readonly ReadOnlySpan<byte> _message = message;
    private int _place;

    /// <summary>The number of the field that was read last.</summary>
    public int Number { get; private set; }

    /// <summary>How its value is written.</summary>
    public int WireType { get; private set; }

    /// <summary>Its value where it is a number, in 64 bits.</summary>
    public ulong Value { get; private set; }

    /// <summary>Its value where it is text, bytes or a message.</summary>
    public ReadOnlySpan<byte> Content { get; private set; }

    /// <summary>The whole field as it stands in the message.</summary>
    public ReadOnlySpan<byte> Raw { get; private set; }

    /// <summary>Goes to the next field.</summary>
    /// <returns>False at the end of the message.</returns>
    /// <exception cref="UserErrorException">The message is damaged.</exception>
    public bool Read()
    {
        if (_place == _message.Length)
            return false;
        int start = _place;
        ulong tag = ReadVarint();
        if (tag >> 3 is 0 or > MaximumNumber)
            throw Refuse($"field number {tag >> 3}; expected 1 to {MaximumNumber}");
        (Number, WireType) = ((int)(tag >> 3), (int)(tag & 7));
        Content = default;
        switch (WireType)
        {
            case Varint:
                Value = ReadVarint();
                break;
            case Fixed64:
                Value = BinaryPrimitives.ReadUInt64LittleEndian(Take(sizeof(ulong)));
                break;
            case Bytes:
                Content = Take(ReadVarint());
                break;
            case Fixed32:
                Value = BinaryPrimitives.ReadUInt32LittleEndian(Take(sizeof(uint)));
                break;
            default:
                throw Refuse($"wire type {WireType} in field {Number}; expected 0, 1, 2 or 5");
        }
        Raw = _message[start.._place];
        return true;
    }

    /// <exception cref="UserErrorException">The field is written in another way.</exception>
    public readonly ReadOnlySpan<byte> AsBytes() => WireType == Bytes ? Content : throw WrongType(Bytes);

    /// <inheritdoc cref="AsBytes"/>
    public readonly float AsSingle() => WireType == Fixed32 ? BitConverter.UInt32BitsToSingle((uint)Value) : throw WrongType(Fixed32);

    /// <inheritdoc cref="AsBytes"/>
    public readonly bool AsBoolean() => WireType == Varint ? Value != 0 : throw WrongType(Varint);

    /// <inheritdoc cref="AsBytes"/>
    /// <exception cref="UserErrorException">The number has more than 32 bits.</exception>
    public readonly int AsInteger() =>
        WireType != Varint ? throw WrongType(Varint)
            : (long)Value is >= int.MinValue and <= int.MaxValue ? (int)(long)Value : throw Refuse($"{Value} in field {Number}; expected 32 bits");

    private readonly UserErrorException WrongType(int expected) => Refuse($"wire type {WireType} in field {Number}; expected {expected}");

    private ulong ReadVarint()
    {
        ulong value = 0;
        for (int i = 0; i < VarintBytes; i++)
        {
            if (_place == _message.Length)
                throw Refuse("its end in the middle of a number");
            byte next = _message[_place++];
            value |= (ulong)(next & 0x7F) << (7 * i);
            if (next < 0x80)
                return value;
        }
        throw Refuse($"a number of more than {VarintBytes} bytes");
    }

    private ReadOnlySpan<byte> Take(ulong length)
    {
        if (length > (ulong)(_message.Length - _place))
            throw Refuse($"field {Number} of {length} bytes where {_message.Length - _place} are left");
        var taken = _message.Slice(_place, (int)length);
        _place += (int)length;
        return taken;
    }

    private readonly UserErrorException Refuse(string found) => new($"{where}: damaged at byte {_place}: {found}. Is it a SentencePiece model?");
}
