namespace OpenEuroLLM.Core.Tests;

public sealed class AvailableMemoryTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("oellm-memory-").FullName;

    public void Dispose() => Directory.Delete(_root, recursive: true);

    private string Write(string name, string content)
    {
        string path = Path.Combine(_root, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, content);
        return path;
    }

    [Fact]
    public void The_least_of_machine_group_and_runtime_counts()
    {
        string machine = Write("meminfo", "MemTotal:       24684084 kB\nMemFree:          100000 kB\nMemAvailable:    5000000 kB\n");
        const long free = 5_000_000L * 1024;
        Assert.Equal(free, AvailableMemory.Least(machine, _root, "", long.MaxValue, 10));
        Assert.Equal(900, AvailableMemory.Least(machine, _root, "", 1000, 100));
        Assert.Equal(0, AvailableMemory.Least(machine, _root, "", 1000, 3000));
        Write("group/memory.max", "max\n");
        Assert.Equal(free, AvailableMemory.Least(machine, _root, "/group", long.MaxValue, 10));
        Write("group/memory.max", "2000000\n");
        Write("group/memory.current", "1500000\n");
        Write("group/memory.stat", "anon 7\ninactive_file 200000\nactive_file 100000\nfile 300000\n");
        Assert.Equal(800_000, AvailableMemory.Least(machine, _root, "/group", long.MaxValue, 10)); // cached files give way
        Write("memory/old/memory.limit_in_bytes", "700000\n");
        Write("memory/old/memory.usage_in_bytes", "300000\n");
        Assert.Equal(400_000, AvailableMemory.Least(machine, _root, "/old", long.MaxValue, 10));
        Write("memory/old/memory.limit_in_bytes", "9223372036854771712\n"); // how version 1 says "none"
        Assert.Equal(free, AvailableMemory.Least(machine, _root, "/old", long.MaxValue, 10));
        Assert.Equal(long.MaxValue, AvailableMemory.Least(Path.Combine(_root, "none"), _root, "", long.MaxValue, 10));
    }

    [Fact]
    public void This_machine_has_memory_and_too_much_is_refused_with_both_figures()
    {
        Assert.InRange(AvailableMemory.Bytes(), 1 << 20, 1L << 50);
        AvailableMemory.Require(1000, "It", "do less", 1000);
        Assert.Equal("It needs about 12.3 GB of memory, 350 MB are available; do less.",
            Assert.Throws<UserErrorException>(() => AvailableMemory.Require(12_345_678_901, "It", "do less", 350_000_000)).Message);
    }
}
