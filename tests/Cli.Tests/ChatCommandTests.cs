using System.Text.Json.Nodes;

namespace OpenEuroLLM.Cli.Tests;

public sealed class ChatCommandTests(SmallRun run)
{
    [Fact]
    public void Answers_each_line_of_a_pipe_and_starts_again_when_asked()
    {
        var (code, output, error) = Oellm.Process(["chat", "--model", run.Model, "--max-tokens", "6", "--temperature", "0", "--json"], "What is the capital of Malta?\n/new\nWhat is the capital of Malta?\n\n/exit\nnot read\n");
        Assert.Equal((0, ""), (code, error));
        var answers = output.TrimEnd().Split('\n').Select(line => JsonNode.Parse(line)!.ToJsonString()).ToList();
        Assert.Equal(2, answers.Count);
        Assert.Equal(answers[0], answers[1]); // begun again: the same question, the same answer
    }

    [Fact]
    public void A_conversation_longer_than_the_context_ends_with_one_line()
    {
        var (code, output, error) = Oellm.Process(["chat", "--model", run.Model, "--max-tokens", "4"], string.Concat(Enumerable.Repeat("word ", 600)) + "\n");
        Oellm.Refused(new Outcome(code, output, error), "the prompt has", "the model's context holds 256");
    }
}
