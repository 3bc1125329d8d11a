using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace OpenEuroLLM.Tensors.Kernels.Quantized;

/// <summary>Registers of one width, so that a kernel is written once: 32-bit lanes of integers, which also hold pairs of 16-bit
/// integers, and of single-precision numbers.</summary>
internal unsafe interface IRegisters<TInt, TFloat>
{
    /// <summary>32-bit lanes of a register: 16 or 8.</summary>
    static abstract int Lanes { get; }

    static abstract TInt Load(void* source);

    static abstract void Store(TInt value, void* target);

    static abstract TInt Create(int value);

    static abstract TInt Add(TInt a, TInt b);

    static abstract TInt Subtract(TInt a, TInt b);

    static abstract TInt And(TInt a, TInt b);

    static abstract TInt Or(TInt a, TInt b);

    /// <summary>Sum and difference of 16-bit integers.</summary>
    static abstract TInt AddShort(TInt a, TInt b);

    static abstract TInt SubtractShort(TInt a, TInt b);

    static abstract TInt ShiftLeft(TInt a, [ConstantExpected] int count);

    static abstract TInt ShiftRight(TInt a, [ConstantExpected] int count);

    static abstract TInt ShiftRightSigned(TInt a, [ConstantExpected] int count);

    /// <summary>Shifts of 16-bit integers.</summary>
    static abstract TInt ShiftLeftShort(TInt a, [ConstantExpected] int count);

    static abstract TInt ShiftRightShort(TInt a, [ConstantExpected] int count);

    static abstract TInt ShiftRightSignedShort(TInt a, [ConstantExpected] int count);

    /// <summary>In each lane the products of the two pairs of 16-bit integers, added: exact.</summary>
    static abstract TInt MultiplyAddPairs(TInt a, TInt b);

    static abstract TFloat ToSingle(TInt value);

    static abstract TFloat LoadSingle(float* source);

    /// <summary>16-bit floating-point numbers, widened exactly.</summary>
    static abstract TFloat LoadHalf(ushort* source);

    /// <summary>The same times 2^−112, exactly too: see <see cref="HalfFloat.Place(Vector256{int})"/>.</summary>
    static abstract TFloat LoadUnscaledHalf(ushort* source);

    /// <summary>bf16 numbers, widened exactly.</summary>
    static abstract TFloat LoadBrain(ushort* source);

    static abstract void StoreSingle(TFloat value, float* target);

    static abstract TFloat CreateSingle(float value);

    static abstract TFloat Multiply(TFloat a, TFloat b);

    static abstract TFloat MultiplyAdd(TFloat a, TFloat b, TFloat c);
}

