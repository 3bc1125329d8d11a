using System.CommandLine;
using System.Text.Json.Nodes;
using OpenEuroLLM.Core;
using OpenEuroLLM.Transparency;

namespace OpenEuroLLM.Cli;

/// <summary><c>oellm card</c>: the card of a model, from its manifests.</summary>
internal static class CardCommand
{
    public static Command Create()
    {
        var folder = new Argument<string>("DIR") { Description = "A model folder, or the folder of a run (its model is taken)." };
        var json = new Option<bool>("--json") { Description = "One JSON object on standard output." };
        var command = new Command("card", "Prints the card of a model, written from its manifests alone.\nExample: oellm card runs/quickstart > README.md") { folder, json };
        command.SetAction(parsed =>
        {
            string card = ModelCard.Render(parsed.GetValue(folder)!);
            var output = parsed.InvocationConfiguration.Output;
            if (parsed.GetValue(json)) output.WriteLine(new JsonObject { ["card"] = card }.ToJsonString(JsonOutput.Compact));
            else output.Write(card);
            return ExitCode.Success;
        });
        return command;
    }
}
