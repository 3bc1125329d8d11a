using OpenEuroLLM.Core;

namespace OpenEuroLLM.Corpus.Reporting;

/// <summary>Everything a corpus folder says of itself. A pure function of the folder.</summary>
/// <param name="Manifest">Its manifest.</param>
/// <param name="Funnel">The way of the documents.</param>
/// <param name="Licences">Licences by language.</param>
/// <param name="Sources">Sources by language.</param>
/// <param name="Skipped">What of the input was no document.</param>
/// <param name="Samples">Documents that were kept and dropped; null where the folder has none.</param>
/// <param name="Domains">Hosts by language; null where the folder has none.</param>
public sealed record CorpusContents(
    Manifest Manifest, CorpusFunnel Funnel, IReadOnlyList<OriginAccount> Licences, IReadOnlyList<OriginAccount> Sources, IReadOnlyList<SkippedReason> Skipped,
    IReadOnlyList<CorpusSample>? Samples, IReadOnlyList<LanguageDomains>? Domains)
{
    /// <summary>How many hosts of a language, and places of a reason, are named.</summary>
    private const int NamedDomains = 50, NamedPlaces = 5;

    /// <summary>Languages that were asked for and have no document, not even a dropped one.</summary>
    public IReadOnlyList<string> Missing
    {
        get
        {
            var found = Funnel.Languages.Select(language => language.Language).ToHashSet();
            return [.. (Manifest.Settings["languages"] as System.Text.Json.Nodes.JsonArray ?? []).Select(code => code?.ToString()).OfType<string>().Where(code => !found.Contains(code))];
        }
    }

    /// <summary>Reads a finished corpus folder.</summary>
    /// <exception cref="UserErrorException">It is none, or one of its files is malformed.</exception>
    public static CorpusContents Read(IFileSystem files, string folder)
    {
        Manifest manifest = Manifest.Read(files, folder);
        if (manifest.Stage != CorpusStage.StageName)
            throw new UserErrorException($"{folder}: is the output of the stage '{manifest.Stage}'; expected a corpus folder.");
        return new CorpusContents(
            manifest, CorpusFunnel.Of(manifest), CorpusOrigins.Licences(manifest), CorpusOrigins.Sources(manifest), SkippedPlaces.Read(files, folder, manifest, NamedPlaces),
            CorpusSamples.Read(files, folder), CorpusDomains.Read(files, folder, NamedDomains));
    }
}
