using System.Text;
using OpenEuroLLM.Transparency.Charts;

namespace OpenEuroLLM.Transparency;

/// <summary>Things measured beside each other, language by language.</summary>
/// <param name="Title">The heading of the page.</param>
/// <param name="Introduction">What was measured on what.</param>
/// <param name="Subjects">Names of what is compared, at least one.</param>
/// <param name="Groups">The languages, in the order of the rows.</param>
/// <param name="Measures">A section with a chart and a table each.</param>
/// <param name="Summary">Shown first.</param>
/// <param name="Details">Shown last.</param>
public sealed record Comparison(
    string Title, string Introduction, IReadOnlyList<string> Subjects, IReadOnlyList<LanguageGroup> Groups, IReadOnlyList<ComparedMeasure> Measures, IReadOnlyList<Table> Summary,
    IReadOnlyList<Table> Details);

/// <summary>Languages under one heading.</summary>
/// <param name="Name">The heading.</param>
/// <param name="Languages">Names of the languages.</param>
public sealed record LanguageGroup(string Name, IReadOnlyList<string> Languages);

/// <summary>One measure of all subjects in all languages.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Meaning">What it says, and which end is better.</param>
/// <param name="Values">By language, in the order of all groups together, then by subject; null where there was no text.</param>
/// <param name="Show">How a value is written.</param>
/// <param name="Reference">A value the chart marks with a line, such as a bound; null for none.</param>
public sealed record ComparedMeasure(string Name, string Meaning, IReadOnlyList<IReadOnlyList<double?>> Values, Func<double, string> Show, double? Reference = null);

/// <summary>A comparison as one HTML page: a chart beside a table for every measure, every language a row.</summary>
public static class ComparisonPage
{
    private const double NameWidth = 165;

    private const string Style = """
        :root { --c0: #1f5fbf; --c1: #c2571a; --c2: #2b7a4b; --c3: #8a3ea8; --c4: #b0296b; --c5: #6b6300; --c6: #0e7c86; }
        @media (prefers-color-scheme: dark) { :root { --c0: #7fb0ff; --c1: #ffab70; --c2: #77cf9b; --c3: #d6a4f0; --c4: #ff9ac2; --c5: #d9cf5f; --c6: #6fd3dd; } }
        .mark { stroke: var(--page); stroke-width: .8; } .heading { font-weight: bold; } .reference { stroke: var(--ink); stroke-dasharray: 4 3; }
        .m0 { fill: var(--c0); } .m1 { fill: var(--c1); } .m2 { fill: var(--c2); } .m3 { fill: var(--c3); } .m4 { fill: var(--c4); } .m5 { fill: var(--c5); } .m6 { fill: var(--c6); }

        """;

    /// <summary>Writes the page; equal comparisons give equal bytes.</summary>
    public static string Render(Comparison comparison)
    {
        ArgumentNullException.ThrowIfNull(comparison);
        var page = new StringBuilder().Append("<p>").Append(Escape.Html(comparison.Introduction)).Append("</p>\n");
        AppendTables(page, comparison.Summary);
        for (int i = 0; i < comparison.Measures.Count; i++)
        {
            var measure = comparison.Measures[i];
            page.Append("<section>\n<h2>").Append(Escape.Html(measure.Name)).Append("</h2>\n<p>").Append(Escape.Html(measure.Meaning)).Append("</p>\n");
            string chart = Chart(comparison, measure, FormattableString.Invariant($"measure-{i + 1}"));
            if (chart.Length > 0) page.Append("<figure>\n").Append(chart).Append("</figure>\n");
            AppendTables(page, [ValuesOf(comparison, measure)]);
            page.Append("</section>\n");
        }
        if (comparison.Details.Count > 0)
        {
            page.Append("<section>\n<h2>All counts</h2>\n");
            AppendTables(page, comparison.Details);
            page.Append("</section>\n");
        }
        return HtmlPage.Render(comparison.Title, page.ToString(), Style);
    }

    private static void AppendTables(StringBuilder page, IReadOnlyList<Table> tables)
    {
        foreach (var table in tables.Where(table => table.Rows.Count > 0)) page.Append("<div class=\"scroll\" tabindex=\"0\">\n").Append(table.ToHtml()).Append("</div>\n");
    }

    private static string Chart(Comparison comparison, ComparedMeasure measure, string id)
    {
        var rows = new List<DotRow>();
        int language = 0;
        foreach (var group in comparison.Groups)
        {
            rows.Add(new DotRow(group.Name, []));
            foreach (string name in group.Languages) rows.Add(new DotRow(name, measure.Values[language++]));
        }
        return DotPlot.Render(id, $"{measure.Name} by language", Description(comparison, measure), NameWidth, comparison.Subjects, rows, measure.Reference);
    }

    private static string Description(Comparison comparison, ComparedMeasure measure)
    {
        var languages = comparison.Groups.SelectMany(group => group.Languages).ToList();
        var extents = comparison.Subjects.Select((subject, s) =>
        {
            var values = languages.Select((name, row) => (Name: name, Value: measure.Values[row][s])).Where(pair => pair.Value is not null).ToList();
            return values.Count == 0 ? $"{subject}: no text" : $"{subject}: from {measure.Show(values.Min(pair => pair.Value!.Value))} ({values.MinBy(pair => pair.Value)!.Name}) to "
                + $"{measure.Show(values.Max(pair => pair.Value!.Value))} ({values.MaxBy(pair => pair.Value)!.Name})";
        });
        return $"A row per language, a mark for each of what is compared. {string.Join("; ", extents)}. The table below has the values.";
    }

    private static Table ValuesOf(Comparison comparison, ComparedMeasure measure)
    {
        var languages = comparison.Groups.SelectMany(group => group.Languages).ToList();
        return new Table(measure.Name, ["Language", .. comparison.Subjects],
            [.. languages.Select((name, row) => (IReadOnlyList<string>)[name, .. measure.Values[row].Select(value => value is double number ? measure.Show(number) : Figure.Absent)])]);
    }
}
