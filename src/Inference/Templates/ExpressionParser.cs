namespace OpenEuroLLM.Inference;

/// <summary>Reads expressions. What is not supported fails here, with its line, and not when a conversation arrives.</summary>
internal class ExpressionParser(IReadOnlyList<TemplateToken> tokens)
{
    private const int MostNesting = 64, MostChained = 150;

    private static readonly HashSet<string> Reserved = ["true", "false", "True", "False", "none", "None", "and", "or", "not", "if", "else", "in", "is"];
    private static readonly HashSet<string> UnknownFunctions = ["lipsum", "cycler", "joiner", "gettext", "ngettext", "_"];
    private static readonly HashSet<string> FiltersOfFilters = ["map"], FiltersOfTests = ["select", "reject", "selectattr", "rejectattr"];

    private int _at, _nesting;

    /// <summary>Names that the template reads but does not set, attributes and short texts: what it asks of a conversation.</summary>
    public HashSet<string> Mentioned { get; } = new(StringComparer.Ordinal);

    protected TemplateToken Current => tokens[_at];

    protected TemplateToken Following => tokens[Math.Min(_at + 1, tokens.Count - 1)];

    protected TemplateToken Next() => tokens[_at < tokens.Count - 1 ? _at++ : _at];

    protected static TemplateException Error(string message, int line) => new(message, line);

    protected TemplateException Unexpected(string expected) => Error($"found {Current}; expected {expected}", Current.Line);

    protected bool Skip(string text)
    {
        bool found = Current.Is(text);
        if (found) Next();
        return found;
    }

    protected bool SkipName(string name)
    {
        bool found = Current.IsName(name);
        if (found) Next();
        return found;
    }

    protected void Expect(string text)
    {
        if (!Skip(text)) throw Unexpected($"'{text}'");
    }

    protected string ExpectName()
    {
        if (Current.Kind != TemplateTokenKind.Name) throw Unexpected("a name");
        return Next().Text;
    }

    protected void Enter(int line)
    {
        if (++_nesting > MostNesting) throw Error($"nested more than {MostNesting} deep", line);
    }

    protected void Leave() => _nesting--;

    protected Expression ParseExpression(bool allowsCondition = true)
    {
        int line = Current.Line;
        Enter(line);
        var value = ParseOr();
        for (int chained = 0; allowsCondition && SkipName("if"); chained++)
        {
            CheckChain(chained, line);
            var condition = ParseOr();
            value = new ConditionalExpression(line, condition, value, SkipName("else") ? ParseExpression() : null);
        }
        Leave();
        return value;
    }

    /// <summary>An expression, or several with commas as a tuple.</summary>
    protected Expression ParseTuple(bool allowsCondition = true, bool mayBeEmpty = false, bool endsWithIn = false)
    {
        int line = Current.Line;
        var items = new List<Expression>();
        bool isTuple = false;
        while (!EndsTuple(endsWithIn))
        {
            items.Add(ParseExpression(allowsCondition));
            if (!Skip(",")) break;
            isTuple = true;
        }
        if (isTuple) return new ListExpression(line, items, IsTuple: true);
        if (items.Count == 1) return items[0];
        return mayBeEmpty ? new ListExpression(line, [], IsTuple: true) : throw Unexpected("an expression");
    }

    private bool EndsTuple(bool endsWithIn) =>
        Current.Kind is TemplateTokenKind.PrintEnd or TemplateTokenKind.TagEnd or TemplateTokenKind.End || Current.Is(")") || (endsWithIn && Current.IsName("in"));

    private static void CheckChain(int chained, int line)
    {
        if (chained > MostChained) throw Error($"more than {MostChained} operations in a row", line);
    }

    private Expression ParseOr() => ParseLeft(ParseAnd, () => SkipName("or") ? "or" : null);

    private Expression ParseAnd() => ParseLeft(ParseNot, () => SkipName("and") ? "and" : null);

    private Expression ParseNot()
    {
        int line = Current.Line;
        if (!Current.IsName("not")) return ParseCompare();
        Next();
        Enter(line);
        var operand = ParseNot();
        Leave();
        return new UnaryExpression(line, "not", operand);
    }

    private Expression ParseCompare()
    {
        int line = Current.Line;
        var first = ParseSum();
        var rest = new List<(string, Expression)>();
        while (ComparisonOperator() is { } sign) rest.Add((sign, ParseSum()));
        return rest.Count == 0 ? first : new CompareExpression(line, first, rest);
    }

