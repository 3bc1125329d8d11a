using System.Globalization;

namespace OpenEuroLLM.Inference;

/// <summary>Texts with places for values: <c>'{}'.format(x)</c> and <c>'%s' % x</c>, without access to anything inside the values.</summary>
internal static class TemplateFormats
{
    /// <summary>Fills <c>{}</c>, <c>{0}</c> and <c>{name}</c>.</summary>
    public static object? Format(TemplateRun run, TemplateText text, CallArguments arguments)
    {
        var filled = new TemplateText.Builder();
        string value = text.Value;
        int next = 0;
        for (int at = 0; at < value.Length; at++)
        {
            int plain = value.AsSpan(at).IndexOfAny('{', '}') is var found and >= 0 ? at + found : value.Length;
            filled.Append(text, at, plain);
            at = plain;
            if (at == value.Length) break;
            if (at + 1 < value.Length && value[at + 1] == value[at])
            {
                filled.Append(text, at, ++at);
                continue;
            }
            int end = value.IndexOf('}', at);
            if (value[at] == '}' || end < 0) run.Fail("format: a single brace; write it twice, or close the field");
            var written = Values.Written(run, Field(run, value[(at + 1)..end], arguments, ref next));
            run.Characters(written.Value.Length);
            filled.Append(written);
            at = end;
        }
        var result = filled.Build();
        run.Characters(result.Value.Length);
        return result;
    }

    private static object? Field(TemplateRun run, string field, CallArguments arguments, ref int next)
    {
        if (field.AsSpan().IndexOfAny(".[:!") >= 0) run.Fail($"format: the field '{{{field}}}' is not supported; expected {{}}, a number or a name");
        int index = -1;
        if (field.Length == 0) index = next++;
        else if (!int.TryParse(field, NumberStyles.None, CultureInfo.InvariantCulture, out index))
        {
            foreach (var (name, value) in arguments.Named)
                if (name == field) return value;
            throw run.Error($"format: nothing is given for '{{{field}}}'");
        }
        return index < arguments.Positional.Count ? arguments.Positional[index] : throw run.Error($"format: nothing is given for field {index}");
    }

    /// <summary>Fills <c>%s</c>, <c>%d</c>, <c>%i</c> and <c>%r</c>; <c>%%</c> is a percent sign.</summary>
    /// <param name="run">The rendering.</param>
    /// <param name="text">The text with places.</param>
    /// <param name="values">One value for each place.</param>
    public static TemplateText Percent(TemplateRun run, TemplateText text, IReadOnlyList<object?> values)
    {
        var filled = new TemplateText.Builder();
        string value = text.Value;
        int used = 0, written = 0;
        for (int at; (at = value.IndexOf('%', written)) >= 0; written = at + 2)
        {
            filled.Append(text, written, at);
            char kind = at + 1 < value.Length ? value[at + 1] : '\0';
            if (kind == '%') filled.Append(text, at, at + 1);
            else
            {
                if (!(kind is 's' or 'd' or 'i' or 'r')) run.Fail("a place in a text with '%' is not supported; expected %s, %d, %i, %r or %%");
                if (used == values.Count) run.Fail("a text with '%' has more places than values");
                object? given = values[used++];
                var shown = kind switch
                {
                    's' => Values.Written(run, given),
                    'r' => PythonText.Shown(run, given),
                    _ => Values.TryNumber(given, out double number) && Math.Abs(number) < long.MaxValue ? Values.Written(run, given is double ? (long)number : Values.Whole(run, given, "%d"))
                        : throw run.Error($"%{kind} got {Values.KindOf(given)}; expected a number"),
                };
                run.Characters(shown.Value.Length);
                filled.Append(shown);
            }
        }
        if (used < values.Count) run.Fail("a text with '%' has fewer places than values");
        var result = filled.Append(text, written, value.Length).Build();
        run.Characters(result.Value.Length);
        return result;
    }
}
