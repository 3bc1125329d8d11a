using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using OpenEuroLLM.Core;
using OpenEuroLLM.Languages;

namespace OpenEuroLLM.Cli.Tests;

/// <summary>A finished corpus folder as a crawl leaves it, large or small, whose counts add up; its texts are made up.</summary>
internal static class MadeUpCorpus
{
    /// <summary>The steps, and for what reasons they drop.</summary>
    internal static (string Name, string[] Reasons)[] Steps { get; } =
    [
        ("identification", ["no-language", "unknown-language"]), ("mojibake", []), ("unicode-normalization", []), ("url-duplicates", ["duplicate"]), ("exact-duplicates", ["duplicate"]),
        ("length", ["too-long", "too-short"]), ("script", ["no-letters", "other-script"]), ("quality", ["few-stop-words", "long-words", "short-lines", "symbols"]),
        ("repetition", ["repeated-lines", "repeated-words"]), ("lines", ["nothing-left"]), ("near-duplicates", ["duplicate"]), ("substring-repeats", ["nothing-left"]),
        ("rights", ["reserved"]), ("privacy", ["failed"]), ("contamination", ["benchmark"]),
    ];

    /// <param name="folder">Where it is made.</param>
    /// <param name="languages">Language codes.</param>
    /// <param name="steps">How many of <see cref="Steps"/> there are.</param>
    /// <param name="samplesOfOutcome">Samples for each outcome in each language.</param>
    /// <param name="hosts">Hosts for each language.</param>
    /// <param name="hostile">Put into samples, hosts, sources and places.</param>
    /// <param name="spoil">Changes the counts before they are written.</param>
    public static string Write(string folder, IReadOnlyList<string> languages, int steps = 15, int samplesOfOutcome = 3, int hosts = 200, string hostile = "", Action<List<ManifestCount>>? spoil = null)
    {
        Directory.CreateDirectory(folder);
        var counts = new List<ManifestCount> { new("source", "bad-line", Documents: 12), new("source", "picture", Documents: 3400) };
        var samples = new StringBuilder();
        string source = "crawl" + hostile;
        void Count(string step, string reason, string language, long documents, long bytes, long tokens = 0) => counts.Add(new ManifestCount(step, reason, language, source, "unknown", documents, bytes, tokens));
        void Sample(string step, string reason, string language)
        {
            string words = LanguageCatalog.TryFind(language) is { } known ? string.Join(' ', known.Examples) : "0110 1001 <div> 404";
            string text = string.Concat(Enumerable.Repeat(words + " ", 1 + 400 / words.Length))[..400] + hostile;
            for (int i = 0; i < samplesOfOutcome; i++)
            {
                samples.Append(new JsonObject
                {
                    ["step"] = step,
                    ["reason"] = reason,
                    ["language"] = language,
                    ["source"] = source,
                    ["license"] = "unknown",
                    ["id"] = $"{step}-{i}",
                    ["url"] = $"https://www.{language}.example/{step}/{reason}/{i}{hostile}",
                    ["bytes"] = 4000 + i,
                    ["text"] = hostile + text,
                }.ToJsonString()).Append('\n');
            }
        }

        long unknown = 0;
        for (int l = 0; l < languages.Count; l++)
        {
            string language = languages[l];
            long documents = 2_000_000 / (1 + l * l) + 4000, moved = documents * 9 / 10;
            unknown += moved;
            Count("read", "read", language, documents - moved, (documents - moved) * 3000);
            Count("identification", "moved-in", language, moved, moved * 3000);
            long bytes = documents * 3000;
            foreach ((string step, string[] reasons) in Steps.Take(steps).Skip(1))
            {
                if (step is "mojibake" or "lines")
                {
                    Count(step, "changed", language, documents / 20, documents / 20 * 3000);
                    Count(step, "became", language, documents / 20, documents / 20 * 2900);
                    bytes -= documents / 20 * 100;
                }
                foreach (string reason in reasons)
                {
                    long dropped = documents / (11 + 7 * reason.Length % 13);
                    documents -= dropped;
                    bytes -= dropped * 1500;
                    Count(step, reason, language, dropped, dropped * 1500, dropped * 400);
                    Sample(step, reason, language);
                }
            }
            Count("split", "held-out", language, 50, 150_000, 40_000);
            Count("split", "copy-of-held-out", language, 2, 6_000, 1_600);
            Count("split", "train", language, documents - 52, bytes - 156_000, (bytes - 156_000) / 4);
            if (l > languages.Count / 2) Count("split", "repeated", language, documents - 52, bytes - 156_000, (bytes - 156_000) / 4);
            Sample("split", "train", language);
            Sample("split", "held-out", language);
        }
        long without = unknown / 10;
        Count("read", "read", "und", unknown + without, (unknown + without) * 3000);
        Count("identification", "moved-out", "und", unknown, unknown * 3000);
        Count("identification", "no-language", "und", without / 2, without / 2 * 3000, without);
        Count("identification", "unknown-language", "und", without - without / 2, (without - without / 2) * 3000, without);
        Sample("identification", "no-language", "und");
        spoil?.Invoke(counts);

        var domains = new StringBuilder();
        foreach (string language in languages)
            for (int i = 0; i < hosts; i++) domains.Append(CultureInfo.InvariantCulture, $"{language}\t{(i == 0 ? hostile.Replace("\n", "", StringComparison.Ordinal) : "")}host{i:0000}.{language}.example\t{hosts - i}\t{(hosts - i) * 3000}\n");
        var settings = new JsonObject
        {
            ["source"] = "crawl",
            ["languages"] = new JsonArray([.. languages.Select(code => (JsonNode)code), .. languages.Contains("lb") ? (JsonNode[])[] : ["lb"]]),
            ["tokenizer"] = "europa-16k",
            ["steps"] = new JsonArray([.. Steps.Take(steps).Select(step => (JsonNode)new JsonObject { ["step"] = step.Name })]),
        };
        (string Name, string Content)[] files =
        [
            ("domains.tsv", domains.ToString()), ("samples.jsonl", samples.ToString()),
            ("skipped.jsonl", new JsonObject { ["place"] = $"crawl/a.warc.gz:1234{hostile}", ["reason"] = "bad-line" }.ToJsonString() + "\n"),
        ];
        foreach ((string name, string content) in files) File.WriteAllText(Path.Combine(folder, name), content);
        Save(folder, new Manifest("corpus", settings, [], [.. files.Select(file => new ManifestOutput(file.Name, new FileInfo(Path.Combine(folder, file.Name)).Length, Manifest.HashFile(PhysicalFileSystem.Instance, Path.Combine(folder, file.Name))))], counts, "1.0"));
        return folder;
    }

    /// <summary>Replaces a file of the folder, and what the manifest says of it.</summary>
    public static void Replace(string folder, string name, string content)
    {
        var manifest = Manifest.Read(PhysicalFileSystem.Instance, folder);
        File.WriteAllText(Path.Combine(folder, name), content);
        Save(folder, manifest with
        {
            Outputs = [.. manifest.Outputs.Where(file => file.Path != name),
                new ManifestOutput(name, new FileInfo(Path.Combine(folder, name)).Length, Manifest.HashFile(PhysicalFileSystem.Instance, Path.Combine(folder, name)))],
        });
    }

    private static void Save(string folder, Manifest manifest) => File.WriteAllBytes(Path.Combine(folder, Manifest.FileName), manifest.ToJson());
}
