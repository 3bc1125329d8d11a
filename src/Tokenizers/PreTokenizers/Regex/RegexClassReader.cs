namespace OpenEuroLLM.Tokenizers;

/// <summary>Reads <c>[...]</c>: ranges, escapes, named classes, classes inside, and intersections.</summary>
internal sealed class RegexClassReader(RegexParser parser, bool ignoreCase)
{
    private const int DeepestClass = 50;

    public CodePointSet Read() => Read(1);

    private CodePointSet Read(int depth)
    {
        if (depth > DeepestClass)
            throw parser.Refuse(FormattableString.Invariant($"classes lie deeper than {DeepestClass}"));
        parser.Take('[');
        bool negated = parser.Take('^');
        CodePointSet? common = null;            // of the parts before &&
        var sets = new List<CodePointSet>();
        bool isFirst = true;
        while (true)
        {
            if (parser.Peek() is not { } next)
                throw parser.Refuse("a class is not closed");
            if (next == ']' && !(isFirst && HasLaterEnd()))
            {
                parser.Take(']');
                break;
            }
            isFirst = false;
            if (parser.Take("&&"))
            {
                common = Meet(common, sets);
                sets.Clear();
            }
            else if (next == '[')
            {
                sets.Add(Inner(depth));
            }
            else
            {
                sets.Add(Member());
            }
        }
        var set = Meet(common, sets);
        // Cases are added before the complement is taken: (?i:[^a]) leaves A out too.
        if (ignoreCase)
            set = CaseFolding.Close(set);
        return negated ? set.Complement() : set;
    }

    private static CodePointSet Meet(CodePointSet? common, List<CodePointSet> sets)
    {
        var set = CodePointSet.Union(sets);
        return common is null ? set : common.Intersect(set);
    }

    // "[]a]" holds a bracket; "[]" alone is empty, which the reference refuses.
    private bool HasLaterEnd() => parser.Peek(1) is null ? throw parser.Refuse("a class is empty") : true;

    private CodePointSet Inner(int depth)
    {
        if (parser.Peek(1) != ':' || !parser.Take("[:"))
            return Read(depth + 1);
        bool negated = parser.Take('^');
        string name = parser.TakeUntil(":]") ?? throw parser.Refuse("the named class is not closed with ':]'");
        var set = UnicodeSets.Bracket(name) ?? throw parser.Refuse($"the class '[:{name}:]' is unknown");
        return negated ? set.Complement() : set;
    }

    private CodePointSet Member()
    {
        if (Single(out var set) is not int first)
            return set!;
        if (parser.Peek() != '-' || parser.Peek(1) is null or ']')
            return CodePointSet.Of(first);
        parser.Take('-');
        if (parser.Peek() == '[')
            return CodePointSet.Of(first, '-');
        if (Single(out _) is not int last)
            throw parser.Refuse("a class stands at the end of a range");
        return last >= first ? CodePointSet.Range(first, last) : throw parser.Refuse("a range runs backwards");
    }

    /// <summary>A single character, or null and a set.</summary>
    private int? Single(out CodePointSet? set)
    {
        set = null;
        if (parser.Peek() != '\\')
            return parser.Character();
        set = parser.ClassEscape(inClass: true);
        if (set is not null)
            return null;
        switch (parser.Peek(1))
        {
            case 'b':
                parser.Take("\\b");
                return '\b';
            case 'R' or 'X':
                throw parser.Refuse($"'\\{parser.Peek(1)}' stands for several characters; it cannot be in a class");
            default:
                return parser.EscapedCharacter();
        }
    }
}
