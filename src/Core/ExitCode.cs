namespace OpenEuroLLM.Core;

/// <summary>Exit codes of every command.</summary>
public static class ExitCode
{
    /// <summary>The work is done.</summary>
    public const int Success = 0;

    /// <summary>A defect of the program; a stack trace was printed.</summary>
    public const int Bug = 1;

    /// <summary>Something the user can mend; one line says what.</summary>
    public const int UserError = 2;

    /// <summary>The work is done, and a bound that the user set for its result is broken; a line for each says which. For builds that must stop then.</summary>
    public const int BoundBroken = 3;

    /// <summary>Stopped by the user (Ctrl+C).</summary>
    public const int Interrupted = 130;
}
