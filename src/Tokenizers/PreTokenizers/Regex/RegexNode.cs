namespace OpenEuroLLM.Tokenizers;

/// <summary>A parsed expression. Groups capture nothing here: only where a match begins and ends is ever asked for.</summary>
internal abstract record RegexNode
{
    public static RegexNode Nothing { get; } = new RegexSequence([]);
}

/// <summary>One character of a set.</summary>
internal sealed record RegexCharacter(CodePointSet Set) : RegexNode;

internal sealed record RegexSequence(IReadOnlyList<RegexNode> Parts) : RegexNode;

/// <summary>The first alternative that leads to a match.</summary>
internal sealed record RegexChoice(IReadOnlyList<RegexNode> Alternatives) : RegexNode;

/// <param name="Most">Null without bound.</param>
internal sealed record RegexRepeat(RegexNode Body, int Least, int? Most, RegexGreed Greed) : RegexNode;

/// <summary>A group that gives nothing back once it has matched.</summary>
internal sealed record RegexAtomic(RegexNode Body) : RegexNode;

/// <summary>What must or must not stand at a place.</summary>
internal sealed record RegexLook(RegexNode Body, bool Ahead, bool Negative) : RegexNode;

internal sealed record RegexAnchor(RegexAnchorKind Kind) : RegexNode;

internal enum RegexGreed
{
    Greedy,
    Lazy,
    Possessive,
}

internal enum RegexAnchorKind
{
    /// <summary><c>^</c>: the begin of the text, and behind a line feed that does not end it.</summary>
    LineStart,

    /// <summary><c>$</c>: the end of the text, and before a line feed.</summary>
    LineEnd,

    /// <summary><c>\A</c></summary>
    TextStart,

    /// <summary><c>\z</c></summary>
    TextEnd,

    /// <summary><c>\Z</c>: the end of the text, or before the line feed that ends it.</summary>
    TextEndOrLastBreak,

    /// <summary><c>\b</c></summary>
    WordBoundary,

    /// <summary><c>\B</c></summary>
    NoWordBoundary,
}