/// <summary>512-bit registers. Only where <see cref="Avx512BW"/> is there.</summary>
internal readonly unsafe struct Registers512 : IRegisters<Vector512<int>, Vector512<float>>
{
    public static bool IsSupported => Avx512BW.IsSupported;

    public static int Lanes => 16;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<int> Load(void* source) => Vector512.Load((int*)source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Vector512<int> value, void* target) => value.Store((int*)target);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<int> Create(int value) => Vector512.Create(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<int> Add(Vector512<int> a, Vector512<int> b) => a + b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<int> Subtract(Vector512<int> a, Vector512<int> b) => a - b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<int> And(Vector512<int> a, Vector512<int> b) => a & b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<int> Or(Vector512<int> a, Vector512<int> b) => a | b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<int> AddShort(Vector512<int> a, Vector512<int> b) => (a.AsInt16() + b.AsInt16()).AsInt32();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<int> SubtractShort(Vector512<int> a, Vector512<int> b) => (a.AsInt16() - b.AsInt16()).AsInt32();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<int> ShiftLeft(Vector512<int> a, [ConstantExpected] int count) => Vector512.ShiftLeft(a, count);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<int> ShiftRight(Vector512<int> a, [ConstantExpected] int count) => Vector512.ShiftRightLogical(a, count);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<int> ShiftRightSigned(Vector512<int> a, [ConstantExpected] int count) => Vector512.ShiftRightArithmetic(a, count);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<int> ShiftLeftShort(Vector512<int> a, [ConstantExpected] int count) => Vector512.ShiftLeft(a.AsInt16(), count).AsInt32();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<int> ShiftRightShort(Vector512<int> a, [ConstantExpected] int count) => Vector512.ShiftRightLogical(a.AsInt16(), count).AsInt32();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<int> ShiftRightSignedShort(Vector512<int> a, [ConstantExpected] int count) => Vector512.ShiftRightArithmetic(a.AsInt16(), count).AsInt32();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<int> MultiplyAddPairs(Vector512<int> a, Vector512<int> b) => Avx512BW.MultiplyAddAdjacent(a.AsInt16(), b.AsInt16());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> ToSingle(Vector512<int> value) => Vector512.ConvertToSingle(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> LoadSingle(float* source) => Vector512.Load(source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> LoadHalf(ushort* source) => HalfFloat.Widen(Avx512F.ConvertToVector512Int32(Vector256.Load((short*)source)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> LoadUnscaledHalf(ushort* source) => HalfFloat.Place(Avx512F.ConvertToVector512Int32(Vector256.Load((short*)source)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> LoadBrain(ushort* source) => Vector512.ShiftLeft(Avx512F.ConvertToVector512Int32(Vector256.Load(source)), 16).AsSingle();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreSingle(Vector512<float> value, float* target) => value.Store(target);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> CreateSingle(float value) => Vector512.Create(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Multiply(Vector512<float> a, Vector512<float> b) => a * b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> MultiplyAdd(Vector512<float> a, Vector512<float> b, Vector512<float> c) => Vector512.FusedMultiplyAdd(a, b, c);
}

/// <summary>256-bit registers; without AVX2 the runtime carries the same operations out in software.</summary>
internal readonly unsafe struct Registers256 : IRegisters<Vector256<int>, Vector256<float>>
{
    public static int Lanes => 8;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> Load(void* source) => Vector256.Load((int*)source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Vector256<int> value, void* target) => value.Store((int*)target);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> Create(int value) => Vector256.Create(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> Add(Vector256<int> a, Vector256<int> b) => a + b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> Subtract(Vector256<int> a, Vector256<int> b) => a - b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> And(Vector256<int> a, Vector256<int> b) => a & b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> Or(Vector256<int> a, Vector256<int> b) => a | b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> AddShort(Vector256<int> a, Vector256<int> b) => (a.AsInt16() + b.AsInt16()).AsInt32();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> SubtractShort(Vector256<int> a, Vector256<int> b) => (a.AsInt16() - b.AsInt16()).AsInt32();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> ShiftLeft(Vector256<int> a, [ConstantExpected] int count) => Vector256.ShiftLeft(a, count);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> ShiftRight(Vector256<int> a, [ConstantExpected] int count) => Vector256.ShiftRightLogical(a, count);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> ShiftRightSigned(Vector256<int> a, [ConstantExpected] int count) => Vector256.ShiftRightArithmetic(a, count);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> ShiftLeftShort(Vector256<int> a, [ConstantExpected] int count) => Vector256.ShiftLeft(a.AsInt16(), count).AsInt32();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> ShiftRightShort(Vector256<int> a, [ConstantExpected] int count) => Vector256.ShiftRightLogical(a.AsInt16(), count).AsInt32();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> ShiftRightSignedShort(Vector256<int> a, [ConstantExpected] int count) => Vector256.ShiftRightArithmetic(a.AsInt16(), count).AsInt32();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<int> MultiplyAddPairs(Vector256<int> a, Vector256<int> b)
    {
        if (Avx2.IsSupported) return Avx2.MultiplyAddAdjacent(a.AsInt16(), b.AsInt16());
        return Low(a) * Low(b) + Vector256.ShiftRightArithmetic(a, 16) * Vector256.ShiftRightArithmetic(b, 16);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> ToSingle(Vector256<int> value) => Vector256.ConvertToSingle(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> LoadSingle(float* source) => Vector256.Load(source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> LoadHalf(ushort* source) => HalfFloat.Widen(SignExtended(source));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> LoadUnscaledHalf(ushort* source) => HalfFloat.Place(SignExtended(source));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> LoadBrain(ushort* source) => BrainFloat.Load(source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StoreSingle(Vector256<float> value, float* target) => value.Store(target);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> CreateSingle(float value) => Vector256.Create(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Multiply(Vector256<float> a, Vector256<float> b) => a * b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> MultiplyAdd(Vector256<float> a, Vector256<float> b, Vector256<float> c) => Vector256.FusedMultiplyAdd(a, b, c);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<int> SignExtended(ushort* source)
    {
        if (Avx2.IsSupported) return Avx2.ConvertToVector256Int32((short*)source);
        var (low, high) = Vector128.Widen(Vector128.Load((short*)source));
        return Vector256.Create(low, high);
    }

    private static Vector256<int> Low(Vector256<int> pairs) => Vector256.ShiftRightArithmetic(Vector256.ShiftLeft(pairs, 16), 16);
}
