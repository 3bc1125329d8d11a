using System.Text;
using System.Text.Json;

namespace OpenEuroLLM.Inference.Grammars;

/// <summary>Compiles JSON Schemas into rules of a pushdown automaton over the bytes of their valid values.</summary>
/// <remarks>What a rule writes is a subset of what is valid: properties in the schema's order, of a schema that names properties only
/// those unless <c>additionalProperties</c> says otherwise, one space at most behind a colon or a comma and nowhere else, texts in
/// their shortest form. Names of additional properties may repeat.</remarks>
internal sealed class SchemaCompiler
{
    private readonly GrammarLimits _limits;
    private readonly Automaton _automaton;
    private readonly JsonStrings _strings;
    private readonly JsonNumbers _numbers;
    private readonly Dictionary<string, int> _rules = new(StringComparer.Ordinal);
    private readonly Queue<(int Rule, IReadOnlyList<SchemaPlace> Places, ValueTypes Types)> _open = [];
    private SchemaReader? _reader;
    private int? _any;

    public SchemaCompiler(Automaton automaton)
    {
        (_limits, _automaton) = (automaton.Limits, automaton);
        _strings = new JsonStrings(automaton);
        _numbers = new JsonNumbers(automaton);
    }

    /// <summary>The rule of a schema's values.</summary>
    /// <param name="schema">The schema, as text.</param>
    /// <param name="strict">Whether all objects must be closed and all properties required.</param>
    /// <param name="types">The types that the value may have.</param>
    /// <exception cref="SchemaException">The schema is malformed, too large, or not supported.</exception>
    public int Compile(string schema, bool strict, ValueTypes types = ValueTypes.All)
    {
        if (schema.Length > _limits.SchemaBytes || Encoding.UTF8.GetByteCount(schema) > _limits.SchemaBytes)
            throw new SchemaException("", $"the schema has more than {_limits.SchemaBytes} bytes; make it smaller.");
        try
        {
            using var document = JsonDocument.Parse(schema, new JsonDocumentOptions { AllowDuplicateProperties = false, MaxDepth = 2 * _limits.SchemaDepth });
            _reader = new SchemaReader(document.RootElement, strict, _automaton);
            _rules.Clear();
            _open.Clear();
            int before = _automaton.Rules, root = _automaton.AddRule("");
            _open.Enqueue((root, [new SchemaPlace(document.RootElement, "")], types));
            while (_open.TryDequeue(out var next))
            {
                var shape = new SchemaShape();
                foreach (var place in next.Places) _reader.Read(place, shape);
                shape.Types &= next.Types;
                Add(_automaton.Entry(next.Rule), _automaton.Exit(next.Rule), shape, next.Places[0].Pointer, 0);
            }

            _automaton.RefuseLeftRecursion(before);
            return root;
        }
        catch (JsonException exception)
        {
            throw new SchemaException("", $"the schema is not valid JSON, has a key twice or is deeper than {2 * _limits.SchemaDepth} (line {exception.LineNumber + 1}).");
        }
        catch (InvalidOperationException)
        {
            throw new SchemaException("", "a text of the schema is not valid Unicode.");
        }
    }

    /// <summary>The rule of values that satisfy all of some schemas.</summary>
    private int RuleOf(List<SchemaPlace> places)
    {
        _automaton.Spend(places.Count + places.Sum(place => place.Pointer.Length) / 16, "");
        SchemaPlace[] distinct = [.. places.Where(place => place.Element.ValueKind != JsonValueKind.True).DistinctBy(place => place.Pointer)];
        if (distinct.Length == 0) return Any();
        string key = string.Join('\n', distinct.Select(place => place.Pointer));
        if (_rules.TryGetValue(key, out int rule)) return rule;
        rule = _automaton.AddRule(distinct[0].Pointer);
        _rules.Add(key, rule);
        _open.Enqueue((rule, distinct, ValueTypes.All));
        return rule;
    }

    private int Any()
    {
        if (_any is int known) return known;
        int rule = _automaton.AddRule("");
        _any = rule;
        Add(_automaton.Entry(rule), _automaton.Exit(rule), new SchemaShape(), "", 0);
        return rule;
    }

