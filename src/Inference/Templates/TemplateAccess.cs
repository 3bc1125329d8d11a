namespace OpenEuroLLM.Inference;

/// <summary>What stands behind a dot or in brackets.</summary>
internal static class TemplateAccess
{
    /// <summary><c>target.name</c>.</summary>
    public static object? Attribute(TemplateRun run, object? target, string name)
    {
        switch (target)
        {
            case UndefinedValue missing: throw run.Error($"{missing.Description}, so it has no '{name}'");
            case NamespaceValue space: return space.Attributes.TryGet(name, out object? set) ? set : new UndefinedValue($"the namespace has no '{name}'");
            case LoopValue loop: return loop.Attribute(run, name);
        }
        if (TemplateMethods.Find(run, target, name) is { } method) return method;
        return target is TemplateMap map && map.TryGet(name, out object? value) ? value : Missing(target, $"'{name}'");
    }

    /// <summary><c>target[index]</c>.</summary>
    public static object? Item(TemplateRun run, object? target, object? index)
    {
        switch (target, index)
        {
            case (UndefinedValue missing, _): throw run.Error($"{missing.Description}, so it has no elements");
            case (_, UndefinedValue or TemplateList or TemplateMap): return Missing(target, $"element at {Values.KindOf(index)}");
            case (TemplateList { IsStream: false } list, long or bool):
                return Place(index, list.Items.Count) is int at ? list.Items[at] : Missing(target, "that many elements");
            case (TemplateText text, long or bool):
                return Place(index, text.Count) is int position ? text.Part(text.Position(position), text.Position(position + 1)) : Missing(target, "that many characters");
            case (TemplateMap map, _):
                if (map.TryGet(Values.Key(run, index), out object? value)) return value;
                break;
        }
        if (index is not TemplateText { Value: var name }) return Missing(target, "such element");
        return target is NamespaceValue or LoopValue ? Attribute(run, target, name) : TemplateMethods.Find(run, target, name) ?? (object)Missing(target, $"'{name}'");
    }

    /// <summary><c>target[start:stop:step]</c>.</summary>
    public static object? Slice(TemplateRun run, object? target, object? start, object? stop, object? step)
    {
        if (target is UndefinedValue missing) throw run.Error($"{missing.Description}, so it has no elements");
        if (target is not (TemplateText or TemplateList { IsStream: false })) throw run.Error($"{Values.KindOf(target)} cannot be sliced");
        int count = (int)Values.Length(run, target);
        long stride = step is null ? 1 : Values.Whole(run, step, "the step of a slice");
        if (stride == 0) run.Fail("a slice with step 0");
        var (low, high) = stride > 0 ? (0, count) : (-1, count - 1);
        long from = start is null ? stride > 0 ? low : high : Clamp(Values.Whole(run, start, "the start of a slice"));
        long to = stop is null ? stride > 0 ? high : low : Clamp(Values.Whole(run, stop, "the end of a slice"));
        if (stride == 1 && target is TemplateText whole) return from < to ? whole.Part(whole.Position((int)from), whole.Position((int)to)) : TemplateText.Empty;
        var items = Values.Items(run, target);
        var taken = new List<object?>();
        if (stride > 0) for (long at = from; at < to; at += Math.Min(stride, count + 1L)) taken.Add(items[(int)at]);
        else for (long at = from; at > to; at += Math.Max(stride, -count - 1L)) taken.Add(items[(int)at]);
        return target is TemplateText ? TemplateStrings.Join(run, TemplateText.Empty, [.. taken.Cast<TemplateText>()]) : new TemplateList(taken, ((TemplateList)target).IsTuple);

        long Clamp(long index) => Math.Clamp(index < 0 ? index + count : index, low, high);
    }

    private static int? Place(object? index, int count)
    {
        Values.TryWhole(index, out long at);
        if (at < 0) at += count;
        return at >= 0 && at < count ? (int)at : null;
    }

    private static UndefinedValue Missing(object? target, string what) => new($"{Values.KindOf(target)} has no {what}");
}
