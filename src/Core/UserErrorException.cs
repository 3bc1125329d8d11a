namespace OpenEuroLLM.Core;

/// <summary>A mistake or condition the user can mend: bad input, wrong option, full disk. The message says where, what was
/// found, what was expected and what to do; the command line prints it as one line and exits with <see cref="ExitCode.UserError"/>.</summary>
/// <remarks>What was found may come from a hostile file: line breaks and other control characters in the message become spaces.</remarks>
public sealed class UserErrorException : Exception
{
    /// <summary>Creates the error with its finished message.</summary>
    public UserErrorException(string message) : base(OneLine(message)) { }

    /// <summary>Creates the error with its finished message and the cause, which is kept for logs and never printed.</summary>
    public UserErrorException(string message, Exception? cause) : base(OneLine(message), cause) { }

    private static string OneLine(string message) =>
        message.Any(IsBreaking) ? string.Concat(message.Select(letter => IsBreaking(letter) ? ' ' : letter)) : message;

    private static bool IsBreaking(char letter) => char.IsControl(letter) || letter is '\u2028' or '\u2029';
}
