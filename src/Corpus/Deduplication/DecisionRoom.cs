using OpenEuroLLM.Core;

namespace OpenEuroLLM.Corpus.Deduplication;

/// <summary>What a decision over all documents may use; none of it changes the outcome.</summary>
/// <param name="Launcher">Runs its parts.</param>
/// <param name="MemoryBytes">The most memory for tables; with less, measures are read more often.</param>
/// <param name="Cancellation">Stops it.</param>
internal sealed record DecisionRoom(ILauncher Launcher, long MemoryBytes, CancellationToken Cancellation);
