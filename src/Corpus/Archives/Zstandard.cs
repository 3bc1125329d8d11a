using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using OpenEuroLLM.Core;

namespace OpenEuroLLM.Corpus.Archives;

/// <summary>The functions of libzstd that are used, named as in its header <c>zstd.h</c> (1.4 or later).</summary>
internal static partial class Zstandard
{
    /// <summary>The parameter for the largest window, as a power of two.</summary>
    public const int WindowLogMax = 100;

    /// <summary>Resets what is being unpacked; parameters and dictionary stay.</summary>
    public const int ResetSessionOnly = 1;

    private const string Library = "libzstd";

    private static readonly string[] FileNames =
        OperatingSystem.IsWindows() ? ["libzstd.dll", "zstd.dll"] : OperatingSystem.IsMacOS() ? ["libzstd.1.dylib", "/opt/homebrew/lib/libzstd.1.dylib", "/usr/local/lib/libzstd.1.dylib"] : ["libzstd.so.1"];

    private static readonly Lazy<nint> Handle = new(() =>
    {
        foreach (string name in FileNames)
            if (NativeLibrary.TryLoad(name, typeof(Zstandard).Assembly, null, out nint handle)) return handle;
        return 0;
    });

    static Zstandard() => NativeLibrary.SetDllImportResolver(typeof(Zstandard).Assembly, Resolve);

    /// <summary>Whether the library is on this machine.</summary>
    public static bool IsAvailable => Handle.Value != 0;

    /// <exception cref="UserErrorException">The library is not on this machine.</exception>
    public static void RequireAvailable(string path)
    {
        if (!IsAvailable)
            throw new UserErrorException($"{path}: is packed with Zstandard, and the library libzstd is not on this machine; install it (Debian, Ubuntu: apt install libzstd1; Fedora: dnf install libzstd; macOS: brew install zstd; Windows: libzstd.dll beside the program), or pack the file with gzip.");
    }

    /// <summary>Passes a result on, unless it is an error.</summary>
    /// <exception cref="DamagedDataException">It is an error; the message is the library's.</exception>
    public static nuint Check(nuint result, [CallerArgumentExpression(nameof(result))] string call = "")
    {
        if (ZSTD_isError(result) == 0) return result;
        string name = Marshal.PtrToStringUTF8(ZSTD_getErrorName(result)) ?? "unknown error";
        throw new DamagedDataException(DamagedDataException.Damaged, $"the Zstandard data is not valid ({name}, in {call.Split('(')[0]})");
    }

    /// <summary>Packs bytes as one frame.</summary>
    public static unsafe byte[] Pack(ReadOnlySpan<byte> bytes, int level = 1)
    {
        byte[] packed = new byte[ZSTD_compressBound((nuint)bytes.Length)];
        fixed (byte* target = packed, source = bytes)
            return packed[..(int)Check(ZSTD_compress(target, (nuint)packed.Length, source, (nuint)bytes.Length, level))];
    }

    [LibraryImport(Library)]
    private static partial uint ZSTD_isError(nuint code);

    [LibraryImport(Library)]
    private static partial nint ZSTD_getErrorName(nuint code);

    [LibraryImport(Library)]
    internal static partial ZstandardContext ZSTD_createDCtx();

    [LibraryImport(Library)]
    internal static partial nuint ZSTD_freeDCtx(nint context);

    [LibraryImport(Library)]
    internal static partial nuint ZSTD_DCtx_setParameter(ZstandardContext context, int parameter, int value);

    [LibraryImport(Library)]
    internal static partial nuint ZSTD_DCtx_reset(ZstandardContext context, int directive);

    [LibraryImport(Library)]
    internal static unsafe partial nuint ZSTD_DCtx_loadDictionary(ZstandardContext context, byte* dictionary, nuint size);

    [LibraryImport(Library)]
    internal static unsafe partial nuint ZSTD_decompressStream(ZstandardContext context, ZstandardBuffer* output, ZstandardBuffer* input);

    [LibraryImport(Library)]
    internal static partial nuint ZSTD_compressBound(nuint size);

    [LibraryImport(Library)]
    internal static unsafe partial nuint ZSTD_compress(byte* target, nuint capacity, byte* source, nuint size, int level);

    private static nint Resolve(string library, Assembly assembly, DllImportSearchPath? path) => library == Library ? Handle.Value : 0;
}

/// <summary>Bytes with how many of them are used: <c>ZSTD_inBuffer</c> and <c>ZSTD_outBuffer</c>.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct ZstandardBuffer
{
    public byte* Bytes;
    public nuint Size;
    public nuint Used;
}

/// <summary>What the library remembers between calls: <c>ZSTD_DCtx</c>.</summary>
internal sealed class ZstandardContext : SafeHandle
{
    public ZstandardContext() : base(0, ownsHandle: true) { }

    public override bool IsInvalid => handle == 0;

    protected override bool ReleaseHandle() => Zstandard.ZSTD_freeDCtx(handle) == 0;
}
