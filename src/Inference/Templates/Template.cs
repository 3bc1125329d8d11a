using OpenEuroLLM.Core;

namespace OpenEuroLLM.Inference;

/// <summary>A template that was read and can be rendered any number of times, from any thread.</summary>
/// <remarks>The language is the subset of Jinja that chat templates use. There is no way from a template to anything but the values that it is given.</remarks>
internal sealed class Template
{
    private readonly IReadOnlyList<Statement> _body;

    /// <exception cref="TemplateException">The template is malformed, or asks for something that is not supported.</exception>
    public Template(string source) => (_body, Mentioned) = TemplateParser.Parse(source);

    /// <summary>The names, attributes and short texts that occur in expressions.</summary>
    public IReadOnlySet<string> Mentioned { get; }

    /// <param name="variables">What the template is given; a text is trusted or data as it says.</param>
    /// <param name="clock">The time that the template may ask for, and that limits it.</param>
    /// <param name="limits">What it may use; null for the defaults.</param>
    /// <exception cref="TemplateException">The template raises an error, does something impossible, or takes more than its limits.</exception>
    public TemplateText Render(IEnumerable<KeyValuePair<string, object?>> variables, IClock clock, TemplateLimits? limits = null)
    {
        var run = new TemplateRun(limits ?? new TemplateLimits(), clock);
        var globals = new TemplateScope(null);
        TemplateFunctions.AddTo(globals, run);
        foreach (var (name, value) in variables) globals.Set(name, value);
        return new TemplateEvaluator(run).Render(_body, new TemplateScope(globals));
    }
}
