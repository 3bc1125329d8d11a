namespace OpenEuroLLM.Tokenizers;

/// <summary>Why a match was given up.</summary>
internal sealed class RegexBudgetException(string message) : Exception(message);

/// <summary>Runs instructions over text with the rules of a backtracking engine, on a stack of its own and within a budget. One thread at a time.</summary>
/// <remarks>After a while every state that has been tried is remembered and not tried again, so that expressions such as <c>(a*)*b</c> take no
/// exponential time; short matches, the normal case, remember nothing.</remarks>
internal sealed class RegexMatcher(RegexInstruction[] program)
{
    private const long FreeSteps = 5_000_000;
    private const long StepsPerByte = 100;
    private const int ForgetfulSteps = 2_000;
    private const int MostFrames = 1 << 23;

    private Frame[] _frames = new Frame[64];
    private int _frameCount;
    private RegexMemory _memory = new();
    private long _steps;

    /// <summary>The end of the match that begins at a place.</summary>
    /// <param name="text">The text.</param>
    /// <param name="start">Where the match must begin.</param>
    /// <param name="isFirst">Whether this is the first place of a search: its budget begins, and what is remembered is of another text.</param>
    /// <param name="end">The end.</param>
    /// <exception cref="RegexBudgetException">The budget is used up.</exception>
    public bool TryMatch(ReadOnlySpan<byte> text, int start, bool isFirst, out int end)
    {
        if (isFirst)
        {
            _memory.Forget(0);
            _steps = 0;
        }
        long budget = FreeSteps + StepsPerByte * (text.Length - start);
        _frameCount = 0;
        int barrier = -1;       // the frame of the innermost part that is tried on its own
        int at = 0;
        int position = start;
        while (true)
        {
            if (++_steps > budget)
                throw new RegexBudgetException(FormattableString.Invariant($"a match at byte {start} takes more than {budget} steps"));
            ref readonly var instruction = ref program[at];
            bool matches = true;
            switch (instruction.Operation)
            {
                case RegexOperation.Character:
                    matches = position < text.Length && instruction.Set!.Contains(CodePoints.Read(text, position, out int length)) && Move(ref position, length);
                    at++;
                    break;
                case RegexOperation.CharacterBefore:
                    matches = position > 0 && instruction.Set!.Contains(CodePoints.ReadBefore(text, position, out length)) && Move(ref position, -length);
                    at++;
                    break;
                case RegexOperation.GreedyRun or RegexOperation.LazyRun or RegexOperation.PossessiveRun:
                    matches = IsNew(at, position) && Run(text, instruction, at, ref position);
                    at++;
                    break;
                case RegexOperation.Branch or RegexOperation.LoopBranch:
                    matches = instruction.Operation == RegexOperation.LoopBranch ? Remember(at, position) : IsNew(at, position);
                    if (matches)
                        Push(new Frame(FrameKind.Resume, instruction.B, position));
                    at = instruction.A;
                    break;
                case RegexOperation.Jump:
                    at = instruction.A;
                    break;
                case RegexOperation.Anchor:
                    matches = RegexAnchors.Holds((RegexAnchorKind)instruction.A, text, position);
                    at++;
                    break;
                case RegexOperation.LookAround or RegexOperation.NegativeLookAround or RegexOperation.Atomic:
                    Push(new Frame(FrameKind.Barrier, at, position, barrier, _memory.Count));
                    barrier = _frameCount - 1;
                    at++;
                    break;
                case RegexOperation.End:
                    if (barrier < 0)
                    {
                        end = position;
                        return true;
                    }
                    // The part has matched: its other ways are dropped. States on the way were no failures, so they are forgotten.
                    var begun = _frames[barrier];
                    _frameCount = barrier;
                    barrier = begun.Limit;
                    _memory.Forget(begun.Memory);
                    var kind = program[begun.At].Operation;
                    matches = kind != RegexOperation.NegativeLookAround;
                    at = program[begun.At].A;
                    if (kind == RegexOperation.LookAround)
                        position = begun.Position;
                    break;
            }
            if (!matches && !Backtrack(text, ref barrier, ref at, ref position))
            {
                end = start;
                return false;
            }
        }
    }

    private static bool Move(ref int position, int length)
    {
        position += length;
        return true;
    }

    private bool IsNew(int at, int position) => _steps < ForgetfulSteps || Remember(at, position);

    private bool Remember(int at, int position)
    {
        if (_memory.IsFull)
            throw new RegexBudgetException(FormattableString.Invariant($"a match at byte {position} has too many states"));
        return _memory.Add(at, position);
    }

    private bool Run(ReadOnlySpan<byte> text, in RegexInstruction run, int at, ref int position)
    {
        int count = 0;
        int wanted = run.Operation == RegexOperation.LazyRun ? run.A : run.B;
        int afterLeast = position;
        while (count < wanted && position < text.Length && run.Set!.Contains(CodePoints.Read(text, position, out int length)))
        {
            position += length;
            if (++count == run.A)
                afterLeast = position;
        }
        _steps += count;
        if (count < run.A)
            return false;
        if (run.Operation == RegexOperation.GreedyRun && position > afterLeast)
            Push(new Frame(FrameKind.Shorten, at + 1, position, afterLeast));
        else if (run.Operation == RegexOperation.LazyRun && count < run.B)
            Push(new Frame(FrameKind.Lengthen, at, position, run.B - count));
        return true;
    }

    /// <summary>Goes back to the last place with another way.</summary>
    private bool Backtrack(ReadOnlySpan<byte> text, ref int barrier, ref int at, ref int position)
    {
        while (_frameCount > 0)
        {
            ref var frame = ref _frames[--_frameCount];
            (at, position) = (frame.At, frame.Position);
            switch (frame.Kind)
            {
                case FrameKind.Resume:
                    return true;
                case FrameKind.Shorten:
                    CodePoints.ReadBefore(text, position, out int length);
                    position -= length;
                    if (position > frame.Limit)
                    {
                        frame.Position = position;
                        _frameCount++;
                    }
                    return true;
                case FrameKind.Lengthen:
                    if (position >= text.Length || !program[at].Set!.Contains(CodePoints.Read(text, position, out length)))
                        continue;
                    position += length;
                    at++;
                    if (--frame.Limit > 0)
                    {
                        frame.Position = position;
                        _frameCount++;
                    }
                    return true;
                case FrameKind.Barrier:
                    barrier = frame.Limit;
                    if (program[at].Operation != RegexOperation.NegativeLookAround)
                        continue;
                    at = program[at].A;
                    return true;
            }
        }
        return false;
    }

    private void Push(Frame frame)
    {
        if (_frameCount == _frames.Length)
        {
            if (_frameCount >= MostFrames)
                throw new RegexBudgetException(FormattableString.Invariant($"a match at byte {frame.Position} can go on in more than {MostFrames} ways"));
            Array.Resize(ref _frames, _frames.Length * 2);
        }
        _frames[_frameCount++] = frame;
    }

    private enum FrameKind : byte
    {
        /// <summary>Goes on at an instruction.</summary>
        Resume,

        /// <summary>Gives back the last character of a run, down to the limit.</summary>
        Shorten,

        /// <summary>Takes one more character into a run; the limit counts them.</summary>
        Lengthen,

        /// <summary>A part is tried on its own; the limit is the barrier around it.</summary>
        Barrier,
    }

    private record struct Frame(FrameKind Kind, int At, int Position, int Limit = 0, int Memory = 0);
}