    private void Add(int from, int to, SchemaShape shape, string pointer, int depth)
    {
        if (shape.Alternatives is [var branches, ..])
        {
            if (depth > _limits.SchemaDepth) throw new SchemaException(pointer, $"alternatives lie more than {_limits.SchemaDepth} deep in each other.");
            bool isFree = shape.IsFree && shape.Alternatives.Count == 1;
            foreach (var branch in branches)
            {
                _automaton.Spend(shape.Size, branch.Pointer);
                if (isFree)
                {
                    _automaton.Call(from, RuleOf([branch]), to, deeper: false);
                    continue;
                }

                var joined = shape.CopyWithoutFirstAlternatives();
                _reader!.Read(branch, joined);
                Add(from, to, joined, branch.Pointer, depth + 1);
            }

            return;
        }

        var types = shape.Types == ValueTypes.All && shape.Implied != ValueTypes.None && shape.Values is null ? shape.Implied : shape.Types;
        if (shape.Values is not null)
        {
            _automaton.Spend(8 * shape.Values.Count, pointer);
            if (shape.HasDetails) throw new SchemaException(pointer, "enum and const are supported beside type only, not beside other demands on the value.");
            AddLiterals(from, to, shape.Values.Where(value => (SchemaShape.TypeOf(value.Value) & types) != 0).Select(value => value.Key), pointer);
            return;
        }

        if (types.HasFlag(ValueTypes.Null)) _automaton.ReadAll(from, to, "null"u8, pointer);
        if (types.HasFlag(ValueTypes.Boolean)) AddLiterals(from, to, ["true", "false"], pointer);
        if ((types & ValueTypes.Number) != 0) _numbers.Add(from, to, whole: !types.HasFlag(ValueTypes.Fractional), shape.Range, pointer);
        if (types.HasFlag(ValueTypes.Text)) _strings.Add(from, to, TextOf(shape, pointer), pointer);
        if (types.HasFlag(ValueTypes.List)) AddList(from, to, shape, pointer);
        if (types.HasFlag(ValueTypes.Record)) AddRecord(from, to, shape, pointer);
    }

    private CharacterAutomaton TextOf(SchemaShape shape, string pointer)
    {
        CharacterAutomaton? text = null;
        if (shape.Patterns.Count == 0 || shape.MinLength > 0 || shape.MaxLength is not null)
        {
            text = CharacterAutomaton.OfLength(shape.MinLength, shape.MaxLength, _limits.States / 4, pointer);
            _automaton.Spend(4 * text.Count, pointer);
        }

        foreach (var (pattern, place) in shape.Patterns)
        {
            void Spend(int steps) => _automaton.Spend(steps, place);
            var one = PatternParser.Parse(pattern, _limits.PatternStates, Spend, place);
            text = text is null ? one : text.And(one, 4 * _limits.PatternStates, Spend, place);
        }

        return text!;
    }

    // Literals that begin the same share states, so that thousands of them are one reading.
    private void AddLiterals(int from, int to, IEnumerable<string> literals, string pointer)
    {
        var next = new Dictionary<(int, byte), int>();
        foreach (string literal in literals)
        {
            int state = from;
            bool inText = false, isEscaped = false;
            foreach (byte value in Encoding.UTF8.GetBytes(literal))
            {
                if (!next.TryGetValue((state, value), out int target))
                {
                    next.Add((state, value), target = _automaton.AddState(pointer));
                    _automaton.Read(state, target, value, value);
                }

                state = target;
                if (value == '"' && !isEscaped) inText = !inText;
                isEscaped = inText && value == '\\' && !isEscaped;
                if (inText || value is not ((byte)',' or (byte)':')) continue;
                // A space may follow, as it may elsewhere.
                if (!next.TryGetValue((state, (byte)' '), out int behind))
                {
                    next.Add((state, (byte)' '), behind = _automaton.AddState(pointer));
                    _automaton.Skip(state, behind);
                    _automaton.Read(state, behind, (byte)' ', (byte)' ');
                }

                state = behind;
            }

            _automaton.Skip(state, to);
        }
    }

