using System.Collections;
using System.Globalization;

namespace OpenEuroLLM.Inference;

// A value of a template is one of: null (none), bool, long, double, TemplateText, TemplateList, TemplateMap, UndefinedValue, NamespaceValue,
// LoopValue, and what can be called (TemplateFunction). Nothing else is ever reachable, so there is nothing to escape to.

/// <summary>A name, key or attribute that is not there: empty when written, false when asked, an error in most other uses.</summary>
/// <param name="Description">What was looked for, for the error.</param>
internal sealed record UndefinedValue(string Description);

/// <summary>A list or tuple.</summary>
/// <param name="items">Its elements.</param>
/// <param name="isTuple">Whether it is written with parentheses and never grows.</param>
/// <param name="isData">Whether it came with the conversation; then it never grows either.</param>
/// <param name="isStream">Whether it is what many filters give: true even when empty, without a length, and gone through once (Python's generators).</param>
internal sealed class TemplateList(List<object?> items, bool isTuple = false, bool isData = false, bool isStream = false)
{
    public List<object?> Items { get; } = items;

    public bool IsTuple { get; } = isTuple;

    public bool IsData { get; } = isData;

    public bool IsStream { get; } = isStream;
}

/// <summary>A mapping in the order of insertion.</summary>
internal sealed class TemplateMap : IEnumerable<KeyValuePair<object, object?>>
{
    private readonly OrderedDictionary<object, object?> _items = new(KeyComparer.Instance);

    public int Count => _items.Count;

    public IEnumerable<object> Keys => _items.Keys;

    public object? this[string key]
    {
        set => _items[TemplateText.Trusted(key)] = value;
    }

    public void Set(object key, object? value) => _items[key] = value;

    /// <summary>Sets a value that came with the conversation.</summary>
    public void SetData(string key, object? value) => _items[TemplateText.Data(key)] = value;

    public bool TryGet(object key, out object? value) => _items.TryGetValue(key, out value);

    public bool TryGet(string key, out object? value) => _items.TryGetValue(TemplateText.Trusted(key), out value);

    public IEnumerator<KeyValuePair<object, object?>> GetEnumerator() => _items.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    // Keys are texts, numbers, truth values and none (as a marker); 1, 1.0 and true are one key.
    private sealed class KeyComparer : IEqualityComparer<object>
    {
        public static KeyComparer Instance { get; } = new();

        public new bool Equals(object? x, object? y) => (x, y) switch
        {
            (TemplateText a, TemplateText b) => a.Value == b.Value,
            (TemplateText, _) or (_, TemplateText) => false,
            (NoneKey, _) or (_, NoneKey) => x is NoneKey && y is NoneKey,
            _ => Number(x) == Number(y),
        };

        public int GetHashCode(object key) => key switch
        {
            TemplateText text => string.GetHashCode(text.Value, StringComparison.Ordinal),
            NoneKey => 0,
            _ => Number(key).GetHashCode(),
        };

        private static double Number(object? key) => key switch { bool truth => truth ? 1 : 0, long whole => whole, double real => real, _ => double.NaN };
    }
}

/// <summary>None as a key of a mapping.</summary>
internal sealed record NoneKey
{
    public static NoneKey Instance { get; } = new();
}

/// <summary>What <c>namespace()</c> makes: attributes that can be set from inside loops.</summary>
internal sealed class NamespaceValue(TemplateMap attributes)
{
    public TemplateMap Attributes { get; } = attributes;
}

/// <summary>The variable <c>loop</c>.</summary>
internal sealed class LoopValue(List<object?> items)
{
    private object? _lastSeen;
    private bool _hasSeen;

    public int Index { get; set; }

    /// <summary>The attribute of a name, or undefined.</summary>
    public object? Attribute(TemplateRun run, string name) => name switch
    {
        "index" => (long)Index + 1,
        "index0" => (long)Index,
        "revindex" => (long)items.Count - Index,
        "revindex0" => (long)items.Count - Index - 1,
        "first" => Index == 0,
        "last" => Index == items.Count - 1,
        "length" => (long)items.Count,
        "depth" => 1L,      // more only in recursive loops
        "depth0" => 0L,
        "previtem" => Index > 0 ? items[Index - 1] : new UndefinedValue("there is no previous item"),
        "nextitem" => Index + 1 < items.Count ? items[Index + 1] : new UndefinedValue("there is no next item"),
        "cycle" => new TemplateFunction("cycle", arguments => arguments.Positional.Count == 0 ? throw run.Error("cycle has no items") : arguments.Positional[Index % arguments.Positional.Count]),
        "changed" => new TemplateFunction("changed", arguments => Changed(run, new TemplateList([.. arguments.Positional], isTuple: true))),
        _ => new UndefinedValue($"a loop has no '{name}'"),
    };

