using OpenEuroLLM.Core;
using OpenEuroLLM.Languages.Identification;

namespace OpenEuroLLM.Languages.Tests.Identification;

/// <summary>A training on the words of the catalogue alone, for tests of the trainer and of the model's file.</summary>
internal static class SmallTraining
{
    public static readonly IdentifierConfig Config = new(Windows: 150, Passes: 1, LatinBuckets: 400, CyrillicBuckets: 100);

    public static byte[] Model(int workers, IdentifierConfig? config = null) =>
        IdentifierTrainer.Train([], config ?? Config, _ => { }, new LocalLauncher(workers), null, TestContext.Current?.CancellationToken ?? default);
}
