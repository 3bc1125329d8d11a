using System.Collections.Concurrent;
using OpenEuroLLM.Core;

namespace OpenEuroLLM.Tokenizers;

/// <summary>Any expression, matched by a backtracking engine over code points. Immutable and safe for many threads.</summary>
/// <remarks>The language is that of the reference (Oniguruma with Ruby's rules) without references back to groups, <c>\K</c>, <c>\G</c>, <c>\X</c>,
/// conditions and absent groups; <c>(?i)</c> folds single characters only (not ß to ss).</remarks>
internal sealed class RegexPattern : ISplitPattern
{
    private readonly string _where;
    private readonly RegexInstruction[] _program;
    private readonly CodePointSet? _first;
    private readonly ConcurrentBag<RegexMatcher> _matchers = [];

    private RegexPattern(string regex, string where, RegexInstruction[] program, CodePointSet? first) =>
        (Regex, _where, _program, _first) = (regex, where, program, first);

    public string Regex { get; }

    /// <exception cref="UserErrorException">The expression is malformed, or holds what is not supported.</exception>
    public static RegexPattern Compile(string regex, string where)
    {
        var node = RegexParser.Parse(regex, where);
        var program = RegexCompiler.Compile(node, what => new UserErrorException($"{where}: the expression '{regex}' cannot be used: {what}."));
        return new RegexPattern(regex, where, program, RegexCompiler.FirstCharacters(node));
    }

    /// <inheritdoc/>
    /// <remarks>A match may be empty.</remarks>
    /// <exception cref="UserErrorException">Matching takes too long on this text.</exception>
    public bool TryMatch(ReadOnlySpan<byte> text, int from, out int start, out int end)
    {
        if (!_matchers.TryTake(out var matcher))
            matcher = new RegexMatcher(_program);
        try
        {
            bool isFirst = true;
            for (start = from; start <= text.Length; start += Length(text, start))
            {
                if (_first is not null && (start == text.Length || !_first.Contains(CodePoints.Read(text, start, out _))))
                    continue;
                if (matcher.TryMatch(text, start, isFirst, out end))
                    return true;
                isFirst = false;
            }
            start = end = text.Length;
            return false;
        }
        catch (RegexBudgetException error)
        {
            throw new UserErrorException($"{_where}: the expression '{Regex}' cannot be used on this text: {error.Message}. Use another expression, or shorter texts.", error);
        }
        finally
        {
            _matchers.Add(matcher);
        }
    }

    private static int Length(ReadOnlySpan<byte> text, int position)
    {
        if (position == text.Length)
            return 1;
        CodePoints.Read(text, position, out int length);
        return length;
    }
}
