using System.Text;

namespace OpenEuroLLM.Inference.Grammars;

/// <summary>Compiles the form of a whole answer.</summary>
internal sealed class AnswerCompiler
{
    private readonly AnswerForm _form;
    private readonly Func<string, byte[]> _bytesOfMark;
    private readonly Automaton _automaton;
    private readonly SchemaCompiler _schemas;

    private AnswerCompiler(AnswerForm form, Func<string, byte[]> bytesOfMark, GrammarLimits limits)
    {
        (_form, _bytesOfMark, _automaton) = (form, bytesOfMark, new Automaton(limits));
        _schemas = new SchemaCompiler(_automaton);
    }

    /// <param name="form">The form.</param>
    /// <param name="bytesOfMark">How the marks of the family are written (<see cref="TokenTrie.BytesOfMark"/>).</param>
    /// <param name="limits">What it may take.</param>
    /// <exception cref="RequestException">A schema is malformed, too large, contradictory, or not supported.</exception>
    public static Automaton Compile(AnswerForm form, Func<string, byte[]> bytesOfMark, GrammarLimits limits)
    {
        var compiler = new AnswerCompiler(form, bytesOfMark, limits);
        try
        {
            return compiler.Compile();
        }
        catch (SchemaException problem)
        {
            throw new RequestException(form.Field, (form.Value is null ? "the parameters of the tools, " : "the schema, ") + problem.Message);
        }
    }

    private Automaton Compile()
    {
        _automaton.Root = _automaton.AddRule("");
        int from = _automaton.Entry(_automaton.Root), to = _automaton.Exit(_automaton.Root);
        if (_form.Reasoning is { } reasoning) from = AddReasoning(from, reasoning);
        if (_form.Value is { } value)
        {
            int rule = value is Grammar.JsonSchema(var schema, var strict) ? _schemas.Compile(schema, strict) : _schemas.Compile("{}", strict: false, ValueTypes.Record);
            _automaton.Call(from, rule, to, deeper: false);
        }

        if (_form.Calls is { Required: false } && _form.Value is null) AddTextWithCalls(from, to, _form.Calls);
        else if (_form.Calls is { } calls) AddCalls(from, to, calls);
        _automaton.Complete();
        return _automaton;
    }

    // Behind reasoning line breaks may follow, which nobody sees.
    private int AddReasoning(int from, ReasoningForm reasoning)
    {
        int body = _automaton.AddState(""), thought = _automaton.AddState(""), closed = _automaton.AddState("");
        if (reasoning.IsOpen)
        {
            _automaton.Skip(from, thought);
        }
        else
        {
            _automaton.Skip(from, body);
            _automaton.ReadAll(from, thought, _bytesOfMark(reasoning.Open), "");
        }

        new MarkedText(_automaton).Until(thought, closed, _bytesOfMark(reasoning.Close), end: null);
        for (int i = 0; i < 3; i++)
        {
            _automaton.Skip(closed, body);
            int next = _automaton.AddState("");
            _automaton.Read(closed, next, (byte)'\n', (byte)'\n');
            closed = next;
        }

        _automaton.Skip(closed, body);
        return body;
    }

    private void AddTextWithCalls(int from, int to, CallsForm calls)
    {
        int text = _automaton.AddState(""), call = _automaton.AddState("");
        _automaton.Skip(from, text);
        new MarkedText(_automaton).Until(text, call, _bytesOfMark(calls.Marks.Open), to);
        AddMarked(call, calls.Several ? text : to, calls, OneCall(calls), beginsWithMark: false);
    }

    private void AddCalls(int from, int to, CallsForm calls)
    {
        int one = OneCall(calls);
        bool repeats = calls.Several && calls.Marks.Open.Length > 0 && !calls.Marks.IsList;
        for (int i = 0; i < (repeats ? _automaton.Limits.Calls : 1); i++)
        {
            int behind = _automaton.AddState("");
            AddMarked(from, behind, calls, one, beginsWithMark: true);
            _automaton.Skip(behind, to);
            from = Gap(behind);
        }
    }

