using OpenEuroLLM.Core;

namespace OpenEuroLLM.Formats.Tests;

public sealed class TokenShardTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private string Prefix => _folder.File("train");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Writes_the_golden_bytes()
    {
        Write(300, [1, 2, 3], [4, 5]);
        Assert.Equal("01000200030004000500", Convert.ToHexString(File.ReadAllBytes(Prefix + ".bin")));
        Assert.Equal(
            "4D4D494449445800000100000000000000080200000000000000" + "0300000000000000"   // magic, version, type, S = 2, D = 3
            + "0300000002000000" + "0000000000000000" + "0600000000000000"               // lengths, byte offsets
            + "0000000000000000" + "0100000000000000" + "0200000000000000",              // document bounds
            Convert.ToHexString(File.ReadAllBytes(Prefix + ".idx")));
        Assert.Equal(82, new FileInfo(Prefix + ".idx").Length);
    }

    [Theory]
    [InlineData(65_499, 2)]
    [InlineData(65_500, 4)]
    [InlineData(200_000, 4)]
    public void The_vocabulary_decides_the_width_of_a_token(int vocabularySize, int bytes)
    {
        Write(vocabularySize, [0, vocabularySize - 1], [], [7]);
        Assert.Equal(3 * bytes, new FileInfo(Prefix + ".bin").Length);
        using var shard = TokenShard.Open(Prefix, vocabularySize);
        Assert.Equal(3, shard.Documents);
        Assert.Equal(3, shard.Tokens);
        Assert.Equal([2, 0, 1], [shard.Length(0), shard.Length(1), shard.Length(2)]);
        int[] tokens = new int[2];
        shard.Read(0, 0, tokens);
        Assert.Equal([0, vocabularySize - 1], tokens);
        shard.Read(0, 1, tokens.AsSpan(0, 1));
        Assert.Equal(vocabularySize - 1, tokens[0]);
        shard.Read(1, 0, []);
        Assert.Throws<ArgumentOutOfRangeException>(() => shard.Read(0, 1, tokens));
        Assert.Throws<ArgumentOutOfRangeException>(() => shard.Length(3));
    }

    [Fact]
    public void Many_documents_come_back_as_they_went_in()
    {
        int[][] documents = [.. Enumerable.Range(0, 40_000).Select(d => Enumerable.Range(0, d % 23).Select(t => (d * 31 + t) % 65_000).ToArray())];
        Write(65_000, documents);
        using var shard = TokenShard.Open(Prefix);
        Assert.Equal(documents.Sum(document => (long)document.Length), shard.Tokens);
        for (int d = 0; d < documents.Length; d += 7)
        {
            int[] tokens = new int[shard.Length(d)];
            shard.Read(d, 0, tokens);
            Assert.Equal(documents[d], tokens);
        }
    }

    [Fact]
    public void A_shard_without_documents_is_valid()
    {
        Write(300);
        using var shard = TokenShard.Open(Prefix);
        Assert.Equal(0, shard.Documents);
        Assert.Equal(0, shard.Tokens);
    }

    [Fact]
    public void A_document_of_several_sequences_is_one_document()
    {
        Write(300, [1, 2, 3], [4, 5]);
        byte[] index = File.ReadAllBytes(Prefix + ".idx");
        index[26] = 2;                                   // bounds 0 and 2: one document
        byte[] shorter = [.. index[..^16], .. BitConverter.GetBytes(2L)];
        File.WriteAllBytes(Prefix + ".idx", shorter);
        using var shard = TokenShard.Open(Prefix);
        Assert.Equal(1, shard.Documents);
        int[] tokens = new int[shard.Length(0)];
        shard.Read(0, 0, tokens);
        Assert.Equal([1, 2, 3, 4, 5], tokens);
    }

    [Fact]
    public void Sequence_modes_at_the_end_are_accepted()
    {
        Write(300, [1, 2, 3], [4, 5]);
        File.WriteAllBytes(Prefix + ".idx", [.. File.ReadAllBytes(Prefix + ".idx"), 0, 0]);
        using var shard = TokenShard.Open(Prefix);
        Assert.Equal(2, shard.Documents);
    }

    [Theory]
    [InlineData(0, 0x4E, "no index of token shards")]
    [InlineData(9, 2, "the version is 2")]
    [InlineData(17, 7, "the token type is 7")]
    [InlineData(17, 4, "starts at byte 6; expected 12")]
    [InlineData(18, 3, "need 94")]
    [InlineData(26, 4, "need 90")]
    [InlineData(37, 0x80, "sequence 0 has the length -2147483645")]
    [InlineData(34, 2, "sequence 1 starts at byte 6; expected 4")]
    [InlineData(38, 3, "the sequences end at byte 12, but train.bin has 10")]
    [InlineData(42, 1, "sequence 0 starts at byte 1; expected 0")]
    [InlineData(49, 0x80, "sequence 0 starts at byte -9223372036854775808")]
    [InlineData(58, 1, "document bound 0 is 1")]
    [InlineData(66, 3, "document bound 1 is 3")]
    [InlineData(74, 1, "the last document bound is 1")]
    public void A_changed_byte_in_the_index_is_named(int position, byte value, string message)
    {
        Write(300, [1, 2, 3], [4, 5]);
        byte[] index = File.ReadAllBytes(Prefix + ".idx");
        index[position] = value;
        File.WriteAllBytes(Prefix + ".idx", index);
        AssertRefused(message);
    }

    [Fact]
    public void Cut_and_missing_files_are_named()
    {
        AssertRefused(": not found");
        Write(300, [1, 2, 3], [4, 5]);
        byte[] index = File.ReadAllBytes(Prefix + ".idx");
        for (int length = 0; length < index.Length; length++)
        {
            File.WriteAllBytes(Prefix + ".idx", index[..length]);
            AssertRefused("");
        }
        File.WriteAllBytes(Prefix + ".idx", index);
        File.WriteAllBytes(Prefix + ".bin", new byte[8]);
        AssertRefused("end at byte 10, but train.bin has 8");
        File.WriteAllBytes(Prefix + ".bin", []);
        AssertRefused("end at byte 10, but train.bin has 0");
        File.Delete(Prefix + ".bin");
        AssertRefused("train.bin: not found");
    }

    [Fact]
    public void A_token_outside_the_vocabulary_is_named()
    {
        Write(300, [1, 2], [3, 299]);
        using var shard = TokenShard.Open(Prefix, vocabularySize: 256);
        int[] tokens = new int[2];
        shard.Read(0, 0, tokens);
        var error = Assert.Throws<UserErrorException>(() => shard.Read(1, 0, tokens));
        Assert.Contains("document 1 holds token 299; expected 0 to 255", error.Message, StringComparison.Ordinal);
        using var writer = new TokenShardWriter(_folder.File("other"), 256);
        Assert.Throws<ArgumentOutOfRangeException>(() => writer.Add([256]));
        Assert.Throws<ArgumentOutOfRangeException>(() => writer.Add([-1]));
    }

    private void Write(int vocabularySize, params int[][] documents)
    {
        using var writer = new TokenShardWriter(Prefix, vocabularySize);
        foreach (int[] document in documents)
            writer.Add(document);
        Assert.Equal(documents.Length, writer.Documents);
        writer.Finish();
    }

    private void AssertRefused(string message)
    {
        var error = Assert.Throws<UserErrorException>(() => TokenShard.Open(Prefix));
        Assert.StartsWith(Prefix, error.Message, StringComparison.Ordinal);
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
    }
}
