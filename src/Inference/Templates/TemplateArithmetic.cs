using OpenEuroLLM.Core;

namespace OpenEuroLLM.Inference;

/// <summary>Operators, as Python has them; whole numbers have 64 bits and never wrap.</summary>
internal static class TemplateArithmetic
{
    private const double MostWhole = 9.2e18;

    public static object? Apply(TemplateRun run, string sign, object? left, object? right)
    {
        if (left is UndefinedValue missing || (missing = (right as UndefinedValue)!) is not null) throw run.Error(missing.Description);
        switch (sign, left, right)
        {
            case ("+", TemplateText a, TemplateText b): return TemplateStrings.Concat(run, a, b);
            case ("+", TemplateList a, TemplateList b) when a.IsTuple == b.IsTuple && !a.IsStream && !b.IsStream:
                run.Step((long)a.Items.Count + b.Items.Count);
                return new TemplateList([.. a.Items, .. b.Items], a.IsTuple);
            case ("*", TemplateText text, _) when Values.TryWhole(right, out long times): return TemplateStrings.Repeat(run, text, times);
            case ("*", _, TemplateText text) when Values.TryWhole(left, out long times): return TemplateStrings.Repeat(run, text, times);
            case ("*", TemplateList { IsStream: false } list, _) when Values.TryWhole(right, out long times): return Repeat(run, list, times);
            case ("*", _, TemplateList { IsStream: false } list) when Values.TryWhole(left, out long times): return Repeat(run, list, times);
            case ("%", TemplateText text, _): return TemplateFormats.Percent(run, text, right is TemplateList { IsTuple: true } values ? values.Items : [right]);
        }
        if (Values.TryWhole(left, out long x) && Values.TryWhole(right, out long y)) return Whole(run, sign, x, y);
        if (Values.TryNumber(left, out double u) && Values.TryNumber(right, out double v)) return Real(run, sign, u, v);
        throw run.Error($"'{sign}' of {Values.KindOf(left)} and {Values.KindOf(right)} is not possible");
    }

    public static object Negate(TemplateRun run, object? value) => value switch
    {
        double real => (object)-real,
        UndefinedValue missing => throw run.Error(missing.Description),
        _ => Values.TryWhole(value, out long whole) ? whole != long.MinValue ? -whole : throw TooBig(run) : throw run.Error($"'-' of {Values.KindOf(value)} is not possible"),
    };

    public static bool Holds(TemplateRun run, string sign, object? left, object? right)
    {
        switch (sign)
        {
            case "==": return Values.AreEqual(run, left, right);
            case "!=": return !Values.AreEqual(run, left, right);
            case "in": return Values.Contains(run, right, left);
            case "not in": return !Values.Contains(run, right, left);
        }
        if (left is UndefinedValue missing || (missing = (right as UndefinedValue)!) is not null) throw run.Error(missing.Description);
        if (left is double.NaN || right is double.NaN) return false;
        int order = Values.Compare(run, left, right);
        return sign switch { "<" => order < 0, "<=" => order <= 0, ">" => order > 0, _ => order >= 0 };
    }

    private static TemplateException TooBig(TemplateRun run) => run.Error("a whole number beyond 64 bits");

    private static TemplateException ByZero(TemplateRun run) => run.Error("division by zero");

    private static TemplateList Repeat(TemplateRun run, TemplateList list, long times)
    {
        if (times <= 0 || list.Items.Count == 0) return new TemplateList([], list.IsTuple);
        run.Step(times > int.MaxValue ? long.MaxValue : times * list.Items.Count);
        var items = new List<object?>();
        for (long i = 0; i < times; i++) items.AddRange(list.Items);
        return new TemplateList(items, list.IsTuple);
    }

    private static object Whole(TemplateRun run, string sign, long x, long y)
    {
        try
        {
            checked
            {
                switch (sign)
                {
                    case "+": return x + y;
                    case "-": return x - y;
                    case "*": return x * y;
                    case "/": return y != 0 ? (double)x / y : throw ByZero(run);
                    case "//": return y == 0 ? throw ByZero(run) : y == -1 ? -x : FloorQuotient(x, y);
                    case "%": return y == 0 ? throw ByZero(run) : y == -1 ? 0L : x - FloorQuotient(x, y) * y;
                    default: return y < 0 ? (object)Real(run, sign, x, y) : Power(x, y);
                }
            }
        }
        catch (OverflowException error)
        {
            throw new TemplateException($"a whole number beyond 64 bits ({error.Message.TrimEnd('.')})", run.Line);
        }
    }

    private static long FloorQuotient(long x, long y)
    {
        long quotient = x / y;
        return x % y != 0 && x < 0 != y < 0 ? quotient - 1 : quotient;
    }

    private static long Power(long x, long y)
    {
        if (x is 0 or 1 || y == 0) return y == 0 ? 1 : x;
        if (x == -1) return y % 2 == 0 ? 1 : -1;
        long power = 1;
        for (; y > 0; y--) power = checked(power * x);   // ends by overflow after 62 rounds at most
        return power;
    }

    private static double Real(TemplateRun run, string sign, double u, double v)
    {
        switch (sign)
        {
            case "+": return u + v;
            case "-": return u - v;
            case "*": return u * v;
            case "**": return Power(run, u, v);
        }
        if (v == 0) throw ByZero(run);
        if (sign == "/") return u / v;
        double remainder = u % v;
        if (remainder != 0 && remainder < 0 != v < 0) remainder += v;
        return sign == "%" ? remainder : Math.Floor((u - remainder) / v + 0.5);
    }

    // Of whole exponents by multiplication, which is exact where the result is.
    private static double Power(TemplateRun run, double u, double v)
    {
        if (v == Math.Floor(v) && Math.Abs(v) <= 1024)
        {
            if (u == 0 && v < 0) throw ByZero(run);
            double power = 1;
            for (int i = 0; i < Math.Abs(v); i++) power *= u;
            return v < 0 ? 1 / power : power;
        }
        if (u < 0) throw run.Error("a root of a negative number");
        double result = Numerics.Pow(u, v);
        return double.IsFinite(result) ? result : throw run.Error("a number too big");
    }
}
