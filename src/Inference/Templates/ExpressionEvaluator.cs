namespace OpenEuroLLM.Inference;

/// <summary>Finds the value of expressions.</summary>
internal sealed class ExpressionEvaluator(TemplateRun run)
{
    /// <param name="expression">What has a value.</param>
    /// <param name="scope">The names that it may use.</param>
    /// <param name="block">The text of the block around, for filters without a target.</param>
    public object? Evaluate(Expression expression, TemplateScope scope, TemplateText? block = null)
    {
        run.Enter();
        run.Line = expression.Line;
        object? value = expression switch
        {
            ConstantExpression constant => constant.Value,
            NameExpression name => scope.Find(name.Name),
            AttributeExpression attribute => TemplateAccess.Attribute(run, Evaluate(attribute.Target, scope), attribute.Name),
            ItemExpression item => Item(item, scope),
            FilterExpression filter => Filter(filter, scope, block),
            TestExpression test => TemplateTests.All[test.Name](run, Evaluate(test.Target, scope), Arguments(test.Arguments, scope)),
            CallExpression call => Call(Evaluate(call.Target, scope), Arguments(call.Arguments, scope)),
            BinaryExpression { Operator: "and" } both => Evaluate(both.Left, scope) is var left && Values.IsTrue(left) ? Evaluate(both.Right, scope) : left,
            BinaryExpression { Operator: "or" } either => Evaluate(either.Left, scope) is var left && Values.IsTrue(left) ? left : Evaluate(either.Right, scope),
            BinaryExpression binary => TemplateArithmetic.Apply(run, binary.Operator, Evaluate(binary.Left, scope), Evaluate(binary.Right, scope)),
            UnaryExpression unary => Unary(unary, scope),
            CompareExpression compare => Compare(compare, scope),
            ConcatExpression concat => TemplateStrings.Join(run, TemplateText.Empty, [.. concat.Parts.Select(part => Values.Written(run, Evaluate(part, scope)))]),
            ConditionalExpression choice => Values.IsTrue(Evaluate(choice.Condition, scope)) ? Evaluate(choice.Then, scope)
                : choice.Else is null ? new UndefinedValue("an 'if' without 'else' did not hold") : Evaluate(choice.Else, scope),
            ListExpression list => new TemplateList([.. list.Items.Select(item => Evaluate(item, scope))], list.IsTuple),
            MapExpression map => Map(map, scope),
            _ => throw run.Error("a slice stands outside of brackets"),
        };
        run.Leave();
        return value;
    }

    public CallArguments Arguments(Arguments arguments, TemplateScope scope) => arguments == OpenEuroLLM.Inference.Arguments.None
        ? CallArguments.None
        : new CallArguments([.. arguments.Positional.Select(argument => Evaluate(argument, scope))],
            [.. arguments.Named.Select(argument => (argument.Name, Evaluate(argument.Value, scope)))]);

    public object? Call(object? callee, CallArguments arguments) => callee switch
    {
        TemplateFunction function => function.Call(arguments),
        UndefinedValue missing => throw run.Error($"{missing.Description}, so it cannot be called"),
        _ => throw run.Error($"{Values.KindOf(callee)} cannot be called"),
    };

    private object? Item(ItemExpression item, TemplateScope scope)
    {
        object? target = Evaluate(item.Target, scope);
        return item.Index is SliceExpression slice
            ? TemplateAccess.Slice(run, target, Part(slice.Start), Part(slice.Stop), Part(slice.Step))
            : TemplateAccess.Item(run, target, Evaluate(item.Index, scope));

        object? Part(Expression? part) => part is null ? null : Evaluate(part, scope);
    }

    private object? Filter(FilterExpression filter, TemplateScope scope, TemplateText? block)
    {
        object? target = filter.Target is null ? block : Evaluate(filter.Target, scope, block);
        var arguments = Arguments(filter.Arguments, scope);
        run.Line = filter.Line;
        return TemplateFilters.All[filter.Name](run, target, arguments);
    }

    private object? Unary(UnaryExpression unary, TemplateScope scope)
    {
        object? operand = Evaluate(unary.Operand, scope);
        if (unary.Operator == "not") return !Values.IsTrue(operand);
        return unary.Operator == "-" ? TemplateArithmetic.Negate(run, operand)
            : operand is double ? operand : TemplateArithmetic.Apply(run, "+", 0L, operand);
    }

    private bool Compare(CompareExpression compare, TemplateScope scope)
    {
        object? left = Evaluate(compare.First, scope);
        foreach (var (sign, operand) in compare.Rest)
        {
            object? right = Evaluate(operand, scope);
            if (!TemplateArithmetic.Holds(run, sign, left, right)) return false;
            left = right;
        }
        return true;
    }

    private TemplateMap Map(MapExpression map, TemplateScope scope)
    {
        var made = new TemplateMap();
        foreach (var (key, value) in map.Items) made.Set(Values.Key(run, Evaluate(key, scope)), Evaluate(value, scope));
        return made;
    }
}
