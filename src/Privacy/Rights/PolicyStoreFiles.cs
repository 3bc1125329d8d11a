using System.Globalization;
using OpenEuroLLM.Core;

namespace OpenEuroLLM.Privacy.Rights;

/// <summary>How a store lies on the disk: a folder of generations, <c>000001</c> and so on, each a finished folder with a manifest. The highest counts; an update writes the next and then
/// removes the ones before, so that there is a whole store at every moment.</summary>
/// <remarks><c>policies.jsonl</c> has a fetch a line, sorted by host, kind, address and time, the newest first; a content that stands in an earlier line of the same address is not
/// repeated. <c>policies.idx</c> has for each line where it begins, 8 bytes, little-endian.</remarks>
internal static class PolicyStoreFiles
{
    public const string Stage = "policies";
    public const string Lines = "policies.jsonl";
    public const string Index = "policies.idx";

    /// <summary>More than any line has.</summary>
    public const int MostLineBytes = 16 << 20;

    /// <summary>The folder of the generation that counts; null when there is none.</summary>
    public static string? Current(IFileSystem files, string store) => Generations(files, store) is [.., var newest] ? newest : null;

    /// <summary>All finished generations, the oldest first.</summary>
    public static IReadOnlyList<string> Generations(IFileSystem files, string store) => files.DirectoryExists(store)
        ? [.. files.EnumerateDirectories(store).Where(folder => NumberOf(folder) is not null && files.FileExists(Path.Combine(folder, Manifest.FileName))).OrderBy(NumberOf)]
        : [];

    /// <summary>The folder of the generation after those.</summary>
    public static string Next(IFileSystem files, string store) =>
        Path.Combine(store, ((Current(files, store) is { } current ? NumberOf(current) : 0) + 1)!.Value.ToString("000000", CultureInfo.InvariantCulture));

    private static int? NumberOf(string folder) => int.TryParse(Path.GetFileName(folder), NumberStyles.None, CultureInfo.InvariantCulture, out int number) ? number : null;
}
