namespace OpenEuroLLM.Inference;

/// <summary>Reads a template into a tree.</summary>
internal sealed class TemplateParser : ExpressionParser
{
    /// <summary>Longest template, in UTF-16 units.</summary>
    public const int LongestTemplate = 1 << 20;

    private int _loops;     // loops around this place that break and continue may mean

    private TemplateParser(IReadOnlyList<TemplateToken> tokens) : base(tokens) { }

    /// <exception cref="TemplateException">The template is malformed, or asks for something that is not supported.</exception>
    public static (IReadOnlyList<Statement> Body, IReadOnlySet<string> Mentioned) Parse(string template)
    {
        if (template.Length > LongestTemplate) throw Error($"the template has {template.Length} characters; expected at most {LongestTemplate}", 1);
        var parser = new TemplateParser(TemplateLexer.Read(template));
        var body = parser.ParseBody([], 1, out _);
        return (body, parser.Mentioned);
    }

    // Statements up to a tag of the given names, which is taken with its name.
    private List<Statement> ParseBody(string[] ends, int begun, out string end)
    {
        Enter(begun);
        var body = new List<Statement>();
        while (true)
        {
            var token = Current;
            switch (token.Kind)
            {
                case TemplateTokenKind.Text:
                    body.Add(new TextStatement(token.Line, TemplateText.Trusted(Next().Text)));
                    break;
                case TemplateTokenKind.PrintBegin:
                    Next();
                    body.Add(new PrintStatement(token.Line, ParseTuple()));
                    ExpectEnd(TemplateTokenKind.PrintEnd, "'}}'");
                    break;
                case TemplateTokenKind.TagBegin:
                    Next();
                    if (Current.Kind == TemplateTokenKind.Name && ends.Contains(Current.Text))
                    {
                        end = Next().Text;
                        Leave();
                        return body;
                    }
                    body.Add(ParseStatement());
                    ExpectEnd(TemplateTokenKind.TagEnd, "'%}'");
                    break;
                default:
                    if (ends.Length > 0) throw Error($"the block has no end; expected {string.Join(" or ", ends.Select(name => $"'{{% {name} %}}'"))}", begun);
                    end = "";
                    Leave();
                    return body;
            }
        }
    }

    private void ExpectEnd(TemplateTokenKind kind, string shown)
    {
        if (Current.Kind != kind) throw Unexpected(shown);
        Next();
    }

    private List<Statement> ParseBlock(string end, int line)
    {
        ExpectEnd(TemplateTokenKind.TagEnd, "'%}'");
        return ParseBody([end], line, out _);
    }

    private Statement ParseStatement()
    {
        int line = Current.Line;
        string name = ExpectName();
        switch (name)
        {
            case "if": return ParseIf(line);
            case "for": return ParseFor(line);
            case "set": return ParseSet(line);
            case "macro": return ParseMacro(line);
            case "call": return ParseCallBlock(line);
            case "filter":
                var filter = ParseFilterChain();
                return new FilterBlockStatement(line, filter, WithoutLoops(() => ParseBlock("endfilter", line)));
            case "with": return ParseWith(line);
            case "generation": return new GenerationStatement(line, WithoutLoops(() => ParseBlock("endgeneration", line)));
            case "break" or "continue":
                if (_loops == 0) throw Error($"'{name}' stands outside of a loop", line);
                return new LeaveLoopStatement(line, name == "continue");
            default:
                throw Error(name.StartsWith("end", StringComparison.Ordinal) || name is "else" or "elif"
                    ? $"found '{name}', but no block is open that it belongs to"
                    : $"the tag '{name}' is not supported; known: break, call, continue, filter, for, generation, if, macro, raw, set, with", line);
        }
    }

    private T WithoutLoops<T>(Func<T> parse)
    {
        (int loops, _loops) = (_loops, 0);
        var parsed = parse();
        _loops = loops;
        return parsed;
    }

    private IfStatement ParseIf(int line)
    {
        var branches = new List<(Expression, IReadOnlyList<Statement>)>();
        List<Statement> otherwise = [];
        string end = "if";
        while (end is "if" or "elif")
        {
            var condition = ParseTuple(allowsCondition: false);
            ExpectEnd(TemplateTokenKind.TagEnd, "'%}'");
            branches.Add((condition, ParseBody(["elif", "else", "endif"], line, out end)));
        }
        if (end == "else") otherwise = ParseBlock("endif", line);
        return new IfStatement(line, branches, otherwise);
    }