    private bool Changed(TemplateRun run, object? value)
    {
        bool changed = !_hasSeen || !Values.AreEqual(run, _lastSeen, value);
        (_lastSeen, _hasSeen) = (value, true);
        return changed;
    }
}

/// <summary>Something that can be called.</summary>
/// <param name="Name">Its name, for errors.</param>
/// <param name="Call">Takes the arguments and gives the result.</param>
internal sealed record TemplateFunction(string Name, Func<CallArguments, object?> Call);

/// <summary>What values mean, as Python has it.</summary>
internal static class Values
{
    public static string KindOf(object? value) => value switch
    {
        null => "none",
        bool => "a truth value",
        long => "a whole number",
        double => "a number",
        TemplateText => "a text",
        TemplateList { IsTuple: true } => "a tuple",
        TemplateList { IsStream: true } => "the unfinished result of a filter (a filter 'list' behind it finishes it)",
        TemplateList => "a list",
        TemplateMap => "a mapping",
        UndefinedValue => "undefined",
        TemplateFunction => "a function",
        _ => "an object",
    };

    public static bool IsTrue(object? value) => value switch
    {
        null or UndefinedValue => false,
        bool truth => truth,
        long whole => whole != 0,
        double real => real != 0,
        TemplateText text => text.Value.Length > 0,
        TemplateList list => list.IsStream || list.Items.Count > 0,
        TemplateMap map => map.Count > 0,
        _ => true,
    };

    public static bool AreEqual(TemplateRun run, object? left, object? right)
    {
        switch (left, right)
        {
            case (null, _) or (_, null): return left is null && right is null;
            case (UndefinedValue, _) or (_, UndefinedValue): return left is UndefinedValue && right is UndefinedValue;
            case (TemplateText a, TemplateText b):
                run.Characters(Math.Min(a.Value.Length, b.Value.Length));
                return a.Value == b.Value;
            case (long a, long b): return a == b;
            case (TemplateList a, TemplateList b):
                if (a.IsStream || b.IsStream) return ReferenceEquals(a, b);
                if (a.IsTuple != b.IsTuple || a.Items.Count != b.Items.Count) return false;
                run.EnterValue();
                for (int i = 0; i < a.Items.Count; i++)
                    if (!AreEqual(run, a.Items[i], b.Items[i])) return Left(run, false);
                return Left(run, true);
            case (TemplateMap a, TemplateMap b):
                if (a.Count != b.Count) return false;
                run.EnterValue();
                foreach (var (key, value) in a)
                    if (!b.TryGet(key, out object? other) || !AreEqual(run, value, other)) return Left(run, false);
                return Left(run, true);
        }
        return TryNumber(left, out double x) && TryNumber(right, out double y) ? x == y : ReferenceEquals(left, right);
    }

    private static bool Left(TemplateRun run, bool result)
    {
        run.LeaveValue();
        return result;
    }

    /// <summary>Order of two values that have one; negative when the left comes first.</summary>
    public static int Compare(TemplateRun run, object? left, object? right)
    {
        run.Step();
        switch (left, right)
        {
            case (TemplateText a, TemplateText b):
                run.Characters(Math.Min(a.Value.Length, b.Value.Length));
                return CompareTexts(a.Value, b.Value);
            case (long a, long b): return a.CompareTo(b);
            case (TemplateList a, TemplateList b) when a.IsTuple == b.IsTuple && !a.IsStream && !b.IsStream:
                run.EnterValue();
                for (int i = 0; i < Math.Min(a.Items.Count, b.Items.Count); i++)
                {
                    if (AreEqual(run, a.Items[i], b.Items[i])) continue;
                    int order = Compare(run, a.Items[i], b.Items[i]);
                    run.LeaveValue();
                    return order;
                }
                run.LeaveValue();
                return a.Items.Count.CompareTo(b.Items.Count);
        }
        if (TryNumber(left, out double x) && TryNumber(right, out double y)) return x < y ? -1 : x > y ? 1 : 0;
        throw run.Error($"{KindOf(left)} and {KindOf(right)} have no order");
    }

