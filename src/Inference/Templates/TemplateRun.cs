using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Text;
using OpenEuroLLM.Core;

namespace OpenEuroLLM.Inference;

/// <summary>One rendering: its place in the template, what it has used of its limits, and the time.</summary>
internal sealed class TemplateRun(TemplateLimits limits, IClock clock)
{
    // Evaluation inside evaluation: expressions in expressions, blocks in blocks, values in values.
    private const int MostDepth = 600, MostValueDepth = 100;
    private const int CharactersOfAStep = 64, StepsBetweenReadings = 1024;

    private readonly long _started = clock.Timestamp;
    private long _steps, _nextReading = StepsBetweenReadings, _bytes;
    private int _depth, _valueDepth, _macros;

    /// <summary>The line that is being evaluated.</summary>
    public int Line { get; set; } = 1;

    public DateTimeOffset Now => clock.UtcNow;

    public TemplateException Error(string message) => new(message, Line);

    public void Step(long cost = 1)
    {
        if (cost > limits.Steps - _steps) throw Error($"the template takes more than {limits.Steps} steps");
        _steps += cost;
        if (_steps < _nextReading) return;
        _nextReading = _steps + StepsBetweenReadings;
        if (clock.SecondsSince(_started) > limits.Seconds) throw Error($"the template takes more than {limits.Seconds} seconds");
    }

    /// <summary>Counts a text before it is made.</summary>
    public void Characters(long count)
    {
        if (count > limits.OutputBytes) throw Error($"a text of {count} characters; expected at most {limits.OutputBytes}");
        Step(count / CharactersOfAStep);
    }

    public void Output(string text)
    {
        _bytes += Encoding.UTF8.GetByteCount(text);
        if (_bytes > limits.OutputBytes) throw Error($"the template writes more than {limits.OutputBytes} bytes");
    }

    public void Enter()
    {
        Step();
        if (++_depth > MostDepth || !RuntimeHelpers.TryEnsureSufficientExecutionStack()) throw Error("expressions and blocks are nested too deeply");
    }

    public void Leave() => _depth--;

    /// <summary>Goes into a value that is inside a value.</summary>
    public void EnterValue()
    {
        Step();
        if (++_valueDepth > MostValueDepth) throw Error($"values are nested more than {MostValueDepth} deep");
    }

    public void LeaveValue() => _valueDepth--;

    public void EnterMacro()
    {
        if (++_macros > limits.Recursion) throw Error($"macros call each other more than {limits.Recursion} deep");
    }

    public void LeaveMacro() => _macros--;

    [DoesNotReturn]
    public void Fail(string message) => throw Error(message);
}