    private ForStatement ParseFor(int line)
    {
        var target = ParseTarget(mayBeAttribute: false, endsWithIn: true);
        if (!SkipName("in")) throw Unexpected("'in'");
        var items = ParseTuple(allowsCondition: false);
        var condition = SkipName("if") ? ParseExpression() : null;
        if (Current.IsName("recursive")) throw Error("recursive loops are not supported", Current.Line);
        ExpectEnd(TemplateTokenKind.TagEnd, "'%}'");
        _loops++;
        var body = ParseBody(["else", "endfor"], line, out string end);
        _loops--;
        return new ForStatement(line, target, items, condition, body, end == "else" ? ParseBlock("endfor", line) : []);
    }

    private Statement ParseSet(int line)
    {
        var target = ParseTarget(mayBeAttribute: true);
        if (Skip("=")) return new SetStatement(line, target, ParseTuple());
        var filter = Skip("|") ? ParseFilterChain() : null;
        return new SetBlockStatement(line, target, filter, WithoutLoops(() => ParseBlock("endset", line)));
    }

    // Filters of the text around; the first has no target of its own.
    private Expression ParseFilterChain()
    {
        var filter = ParseFilter(null);
        while (Skip("|")) filter = ParseFilter(filter);
        return filter;
    }

    private Expression ParseTarget(bool mayBeAttribute, bool endsWithIn = false)
    {
        if (mayBeAttribute && Current.Kind == TemplateTokenKind.Name && Following.Is("."))
        {
            int line = Current.Line;
            var variable = new NameExpression(line, Next().Text);
            Next();
            return new AttributeExpression(line, variable, ExpectName());
        }
        int begun = Current.Line;
        var target = ParseTargets(endsWithIn);
        return target ?? throw Error("expected a name, or names with commas, to be set", begun);
    }

    private Expression? ParseTargets(bool endsWithIn)
    {
        int line = Current.Line;
        var names = new List<Expression>();
        bool isTuple = false;
        while (true)
        {
            if (Skip("("))
            {
                Enter(line);
                if (ParseTargets(endsWithIn: false) is not { } inner) return null;
                Leave();
                Expect(")");
                names.Add(inner);
            }
            else if (Current.Kind == TemplateTokenKind.Name && !(endsWithIn && Current.Text == "in"))
            {
                names.Add(new NameExpression(Current.Line, Next().Text));
            }
            else
            {
                break;
            }
            if (!Skip(",")) break;
            isTuple = true;
        }
        return isTuple ? new ListExpression(line, names, IsTuple: true) : names.Count == 1 ? names[0] : null;
    }

    private MacroStatement ParseMacro(int line)
    {
        string name = ExpectName();
        var parameters = ParseParameters();
        return new MacroStatement(line, name, parameters, WithoutLoops(() => ParseBlock("endmacro", line)));
    }

    private List<(string Name, Expression? Default)> ParseParameters()
    {
        Expect("(");
        var parameters = new List<(string, Expression?)>();
        while (!Skip(")"))
        {
            if (parameters.Count > 0) Expect(",");
            if (Skip(")")) break;
            string name = ExpectName();
            var otherwise = Skip("=") ? ParseExpression() : null;
            if (otherwise is null && parameters.Any(parameter => parameter.Item2 is not null)) throw Error($"the parameter '{name}' has no default but stands behind one that has", Current.Line);
            parameters.Add((name, otherwise));
        }
        return parameters;
    }

    private CallBlockStatement ParseCallBlock(int line)
    {
        var parameters = Current.Is("(") ? ParseParameters() : [];
        if (ParseExpression() is not CallExpression call) throw Error("a block 'call' without a call", line);
        return new CallBlockStatement(line, call, new MacroStatement(line, "caller", parameters, WithoutLoops(() => ParseBlock("endcall", line))));
    }

    private WithStatement ParseWith(int line)
    {
        var values = new List<(Expression, Expression)>();
        while (Current.Kind != TemplateTokenKind.TagEnd)
        {
            if (values.Count > 0) Expect(",");
            var target = new NameExpression(Current.Line, ExpectName());
            Expect("=");
            values.Add((target, ParseExpression()));
        }
        return new WithStatement(line, values, ParseBlock("endwith", line));
    }
}