    private string? ComparisonOperator()
    {
        if (Current.Kind == TemplateTokenKind.Operator && Current.Text is "==" or "!=" or "<" or "<=" or ">" or ">=") return Next().Text;
        if (SkipName("in")) return "in";
        if (!Current.IsName("not") || !Following.IsName("in")) return null;
        Next();
        Next();
        return "not in";
    }

    private Expression ParseSum() => ParseLeft(ParseConcat, () => Current.Is("+") || Current.Is("-") ? Next().Text : null);

    private Expression ParseConcat()
    {
        int line = Current.Line;
        var parts = new List<Expression> { ParseProduct() };
        while (Skip("~")) parts.Add(ParseProduct());
        return parts.Count == 1 ? parts[0] : new ConcatExpression(line, parts);
    }

    private Expression ParseProduct() =>
        ParseLeft(ParsePower, () => Current.Kind == TemplateTokenKind.Operator && Current.Text is "*" or "/" or "//" or "%" ? Next().Text : null);

    private Expression ParsePower() => ParseLeft(() => ParseUnary(withFilters: true), () => Skip("**") ? "**" : null);

    private Expression ParseLeft(Func<Expression> operand, Func<string?> takeOperator)
    {
        int line = Current.Line;
        var left = operand();
        for (int chained = 0; takeOperator() is { } sign; chained++)
        {
            CheckChain(chained, line);
            left = new BinaryExpression(line, sign, left, operand());
            line = Current.Line;
        }
        return left;
    }

    private Expression ParseUnary(bool withFilters)
    {
        int line = Current.Line;
        Expression value;
        if (Current.Is("-") || Current.Is("+"))
        {
            string sign = Next().Text;
            Enter(line);
            value = new UnaryExpression(line, sign, ParseUnary(withFilters: false));
            Leave();
        }
        else
        {
            value = ParsePrimary();
        }
        value = ParsePostfix(value);
        return withFilters ? ParseFilters(value) : value;
    }

    private Expression ParsePrimary()
    {
        var token = Current;
        switch (token.Kind)
        {
            case TemplateTokenKind.Name:
                Next();
                if (token.Text is "true" or "True" or "false" or "False") return new ConstantExpression(token.Line, token.Text is "true" or "True");
                if (token.Text is "none" or "None") return new ConstantExpression(token.Line, null);
                if (Reserved.Contains(token.Text)) throw Error($"found {token}; expected a value", token.Line);
                Mentioned.Add(token.Text);
                return new NameExpression(token.Line, token.Text);
            case TemplateTokenKind.String:
                var text = new System.Text.StringBuilder();
                while (Current.Kind == TemplateTokenKind.String) text.Append(Next().Text);
                if (text.Length <= 64) Mentioned.Add(text.ToString());
                return new ConstantExpression(token.Line, TemplateText.Trusted(text.ToString()));
            case TemplateTokenKind.Integer or TemplateTokenKind.Float:
                return new ConstantExpression(token.Line, Next().Number);
        }
        if (Skip("("))
        {
            Enter(token.Line);
            var inner = ParseTuple(mayBeEmpty: true);
            Leave();
            Expect(")");
            return inner;
        }
        if (Skip("[")) return new ListExpression(token.Line, ParseItems("]", () => ParseExpression()), IsTuple: false);
        if (Skip("{"))
        {
            return new MapExpression(token.Line, ParseItems("}", () =>
            {
                var key = ParseExpression();
                Expect(":");
                return (key, ParseExpression());
            }));
        }
        throw Unexpected("a value");
    }

    private List<T> ParseItems<T>(string end, Func<T> parse)
    {
        var items = new List<T>();
        while (!Skip(end))
        {
            if (items.Count > 0)
            {
                Expect(",");
                if (Skip(end)) break;
            }
            items.Add(parse());
        }
        return items;
    }

    private Expression ParsePostfix(Expression value)
    {
        for (int chained = 0; ; chained++)
        {
            int line = Current.Line;
            CheckChain(chained, line);
            if (Skip(".")) value = ParseAttribute(value, line);
            else if (Skip("[")) value = new ItemExpression(line, value, ParseIndex(line));
            else if (Current.Is("(")) value = ParseCall(value);
            else return value;
        }
    }

    private Expression ParseAttribute(Expression target, int line)
    {
        if (Current.Kind == TemplateTokenKind.Integer) return new ItemExpression(line, target, new ConstantExpression(line, Next().Number));
        string name = ExpectName();
        Mentioned.Add(name);
        return new AttributeExpression(line, target, name);
    }

    private Expression ParseIndex(int line)
    {
        var items = ParseItems("]", ParseSubscript);
        return items.Count switch
        {
            0 => throw Error("found ']'; expected an index", line),
            1 => items[0],
            _ => new ListExpression(line, items, IsTuple: true),
        };
    }

