using System.Text;
using OpenEuroLLM.Core;
using OpenEuroLLM.Corpus.Contamination;

namespace OpenEuroLLM.Corpus.Tests.Contamination;

public sealed class TaskFilesTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private static List<TaskItem> Read(string path, IReadOnlyList<string>? fields = null)
    {
        var reader = new TaskFiles(PhysicalFileSystem.Instance, fields, "task", "id");
        return [.. TaskFiles.Find(PhysicalFileSystem.Instance, [path]).SelectMany(reader.Read)];
    }

    [Fact]
    public void The_task_is_named_by_a_field_or_else_by_the_file()
    {
        string path = _folder.Write("Belebele (de).jsonl", Tasks.Item("1", "one") + "\n" + Tasks.Item("2", "two", "Other/Task"));
        Assert.Equal([("belebele-de", "1"), ("other-task", "2")], Read(path).Select(item => (item.Task, item.Id)));
    }

    [Fact]
    public void Each_line_of_a_text_file_is_an_item()
    {
        string path = _folder.Write("questions.txt", "first\n\n  \nsecond\r\n");
        Assert.Equal([("questions.txt:1", "first"), ("questions.txt:4", "second")], Read(path).Select(item => (item.Id, item.Parts[0])));
    }

    [Fact]
    public void Items_of_one_name_are_told_apart()
    {
        string path = _folder.Write("t.jsonl", Tasks.Item("1", "one") + Tasks.Item("1", "two"));
        Assert.Equal(["1", "1 (t.jsonl:2)"], Read(path).Select(item => item.Id));
    }

    [Fact]
    public void Of_choices_the_true_one_is_part_of_the_item()
    {
        string path = _folder.Write("t.jsonl", """{"id":"a","context":"The capital is","choices":[" Rome."," Vienna."],"answer":1}""");
        Assert.Equal(["The capital is Vienna."], Read(path)[0].Parts);
    }

    [Fact]
    public void Fields_can_be_chosen_and_may_be_lists()
    {
        string path = _folder.Write("t.jsonl", """{"stem":"What is it?","options":["A house","A ship"],"question":"not this"}""");
        Assert.Equal(["What is it?", "A house", "A ship"], Read(path, ["stem", "options"])[0].Parts);
    }

    [Fact]
    public void Of_a_corpus_folder_the_examination_is_read()
    {
        _folder.Write("corpus/train/en-00000.jsonl", Tasks.Line("1", "text"));
        _folder.Write("corpus/examination.jsonl", """{"id":"a","question":"Which?","expected":"That."}""");
        Assert.Equal([("examination", "a")], Read(_folder["corpus"]).Select(item => (item.Task, item.Id)));
    }

    [Theory]
    [InlineData("not json", "not valid JSON")]
    [InlineData("[1]", "not a JSON object")]
    [InlineData("""{"id":"x","other":"y"}""", "no field has a text")]
    [InlineData("""{"task":3,"text":"y"}""", "field 'task' is not a string")]
    [InlineData("""{"context":"a","choices":["b"],"answer":1}""", "field 'answer' is 1")]
    [InlineData("""{"text":"\ud800"}""", "not valid Unicode")]
    [InlineData("""{"text":"a","text":"b"}""", "not valid JSON")]
    public void A_malformed_line_is_named_by_file_and_number(string line, string expected)
    {
        string path = _folder.Write("t.jsonl", Tasks.Item("1", "fine") + "\n" + line + "\n");
        string message = Assert.Throws<UserErrorException>(() => Read(path)).Message;
        Assert.StartsWith($"{path}:3: ", message, StringComparison.Ordinal);
        Assert.Contains(expected, message, StringComparison.Ordinal);
    }

    [Fact]
    public void Text_that_is_not_UTF8_is_named_by_file_and_number()
    {
        string path = _folder["t.txt"];
        File.WriteAllBytes(path, [.. "fine\n"u8, 0xE9, (byte)'\n']);
        Assert.StartsWith($"{path}:2: ", Assert.Throws<UserErrorException>(() => Read(path)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("absent.jsonl", "not found")]
    [InlineData("table.parquet", "no file of evaluation items")]
    [InlineData("empty", "holds no evaluation tasks")]
    public void What_holds_no_tasks_is_refused(string name, string expected)
    {
        _folder.Write("table.parquet", "");
        Directory.CreateDirectory(_folder["empty"]);
        Assert.Contains(expected, Assert.Throws<UserErrorException>(() => Read(_folder[name])).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Damaged_files_are_refused_in_one_line_or_read()
    {
        byte[] sound = Encoding.UTF8.GetBytes(string.Concat(Tasks.Sentences.Select(sentence => Tasks.Item(sentence.Key, sentence.Value, "t"))));
        var random = new CounterRandom(5, 5);
        ulong next = 0;
        int refused = 0;
        for (int round = 0; round < 400; round++)
        {
            byte[] damaged = [.. sound];
            for (int i = 0; i <= round % 4; i++) damaged[random.Below(next++, (uint)damaged.Length)] = (byte)random.Below(next++, 256);
            if (round % 5 == 0) damaged = damaged[..(int)random.Below(next++, (uint)damaged.Length)];
            string path = _folder[round % 2 == 0 ? "f.jsonl" : "f.txt"];
            File.WriteAllBytes(path, damaged);
            try
            {
                TaskIndex.Build(Read(path), 13, 8, null, 10);
            }
            catch (UserErrorException error)
            {
                refused++;
                Assert.StartsWith(path + ":", error.Message, StringComparison.Ordinal);
            }
        }
        Assert.InRange(refused, 50, 350);
    }
}
