using System.Text;
using OpenEuroLLM.Core;

namespace OpenEuroLLM.Tokenizers.Tests;

public sealed class WordCountingTests : IDisposable
{
    private const long ProgramBytes = 192L << 20;

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("oellm-words-");

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private string Spill => Path.Combine(_folder.FullName, "words");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public void Words_on_disk_and_in_memory_give_the_same_tokenizer()
    {
        var config = new BpeTrainerConfig(1200, MinimumPairCount: 1);
        var (expected, inMemory) = Train(config, BpeTrainer.DefaultMemoryBytes, workers: 1);
        var (onDisk, report) = Train(config, BpeTrainer.DefaultMemoryBytes, workers: 2, tableBytes: 1 << 18);
        Assert.Equal(0, inMemory.SpilledRuns);
        Assert.True(report.SpilledRuns > 1);
        Assert.Equal(1, report.MinimumWordCount);
        Assert.Equal(TokenizerJson.Write(expected), TokenizerJson.Write(onDisk));
        Assert.Equal(inMemory.Languages, report.Languages);
        Assert.False(Directory.Exists(Spill));
    }

    [Fact]
    public void Rare_words_are_left_out_only_where_memory_says_so_and_then_counted()
    {
        var config = new BpeTrainerConfig(400, MinimumPairCount: 1);
        var (_, report) = Train(config, ProgramBytes + (2 << 20), workers: 1);
        Assert.True(report.MinimumWordCount > 1);
        Assert.True(report.DroppedWords > 0 && report.DroppedOccurrences >= report.DroppedWords);
        var (again, second) = Train(config, ProgramBytes + (2 << 20), workers: 3);
        Assert.Equal(report with { SpilledRuns = 0, Languages = [] }, second with { SpilledRuns = 0, Languages = [] });
        Assert.Equal(400, again.VocabularySize);
    }

    [Fact]
    public void Many_runs_are_joined_in_several_passes()
    {
        using var runs = new WordRuns(Spill);
        var expected = new SortedDictionary<string, WordSum>(StringComparer.Ordinal);
        for (int run = 0; run < 130; run++)
        {
            var words = new WordCounter();
            for (int word = 0; word < 7; word++)
            {
                string text = FormattableString.Invariant($"w{(run * 31 + word * 17) % 97}{new string('x', word * 9 % 80)}");
                var sum = new WordSum(run + 1L << 33, word, 1);
                words.Add(Encoding.UTF8.GetBytes(text), sum);
                expected[text] = expected.GetValueOrDefault(text) + sum;
            }
            runs.Write(new Dictionary<string, WordCounter> { [run % 2 == 0 ? "even" : "odd"] = words });
        }
        long joined = 0;
        runs.Join((_, sum) => joined += sum.Count, (_, _) => { }, Stop);
        Assert.Equal(["even", "odd"], runs.Languages);
        var found = new SortedDictionary<string, WordSum>(StringComparer.Ordinal);
        foreach (string language in runs.Languages)
        {
            string? before = null;
            runs.Read(language, (word, sum) =>
            {
                string text = Encoding.UTF8.GetString(word);
                Assert.True(before is null || string.CompareOrdinal(before, text) < 0);
                before = text;
                found[text] = found.GetValueOrDefault(text) + sum;
            });
        }
        Assert.Equal(expected, found);
        Assert.Equal(expected.Values.Sum(sum => sum.Count), joined);
    }

    [Fact]
    public void A_folder_that_cannot_be_written_is_named_and_nothing_is_left()
    {
        File.WriteAllText(Spill, "in the way");
        var error = Assert.Throws<UserErrorException>(() => Train(new BpeTrainerConfig(1200), BpeTrainer.DefaultMemoryBytes, workers: 2, tableBytes: 1 << 18));
        Assert.Contains(Spill, error.Message, StringComparison.Ordinal);
        Assert.Single(_folder.EnumerateFileSystemInfos());
    }