    // By code points: UTF-16 puts surrogates before U+E000.
    private static int CompareTexts(string a, string b)
    {
        int at = 0;
        while (at < a.Length && at < b.Length && a[at] == b[at]) at++;
        if (at == a.Length || at == b.Length) return a.Length.CompareTo(b.Length);
        return (char.IsSurrogate(a[at]), char.IsSurrogate(b[at])) switch
        {
            (true, false) => 1,
            (false, true) => -1,
            _ => a[at].CompareTo(b[at]),
        };
    }

    /// <summary>A number or truth value as a number.</summary>
    public static bool TryNumber(object? value, out double number)
    {
        (bool known, number) = value switch
        {
            bool truth => (true, truth ? 1 : 0),
            long whole => (true, whole),
            double real => (true, real),
            _ => (false, 0),
        };
        return known;
    }

    /// <summary>A whole number, truth values included.</summary>
    public static bool TryWhole(object? value, out long whole)
    {
        (bool known, whole) = value switch { bool truth => (true, truth ? 1L : 0L), long number => (true, number), _ => (false, 0L) };
        return known;
    }

    public static long Whole(TemplateRun run, object? value, string what) =>
        TryWhole(value, out long whole) ? whole : throw run.Error($"{what} is {KindOf(value)}; expected a whole number");

    /// <summary>The elements of what can be gone through: of a mapping its keys, of a text its characters.</summary>
    public static List<object?> Items(TemplateRun run, object? value)
    {
        switch (value)
        {
            case TemplateList list:
                run.Step(list.Items.Count);
                List<object?> items = [.. list.Items];
                if (list.IsStream) list.Items.Clear();
                return items;
            case TemplateMap map:
                run.Step(map.Count);
                return [.. map.Keys.Select(KeyValue)];
            case UndefinedValue: return [];
            case TemplateText text:
                run.Step(text.Value.Length);
                var characters = new List<object?>(text.Count);
                for (int at = 0; at < text.Value.Length;)
                {
                    int next = at + (char.IsHighSurrogate(text.Value[at]) && at + 1 < text.Value.Length ? 2 : 1);
                    characters.Add(text.Part(at, next));
                    at = next;
                }
                return characters;
            default: throw run.Error($"{KindOf(value)} has no elements to go through");
        }
    }

    public static bool IsIterable(object? value) => value is TemplateList or TemplateMap or UndefinedValue or TemplateText;

    public static long Length(TemplateRun run, object? value) => value switch
    {
        TemplateText text => text.Count,
        TemplateList { IsStream: false } list => list.Items.Count,
        TemplateMap map => map.Count,
        UndefinedValue => 0,
        _ => throw run.Error($"{KindOf(value)} has no length"),
    };

    /// <summary>Whether something is in a list, a key of a mapping, or a part of a text.</summary>
    public static bool Contains(TemplateRun run, object? container, object? value)
    {
        switch (container)
        {
            case TemplateText text:
                if (value is not TemplateText part) throw run.Error($"{KindOf(value)} cannot be looked for in a text");
                run.Characters(text.Value.Length);
                return text.Value.Contains(part.Value, StringComparison.Ordinal);
            case TemplateMap map: return value is not UndefinedValue && map.TryGet(Key(run, value), out _);
            case TemplateList list:
                int passed = 0;
                bool contains = false;
                while (!contains && passed < list.Items.Count)
                {
                    run.Step();
                    contains = AreEqual(run, list.Items[passed++], value);
                }
                if (list.IsStream) list.Items.RemoveRange(0, passed);
                return contains;
            case UndefinedValue: return false;
            default: throw run.Error($"nothing can be looked for in {KindOf(container)}");
        }
    }

    /// <summary>A value as the key of a mapping.</summary>
    public static object Key(TemplateRun run, object? value) => value switch
    {
        null => NoneKey.Instance,
        TemplateText or bool or long or double => value,
        _ => throw run.Error($"{KindOf(value)} cannot be a key"),
    };

    public static object? KeyValue(object key) => key is NoneKey ? null : key;

    /// <summary>A value as it is written out.</summary>
    public static TemplateText Written(TemplateRun run, object? value) => value switch
    {
        TemplateText text => text,
        UndefinedValue => TemplateText.Empty,
        long whole => TemplateText.Trusted(whole.ToString(CultureInfo.InvariantCulture)),
        _ => PythonText.Shown(run, value),
    };

    /// <summary>A text argument.</summary>
    public static TemplateText Text(TemplateRun run, object? value, string what) =>
        value as TemplateText ?? throw run.Error($"{what} is {KindOf(value)}; expected a text");
}
