namespace OpenEuroLLM.Tokenizers;

internal enum RegexOperation : byte
{
    /// <summary>A character of the set, then the next instruction.</summary>
    Character,

    /// <summary>The same towards the begin of the text, inside a look-behind.</summary>
    CharacterBefore,

    /// <summary>A run of characters of the set, at least <c>A</c> and at most <c>B</c>, as many as lead to a match.</summary>
    GreedyRun,

    /// <summary>As few as lead to a match.</summary>
    LazyRun,

    /// <summary>As many as there are.</summary>
    PossessiveRun,

    /// <summary>Goes on at <c>A</c>, and at <c>B</c> when that fails.</summary>
    Branch,

    /// <summary>The same at the begin of a loop whose body can match nothing: coming back without progress fails.</summary>
    LoopBranch,

    Jump,
    Anchor,

    /// <summary>Tries the instructions behind it up to <see cref="End"/>, then goes on at <c>A</c> where it began.</summary>
    LookAround,

    /// <summary>The same where they must fail.</summary>
    NegativeLookAround,

    /// <summary>Tries the instructions behind it up to <see cref="End"/>, then goes on at <c>A</c> where they ended.</summary>
    Atomic,

    /// <summary>The end of the expression, or of a part that is tried on its own.</summary>
    End,
}

internal readonly record struct RegexInstruction(RegexOperation Operation, int A = 0, int B = 0, CodePointSet? Set = null);

/// <summary>Turns a parsed expression into instructions.</summary>
internal sealed class RegexCompiler
{
    private const int MostInstructions = 50_000;

    private readonly List<RegexInstruction> _program = [];
    private readonly Func<string, Exception> _refuse;
    private bool _backwards;

    private RegexCompiler(Func<string, Exception> refuse) => _refuse = refuse;

    public static RegexInstruction[] Compile(RegexNode node, Func<string, Exception> refuse)
    {
        var compiler = new RegexCompiler(refuse);
        compiler.Emit(node);
        compiler.Add(new(RegexOperation.End));
        return [.. compiler._program];
    }

    /// <summary>The characters a match can begin with; null where it can be empty or begins with more than a set tells.</summary>
    public static CodePointSet? FirstCharacters(RegexNode node)
    {
        var (set, isNullable) = First(node);
        return isNullable ? null : set;
    }

    private static (CodePointSet Set, bool IsNullable) First(RegexNode node)
    {
        switch (node)
        {
            case RegexCharacter { Set: var own }:
                return (own, false);
            case RegexSequence { Parts: var parts }:
                var sets = new List<CodePointSet>();
                foreach (var part in parts)
                {
                    var (set, isNullable) = First(part);
                    sets.Add(set);
                    if (!isNullable)
                        return (CodePointSet.Union(sets), false);
                }
                return (CodePointSet.Union(sets), true);
            case RegexChoice { Alternatives: var alternatives }:
                var all = alternatives.Select(First).ToArray();
                return (CodePointSet.Union(all.Select(each => each.Set)), all.Any(each => each.IsNullable));
            case RegexRepeat { Body: var body, Least: var least }:
                var first = First(body);
                return (first.Set, first.IsNullable || least == 0);
            case RegexAtomic { Body: var inner }:
                return First(inner);
            default:
                return (CodePointSet.Empty, true);
        }
    }

    private int Add(RegexInstruction instruction)
    {
        if (_program.Count == MostInstructions)
            throw _refuse(FormattableString.Invariant($"it is longer than {MostInstructions} instructions"));
        _program.Add(instruction);
        return _program.Count - 1;
    }

    private void Emit(RegexNode node)
    {
        switch (node)
        {
            case RegexCharacter character:
                Add(new(_backwards ? RegexOperation.CharacterBefore : RegexOperation.Character, Set: character.Set));
                break;
            case RegexSequence sequence:
                foreach (var part in _backwards ? sequence.Parts.Reverse() : sequence.Parts)
                    Emit(part);
                break;
            case RegexChoice choice:
                EmitChoice(choice.Alternatives);
                break;
            case RegexRepeat repeat:
                EmitRepeat(repeat);
                break;
            case RegexAtomic atomic:
                EmitAtomic(atomic.Body);
                break;
            case RegexAnchor anchor:
                Add(new(RegexOperation.Anchor, (int)anchor.Kind));
                break;
            case RegexLook look:
                int start = Add(default);
                bool before = _backwards;
                _backwards = !look.Ahead;
                Emit(look.Body);
                _backwards = before;
                Add(new(RegexOperation.End));
                _program[start] = new(look.Negative ? RegexOperation.NegativeLookAround : RegexOperation.LookAround, _program.Count);
                break;
        }
    }

    private void EmitAtomic(RegexNode body)
    {
        // Backwards the last character is tried first, so that another part could be kept.
        if (_backwards)
            throw _refuse("an atomic group or a possessive quantifier inside a look-behind is not supported");
        int start = Add(default);
        Emit(body);
        Add(new(RegexOperation.End));
        _program[start] = new(RegexOperation.Atomic, _program.Count);
    }

    private void EmitChoice(IReadOnlyList<RegexNode> alternatives)
    {
        var jumps = new List<int>();
        for (int i = 0; i + 1 < alternatives.Count; i++)
        {
            int branch = Add(default);
            Emit(alternatives[i]);
            jumps.Add(Add(default));
            _program[branch] = new(RegexOperation.Branch, branch + 1, _program.Count);
        }
        Emit(alternatives[^1]);
        foreach (int jump in jumps)
            _program[jump] = new(RegexOperation.Jump, _program.Count);
    }

    private void EmitRepeat(RegexRepeat repeat)
    {
        if (repeat.Body is RegexCharacter { Set: var set } && !_backwards)
        {
            var run = repeat.Greed switch
            {
                RegexGreed.Greedy => RegexOperation.GreedyRun,
                RegexGreed.Lazy => RegexOperation.LazyRun,
                _ => RegexOperation.PossessiveRun,
            };
            Add(new(run, repeat.Least, repeat.Most ?? int.MaxValue, set));
            return;
        }
        if (repeat.Greed == RegexGreed.Possessive)
        {
            EmitAtomic(repeat with { Greed = RegexGreed.Greedy });
            return;
        }
        for (int i = 0; i < repeat.Least; i++)
            Emit(repeat.Body);
        bool isLazy = repeat.Greed == RegexGreed.Lazy;
        if (repeat.Most is int most)
        {
            var branches = new List<int>();
            for (int i = repeat.Least; i < most; i++)
            {
                branches.Add(Add(default));
                Emit(repeat.Body);
            }
            foreach (int branch in branches)
                _program[branch] = Branch(RegexOperation.Branch, branch + 1, _program.Count, isLazy);
            return;
        }
        int loop = Add(default);
        Emit(repeat.Body);
        Add(new(RegexOperation.Jump, loop));
        var (_, isNullable) = First(repeat.Body);
        _program[loop] = Branch(isNullable ? RegexOperation.LoopBranch : RegexOperation.Branch, loop + 1, _program.Count, isLazy);
    }

    private static RegexInstruction Branch(RegexOperation operation, int body, int after, bool isLazy) =>
        isLazy ? new(operation, after, body) : new(operation, body, after);
}
