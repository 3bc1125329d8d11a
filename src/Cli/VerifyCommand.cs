using System.CommandLine;
using System.Text.Json.Nodes;
using OpenEuroLLM.Core;

namespace OpenEuroLLM.Cli;

/// <summary><c>oellm verify</c>: recomputes every hash along the chain of manifests.</summary>
internal static class VerifyCommand
{
    public static Command Create()
    {
        var folder = new Argument<string>("DIR") { Description = "The output folder of a stage, a model, or a whole run." };
        var json = new Option<bool>("--json") { Description = "One JSON object on standard output." };
        var command = new Command("verify", "Recomputes every hash along the chain of manifests and names the first thing that does not match.\nExample: oellm verify runs/quickstart") { folder, json };
        command.SetAction(parsed =>
        {
            var (output, error) = (parsed.InvocationConfiguration.Output, parsed.InvocationConfiguration.Error);
            string path = parsed.GetValue(folder)!;
            var report = ManifestVerifier.Verify(path);
            if (parsed.GetValue(json)) output.WriteLine(ToJson(report).ToJsonString(JsonOutput.Compact));
            else if (report.Matches) output.WriteLine(FormattableString.Invariant($"{path}: everything matches; files {report.Files}, folders {report.Folders}, {report.Bytes / 1e6:0.0} MB{External(report)}{Replaced(report)}."));
            if (!report.Matches) error.WriteLine($"oellm: {path}: does not match. {report.Problem}.");
            return report.Matches ? ExitCode.Success : ExitCode.UserError;
        });
        return command;
    }

    private static string External(VerifyReport report) => report.ExternalInputs == 0 ? "" : FormattableString.Invariant($"; inputs that are not here and were not checked: {report.ExternalInputs}");

    private static string Replaced(VerifyReport report) => report.Replaced == 0 ? "" : FormattableString.Invariant($"; folders that documents were erased from since others were made from them: {report.Replaced}");

    private static JsonObject ToJson(VerifyReport report) => new()
    {
        ["matches"] = report.Matches,
        ["problem"] = report.Problem,
        ["folders"] = report.Folders,
        ["files"] = report.Files,
        ["bytes"] = report.Bytes,
        ["externalInputs"] = report.ExternalInputs,
        ["replaced"] = report.Replaced,
    };
}
