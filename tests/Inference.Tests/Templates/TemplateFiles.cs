using System.Text.Json;
using OpenEuroLLM.Core;

namespace OpenEuroLLM.Inference.Tests;

/// <summary>What the reference implementation made of templates (bench/peers/templates.py), and the time that it thought it was.</summary>
internal static class TemplateFiles
{
    public static IClock Clock { get; } = new FixedClock();

    public static string Folder { get; } = Find();

    public static IEnumerable<JsonElement> Lines(string file) =>
        File.ReadLines(Path.Combine(Folder, file)).Select(line => JsonDocument.Parse(line).RootElement);

    public static JsonElement Json(string file) => JsonDocument.Parse(File.ReadAllBytes(Path.Combine(Folder, file))).RootElement;

    /// <summary>The values of a JSON object as variables of a template; all texts are data.</summary>
    public static Dictionary<string, object?> Variables(JsonElement json) => json.EnumerateObject().ToDictionary(property => property.Name, property => TemplateJson.Read(property.Value));

    private static string Find()
    {
        string folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "OpenEuroLLM.slnx"))) folder = Path.GetDirectoryName(folder)!;
        return Path.Combine(folder, "tests", "Inference.Tests", "Templates");
    }

    private sealed class FixedClock : IClock
    {
        public DateTimeOffset UtcNow => new(2026, 3, 7, 9, 5, 3, TimeSpan.Zero);

        public long Timestamp => 0;

        public double SecondsSince(long timestamp) => 0;
    }
}
