using System.CommandLine;

namespace OpenEuroLLM.Cli;

/// <summary>A command that, given again after an interruption, goes on where it stopped. All others begin anew and have left nothing half-written.</summary>
internal sealed class ResumableCommand(string name, string description) : Command(name, description);
