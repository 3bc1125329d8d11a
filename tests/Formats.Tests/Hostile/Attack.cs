using OpenEuroLLM.Core;

namespace OpenEuroLLM.Formats.Tests.Hostile;

/// <summary>Holds a reader to what is promised for hostile files: one line that says where and what, and next to no memory before it.</summary>
internal static class Attack
{
    private const long MostAllocatedBytes = 8 << 20;

    /// <summary>Demands that a file is refused.</summary>
    /// <param name="path">The file; the message begins with it, unless it names another one in <paramref name="message"/>.</param>
    /// <param name="open">Opens it.</param>
    /// <param name="message">What the message has to say.</param>
    public static void IsRefused(string path, Action<string> open, string message)
    {
        long before = GC.GetAllocatedBytesForCurrentThread();
        var error = Assert.Throws<UserErrorException>(() => open(path));
        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
        Assert.StartsWith(Path.GetDirectoryName(path)!, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(error.Message, letter => char.IsControl(letter));
        Assert.InRange(error.Message.Length, 10, 1200);
        Assert.InRange(allocated, 0, MostAllocatedBytes + (20 * (File.Exists(path) ? new FileInfo(path).Length : 0)));
    }
}