    private Expression ParseSubscript()
    {
        int line = Current.Line;
        Expression? start = Current.Is(":") ? null : ParseExpression();
        if (!Skip(":")) return start!;
        Expression? stop = EndsSlice() || Current.Is(":") ? null : ParseExpression();
        Expression? step = Skip(":") && !EndsSlice() ? ParseExpression() : null;
        return new SliceExpression(line, start, stop, step);
    }

    private bool EndsSlice() => Current.Is("]") || Current.Is(",");

    protected CallExpression ParseCall(Expression target)
    {
        int line = Current.Line;
        if (target is NameExpression { Name: var function } && UnknownFunctions.Contains(function)) throw Error($"the function '{function}' is not supported", line);
        if (target is AttributeExpression { Name: var method } && !TemplateMethods.Known.Contains(method))
            throw Error($"the method '{method}' is not supported; known: {string.Join(", ", TemplateMethods.Known.Order(StringComparer.Ordinal))}", line);
        return new CallExpression(line, target, ParseArguments());
    }

    private Arguments ParseArguments()
    {
        Expect("(");
        var positional = new List<Expression>();
        var named = new List<(string, Expression)>();
        ParseItems(")", () =>
        {
            if (Current.Is("*") || Current.Is("**")) throw Error("arguments with '*' are not supported", Current.Line);
            if (Current.Kind == TemplateTokenKind.Name && Following.Is("="))
            {
                string name = Next().Text;
                Next();
                named.Add((name, ParseExpression()));
            }
            else if (named.Count > 0) throw Error("an argument without a name stands behind one with a name", Current.Line);
            else positional.Add(ParseExpression());
            return 0;
        });
        return positional.Count + named.Count == 0 ? Arguments.None : new Arguments(positional, named);
    }

    private Expression ParseFilters(Expression value)
    {
        for (int chained = 0; ; chained++)
        {
            CheckChain(chained, Current.Line);
            if (Skip("|")) value = ParseFilter(value);
            else if (Current.IsName("is")) value = ParseTest(value);
            else if (Current.Is("(")) value = ParseCall(value);
            else return value;
        }
    }

    protected Expression ParseFilter(Expression? value)
    {
        int line = Current.Line;
        string name = ExpectName();
        if (!TemplateFilters.All.ContainsKey(name)) throw Unsupported("filter", name, TemplateFilters.All.Keys, line);
        var arguments = Current.Is("(") ? ParseArguments() : Arguments.None;
        if (FiltersOfFilters.Contains(name)) CheckInner(arguments, 0, "filter", TemplateFilters.All.Keys, line);
        if (FiltersOfTests.Contains(name)) CheckInner(arguments, name.EndsWith("attr", StringComparison.Ordinal) ? 1 : 0, "test", TemplateTests.All.Keys, line);
        return new FilterExpression(line, value, name, arguments);
    }

    private static void CheckInner(Arguments arguments, int at, string kind, IEnumerable<string> known, int line)
    {
        if (arguments.Positional.Count > at && arguments.Positional[at] is ConstantExpression { Value: TemplateText { Value: var name } } && !known.Contains(name))
            throw Unsupported(kind, name, known, line);
    }

    private static TemplateException Unsupported(string kind, string name, IEnumerable<string> known, int line) =>
        Error($"the {kind} '{name}' is not supported; known: {string.Join(", ", known.Order(StringComparer.Ordinal))}", line);

    private Expression ParseTest(Expression value)
    {
        int line = Next().Line;
        bool negated = SkipName("not");
        string name = ExpectName();
        if (!TemplateTests.All.ContainsKey(name)) throw Unsupported("test", name, TemplateTests.All.Keys, line);
        var arguments = Arguments.None;
        if (Current.Is("(")) arguments = ParseArguments();
        else if (BeginsTestArgument())
        {
            if (Current.IsName("is")) throw Error("a test of a test; expected one 'is'", line);
            arguments = new Arguments([ParsePostfix(ParsePrimary())], []);
        }
        var test = new TestExpression(line, value, name, arguments);
        return negated ? new UnaryExpression(line, "not", test) : test;
    }

    private bool BeginsTestArgument() => Current.Kind switch
    {
        TemplateTokenKind.Name => Current.Text is not ("else" or "or" or "and"),
        TemplateTokenKind.String or TemplateTokenKind.Integer or TemplateTokenKind.Float => true,
        _ => Current.Is("[") || Current.Is("{"),
    };
}
