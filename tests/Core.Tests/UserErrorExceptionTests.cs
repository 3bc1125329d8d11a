namespace OpenEuroLLM.Core.Tests;

public sealed class UserErrorExceptionTests
{
    [Fact]
    public void A_message_stays_one_line_whatever_was_found() =>
        Assert.Equal("a.model: piece 'x y  [31mz é' appears twice.", new UserErrorException("a.model: piece 'x\ny\r\u001B[31mz\u2028é' appears twice.").Message);
}
