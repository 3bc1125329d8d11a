namespace OpenEuroLLM.Training;

/// <summary>Where a training run is.</summary>
/// <param name="Step">Steps done.</param>
/// <param name="Steps">Steps in all.</param>
/// <param name="Loss">Mean loss of the last step, in nats a token.</param>
/// <param name="TokensPerSecond">Since the run began or was resumed.</param>
/// <param name="ShareOfPeak">Model operations per second as a share of this machine's matrix-product rate, 0 to 1.</param>
/// <param name="SecondsLeft">Time left at this rate.</param>
/// <param name="Note">Something to print on a line of its own, such as a checkpoint or a sample; else null.</param>
public readonly record struct TrainingProgress(long Step, long Steps, double Loss, double TokensPerSecond, double ShareOfPeak, double SecondsLeft, string? Note = null);
