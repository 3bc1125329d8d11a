using System.Diagnostics;
using OpenEuroLLM.Core;
using OpenEuroLLM.Corpus.Deduplication;

namespace OpenEuroLLM.Corpus.Tests.Deduplication;

public sealed class CommonRunsTests
{
    /// <summary>Numbered texts, of which all matches with earlier ones are followed.</summary>
    private static List<string> Cut(string[] texts, int leastWords)
    {
        var winnowing = new Winnowing(leastWords);
        var runs = new CommonRuns(leastWords);
        var seen = new Dictionary<ulong, List<(int Text, int Start)>>();
        var remaining = new List<string>();
        for (int text = 0; text < texts.Length; text++)
        {
            var fingerprints = new List<Fingerprint>();
            winnowing.Add(texts[text], fingerprints);
            runs.Begin(texts[text]);
            foreach (Fingerprint fingerprint in fingerprints)
            {
                if (!seen.TryGetValue(fingerprint.Key, out var places)) seen[fingerprint.Key] = places = [];
                foreach (var (other, start) in places)
                    if (runs.CanAdd(fingerprint.Start)) runs.Add(fingerprint.Start, texts[other], start);
                places.Add((text, fingerprint.Start));
            }
            remaining.Add(new UnitVerdict(null, runs.Cuts()).Remaining(texts[text]));
        }
        return remaining;
    }

    private static string[] Words(string text) => text.Split([' ', '\n', '.', ','], StringSplitOptions.RemoveEmptyEntries);

    private static string Random(ulong seed, int count, uint vocabulary = uint.MaxValue)
    {
        var random = new CounterRandom(seed, 4);
        return string.Join(' ', Enumerable.Range(0, count).Select(i => $"w{random.Below((ulong)i, vocabulary)}"));
    }

    [Fact]
    public void Planted_runs_of_the_least_length_are_cut_and_shorter_ones_are_not()
    {
        for (ulong trial = 0; trial < 200; trial++)
        {
            int length = 40 + (int)trial % 30;
            string run = Random(trial, length), before = Random(trial + 1000, (int)trial % 40 + 1), behind = Random(trial + 2000, (int)trial % 38 + 1);
            string first = $"{behind}x {run} {before}x", later = $"{before} {run} {behind}";
            List<string> remaining = Cut([first, later], 50);
            Assert.Equal(first, remaining[0]);
            Assert.Equal(length >= 50 ? $"{before} {behind}" : later, remaining[1]);
        }
    }

    [Theory]
    [InlineData(2, 6)]
    [InlineData(3, 8)]
    [InlineData(20, 6)]
    public void Exactly_what_lies_in_a_common_run_is_cut(int vocabulary, int leastWords)
    {
        for (ulong trial = 0; trial < 60; trial++)
        {
            string[] texts = [.. Enumerable.Range(0, 4).Select(text => Random(trial * 10 + (ulong)text, 30 + (int)(trial * 7 % 50), (uint)vocabulary))];
            // Runs of whole texts, so that there is something to find where words are many.
            texts[2] += " " + string.Join(' ', Words(texts[0])[5..25]) + " " + texts[2];
            texts[3] = string.Join(' ', Words(texts[2])[10..40]) + " " + texts[3];
            List<string> remaining = Cut(texts, leastWords);
            for (int text = 0; text < texts.Length; text++)
                Assert.Equal(BruteForce(texts, text, leastWords), Words(remaining[text]));
        }
    }

    /// <summary>The words that are in no run that has occurred before.</summary>
    private static string[] BruteForce(string[] texts, int text, int leastWords)
    {
        string[] words = Words(texts[text]);
        bool[] covered = new bool[words.Length];
        for (int other = 0; other <= text; other++)
        {
            string[] earlier = Words(texts[other]);
            for (int i = 0; i < words.Length; i++)
            {
                for (int j = 0; j < (other == text ? i : earlier.Length); j++)
                {
                    int length = 0;
                    while (i + length < words.Length && j + length < earlier.Length && words[i + length] == earlier[j + length]) length++;
                    if (length >= leastWords) Array.Fill(covered, true, i, length);
                }
            }
        }
        return [.. words.Where((_, i) => !covered[i])];
    }

