using System.Text.Json.Nodes;

namespace OpenEuroLLM.Corpus;

/// <summary>What a step records of a document, so that its verdict can be proved later: a line of <c>ledger.jsonl</c> and a part of the manifest's counts.</summary>
/// <param name="Record">Rules with their versions, and evidence; never the personal data themselves.</param>
/// <param name="Found">What was found, in words that make names of counts (<c>iban</c>, <c>robots</c>), each once.</param>
public sealed record LedgerEntry(JsonObject Record, IReadOnlyList<string> Found);
