using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace OpenEuroLLM.Formats.Quantization;

/// <summary>The numbers of a group, 16 or 32 of them, so that a search is written once.</summary>
internal interface IGroupLanes<TSelf> where TSelf : struct, IGroupLanes<TSelf>
{
    static abstract int Count { get; }

    static abstract TSelf Load(ReadOnlySpan<float> values);

    static abstract TSelf Create(float value);

    static abstract TSelf operator +(TSelf a, TSelf b);

    static abstract TSelf operator -(TSelf a, TSelf b);

    static abstract TSelf operator *(TSelf a, TSelf b);

    static abstract TSelf Abs(TSelf values);

    /// <inheritdoc cref="Lanes.Level"/>
    static abstract TSelf Level(TSelf values, float least, float most);

    /// <inheritdoc cref="Lanes.Sum"/>
    static abstract float Sum(TSelf values);

    static abstract void CopyTo(TSelf values, Span<float> target);
}

internal readonly struct Lanes16(Vector512<float> all) : IGroupLanes<Lanes16>
{
    private readonly Vector512<float> all = all;

    public static int Count => 16;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes16 Load(ReadOnlySpan<float> values) => new(Lanes.Load(values));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes16 Create(float value) => new(Vector512.Create(value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes16 operator +(Lanes16 a, Lanes16 b) => new(a.all + b.all);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes16 operator -(Lanes16 a, Lanes16 b) => new(a.all - b.all);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes16 operator *(Lanes16 a, Lanes16 b) => new(a.all * b.all);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes16 Abs(Lanes16 values) => new(Vector512.Abs(values.all));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes16 Level(Lanes16 values, float least, float most) => new(Lanes.Level(values.all, least, most));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Sum(Lanes16 values) => Lanes.Sum(values.all);

    public static void CopyTo(Lanes16 values, Span<float> target) => values.all.CopyTo(target);
}

internal readonly struct Lanes32(Vector512<float> first, Vector512<float> second) : IGroupLanes<Lanes32>
{
    private readonly Vector512<float> first = first, second = second;

    public static int Count => 32;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes32 Load(ReadOnlySpan<float> values) => new(Lanes.Load(values), Lanes.Load(values[16..]));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes32 Create(float value) => new(Vector512.Create(value), Vector512.Create(value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes32 operator +(Lanes32 a, Lanes32 b) => new(a.first + b.first, a.second + b.second);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes32 operator -(Lanes32 a, Lanes32 b) => new(a.first - b.first, a.second - b.second);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes32 operator *(Lanes32 a, Lanes32 b) => new(a.first * b.first, a.second * b.second);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes32 Abs(Lanes32 values) => new(Vector512.Abs(values.first), Vector512.Abs(values.second));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes32 Level(Lanes32 values, float least, float most) => new(Lanes.Level(values.first, least, most), Lanes.Level(values.second, least, most));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Sum(Lanes32 values) => Lanes.Sum(values.first + values.second);

    public static void CopyTo(Lanes32 values, Span<float> target)
    {
        values.first.CopyTo(target);
        values.second.CopyTo(target[16..]);
    }
}