    [Fact]
    public void The_later_occurrence_within_a_text_is_cut()
    {
        string run = Random(1, 60);
        Assert.Equal($"a {run} b c d", Cut([$"a {run} b {run} c {run} d"], 50)[0]);
    }

    [Fact]
    public void Layout_punctuation_and_capitals_hide_nothing()
    {
        string run = Random(1, 60);
        Assert.Equal("before behind", Cut([run, $"before {run.ToUpperInvariant().Replace(" ", ",\n", StringComparison.Ordinal)} behind"], 50)[1]);
    }

    [Fact]
    public void A_whole_copy_leaves_nothing() => Assert.Equal("", Cut([Random(1, 500), $"# „{Random(1, 500)}”.\n"], 50)[1]);

    [Fact]
    public void Words_that_only_begin_or_end_alike_are_not_common()
    {
        string run = Random(1, 49);
        string later = $"b x{run}y c";
        Assert.Equal(later, Cut([$"a {run} d", later], 49)[1]);
        Assert.Equal(later, Cut([$"b {run}yy c x{run}y", later], 51)[1]);
    }

    [Theory]
    [InlineData("First one. ", "Last one.", "First one. Last one.")]
    [InlineData("First one.\n\n", "Last one.", "First one.\n\nLast one.")]
    [InlineData("First one.\n", "\n\nLast one.", "First one.\n\nLast one.")]
    [InlineData("First one.\n- ", "- Last one.", "First one.\n- Last one.")]
    [InlineData("First (", "\n  last) one.", "First\n  last) one.")]
    [InlineData("First, ", "\n\n## Last", "First,\n\n## Last")]
    [InlineData("", "\n\nLast one.", "Last one.")]
    [InlineData("First one.\n\n", "", "First one.")]
    [InlineData("l'", "-t il", "l'-t il")]
    public void What_remains_reads_well(string before, string behind, string expected)
    {
        string run = Random(1, 50);
        string end = behind.StartsWith('-') && !behind.StartsWith("- ", StringComparison.Ordinal) ? behind : "! " + behind;
        if (behind.StartsWith('\n')) end = "!" + behind;
        if (behind.StartsWith("- ", StringComparison.Ordinal)) end = "!\n" + behind;
        Assert.Equal(expected, Cut([run, before + run + end], 50)[1]);
    }

    [Fact]
    public void One_phrase_again_and_again_takes_time_in_proportion()
    {
        string text = string.Concat(Enumerable.Repeat("again and ", 150_000));
        var winnowing = new Winnowing(50);
        var fingerprints = new List<Fingerprint>();
        winnowing.Add(text, fingerprints);
        Assert.True(fingerprints.Count > 100_000);
        var clock = Stopwatch.StartNew();
        var runs = new CommonRuns(50);
        runs.Begin(text);
        for (int i = 1; i < fingerprints.Count; i++)
            foreach (int earlier in (int[])[0, i / 2, i - 1])
                if (fingerprints[earlier].Key == fingerprints[i].Key && runs.CanAdd(fingerprints[i].Start)) runs.Add(fingerprints[i].Start, text, fingerprints[earlier].Start);
        // Comparing in proportion to the square would take an hour.
        Assert.True(clock.Elapsed < TimeSpan.FromSeconds(20), $"{clock.Elapsed}");
        Assert.Equal("again and", new UnitVerdict(null, runs.Cuts()).Remaining(text));
    }

    [Fact]
    public void Many_matches_that_lead_nowhere_take_time_in_proportion()
    {
        // Runs of 30 common words and then another: every match is followed in vain.
        string[] pieces = [.. Enumerable.Range(0, 50).Select(piece => Random((ulong)piece, 30))];
        string other = string.Join(" x ", pieces);
        string text = string.Join(' ', Enumerable.Range(0, 20_000).Select(i => $"{pieces[i % pieces.Length]} y{i}"));
        var clock = Stopwatch.StartNew();
        Assert.Equal(text, Cut([other, text], 50)[1][..text.Length]);
        Assert.True(clock.Elapsed < TimeSpan.FromSeconds(20), $"{clock.Elapsed}");
    }
}
