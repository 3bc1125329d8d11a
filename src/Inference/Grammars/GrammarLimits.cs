namespace OpenEuroLLM.Inference.Grammars;

/// <summary>How much a schema may ask for. All of it is checked while compiling, or bounds the work for one token.</summary>
/// <param name="SchemaBytes">Longest schema, in bytes of UTF-8.</param>
/// <param name="States">Most states of the automaton.</param>
/// <param name="Work">Most steps of compiling: what is read, merged and compared, as often as it is. A step takes some 10 to 50 ns.</param>
/// <param name="SchemaDepth">How deep subschemas may lie in each other, merges and references included.</param>
/// <param name="ValueDepth">How deep the values of an answer may lie in each other.</param>
/// <param name="Calls">Most calls of tools in an answer.</param>
/// <param name="PatternStates">Most states of one pattern, once it was made deterministic.</param>
/// <param name="Alternatives">Most readings of an answer's beginning that are followed at once.</param>
/// <param name="MaskWork">Most steps of the computation of one mask. Steps count whether they have to be taken or were taken for another answer, so that
/// the same answer always comes.</param>
/// <param name="AnswerWork">Most steps of one answer, beside <see cref="TokenWork"/>; a place that it comes to again is no work.</param>
/// <param name="TokenWork">Steps that each further token adds to <see cref="AnswerWork"/>.</param>
internal sealed record GrammarLimits(
    int SchemaBytes = 1 << 20,
    int States = 1 << 18,
    int Work = 5_000_000,
    int SchemaDepth = 100,
    int ValueDepth = 32,
    int Calls = 16,
    int PatternStates = 4096,
    int Alternatives = 4096,
    int MaskWork = 8_000_000,
    int AnswerWork = 40_000_000,
    int TokenWork = 200_000);

/// <summary>A schema that is malformed, asks for too much or for what is not supported.</summary>
internal sealed class SchemaException(string pointer, string message) : Exception($"at '#{pointer}': {message}");
