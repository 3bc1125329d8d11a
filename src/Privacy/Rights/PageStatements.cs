using System.Collections.Frozen;

namespace OpenEuroLLM.Privacy.Rights;

/// <summary>What a page's own statements mean.</summary>
internal static class PageStatements
{
    /// <summary>Adds the statements, those of TDMRep in the order of header, head and document.</summary>
    public static void Add(RightsPolicy policy, PageRights page, List<RightsSignal> signals)
    {
        foreach (RightsStatement statement in page.Statements)
        {
            switch (statement.Source)
            {
                case StatementSource.Header when statement.Name == "x-robots-tag":
                    Say(RightsProtocol.RobotsTag, RobotsTag.Read(statement.Value, mayNameAgents: true, policy.AlsoDenied));
                    break;
                case StatementSource.Header when statement.Name == "content-usage":
                    RightsRuling usage = UsageStatements.ContentUsage(statement.Value, out string? problem);
                    Say(RightsProtocol.ContentUsage, usage, problem);
                    break;
                case StatementSource.Meta when statement.Name == "robots" || RightsData.TrainingAgentSet.Contains(statement.Name):
                    Say(RightsProtocol.MetaRobots, RobotsTag.Read(statement.Value, mayNameAgents: false, policy.AlsoDenied));
                    break;
                case StatementSource.Embedded when RightsData.C2pa.Entries.Contains(statement.Name):
                    Say(RightsProtocol.C2pa, Ruling(statement.Value, RightsData.C2pa.Deny, RightsData.C2pa.Allow));
                    break;
                case StatementSource.Embedded or StatementSource.Meta when statement.Name == RightsStatement.PlusDataMining:
                    string value = statement.Value[(statement.Value.LastIndexOf('/') + 1)..].Trim();
                    Say(RightsProtocol.DataMining, Ruling(value, RightsData.DataMining.Deny, RightsData.DataMining.Allow));
                    break;
                case StatementSource.Text:
                    signals.Add(RightsSignal.Of(RightsProtocol.PlainLanguage, RightsRuling.Flag, statement.Value, $"text, {statement.Name}", page.Fetched));
                    break;
            }

            void Say(RightsProtocol protocol, RightsRuling ruling, string? wrong = null) =>
                signals.Add(RightsSignal.Of(protocol, ruling, statement.Value, $"{Place(statement.Source)} {statement.Name}", page.Fetched, problem: wrong));
        }
        foreach (StatementSource place in (ReadOnlySpan<StatementSource>)[StatementSource.Header, StatementSource.Meta, StatementSource.Embedded]) Tdm(page, place, signals);
    }

    private static void Tdm(PageRights page, StatementSource place, List<RightsSignal> signals)
    {
        string? terms = null;
        foreach (RightsStatement statement in page.Statements)
            if (statement.Source == place && (statement.Name is "tdm-policy" or RightsStatement.TdmPolicy)) terms = statement.Value.Trim();
        foreach (RightsStatement statement in page.Statements)
            if (statement.Source == place && (statement.Name is "tdm-reservation" or RightsStatement.TdmReservation))
                signals.Add(RightsSignal.Of(RightsProtocol.TdmRep, TdmRepFile.Reservation(statement.Value), statement.Value, $"{Place(place)} {statement.Name}", page.Fetched, policy: terms));
    }

    private static string Place(StatementSource source) => source switch { StatementSource.Header => "header", StatementSource.Meta => "meta", _ => "embedded" };

    private static RightsRuling Ruling(string value, FrozenSet<string> deny, FrozenSet<string> allow) =>
        deny.Contains(value.Trim()) ? RightsRuling.Deny : allow.Contains(value.Trim()) ? RightsRuling.Allow : RightsRuling.Unset;
}
