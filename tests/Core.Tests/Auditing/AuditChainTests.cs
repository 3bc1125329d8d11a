using System.Text;
using OpenEuroLLM.Core.Auditing;

namespace OpenEuroLLM.Core.Tests.Auditing;

public sealed class AuditChainTests
{
    private static readonly DateTimeOffset Noon = new(2026, 3, 1, 12, 0, 0, 123, TimeSpan.Zero);

    [Fact]
    public void Rows_as_they_were_written_hold()
    {
        using var audit = new ListedAudit(5);
        AuditVerdict verdict = Checked(audit);
        Assert.True(verdict.Holds, verdict.Found);
        Assert.Equal(audit.Head, verdict.Head);
        using var none = new ListedAudit(0);
        Assert.Equal(AuditHead.Empty, Checked(none).Head);
    }

    [Fact]
    public void The_hash_is_the_documented_one()
    {
        byte[] bytes = [.. new byte[32], 0, 0, 0, 0, 0, 0, 0, 1, .. "{}"u8];
        Assert.Equal(System.Security.Cryptography.SHA256.HashData(bytes), AuditChain.Hash(new byte[32], 1, "{}"u8));
    }

    [Fact]
    public void The_first_row_that_was_changed_is_named_with_what_was_found_and_expected()
    {
        for (int changed = 0; changed < 4; changed++)
        {
            using var audit = new ListedAudit(4);
            audit.Rows[changed] = audit.Rows[changed] with { Record = Encoding.ASCII.GetBytes(Encoding.ASCII.GetString(audit.Rows[changed].Record).Replace("\"promptTokens\":5", "\"promptTokens\":4", StringComparison.Ordinal)) };
            AuditVerdict verdict = Checked(audit);
            Assert.Equal((false, (long?)changed + 1), (verdict.Holds, verdict.BrokenRow));
            Assert.StartsWith("hash " + Convert.ToHexStringLower(audit.Rows[changed].Hash), verdict.Found, StringComparison.Ordinal);
            Assert.StartsWith("hash ", verdict.Expected, StringComparison.Ordinal);
            Assert.Equal(changed, verdict.Head.Rows);
        }
    }

    [Fact]
    public void A_changed_row_with_a_hash_of_its_own_breaks_the_next_one()
    {
        using var audit = new ListedAudit(4);
        byte[] record = AuditRow.ToRecord(new AuditEntry(AuditKind.Request, Noon, "req_other"));
        audit.Rows[1] = new AuditRow(2, record, AuditChain.Hash(audit.Rows[0].Hash, 2, record));
        Assert.Equal(3, Checked(audit).BrokenRow);
    }

    [Fact]
    public void Missing_and_exchanged_rows_are_named()
    {
        using var missing = new ListedAudit(5);
        missing.Rows.RemoveAt(2);
        AuditVerdict verdict = Checked(missing);
        Assert.Equal((3, "the next row is 4"), (verdict.BrokenRow, verdict.Found));

        using var exchanged = new ListedAudit(5);
        (exchanged.Rows[2], exchanged.Rows[3]) = (exchanged.Rows[2] with { Record = exchanged.Rows[3].Record }, exchanged.Rows[3] with { Record = exchanged.Rows[2].Record });
        Assert.Equal(3, Checked(exchanged).BrokenRow);
    }

    [Fact]
    public void An_end_that_was_cut_off_is_found_by_the_head_beside_the_rows_or_by_a_noted_one()
    {
        using var cut = new ListedAudit(5);
        AuditHead noted = cut.Head;
        cut.Rows.RemoveRange(3, 2);
        AuditVerdict verdict = Checked(cut);
        Assert.Equal((4, "the end after row 3"), (verdict.BrokenRow, verdict.Found));

        cut.Head = new AuditHead(3, Convert.ToHexStringLower(cut.Rows[2].Hash)); // whoever cut it off also changed the head
        Assert.True(Checked(cut).Holds);
        Assert.Contains("as noted", Checked(cut, noted).Expected, StringComparison.Ordinal);
    }

    [Fact]
    public void A_history_written_anew_is_found_by_a_noted_head()
    {
        using var audit = new ListedAudit(5);
        AuditHead noted = new(3, Convert.ToHexStringLower(audit.Rows[2].Hash));
        Assert.True(Checked(audit, noted).Holds);
        using var forged = new ListedAudit(6, "req_forged");
        Assert.True(Checked(forged).Holds);
        AuditVerdict verdict = Checked(forged, noted);
        Assert.Equal(3, verdict.BrokenRow);
        Assert.Contains("written anew", verdict.Expected, StringComparison.Ordinal);
    }

    [Fact]
    public void A_head_that_belongs_to_other_rows_is_found()
    {
        using var audit = new ListedAudit(3);
        audit.Head = new AuditHead(2, new string('a', 64));
        Assert.Equal(2, Checked(audit).BrokenRow);
    }

    [Fact]
    public void A_record_of_another_form_is_named()
    {
        using var audit = new ListedAudit(0);
        byte[] record = "{\"kind\":\"request\",\"at\":\"2026-03-01T12:00:00Z\",\"prompt\":\"x\"}"u8.ToArray();
        audit.Rows.Add(new AuditRow(1, record, AuditChain.Hash(new byte[32], 1, record)));
        AuditVerdict verdict = Checked(audit);
        Assert.Contains("'prompt'", verdict.Found, StringComparison.Ordinal);
    }

