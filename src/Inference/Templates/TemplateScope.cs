namespace OpenEuroLLM.Inference;

/// <summary>Names and their values; what is not found here is looked for in the scope around.</summary>
internal sealed class TemplateScope(TemplateScope? around)
{
    private Dictionary<string, object?>? _names;

    public void Set(string name, object? value) => (_names ??= new(StringComparer.Ordinal))[name] = value;

    public object? Find(string name)
    {
        for (var scope = this; scope is not null; scope = scope.Around)
            if (scope._names is { } names && names.TryGetValue(name, out object? value)) return value;
        return new UndefinedValue($"'{name}' is undefined");
    }

    private TemplateScope? Around => around;
}
