using System.Text.Json.Nodes;

namespace OpenEuroLLM.Cli.Tests;

public sealed class ProveCommandTests : IDisposable
{
    private static readonly string[] _small = ["--tokens", "6144", "corpus.languages=[\"en\"]", "tokenizer.vocabularySize=400", "model.layers=1", "training.batchTokens=256", "training.checkpointSteps=4", "training.evaluateSteps=12"];

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_training_killed_at_random_moments_ends_with_the_same_weights()
    {
        var (code, output, error) = Oellm.Process(["prove", "resume", "--kills", "3", "--out", _folder.At("proof"), .. _small]);
        Assert.True(code == 0, error);
        var result = JsonNode.Parse(output)!;
        Assert.True((bool)result["holds"]!);
        Assert.Equal((3, 3), ((int)result["killed"]!, (int)result["sameWeights"]!));
    }

    [Fact]
    public void A_corpus_whose_building_is_killed_is_the_same_and_every_document_is_accounted_for()
    {
        var (code, output, error) = Oellm.Process(["prove", "corpus-kills", "--kills", "3", "--documents", "400", "--out", _folder.At("proof")]);
        Assert.True(code == 0, error + output);
        var result = JsonNode.Parse(output)!;
        Assert.Equal((400, 3), ((int)result["documents"]!, (int)result["killed"]!));
        Assert.Equal((int)result["rounds"]!, (int)result["sameBytes"]!);
        Assert.Equal((int)result["rounds"]!, (int)result["accountedOnce"]!);
    }

    [Fact]
    public void A_server_that_is_killed_has_the_row_of_every_answer_whose_end_was_seen()
    {
        Assert.SkipUnless(Directory.Exists(Path.Combine(AppContext.BaseDirectory, ModelPath.BuiltIn)), "this build has no built-in model");
        var (code, output, error) = Oellm.Process(["prove", "audit-kills", "--kills", "3", "--out", _folder.At("proof")]);
        Assert.True(code == 0, error + output);
        var result = JsonNode.Parse(output)!;
        Assert.Equal((3, 0, 0, true), ((int)result["killed"]!, (int)result["missing"]!, (int)result["differentCounts"]!, (bool)result["chainHolds"]!));
        Assert.InRange((long)result["acknowledged"]!, 1, (long)result["rows"]!);
    }

    [Fact]
    public void Archives_with_lying_lengths_cost_no_good_document()
    {
        var (code, output, error) = Oellm.Process(["prove", "corpus-bombs", "--only", "great-length", "--out", _folder.At("proof")]);
        Assert.True(code == 0, error + output);
        var result = JsonNode.Parse(output)!;
        Assert.Equal((2, 2), ((int)result["cases"]!, (int)result["held"]!));
    }

    [Fact]
    public void Wrong_questions_are_named()
    {
        string[] where = ["--out", _folder.At("proof")];
        Oellm.Refuses(["prove", "resum", .. where], "proof 'resum' is unknown; did you mean 'resume'?");
        Oellm.Refuses(["prove", "pi", .. where], "proof 'pi' is unknown; known: resume, same-bits, corpus-kills, corpus-memory, corpus-bombs, erasure, near-duplicates, audit-kills, serving-replay, serving-soak, serving-overload, serving-disconnects.");
        Oellm.Refuses(["prove", "resume", "--kills", "0", .. where], "--kills", "expected 1 or more");
        Oellm.Refuses(["prove", "resume", "--tokens", "-5", .. where], "--tokens", "expected 1 or more");
        Oellm.Refuses(["prove", "resume", "--documents", "10", .. where], "--documents means nothing to the proof 'resume'");
        Oellm.Refuses(["prove", "resume", "training.seeds=1", .. where], "training.seeds", "did you mean 'seed'?");
    }

    [Fact]
    public void A_folder_of_something_else_is_not_removed()
    {
        string mine = _folder.Write("mine/letter.txt", "x");
        Oellm.Refuses(["prove", "resume", "--out", _folder.At("mine")], _folder.At("mine"), "choose another --out");
        Oellm.Refuses(["prove", "resume", "--out", mine], mine, "is a file");
        Assert.Equal("x", File.ReadAllText(mine));
    }
}
