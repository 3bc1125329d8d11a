using System.CommandLine;

namespace OpenEuroLLM.Cli;

/// <summary>A command that takes signals itself, because its end takes longer than the two seconds that others have.</summary>
internal sealed class ServingCommand(string name, string description) : Command(name, description);
