using OpenEuroLLM.Core;

namespace OpenEuroLLM.Corpus.Tests.Deduplication;

public sealed class PlantedDuplicatesTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Pairs_of_a_known_similarity_are_joined_as_planned()
    {
        PlantedDuplicatesResult result = PlantedDuplicates.Run(300, 7, _folder["planted"], new LocalLauncher(2), TestContext.Current.CancellationToken);
        Assert.Equal([0.3, 0.5, 0.6, 0.7, 0.8, 0.9], result.Levels.Select(level => level.Jaccard));
        Assert.All(result.Levels, level => Assert.InRange(level.MeanJaccard, level.Jaccard, level.Jaccard + 0.03));
        Assert.True(result.Levels[4].Share >= 0.95, $"{result.Levels[4].Joined} of {result.Levels[4].Pairs} joined");
        Assert.Equal(300, result.Levels[5].Joined);
        Assert.InRange(result.Levels[3].Share, 0.1, 0.9);   // the line is drawn here: if all or none were joined, the pairs were not what they should be
        Assert.Equal((0, 0, 1_800, 3_600), (result.FalseMerges, result.UnrelatedMerged, result.Unrelated, result.Documents));
        Assert.True(result.SameWhenDividedOtherwise);
        Assert.False(Directory.Exists(_folder["planted"]));
    }
}
