namespace OpenEuroLLM.Core;

/// <summary>A mistake or condition the user can mend: bad input, wrong option, full disk. The message says where, what was
/// found, what was expected and what to do; the command line prints it as one line and exits with <see cref="ExitCode.UserError"/>.</summary>
public sealed class UserErrorException : Exception
{
    /// <summary>Creates the error with its finished message.</summary>
    public UserErrorException(string message) : base(message) { }

    /// <summary>Creates the error with its finished message and the cause, which is kept for logs and never printed.</summary>
    public UserErrorException(string message, Exception? cause) : base(message, cause) { }
}
