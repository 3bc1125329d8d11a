namespace OpenEuroLLM.Inference;

/// <summary>A part of a template that has a value.</summary>
/// <param name="Line">Where it stands, from 1.</param>
internal abstract record Expression(int Line);

internal sealed record ConstantExpression(int Line, object? Value) : Expression(Line);

internal sealed record NameExpression(int Line, string Name) : Expression(Line);

internal sealed record ListExpression(int Line, IReadOnlyList<Expression> Items, bool IsTuple) : Expression(Line);

internal sealed record MapExpression(int Line, IReadOnlyList<(Expression Key, Expression Value)> Items) : Expression(Line);

/// <summary><c>target.name</c>: attributes come before keys.</summary>
internal sealed record AttributeExpression(int Line, Expression Target, string Name) : Expression(Line);

/// <summary><c>target[index]</c>: keys come before attributes.</summary>
internal sealed record ItemExpression(int Line, Expression Target, Expression Index) : Expression(Line);

internal sealed record SliceExpression(int Line, Expression? Start, Expression? Stop, Expression? Step) : Expression(Line);

internal sealed record CallExpression(int Line, Expression Target, Arguments Arguments) : Expression(Line);

/// <param name="Target">What is filtered; null is the text of the block around.</param>
internal sealed record FilterExpression(int Line, Expression? Target, string Name, Arguments Arguments) : Expression(Line);

internal sealed record TestExpression(int Line, Expression Target, string Name, Arguments Arguments) : Expression(Line);

internal sealed record UnaryExpression(int Line, string Operator, Expression Operand) : Expression(Line);

internal sealed record BinaryExpression(int Line, string Operator, Expression Left, Expression Right) : Expression(Line);

internal sealed record ConcatExpression(int Line, IReadOnlyList<Expression> Parts) : Expression(Line);

internal sealed record CompareExpression(int Line, Expression First, IReadOnlyList<(string Operator, Expression Operand)> Rest) : Expression(Line);

internal sealed record ConditionalExpression(int Line, Expression Condition, Expression Then, Expression? Else) : Expression(Line);

/// <summary>What a call is given.</summary>
internal sealed record Arguments(IReadOnlyList<Expression> Positional, IReadOnlyList<(string Name, Expression Value)> Named)
{
    public static Arguments None { get; } = new([], []);
}

/// <summary>A part of a template that does something.</summary>
/// <param name="Line">Where it stands, from 1.</param>
internal abstract record Statement(int Line);

internal sealed record TextStatement(int Line, TemplateText Text) : Statement(Line);

internal sealed record PrintStatement(int Line, Expression Value) : Statement(Line);

internal sealed record IfStatement(int Line, IReadOnlyList<(Expression Condition, IReadOnlyList<Statement> Body)> Branches, IReadOnlyList<Statement> Else) : Statement(Line);

internal sealed record ForStatement(
    int Line, Expression Target, Expression Items, Expression? Condition, IReadOnlyList<Statement> Body, IReadOnlyList<Statement> Else) : Statement(Line);

internal sealed record SetStatement(int Line, Expression Target, Expression Value) : Statement(Line);

/// <param name="Filter">Applied to the text of the block, or null.</param>
internal sealed record SetBlockStatement(int Line, Expression Target, Expression? Filter, IReadOnlyList<Statement> Body) : Statement(Line);

/// <summary>A macro, or the nameless one that a call block hands over.</summary>
internal sealed record MacroStatement(int Line, string Name, IReadOnlyList<(string Name, Expression? Default)> Parameters, IReadOnlyList<Statement> Body) : Statement(Line);

internal sealed record CallBlockStatement(int Line, CallExpression Call, MacroStatement Caller) : Statement(Line);

internal sealed record FilterBlockStatement(int Line, Expression Filter, IReadOnlyList<Statement> Body) : Statement(Line);

internal sealed record WithStatement(int Line, IReadOnlyList<(Expression Target, Expression Value)> Values, IReadOnlyList<Statement> Body) : Statement(Line);

/// <summary>What the assistant wrote: training counts the loss of these spans alone.</summary>
internal sealed record GenerationStatement(int Line, IReadOnlyList<Statement> Body) : Statement(Line);

internal sealed record LeaveLoopStatement(int Line, bool Continues) : Statement(Line);