    private void AddList(int from, int to, SchemaShape shape, string pointer)
    {
        int? most = shape.MaxItems;
        int listed = shape.Items.Select(items => items.First.Count).DefaultIfEmpty().Max();
        foreach (var (first, others) in shape.Items)
            if (others is { Element.ValueKind: JsonValueKind.False }) most = Math.Min(most ?? int.MaxValue, first.Count);
        if (most < shape.MinItems) return;
        int state = _automaton.AddState(pointer);
        _automaton.Read(from, state, (byte)'[', (byte)'[');
        if (most > _limits.States) throw new SchemaException(pointer, $"maxItems is supported up to {_limits.States}; leave it out for any number.");
        int steps = most is int bound ? bound : Math.Max(1, Math.Max(shape.MinItems, listed));
        for (int i = 0; i <= steps; i++)
        {
            if (i >= shape.MinItems) _automaton.Read(state, to, (byte)']', (byte)']');
            if (i == steps && most == steps) return;
            int item = i == 0 ? state : Separated(state, ',', pointer);
            int next = i == steps ? state : _automaton.AddState(pointer);
            _automaton.Spend(8 + shape.Items.Count, pointer);
            var places = shape.Items.SelectMany(items => i < items.First.Count ? [items.First[i]] : items.Others is { } other ? [other] : Array.Empty<SchemaPlace>());
            _automaton.Call(item, RuleOf([.. places]), next, deeper: true);
            state = next;
        }
    }

    private void AddRecord(int from, int to, SchemaShape shape, string pointer)
    {
        var order = shape.Order.Concat(shape.Required.Where(name => !shape.Properties.ContainsKey(name)).Order(StringComparer.Ordinal)).ToList();
        int empty = _automaton.AddState(pointer), filled = _automaton.AddState(pointer);
        _automaton.Read(from, empty, (byte)'{', (byte)'{');
        foreach (string name in order)
        {
            var places = new List<SchemaPlace>(shape.Properties.GetValueOrDefault(name) ?? []);
            _automaton.Spend(8 + places.Count + shape.Additional.Count, pointer);
            places.AddRange(shape.Additional.Where(rule => !rule.Named.Contains(name)).Select(rule => rule.Others));
            bool required = shape.Required.Contains(name);
            if (places.Any(place => place.Element.ValueKind == JsonValueKind.False))
            {
                if (required) return; // no object is valid
                continue;
            }

            int key = _automaton.AddState(pointer), colon = _automaton.AddState(pointer);
            int nextEmpty = _automaton.AddState(pointer), nextFilled = _automaton.AddState(pointer);
            _automaton.Skip(empty, key);
            _automaton.Skip(Separated(filled, ',', pointer), key);
            var text = new StringBuilder();
            JsonLiterals.WriteText(name, text);
            _automaton.ReadAll(key, colon, Encoding.UTF8.GetBytes(text.ToString()), pointer);
            _automaton.Call(Separated(colon, ':', pointer), RuleOf(places), nextFilled, deeper: true);
            if (!required)
            {
                _automaton.Skip(empty, nextEmpty);
                _automaton.Skip(filled, nextFilled);
            }

            (empty, filled) = (nextEmpty, nextFilled);
        }

        _automaton.Read(empty, to, (byte)'}', (byte)'}');
        _automaton.Read(filled, to, (byte)'}', (byte)'}');
        bool open = shape.Additional.Count > 0 ? shape.Additional.All(rule => rule.Others.Element.ValueKind != JsonValueKind.False) : order.Count == 0;
        if (!open) return;
        _automaton.Spend(4 * order.Sum(name => name.Length), pointer);
        int firstName = _automaton.AddState(pointer), behind = _automaton.AddState(pointer);
        _automaton.Skip(empty, firstName);
        _automaton.Skip(Separated(filled, ',', pointer), firstName);
        _strings.Add(firstName, behind, CharacterAutomaton.AllBut(order), pointer);
        _automaton.Call(Separated(behind, ':', pointer), RuleOf([.. shape.Additional.Select(rule => rule.Others)]), filled, deeper: true);
    }

    private int Separated(int from, char mark, string pointer) => _automaton.Separated(from, mark, pointer);
}
