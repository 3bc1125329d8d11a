using System.Xml.Linq;

namespace OpenEuroLLM.Core.Tests;

/// <summary>The table of rooms: who may use whom. Nothing points upward.</summary>
public sealed class HouseTests
{
    private static readonly Dictionary<string, string[]> Allowed = new()
    {
        ["Core"] = [],
        ["Languages"] = ["Core"],
        ["Formats"] = ["Core"],
        ["Tokenizers"] = ["Formats", "Core"],
        ["Tensors"] = ["Core"],
        ["Cluster"] = ["Core"],
        ["Gpu"] = ["Tensors"],
        ["Transparency"] = ["Core"],
        ["Privacy"] = ["Languages", "Core"],
        ["Corpus"] = ["Privacy", "Languages", "Tokenizers", "Formats", "Core"],
        ["Models"] = ["Tensors", "Formats", "Core"],
        ["Inference"] = ["Models", "Tensors", "Tokenizers", "Languages", "Core"],
        ["Evaluation"] = ["Inference", "Languages", "Core"],
        ["Training"] = ["Inference", "Models", "Formats", "Tensors", "Core"],
        ["Chat"] = ["Inference", "Core"],
        ["Serving"] = ["Inference", "Privacy", "Languages", "Core"],
    };

    private static string[] Rooms =>
        [.. Directory.GetDirectories(Path.Combine(Repository.Root, "src")).Where(folder => Directory.GetFiles(folder, "*.csproj").Length > 0).Select(folder => Path.GetFileName(folder)).Order(StringComparer.Ordinal)];

    private static IEnumerable<string> References(string room) => XDocument.Load(Path.Combine(Repository.Root, "src", room, room + ".csproj"))
        .Descendants("ProjectReference").Select(reference => Path.GetFileNameWithoutExtension(reference.Attribute("Include")!.Value.Replace('\\', '/')));

    [Fact]
    public void Every_reference_is_one_that_the_table_allows()
    {
        Assert.True(Rooms.Length >= 13);
        foreach (string room in Rooms.Where(room => room != "Cli"))
        {
            Assert.True(Allowed.ContainsKey(room), $"src/{room} is not in the table of rooms");
            foreach (string reference in References(room))
                Assert.True(Allowed[room].Contains(reference), $"src/{room} may not use {reference}");
        }
    }

    [Fact]
    public void The_table_points_one_way_only()
    {
        var settled = new HashSet<string>();
        while (Allowed.Keys.FirstOrDefault(room => !settled.Contains(room) && Allowed[room].All(settled.Contains)) is string next) settled.Add(next);
        Assert.Equal(Allowed.Count, settled.Count);
    }

    [Fact]
    public void Nobody_uses_the_command_line()
    {
        foreach (string room in Rooms) Assert.DoesNotContain("Cli", References(room));
    }

    [Fact]
    public void Every_room_has_tests_and_both_are_in_the_solution()
    {
        string solution = File.ReadAllText(Path.Combine(Repository.Root, "OpenEuroLLM.slnx"));
        foreach (string room in Rooms)
        {
            Assert.True(File.Exists(Path.Combine(Repository.Root, "tests", $"{room}.Tests", $"{room}.Tests.csproj")), $"src/{room} has no tests");
            Assert.Contains($"\"src/{room}/{room}.csproj\"", solution);
            Assert.Contains($"\"tests/{room}.Tests/{room}.Tests.csproj\"", solution);
        }
    }
}