    [Fact]
    public void An_interrupted_count_leaves_nothing()
    {
        using var stop = new CancellationTokenSource();
        IEnumerable<TrainingText> Endless()
        {
            for (int i = 0; ; i++)
            {
                if (i == 4000)
                    stop.Cancel();
                yield return MadeUp(i);
            }
        }
        Assert.ThrowsAny<OperationCanceledException>(() => BpeTrainer.Train([new TextsInput(Endless())], new BpeTrainerConfig(400), new LocalLauncher(2),
            new TrainingMemory(BpeTrainer.DefaultMemoryBytes, Spill, TableBytes: 1 << 18), null, stop.Token));
        Assert.Empty(_folder.EnumerateFileSystemInfos());
    }

    [Fact]
    public void A_disk_without_room_is_named_and_nothing_is_left()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && File.Exists("/dev/full"), "needs /dev/full");
        // Every file of the folder is the full device.
        Directory.CreateDirectory(Spill);
        for (int number = 1; number < 40; number++)
            File.CreateSymbolicLink(Path.Combine(Spill, FormattableString.Invariant($"words-{number}.run")), "/dev/full");
        var words = new WordCounter();
        words.Add("word"u8, 3);
        using (var runs = new WordRuns(Spill))
        {
            var error = Assert.Throws<UserErrorException>(() => runs.Write(new Dictionary<string, WordCounter> { ["x"] = words }));
            Assert.Contains("words-1.run: the disk is full", error.Message, StringComparison.Ordinal);
        }
        Assert.Empty(_folder.EnumerateFileSystemInfos());
    }

    [Fact]
    public void Sorted_words_are_in_the_order_of_their_bytes()
    {
        var words = new WordCounter();
        string[] texts = ["b", "a", "aaaaaaaab", "aaaaaaaaa", "aaaaaaaa", "", "a\0", "a\0\0\0\0\0\0\0", "a\0\0\0\0\0\0\0\0", "ž", "aaaaaaaab "];
        foreach (string text in texts)
            words.Add(Encoding.UTF8.GetBytes(text), 1);
        Assert.Equal(texts.Order(StringComparer.Ordinal), words.Sorted().Select(number => Encoding.UTF8.GetString(words.Word(number))));
    }

    [Fact]
    public void Several_inputs_are_read_whole_whatever_the_number_of_threads()
    {
        ITrainingInput[] inputs = [.. Enumerable.Range(0, 5).Select(file => new TextsInput(Enumerable.Range(file * 100, 100).Select(MadeUp)))];
        var config = new BpeTrainerConfig(500);
        byte[][] results = [.. new[] { 1, 2, 7 }.Select(workers =>
            TokenizerJson.Write(BpeTrainer.Train(inputs, config, new LocalLauncher(workers), new TrainingMemory(BpeTrainer.DefaultMemoryBytes, Spill), null, Stop).Tokenizer))];
        Assert.Equal(results[0], results[1]);
        Assert.Equal(results[0], results[2]);
    }

    private (Tokenizer Tokenizer, TrainingReport Report) Train(BpeTrainerConfig config, long memory, int workers, long? tableBytes = null) => BpeTrainer.Train(
        [new TextsInput(Enumerable.Range(0, 4000).Select(MadeUp))], config, new LocalLauncher(workers), new TrainingMemory(memory, Spill, tableBytes), null, Stop);

    /// <summary>A text with many different words.</summary>
    private static TrainingText MadeUp(int number)
    {
        var text = new StringBuilder();
        foreach (uint drawn in Texts.Numbers((ulong)number).Take(40))
        {
            uint rest = drawn % (drawn % 3 == 0 ? 400u : 2_000_000u);
            text.Append(' ');
            do
            {
                text.Append("nasetolik"[(int)(rest % 9)]);
                rest /= 9;
            }
            while (rest > 0);
        }
        return new TrainingText(Encoding.UTF8.GetBytes(text.ToString()), number % 3 == 0 ? "aa" : "bb");
    }
}
