using System.Globalization;

namespace OpenEuroLLM.Inference;

/// <summary>The filters of lists.</summary>
internal static partial class TemplateFilters
{
    /// <summary>What stands at a path like <c>function.name</c> or <c>0</c> inside a value.</summary>
    private static object? AttributePath(TemplateRun run, object? item, object? path)
    {
        if (path is long index) return TemplateAccess.Item(run, item, index);
        foreach (string part in Values.Text(run, path, "attribute").Value.Split('.'))
        {
            run.Step();
            object key = long.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out long number) ? number : TemplateText.Trusted(part);
            item = TemplateAccess.Item(run, item, key);
        }
        return item;
    }

    private static TemplateList Stream(List<object?> items) => new(items, isStream: true);

    private static object? First(TemplateRun run, object? value, CallArguments arguments)
    {
        object? first = new UndefinedValue("there is no first item");
        if (value is not TemplateList { IsStream: true, Items: var stream }) return Values.Items(run, value) is [var found, ..] ? found : first;
        if (stream.Count == 0) return first;
        first = stream[0];
        stream.RemoveAt(0);
        return first;
    }

    private static Func<object?, object?> Key(TemplateRun run, object? attribute, bool caseSensitive) => item =>
    {
        object? key = CallArguments.IsAbsent(attribute) || attribute is null ? item : AttributePath(run, item, attribute);
        return !caseSensitive && key is TemplateText text ? LetterCase.Lower(run, text) : key;
    };

    private static List<object?> Sorted(TemplateRun run, IEnumerable<object?> items, Func<object?, object?> key, bool reverse)
    {
        var keyed = items.Select(item => (Key: key(item), Item: item)).ToList();
        var order = Comparer<(object? Key, object? Item)>.Create((a, b) => reverse ? Values.Compare(run, b.Key, a.Key) : Values.Compare(run, a.Key, b.Key));
        try
        {
            return [.. keyed.Order(order).Select(pair => pair.Item)];   // stable
        }
        catch (InvalidOperationException error) when (error.InnerException is TemplateException cause)
        {
            throw cause;
        }
    }

    private static TemplateList Sort(TemplateRun run, object? value, CallArguments arguments)
    {
        var bound = arguments.Bind(run, "sort", "reverse", "case_sensitive", "attribute");
        if (bound[2] is TemplateText { Value: var paths } && paths.Contains(',')) run.Fail("sort by several attributes is not supported");
        return new TemplateList(Sorted(run, Values.Items(run, value), Key(run, bound[2], Flag(bound[1])), Flag(bound[0])));
    }

    private static TemplateList DictSort(TemplateRun run, object? value, CallArguments arguments)
    {
        var bound = arguments.Bind(run, "dictsort", "case_sensitive", "by", "reverse");
        string by = Or(bound[1], "key", given => Values.Text(run, given, "by").Value);
        if (by is not ("key" or "value")) run.Fail($"dictsort: by is '{by}'; expected key or value");
        if (value is not TemplateMap map) throw run.Error($"dictsort got {Values.KindOf(value)}; expected a mapping");
        return new TemplateList(Sorted(run, TemplateMethods.Pairs(map).Items, Key(run, by == "key" ? 0L : 1L, Flag(bound[0])), Flag(bound[2])));
    }

    private static TemplateList Unique(TemplateRun run, object? value, CallArguments arguments)
    {
        var bound = arguments.Bind(run, "unique", "case_sensitive", "attribute");
        var key = Key(run, bound[1], Flag(bound[0]));
        var seen = new TemplateMap();
        var kept = new List<object?>();
        foreach (object? item in Values.Items(run, value))
        {
            object mark = Values.Key(run, key(item));
            if (seen.TryGet(mark, out _)) continue;
            seen.Set(mark, true);
            kept.Add(item);
        }
        return Stream(kept);
    }

    private static object? Extreme(TemplateRun run, object? value, CallArguments arguments, int sign)
    {
        var bound = arguments.Bind(run, "min and max", "case_sensitive", "attribute");
        var key = Key(run, bound[1], Flag(bound[0]));
        var items = Values.Items(run, value);
        if (items.Count == 0) return new UndefinedValue("there is no smallest or largest item");
        (object? best, object? bestKey) = (items[0], key(items[0]));
        foreach (object? item in items.Skip(1))
        {
            object? itemKey = key(item);
            if (Values.Compare(run, itemKey, bestKey) * sign > 0) (best, bestKey) = (item, itemKey);
        }
        return best;
    }

    private static TemplateList GroupBy(TemplateRun run, object? value, CallArguments arguments)
    {
        var bound = arguments.Bind(run, "groupby", "attribute", "default", "case_sensitive");
        if (!CallArguments.IsAbsent(bound[1])) run.Fail("groupby with a default is not supported");
        var key = Key(run, Given(run, bound[0], "groupby"), Flag(bound[2]));
        var groups = new List<object?>();
        object? lastKey = null;
        List<object?>? group = null;
        foreach (object? item in Sorted(run, Values.Items(run, value), key, reverse: false))
        {
            object? itemKey = key(item);
            if (group is null || !Values.AreEqual(run, itemKey, lastKey))
            {
                group = [];
                groups.Add(new TemplateList([AttributePath(run, item, bound[0]), new TemplateList(group)], isTuple: true));
            }
            group.Add(item);
            lastKey = itemKey;
        }
        return new TemplateList(groups);
    }

    // What is false, none too, gives nothing to map and select.
    private static List<object?> Passed(TemplateRun run, object? value) => Values.IsTrue(value) ? Values.Items(run, value) : [];

    private static TemplateList Map(TemplateRun run, object? value, CallArguments arguments)
    {
        var items = Passed(run, value);
        if (arguments.Positional.Count == 0)
        {
            var bound = arguments.Bind(run, "map", "attribute", "default");
            object? path = Given(run, bound[0], "map");
            return Stream([.. items.Select(item => AttributePath(run, item, path) is var found && found is UndefinedValue && !CallArguments.IsAbsent(bound[1]) && bound[1] is not null ? bound[1] : found)]);
        }
        string name = Values.Text(run, arguments.Positional[0], "the filter of map").Value;
        if (!All.TryGetValue(name, out var filter)) throw run.Error($"map: the filter '{name}' is not supported");
        var inner = arguments.After(1);
        return Stream([.. items.Select(item => filter(run, item, inner))]);
    }

    private static TemplateList Select(TemplateRun run, object? value, CallArguments arguments, bool byAttribute, bool keeps)
    {
        if (byAttribute && arguments.Positional.Count == 0) run.Fail("selectattr and rejectattr need the name of an attribute");
        object? path = byAttribute ? arguments.Positional[0] : null;
        var inner = arguments.After(byAttribute ? 1 : 0);
        TemplateTest test = (_, item, _) => Values.IsTrue(item);
        if (inner.Positional.Count > 0)
        {
            string name = Values.Text(run, inner.Positional[0], "the test").Value;
            if (!TemplateTests.All.TryGetValue(name, out test!)) run.Fail($"the test '{name}' is not supported");
            inner = inner.After(1);
        }
        return Stream([.. Passed(run, value).Where(item => test(run, byAttribute ? AttributePath(run, item, path) : item, inner) == keeps)]);
    }

    private static object? Reverse(TemplateRun run, object? value)
    {
        var items = Values.Items(run, value);
        items.Reverse();
        if (value is TemplateText) return TemplateStrings.Join(run, TemplateText.Empty, [.. items.Cast<TemplateText>()]);
        return new TemplateList(items, isStream: value is not TemplateList { IsStream: true });
    }

    private static object? Sum(TemplateRun run, object? value, CallArguments arguments)
    {
        var bound = arguments.Bind(run, "sum", "attribute", "start");
        object? sum = Or(bound[1], 0L, given => given);
        foreach (object? item in Values.Items(run, value))
            sum = TemplateArithmetic.Apply(run, "+", sum, CallArguments.IsAbsent(bound[0]) || bound[0] is null ? item : AttributePath(run, item, bound[0]));
        return sum;
    }

    private static TemplateList Batch(TemplateRun run, object? value, CallArguments arguments)
    {
        var bound = arguments.Bind(run, "batch", "linecount", "fill_with");
        long size = Values.Whole(run, bound[0], "linecount");
        if (size < 1) run.Fail("batch: expected at least 1");
        var batches = new List<object?>();
        List<object?> batch = [];
        foreach (object? item in Values.Items(run, value))
        {
            if (batch.Count == 0) batches.Add(new TemplateList(batch));
            batch.Add(item);
            if (batch.Count == size) batch = [];
        }
        if (batch.Count > 0 && !CallArguments.IsAbsent(bound[1]) && bound[1] is not null)
        {
            run.Step(size);
            while (batch.Count < size) batch.Add(bound[1]);
        }
        return Stream(batches);
    }

    private static TemplateList Slice(TemplateRun run, object? value, CallArguments arguments)
    {
        var bound = arguments.Bind(run, "slice", "slices", "fill_with");
        long slices = Values.Whole(run, bound[0], "slices");
        if (slices < 1) run.Fail("slice: expected at least 1");
        run.Step(slices);
        var items = Values.Items(run, value);
        var cut = new List<object?>();
        int size = (int)(items.Count / slices), longer = (int)(items.Count % slices), at = 0;
        for (int i = 0; i < slices; i++)
        {
            int count = size + (i < longer ? 1 : 0);
            var part = items.GetRange(at, count);
            at += count;
            if (i >= longer && !CallArguments.IsAbsent(bound[1]) && bound[1] is not null) part.Add(bound[1]);
            cut.Add(new TemplateList(part));
        }
        return Stream(cut);
    }
}
