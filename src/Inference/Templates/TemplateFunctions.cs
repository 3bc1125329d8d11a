using System.Globalization;
using System.Text;

namespace OpenEuroLLM.Inference;

/// <summary>The functions that every template has.</summary>
internal static class TemplateFunctions
{
    private const long LongestRange = 100_000;  // as the sandbox of the reference has it

    public static void AddTo(TemplateScope scope, TemplateRun run)
    {
        Add("raise_exception", arguments => throw new TemplateException(OneLine(Values.Written(run, arguments.Bind(run, "raise_exception", "message")[0]).Value), run.Line, raised: true));
        Add("strftime_now", arguments => TemplateText.Trusted(Time(run, Values.Text(run, arguments.Bind(run, "strftime_now", "format")[0], "the format of strftime_now").Value)));
        Add("namespace", arguments => new NamespaceValue(Map(run, "namespace", arguments)));
        Add("dict", arguments => Map(run, "dict", arguments));
        Add("range", arguments => Range(run, arguments));

        void Add(string name, Func<CallArguments, object?> call) => scope.Set(name, new TemplateFunction(name, call));
    }

    private static string OneLine(string message) => message.ReplaceLineEndings(" ");

    private static TemplateMap Map(TemplateRun run, string function, CallArguments arguments)
    {
        var map = arguments.Positional switch
        {
            [] => new TemplateMap(),
            [TemplateMap given] => TemplateMethods.Copy(given),
            _ => throw run.Error($"{function} got something else than one mapping and names"),
        };
        foreach (var (name, value) in arguments.Named) map[name] = value;
        return map;
    }

    private static TemplateList Range(TemplateRun run, CallArguments arguments)
    {
        long[] bounds = [.. arguments.Positional.Select(bound => Values.Whole(run, bound, "an argument of range"))];
        if (bounds.Length is 0 or > 3 || arguments.Named.Count > 0) run.Fail("range got the wrong arguments; expected 1 to 3 whole numbers");
        var (start, stop, step) = bounds.Length == 1 ? (0, bounds[0], 1) : (bounds[0], bounds[1], bounds.Length == 3 ? bounds[2] : 1);
        if (step == 0) run.Fail("range with step 0");
        Int128 span = step > 0 ? (Int128)stop - start : (Int128)start - stop, stride = Int128.Abs(step);
        Int128 count = span <= 0 ? 0 : (span + stride - 1) / stride;
        if (count > LongestRange) run.Fail($"a range of {count} numbers; expected at most {LongestRange}");
        run.Step((long)count);
        var numbers = new List<object?>((int)count);
        for (long i = 0; i < (long)count; i++) numbers.Add(start + i * step);
        return new TemplateList(numbers);
    }

    // The time is UTC: a rendering does not depend on where the machine stands.
    private static string Time(TemplateRun run, string format)
    {
        var text = new StringBuilder();
        for (int at = 0; at < format.Length; at++)
        {
            if (format[at] != '%')
            {
                text.Append(format[at]);
                continue;
            }
            bool unpadded = at + 1 < format.Length && format[at + 1] == '-';
            if (unpadded) at++;
            string? part = ++at < format.Length ? Part(run.Now, format[at]) : null;
            if (part is null) run.Fail($"strftime_now: '%{(at < format.Length ? format[at] : ' ')}' is not supported; expected one of %a %A %b %B %d %e %F %H %I %j %m %M %p %S %T %y %Y %Z %%");
            text.Append(unpadded && part.Length > 1 ? part.TrimStart('0') is { Length: > 0 } trimmed ? trimmed : "0" : part);
        }
        return text.ToString();
    }

    private static string? Part(DateTimeOffset time, char kind)
    {
        string? form = kind switch
        {
            'a' => "ddd", 'A' => "dddd", 'b' or 'h' => "MMM", 'B' => "MMMM", 'd' => "dd", 'F' => "yyyy-MM-dd", 'H' => "HH", 'I' => "hh", 'm' => "MM",
            'M' => "mm", 'S' => "ss", 'T' => "HH:mm:ss", 'y' => "yy", 'Y' => "yyyy",
            _ => null,
        };
        if (form is not null) return time.ToString(form, CultureInfo.InvariantCulture);
        return kind switch
        {
            'e' => time.Day.ToString(CultureInfo.InvariantCulture).PadLeft(2),
            'j' => time.DayOfYear.ToString("000", CultureInfo.InvariantCulture),
            'p' => time.Hour < 12 ? "AM" : "PM",
            'Z' => "",      // a time without a zone, as the field has it
            '%' => "%",
            _ => null,
        };
    }
}
