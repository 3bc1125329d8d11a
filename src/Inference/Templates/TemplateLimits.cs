namespace OpenEuroLLM.Inference;

/// <summary>What one rendering may use at most. A template comes with a model from anywhere and is never trusted.</summary>
/// <param name="Steps">Evaluated nodes and handled elements; long texts count by length.</param>
/// <param name="OutputBytes">Bytes of UTF-8 that are written, captured blocks included.</param>
/// <param name="Recursion">Macro calls inside macro calls.</param>
/// <param name="Seconds">Wall time.</param>
internal sealed record TemplateLimits(long Steps = 1_000_000, long OutputBytes = 8 << 20, int Recursion = 64, double Seconds = 10);
