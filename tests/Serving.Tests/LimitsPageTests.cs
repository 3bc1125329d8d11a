using System.Globalization;
using System.Reflection;
using OpenEuroLLM.Inference;

namespace OpenEuroLLM.Serving.Tests;

/// <summary><c>docs/limits.md</c> says what the code says: every figure of every table of limits, and no other.</summary>
public sealed class LimitsPageTests
{
    // What is no limit.
    private static readonly string[] Other = ["ServerOptions.Port"];

    [Fact]
    public void The_page_has_every_limit_with_its_figure_and_no_other()
    {
        var said = Rows().ToDictionary(row => row.Name, row => row.Figure, StringComparer.Ordinal);
        var meant = AllLimits().ToDictionary(limit => limit.Name, limit => Show(limit.Value), StringComparer.Ordinal);
        string[] missing = [.. meant.Where(limit => !said.ContainsKey(limit.Key)).Select(limit => $"| ... | {limit.Value} | `{limit.Key}` | ... |")];
        Assert.True(missing.Length == 0, "docs/limits.md lacks:\n" + string.Join('\n', missing));
        Assert.Equal([], said.Keys.Except(meant.Keys));
        Assert.Equal(meant.OrderBy(limit => limit.Key, StringComparer.Ordinal), said.OrderBy(limit => limit.Key, StringComparer.Ordinal));
    }

    [Fact]
    public void The_page_says_what_happens_at_each_limit() =>
        Assert.All(Rows(), row => Assert.True(row.Meaning.Length > 5 && row.Beyond.Length > 1, row.Name));

    private static IEnumerable<(string Meaning, string Figure, string Name, string Beyond)> Rows() =>
        File.ReadLines(Path.Combine(Root, "docs", "limits.md")).Where(line => line.StartsWith("| ", StringComparison.Ordinal) && line.Contains("| `", StringComparison.Ordinal))
            .Select(line => line.Split('|')).Select(cells => (cells[1].Trim(), cells[2].Trim(), cells[3].Trim().Trim('`'), cells[4].Trim()));

    /// <summary>The numbers of all types that are named Limits, of the server's options, and of the reader of bodies.</summary>
    private static IEnumerable<(string Name, object? Value)> AllLimits()
    {
        IEnumerable<Type> types = new[] { typeof(RequestLimits).Assembly, typeof(ServerOptions).Assembly }.SelectMany(assembly => assembly.GetTypes())
            .Where(type => type.Name.EndsWith("Limits", StringComparison.Ordinal) || type == typeof(ServerOptions) || type == typeof(RequestBody));
        foreach (Type type in types)
        {
            foreach (ParameterInfo parameter in type.GetConstructors(BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance).SelectMany(constructor => constructor.GetParameters()))
                if (parameter.HasDefaultValue && IsNumber(parameter.ParameterType) && !Other.Contains($"{type.Name}.{parameter.Name}")) yield return ($"{type.Name}.{parameter.Name}", parameter.DefaultValue);
            foreach (FieldInfo constant in type.GetFields(BindingFlags.Public | BindingFlags.Static).Where(field => field.IsLiteral && IsNumber(field.FieldType)))
                yield return ($"{type.Name}.{constant.Name}", constant.GetRawConstantValue());
        }

        static bool IsNumber(Type type) => Type.GetTypeCode(Nullable.GetUnderlyingType(type) ?? type) is TypeCode.Int32 or TypeCode.Int64 or TypeCode.Double;
    }

    private static string Show(object? value) => value switch
    {
        null => "by memory",
        double number => number.ToString("#,0.##", CultureInfo.InvariantCulture),
        IFormattable number => number.ToString("#,0", CultureInfo.InvariantCulture),
        _ => throw new InvalidOperationException($"no number: {value}"),
    };

    private static string Root
    {
        get
        {
            for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
                if (File.Exists(Path.Combine(folder.FullName, "OpenEuroLLM.slnx"))) return folder.FullName;
            throw new InvalidOperationException("the tests do not run inside the repository");
        }
    }
}