    // One mark and what belongs to it: a call, or a list of them.
    private void AddMarked(int from, int to, CallsForm calls, int one, bool beginsWithMark)
    {
        if (beginsWithMark && calls.Marks.Open.Length > 0)
        {
            int open = _automaton.AddState("");
            _automaton.ReadAll(from, open, _bytesOfMark(calls.Marks.Open), "");
            from = open;
        }

        int close = calls.Marks.Close is null ? to : _automaton.AddState("");
        bool gaps = calls.Marks.Notation != CallNotation.NameAndArguments && calls.Marks.Open.Length > 0;
        if (gaps) from = Gap(from);
        if (calls.Marks.IsList) AddList(from, close, calls, one);
        else _automaton.Call(from, one, close, deeper: false);
        if (calls.Marks.Close is { } mark) _automaton.ReadAll(gaps ? Gap(close) : close, to, _bytesOfMark(mark), "");
    }

    private void AddList(int from, int to, CallsForm calls, int one)
    {
        int at = _automaton.AddState("");
        _automaton.Read(from, at, (byte)'[', (byte)'[');
        for (int i = 0; i < (calls.Several ? _automaton.Limits.Calls : 1); i++)
        {
            int behind = _automaton.AddState("");
            _automaton.Call(at, one, behind, deeper: false);
            _automaton.Read(behind, to, (byte)']', (byte)']');
            at = _automaton.Separated(behind, ',', "");
        }
    }

    private int OneCall(CallsForm calls)
    {
        int rule = _automaton.AddRule("");
        int from = _automaton.Entry(rule), to = _automaton.Exit(rule);
        foreach (var tool in calls.Tools)
        {
            int arguments = ArgumentsOf(tool), begin = _automaton.AddState(""), end = _automaton.AddState("");
            var name = new StringBuilder();
            JsonLiterals.WriteText(tool.Name, name);
            switch (calls.Marks.Notation)
            {
                case CallNotation.NameAndArguments:
                    int named = ReadText(from, tool.Name);
                    _automaton.ReadAll(named, begin, _bytesOfMark(AnswerFormat.ArgumentsMark), "");
                    _automaton.Skip(end, to);
                    break;
                case CallNotation.JsonByName:
                    _automaton.Skip(Colon(ReadText(from, "{" + name)), begin);
                    _automaton.Read(end, to, (byte)'}', (byte)'}');
                    break;
                default:
                    int first = _automaton.Separated(ReadText(Colon(ReadText(from, "{\"name\"")), name.ToString()), ',', "");
                    _automaton.Skip(Colon(ReadText(first, $"\"{calls.Marks.ArgumentsKey}\"")), begin);
                    _automaton.Read(end, to, (byte)'}', (byte)'}');
                    break;
            }

            _automaton.Call(begin, arguments, end, deeper: true);
        }

        return rule;
    }

    // Parameters of tools that are not strict promise nothing: where they cannot be kept, any object is taken.
    private int ArgumentsOf(ToolDefinition tool)
    {
        string schema = tool.Parameters ?? """{"type":"object","properties":{},"additionalProperties":false}""";
        try
        {
            try
            {
                return _schemas.Compile(schema, tool.Strict, ValueTypes.Record);
            }
            catch (SchemaException) when (!tool.Strict)
            {
                return _schemas.Compile("{}", strict: false, ValueTypes.Record); // unless the first try has taken all that there is
            }
        }
        catch (SchemaException problem)
        {
            throw new RequestException("tools", $"the parameters of the tool '{tool.Name}', {problem.Message}");
        }
    }

    private int Colon(int from) => _automaton.Separated(from, ':', "");

    private int ReadText(int from, string text)
    {
        int to = _automaton.AddState("");
        _automaton.ReadAll(from, to, Encoding.UTF8.GetBytes(text), "");
        return to;
    }

    // A line break, a space, or nothing.
    private int Gap(int from)
    {
        int to = _automaton.AddState("");
        _automaton.Skip(from, to);
        _automaton.Read(from, to, (byte)'\n', (byte)'\n');
        _automaton.Read(from, to, (byte)' ', (byte)' ');
        return to;
    }
}
