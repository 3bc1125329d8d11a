using System.Text;
using OpenEuroLLM.Corpus.Readers;

namespace OpenEuroLLM.Corpus.Tests.Readers;

public sealed class CsvTests
{
    [Theory]
    [InlineData("a,b\nc,d", "a|b/c|d")]
    [InlineData("a,b\r\nc,d\r\n", "a|b/c|d")]
    [InlineData("\uFEFFa,\n,b\n\n\nc,d", "a|/|b/c|d")]
    [InlineData("\"a,\"\"x\"\"\",\"line\r\nline\"\nc", "a,\"x\"|line\r\nline/c")]
    [InlineData("a\"b,c\"\"d,\"e\"f", "a\"b|c\"\"d|ef")]
    [InlineData("\"never closed,\nb", "never closed,\nb")]
    [InlineData("", "")]
    public void Rows_are_read_as_the_standard_says_and_leniently_where_it_is_silent(string file, string rows) => Assert.Equal(rows, string.Join('/', Rows(file, ',').Select(row => string.Join('|', row))));

    [Fact]
    public void What_is_written_is_read()
    {
        var random = new Random(31);
        string[] pieces = ["a", "\"", ",", "\t", "\r\n", "\n", "ž", " ", "\"\""];
        for (int turn = 0; turn < 500; turn++)
        {
            string[][] rows = [.. Enumerable.Range(0, random.Next(1, 6)).Select(_ => Enumerable.Range(0, 3).Select(_ => "x" + string.Concat(Enumerable.Range(0, random.Next(6)).Select(_ => pieces[random.Next(pieces.Length)]))).ToArray())];
            string file = string.Concat(rows.Select(row => string.Join('\t', row.Select(field => $"\"{field.Replace("\"", "\"\"", StringComparison.Ordinal)}\"")) + "\r\n"));
            Assert.Equal(rows, Rows(file, '\t'));
        }
    }

    [Fact]
    public void Anything_ends()
    {
        var random = new Random(32);
        for (int turn = 0; turn < 2000; turn++)
        {
            byte[] file = [.. Enumerable.Range(0, random.Next(80)).Select(_ => (byte)"ab,\"\n\r\u00FF\0"[random.Next(8)])];
            var reader = new CsvReader(new MemoryStream(file), (byte)',', maxRowBytes: 20);
            for (int rows = 0; ; rows++)
            {
                Assert.InRange(rows, 0, file.Length);
                try
                {
                    if (reader.Read() is null) break;
                }
                catch (InvalidDataException)
                {
                }
            }
        }
    }

    [Fact]
    public void A_row_without_end_costs_no_more_than_the_limit()
    {
        var reader = new CsvReader(new MemoryStream([.. "\""u8, .. new byte[100_000], .. "\nb,c\n"u8]), (byte)',', maxRowBytes: 1000);
        Assert.Throws<InvalidDataException>(reader.Read);
        Assert.Equal(2, reader.Read()!.Count);
        Assert.Equal(2, reader.Line);
    }

    private static List<string[]> Rows(string file, char separator)
    {
        var reader = new CsvReader(new MemoryStream(Encoding.UTF8.GetBytes(file)), (byte)separator);
        var rows = new List<string[]>();
        while (reader.Read() is { } row) rows.Add([.. row.Select(field => Encoding.UTF8.GetString(field))]);
        return rows;
    }
}
