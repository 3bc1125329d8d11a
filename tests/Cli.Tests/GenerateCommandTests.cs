using System.Text.Json.Nodes;

namespace OpenEuroLLM.Cli.Tests;

public sealed class GenerateCommandTests(SmallRun run)
{
    private string[] Command(params string[] more) => ["generate", "--model", run.Model, "--prompt", "The capital of France is", .. more];

    [Fact]
    public void Prints_the_continuation_alone_and_the_same_seed_gives_the_same()
    {
        var (code, first, error) = Oellm.Run(Command("--max-tokens", "12", "--seed", "7"));
        Assert.Equal((0, ""), (code, error));
        Assert.DoesNotContain("The capital of France is", first, StringComparison.Ordinal);
        Assert.NotEqual("", first.Trim());
        Assert.Equal(first, Oellm.Succeeds(Command("--max-tokens", "12", "--seed", "7", "--threads", "1")).Output);
        Assert.NotEqual(first, Oellm.Succeeds(Command("--max-tokens", "12", "--seed", "8")).Output);
        Assert.Equal(first, Oellm.Succeeds(Command("--max-tokens", "12", "--seed", "7", "--speculate", "4")).Output);
        var json = JsonNode.Parse(Oellm.Succeeds(Command("--max-tokens", "12", "--seed", "7", "--json")).Output)!;
        Assert.Equal(first, (string)json["text"]! + "\n");
        Assert.Equal(["completionTokens", "finishReason", "promptTokens", "text"], json.AsObject().Select(pair => pair.Key).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Numbers_outside_their_limits_are_named_as_on_the_command_line()
    {
        Oellm.Refuses(Command("--max-tokens", "-1"), "--max-tokens is -1; expected 1 or more.");
        Oellm.Refuses(Command("--max-tokens", "0"), "--max-tokens is 0; expected 1 or more.");
        Oellm.Refuses(Command("--max-tokens", "2000000000"), "--max-tokens is 2000000000", "the model's context holds 256", "Lower --max-tokens to");
        Oellm.Refuses(Command("--temperature", "-1"), "temperature is -1; expected 0 to");
        Oellm.Refuses(Command("--temperature", "NaN"), "temperature is NaN; expected 0 to");
        Oellm.Refuses(Command("--top-k", "-1"), "--top-k is -1; expected");
        Oellm.Refuses(Command("--top-p", "0"), "--top-p is 0; expected");
        Oellm.Refuses(Command("--repetition-penalty", "0"), "--repetition-penalty is 0; expected");
        Oellm.Refuses(Command("--min-p", "2"), "--min-p is 2; expected 0 to 1.");
        Oellm.Refuses(Command("--typical-p", "0"), "--typical-p is 0; expected above 0, up to 1.");
        Oellm.Refuses(Command("--presence-penalty", "3"), "--presence-penalty is 3; expected -2 to 2.");
        Oellm.Refuses(Command("--frequency-penalty", "-3"), "--frequency-penalty is -3; expected -2 to 2.");
        Oellm.Refuses(Command("--speculate", "0"), "--speculate is 0; expected 1 to 64.");
        Oellm.Refuses(Command("--threads", "0"), "--threads is 0; expected 1 to 1024.");
        Oellm.Refuses(Command("--stop", ""), "stop[0] has 0 characters");
    }

    [Fact]
    public void A_prompt_longer_than_the_context_is_refused() =>
        Oellm.Refuses(["generate", "--model", run.Model, "--prompt", string.Concat(Enumerable.Repeat("word ", 600))], "the prompt has", "the model's context holds 256", "Shorten the prompt.");

    [Fact]
    public void The_folder_of_a_run_points_to_its_model() =>
        Oellm.Refuses(["generate", "--model", run.Root, "--prompt", "x"], run.Root, "is no model folder", $"did you mean {run.Model}?");
}
