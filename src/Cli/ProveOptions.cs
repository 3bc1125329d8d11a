using System.CommandLine;
using OpenEuroLLM.Core;

namespace OpenEuroLLM.Cli;

/// <summary>The options of <c>oellm prove</c>.</summary>
internal sealed class ProveOptions
{
    public Argument<string[]> Settings { get; } = RunCommand.Overrides();

    public Option<string> Out { get; } = new("--out")
    {
        Description = "Working folder; what an earlier proof left in it is removed first.",
        DefaultValueFactory = _ => Path.Combine("runs", "prove"),
        HelpName = "DIR",
    };

    public Option<ulong> Seed { get; } = new("--seed") { Description = "Decides the moments of the kills, and what is made.", DefaultValueFactory = _ => 1UL, HelpName = "N" };

    public Option<int?> Kills { get; } = new("--kills") { Description = "How often the program is killed; 20 for training, 200 for a corpus, 50 for an erasure, 100 for a server.", HelpName = "N" };

    public Option<long> Tokens { get; } = new("--tokens") { Description = "Tokens of the run.", DefaultValueFactory = _ => 200_000, HelpName = "N" };

    public Option<long> Documents { get; } = new("--documents") { Description = "Documents of the corpus that is made.", DefaultValueFactory = _ => 100_000, HelpName = "N" };

    public Option<int> Pairs { get; } = new("--pairs") { Description = "Pairs at each level of similarity.", DefaultValueFactory = _ => 20_000, HelpName = "N" };

    public Option<string?> Bytes { get; } = new("--bytes") { Description = "Size of the input that is made, before packing: 1GB; of bombs and long lines, about: 10GB.", HelpName = "SIZE" };

    public Option<string[]> Input { get; } = new("--input") { Description = "Texts that the corpus is made from by repetition with changes; the built-in sample when absent.", HelpName = "PATH", DefaultValueFactory = _ => [] };

    public Option<string?> Only { get; } = new("--only") { Description = "Only the cases whose names contain this.", HelpName = "WORD" };

    public Option<string?> Model { get; } = new("--model") { Description = "A model folder or a .gguf file; the built-in model when absent.", HelpName = "PATH" };

    public Option<int?> Count { get; } = new("--count") { Description = "Requests; 1000 to replay, 10000 that are left (below 100 without clients that never read).", HelpName = "N" };

    public Option<int?> Streams { get; } = new("--streams") { Description = "Clients at once; 64.", HelpName = "N" };

    public Option<double?> Minutes { get; } = new("--minutes") { Description = "How long; 30 of streams, 5 of too many requests.", HelpName = "M" };

    /// <summary>Checks the values, and makes the working folder.</summary>
    /// <exception cref="UserErrorException">A value is out of range, or the folder holds files of something else.</exception>
    public ProofRun Read(string name, ParseResult parsed, CancellationToken cancellation)
    {
        if (parsed.GetValue(Kills) < 1) throw new UserErrorException("--kills is out of range; expected 1 or more.");
        if (parsed.GetValue(Tokens) < 1) throw new UserErrorException("--tokens is out of range; expected 1 or more.");
        if (parsed.GetValue(Documents) < 1) throw new UserErrorException("--documents is out of range; expected 1 or more.");
        if (parsed.GetValue(Pairs) < 1) throw new UserErrorException("--pairs is out of range; expected 1 or more.");
        if (parsed.GetValue(Count) < 1) throw new UserErrorException("--count is out of range; expected 1 or more.");
        if (parsed.GetValue(Streams) is < 1 or > 512) throw new UserErrorException("--streams is out of range; expected 1 to 512.");
        if (parsed.GetValue(Minutes) is double minutes && !(minutes > 0 && minutes <= 100_000)) throw new UserErrorException("--minutes is out of range; expected more than 0, at most 100000.");
        long? bytes = parsed.GetValue(Bytes) is { } size ? ByteSize.Parse(size, "--bytes") : null;
        if (bytes < 1) throw new UserErrorException("--bytes is out of range; expected 1 or more.");
        string folder = Path.GetFullPath(parsed.GetValue(Out)!);
        ProofRun.Clear(folder);
        return new ProofRun(name, folder, parsed.GetValue(Settings) ?? [], parsed.GetValue(Seed), parsed.InvocationConfiguration.Output, parsed.InvocationConfiguration.Error, cancellation)
        {
            Kills = parsed.GetValue(Kills),
            Pairs = parsed.GetValue(Pairs),
            Tokens = parsed.GetValue(Tokens),
            Documents = parsed.GetValue(Documents),
            Bytes = bytes,
            Input = parsed.GetValue(Input) ?? [],
            Only = parsed.GetValue(Only),
            Model = parsed.GetValue(Model),
            Count = parsed.GetValue(Count),
            Streams = parsed.GetValue(Streams),
            Minutes = parsed.GetValue(Minutes),
        };
    }
}
