namespace OpenEuroLLM.Evaluation.Tests;

public sealed class ShortAnswerTests
{
    [Theory]
    [InlineData("Vienna", "Vienna", true)]
    [InlineData("  Vienna\n", "Vienna", true)]
    [InlineData("Vienna.", "Vienna", true)]
    [InlineData("Vienna .", "Vienna", true)]
    [InlineData("Vienna", "Vienna.", true)]
    [InlineData("Malmo\u0308", "Malmö", true)]
    [InlineData("vienna", "Vienna", false)]
    [InlineData("Vienna..", "Vienna", false)]
    [InlineData("Vienna!", "Vienna", false)]
    [InlineData("Vienna, Austria", "Vienna", false)]
    [InlineData("", "Vienna", false)]
    public void White_space_a_full_stop_and_the_form_of_letters_do_not_count(string found, string expected, bool matches) =>
        Assert.Equal(matches, ShortAnswer.Matches(found, expected));
}
