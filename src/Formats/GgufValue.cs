namespace OpenEuroLLM.Formats;

/// <summary>Types of metadata values, with their numbers in the file.</summary>
public enum GgufValueType
{
    /// <summary>Unsigned byte.</summary>
    UInt8 = 0,

    /// <summary>Signed byte.</summary>
    Int8 = 1,

    /// <summary>16 bits, unsigned.</summary>
    UInt16 = 2,

    /// <summary>16 bits, signed.</summary>
    Int16 = 3,

    /// <summary>32 bits, unsigned.</summary>
    UInt32 = 4,

    /// <summary>32 bits, signed.</summary>
    Int32 = 5,

    /// <summary>Single precision.</summary>
    Float32 = 6,

    /// <summary>One byte, 0 or 1.</summary>
    Bool = 7,

    /// <summary>UTF-8 text.</summary>
    String = 8,

    /// <summary>A list of values of one type that is no list itself.</summary>
    Array = 9,

    /// <summary>64 bits, unsigned.</summary>
    UInt64 = 10,

    /// <summary>64 bits, signed.</summary>
    Int64 = 11,

    /// <summary>Double precision.</summary>
    Float64 = 12,
}

/// <summary>A metadata value: a number, a text, a truth value, or an array of one of these.</summary>
public sealed class GgufValue
{
    private static readonly (GgufValueType Value, Type Type, int Bytes)[] Types =
    [
        (GgufValueType.UInt8, typeof(byte), 1), (GgufValueType.Int8, typeof(sbyte), 1), (GgufValueType.UInt16, typeof(ushort), 2),
        (GgufValueType.Int16, typeof(short), 2), (GgufValueType.UInt32, typeof(uint), 4), (GgufValueType.Int32, typeof(int), 4),
        (GgufValueType.Float32, typeof(float), 4), (GgufValueType.Bool, typeof(bool), 1), (GgufValueType.String, typeof(string), 8),
        (GgufValueType.UInt64, typeof(ulong), 8), (GgufValueType.Int64, typeof(long), 8), (GgufValueType.Float64, typeof(double), 8),
    ];

    /// <summary>Wraps a value.</summary>
    /// <param name="content">A number of 1 to 8 bytes, float, double, bool, string, or a one-dimensional array of one of these types.</param>
    /// <exception cref="ArgumentException">Another type.</exception>
    public GgufValue(object content)
    {
        ArgumentNullException.ThrowIfNull(content);
        Content = content;
        var type = content.GetType();
        var plain = type.IsArray ? type.GetElementType()! : type;
        int index = Array.FindIndex(Types, row => row.Type == plain);
        if (index < 0 || (type.IsArray && type.GetArrayRank() != 1))
            throw new ArgumentException($"{type.Name} is no metadata type of GGUF.", nameof(content));
        Type = type.IsArray ? GgufValueType.Array : Types[index].Value;
        ElementType = type.IsArray ? Types[index].Value : null;
    }

    /// <summary>The type in the file.</summary>
    public GgufValueType Type { get; }

    /// <summary>The type of an array's items; null for anything else.</summary>
    public GgufValueType? ElementType { get; }

    /// <summary>The value, in the type that was given or read.</summary>
    public object Content { get; }

    /// <summary>A whole number of any width within 63 bits; null for anything else.</summary>
    public long? Integer => Content switch
    {
        byte value => value,
        sbyte value => value,
        ushort value => value,
        short value => value,
        uint value => value,
        int value => value,
        long value => value,
        ulong value when value <= long.MaxValue => (long)value,
        _ => null,
    };

    /// <summary>A number of any type; null for anything else.</summary>
    public double? Number => Content switch
    {
        float value => value,
        double value => value,
        ulong value => value,
        _ => Integer,
    };

    /// <summary>The value in words, as in error messages.</summary>
    public override string ToString() => Content switch
    {
        Array array => $"an array of {array.Length}",
        string text => $"'{GgufText.Short(text)}'",
        IFormattable number => number.ToString(null, System.Globalization.CultureInfo.InvariantCulture),
        _ => Content.ToString()!,
    };

    /// <summary>Bytes of a value of a type; of a text those of its length alone, 0 when there is no such type.</summary>
    internal static int Bytes(GgufValueType type) => Array.Find(Types, row => row.Value == type).Bytes;
}

/// <summary>Texts from a file in messages: one line, not too long.</summary>
internal static class GgufText
{
    public static string Short(string text)
    {
        string line = new([.. text.Take(80).Select(letter => char.IsControl(letter) || char.IsSurrogate(letter) ? ' ' : letter)]);
        return text.Length > 80 ? line + "..." : line;
    }
}
