namespace OpenEuroLLM.Languages.Identification;

/// <summary>A part of a text in one language.</summary>
/// <param name="Start">Its first byte.</param>
/// <param name="Length">Its bytes.</param>
/// <param name="Label">Its label.</param>
/// <param name="Confidence">Of the whole part, 0 to 1.</param>
public readonly record struct LanguageSegment(int Start, int Length, string Label, double Confidence);
