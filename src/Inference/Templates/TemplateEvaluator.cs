namespace OpenEuroLLM.Inference;

/// <summary>Carries out a template's statements.</summary>
internal sealed class TemplateEvaluator(TemplateRun run)
{
    private readonly ExpressionEvaluator _expressions = new(run);
    private TemplateText.Builder _output = new();

    private enum Flow
    {
        Goes,
        Breaks,
        Continues,
    }

    public TemplateText Render(IReadOnlyList<Statement> body, TemplateScope scope)
    {
        Execute(body, scope);
        return _output.Build();
    }

    private Flow Execute(IReadOnlyList<Statement> body, TemplateScope scope)
    {
        run.Enter();
        var flow = Flow.Goes;
        for (int i = 0; i < body.Count && flow == Flow.Goes; i++) flow = Execute(body[i], scope);
        run.Leave();
        return flow;
    }

    private Flow Execute(Statement statement, TemplateScope scope)
    {
        run.Step();
        run.Line = statement.Line;
        switch (statement)
        {
            case TextStatement text: Write(text.Text); return Flow.Goes;
            case PrintStatement print: Write(Values.Written(run, _expressions.Evaluate(print.Value, scope))); return Flow.Goes;
            case IfStatement choice: return ExecuteIf(choice, scope);
            case ForStatement loop: return ExecuteFor(loop, scope);
            case SetStatement set: Assign(set.Target, _expressions.Evaluate(set.Value, scope), scope); return Flow.Goes;
            case SetBlockStatement set: Assign(set.Target, Filtered(set.Filter, Capture(set.Body, scope), scope), scope); return Flow.Goes;
            case MacroStatement macro: scope.Set(macro.Name, Macro(macro, scope)); return Flow.Goes;
            case CallBlockStatement block: ExecuteCall(block, scope); return Flow.Goes;
            case FilterBlockStatement block: Write(Values.Written(run, Filtered(block.Filter, Capture(block.Body, scope), scope))); return Flow.Goes;
            case WithStatement with: return ExecuteWith(with, scope);
            case GenerationStatement generation: Write(Capture(generation.Body, scope)); return Flow.Goes;
            case LeaveLoopStatement leave: return leave.Continues ? Flow.Continues : Flow.Breaks;
            default: throw run.Error($"a statement of an unknown kind {statement.GetType().Name}");
        }
    }

    private void Write(TemplateText text)
    {
        run.Output(text.Value);
        _output.Append(text);
    }

    private TemplateText Capture(IReadOnlyList<Statement> body, TemplateScope scope)
    {
        var outer = _output;
        _output = new TemplateText.Builder();
        Execute(body, new TemplateScope(scope));
        var captured = _output.Build();
        _output = outer;
        return captured;
    }

    private object? Filtered(Expression? filter, TemplateText text, TemplateScope scope) => filter is null ? text : _expressions.Evaluate(filter, scope, text);

    private Flow ExecuteIf(IfStatement choice, TemplateScope scope)
    {
        foreach (var (condition, body) in choice.Branches)
            if (Values.IsTrue(_expressions.Evaluate(condition, scope))) return Execute(body, scope);
        return Execute(choice.Else, scope);
    }

    private Flow ExecuteFor(ForStatement loop, TemplateScope scope)
    {
        var items = Values.Items(run, _expressions.Evaluate(loop.Items, scope));
        if (loop.Condition is { } condition)
        {
            items = [.. items.Where(item =>
            {
                var inner = new TemplateScope(scope);
                Assign(loop.Target, item, inner);
                return Values.IsTrue(_expressions.Evaluate(condition, inner));
            })];
        }
        if (items.Count == 0) return Execute(loop.Else, new TemplateScope(scope));
        var state = new LoopValue(items);
        for (int i = 0; i < items.Count; i++)
        {
            run.Step();
            state.Index = i;
            var inner = new TemplateScope(scope);
            inner.Set("loop", state);
            Assign(loop.Target, items[i], inner);
            if (Execute(loop.Body, inner) == Flow.Breaks) break;
        }
        return Flow.Goes;
    }

    private Flow ExecuteWith(WithStatement with, TemplateScope scope)
    {
        var inner = new TemplateScope(scope);
        foreach (var (target, value) in with.Values) Assign(target, _expressions.Evaluate(value, scope), inner);
        return Execute(with.Body, inner);
    }

    private void ExecuteCall(CallBlockStatement block, TemplateScope scope)
    {
        var caller = Macro(block.Caller, scope);
        var arguments = _expressions.Arguments(block.Call.Arguments, scope);
        object? callee = _expressions.Evaluate(block.Call.Target, scope);
        Write(Values.Written(run, _expressions.Call(callee, arguments with { Named = [.. arguments.Named, ("caller", caller)] })));
    }

    private void Assign(Expression target, object? value, TemplateScope scope)
    {
        switch (target)
        {
            case NameExpression name: scope.Set(name.Name, value); break;
            case AttributeExpression { Target: NameExpression variable, Name: var name }:
                if (scope.Find(variable.Name) is not NamespaceValue space) throw run.Error($"'{variable.Name}' is no namespace, so '{variable.Name}.{name}' cannot be set");
                space.Attributes.Set(TemplateText.Trusted(name), value);
                break;
            case ListExpression names:
                var items = Values.Items(run, value);
                if (items.Count != names.Items.Count) run.Fail($"{items.Count} values for {names.Items.Count} names");
                for (int i = 0; i < items.Count; i++) Assign(names.Items[i], items[i], scope);
                break;
        }
    }

    private TemplateFunction Macro(MacroStatement macro, TemplateScope scope) => new(macro.Name, arguments =>
    {
        run.EnterMacro();
        int line = run.Line;
        var inner = new TemplateScope(scope);
        inner.Set("caller", new UndefinedValue($"the macro '{macro.Name}' was called without a block"));
        if (arguments.Positional.Count > macro.Parameters.Count) run.Fail($"the macro '{macro.Name}' got {arguments.Positional.Count} arguments; expected at most {macro.Parameters.Count}");
        foreach (var (name, _) in arguments.Named)
            if (name != "caller" && !macro.Parameters.Any(parameter => parameter.Name == name)) run.Fail($"the macro '{macro.Name}' has no parameter '{name}'");
        for (int i = 0; i < macro.Parameters.Count; i++)
        {
            var (name, otherwise) = macro.Parameters[i];
            int at = arguments.Named.ToList().FindIndex(argument => argument.Name == name);
            if (at >= 0 && i < arguments.Positional.Count) run.Fail($"the macro '{macro.Name}' got '{name}' twice");
            object? value = i < arguments.Positional.Count ? arguments.Positional[i]
                : at >= 0 ? arguments.Named[at].Value
                : otherwise is null ? new UndefinedValue($"the parameter '{name}' was not given") : _expressions.Evaluate(otherwise, inner);
            inner.Set(name, value);
        }
        foreach (var (name, value) in arguments.Named)
            if (name == "caller") inner.Set(name, value);
        var written = Capture(macro.Body, inner);
        run.Line = line;
        run.LeaveMacro();
        return written;
    });
}