    [Fact]
    public void Records_are_ascii_with_their_fields_in_order_and_come_back_as_they_were()
    {
        var entry = new AuditEntry(AuditKind.Request, Noon, "req_1", 2, "0123456789ab", "Úřad \"A\"\n", "POST /v1/messages", "m", new string('f', 16), new string('a', 64),
            new AuditSampling(0.7, 40, 0.95, 0, 1, 1.1, 0, 0, ulong.MaxValue, 1, 0, 0, 64), 10, 8, 12, 1500, 90_000, AuditOutcome.Completed, "stop");
        byte[] record = AuditRow.ToRecord(entry);
        Assert.Equal("""{"kind":"request","at":"2026-03-01T12:00:00.123\u002B00:00","requestId":"req_1","part":2,"keyId":"0123456789ab","keyName":"\u00DA\u0159ad \u0022A\u0022\n","route":"POST /v1/messages","model":"m","fingerprint":"ffffffffffffffff","weightsSha256":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","sampling":{"temperature":0.7,"topK":40,"topP":0.95,"minP":0,"typicalP":1,"repetitionPenalty":1.1,"presencePenalty":0,"frequencyPenalty":0,"seed":18446744073709551615,"choices":1,"stopTexts":0,"biasedTokens":0,"maxTokens":64},"promptTokens":10,"cachedTokens":8,"answerTokens":12,"firstTokenMicroseconds":1500,"wholeMicroseconds":90000,"outcome":"completed","code":"stop"}""",
            Encoding.UTF8.GetString(record).Replace("+00:00", "\\u002B00:00", StringComparison.Ordinal));
        Assert.Equal(entry, new AuditRow(1, record, []).Entry());
        Assert.DoesNotContain(record, letter => letter is >= 0x80 or (byte)'\n');
    }

    [Fact]
    public void Usage_is_summed_by_day_key_and_model()
    {
        AuditEntry Asked(int hour, string? key, string model, int tokens, int? part = null) =>
            new(AuditKind.Request, Noon.AddHours(hour), KeyId: key, KeyName: key is null ? null : "of " + key, Model: model, Part: part, PromptTokens: tokens, CachedTokens: 1, AnswerTokens: 2, Outcome: AuditOutcome.Completed);

        IReadOnlyList<AuditUsage> usage = AuditUsage.Of(
        [
            new AuditEntry(AuditKind.Started, Noon), Asked(0, "b", "m", 10), Asked(0, "b", "m", 5, part: 1), Asked(1, "a", "m", 7), Asked(1, "a", "n", 7), Asked(13, "a", "m", 100),
            new AuditEntry(AuditKind.Refusal, Noon, KeyId: "a", Model: "m", Outcome: AuditOutcome.Refused, Requests: 40), new AuditEntry(AuditKind.Refusal, Noon, Outcome: AuditOutcome.Refused),
        ]);

        var day = new DateOnly(2026, 3, 1);
        Assert.Equal(
        [
            new AuditUsage(day, null, null, null, 0, 1, 0, 0, 0),
            new AuditUsage(day, "a", "of a", "m", 1, 40, 7, 1, 2),
            new AuditUsage(day, "a", "of a", "n", 1, 0, 7, 1, 2),
            new AuditUsage(day, "b", "of b", "m", 1, 0, 15, 2, 4),
            new AuditUsage(day.AddDays(1), "a", "of a", "m", 1, 0, 100, 1, 2),
        ], usage);
    }

    [Theory]
    [InlineData("")]
    [InlineData("3")]
    [InlineData("3:abc")]
    [InlineData("-1:0000000000000000000000000000000000000000000000000000000000000000")]
    [InlineData("1:000000000000000000000000000000000000000000000000000000000000000g")]
    public void A_head_that_is_none_is_refused(string text) => Assert.Contains("ROWS:HASH", Assert.Throws<UserErrorException>(() => AuditHead.Parse(text)).Message, StringComparison.Ordinal);

    [Fact]
    public void A_head_is_read_as_it_was_noted()
    {
        using var audit = new ListedAudit(3);
        Assert.Equal(audit.Head, AuditHead.Parse(audit.Head.ToString()));
    }

    /// <summary>Rows that a test may change as an attacker would.</summary>
    private sealed class ListedAudit : IAuditReader
    {
        public ListedAudit(int rows, string request = "req_")
        {
            byte[] before = new byte[AuditChain.HashBytes];
            for (int row = 1; row <= rows; row++)
            {
                byte[] record = AuditRow.ToRecord(new AuditEntry(AuditKind.Request, Noon, request + row, PromptTokens: 5));
                before = AuditChain.Hash(before, row, record);
                Rows.Add(new AuditRow(row, record, before));
            }
            Head = new AuditHead(rows, Convert.ToHexStringLower(before));
        }

        public List<AuditRow> Rows { get; } = [];

        public AuditHead Head { get; set; }

        public IEnumerable<AuditRow> Read(long from = 1) => Rows.Where(row => row.Sequence >= from);

        public void Dispose() { }
    }

    private static AuditVerdict Checked(IAuditReader reader, AuditHead? noted = null) => AuditChain.Verify(reader, noted, TestContext.Current.CancellationToken);
}
