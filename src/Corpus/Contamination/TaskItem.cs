namespace OpenEuroLLM.Corpus.Contamination;

/// <summary>An item of an evaluation task.</summary>
/// <param name="Task">Name of the task, in letters, digits and hyphens.</param>
/// <param name="Id">Its name, unique in the task.</param>
/// <param name="Parts">Its texts, such as a passage and a question, in one Unicode form.</param>
internal sealed record TaskItem(string Task, string Id, IReadOnlyList<string> Parts);
