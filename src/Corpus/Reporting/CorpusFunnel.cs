using System.Text.Json.Nodes;
using OpenEuroLLM.Core;

namespace OpenEuroLLM.Corpus.Reporting;

/// <summary>What a step did with the documents of a language.</summary>
/// <param name="Step">Name of the step.</param>
/// <param name="In">What came to it. Tokens are counted where a document ends: of what a later step moved to another language they stand there.</param>
/// <param name="Out">What it left: what came, less what was dropped and moved out, and what was moved in, with the text as changed.</param>
/// <param name="MovedIn">What it found to be of this language.</param>
/// <param name="MovedOut">What it found to be of another.</param>
/// <param name="Changed">What it changed and kept, as it was.</param>
/// <param name="Became">The same as it became.</param>
/// <param name="Dropped">What ended here, by reason.</param>
public sealed record StepAccount(
    string Step, Amount In, Amount Out, Amount MovedIn, Amount MovedOut, Amount Changed, Amount Became, IReadOnlyDictionary<string, Amount> Dropped)
{
    /// <summary>What ended here, for whatever reason.</summary>
    public Amount Lost => Amount.Sum(Dropped.Values);
}

/// <summary>The way of the documents of a language, step by step.</summary>
/// <param name="Language">Language code, or <see cref="CorpusFunnel.AllLanguages"/>.</param>
/// <param name="Read">What was read.</param>
/// <param name="Steps">The steps in their order, the same for every language; the last one is the split.</param>
/// <param name="Train">What is for training, each document once.</param>
/// <param name="HeldOut">What is held out.</param>
/// <param name="Repeated">What was written to the training text once more.</param>
public sealed record LanguageAccount(string Language, Amount Read, IReadOnlyList<StepAccount> Steps, Amount Train, Amount HeldOut, Amount Repeated);

/// <summary>The funnel of a corpus: what came to each step in each language and what left it, from the counts of the manifest, checked.</summary>
/// <param name="Languages">A way for each language, in ordinal order.</param>
/// <param name="CountsTokens">Whether tokens were counted.</param>
/// <param name="Problems">Where the counts do not add up, a sentence each; none in a sound folder.</param>
public sealed record CorpusFunnel(IReadOnlyList<LanguageAccount> Languages, bool CountsTokens, IReadOnlyList<string> Problems)
{
    /// <summary>Stands in place of a code where all languages are meant.</summary>
    public const string AllLanguages = "all";

    private static readonly string[] Beside = [CorpusReport.Changed, CorpusReport.Became, CorpusReport.MovedIn, CorpusReport.MovedOut];
    private static readonly string[] Outcomes = [CorpusReport.Train, CorpusReport.HeldOut, CorpusReport.Repeated];

    /// <summary>All languages together; what moved stands both as in and as out.</summary>
    public LanguageAccount Together
    {
        get
        {
            IReadOnlyList<StepAccount> first = Languages.Count == 0 ? [] : Languages[0].Steps;
            return new LanguageAccount(
                AllLanguages, Sum(Languages, language => language.Read),
                [.. first.Select((step, i) => new StepAccount(
                    step.Step, Sum(Languages, language => language.Steps[i].In), Sum(Languages, language => language.Steps[i].Out),
                    Sum(Languages, language => language.Steps[i].MovedIn), Sum(Languages, language => language.Steps[i].MovedOut),
                    Sum(Languages, language => language.Steps[i].Changed), Sum(Languages, language => language.Steps[i].Became),
                    ByReason(Languages.SelectMany(language => language.Steps[i].Dropped))))],
                Sum(Languages, language => language.Train), Sum(Languages, language => language.HeldOut), Sum(Languages, language => language.Repeated));
        }
    }

    /// <summary>Computes the funnel of a corpus folder.</summary>
    /// <remarks>A step that the recipe names twice is counted under one name, so it has one row, at its last place.</remarks>
    public static CorpusFunnel Of(Manifest manifest)
    {
        ArgumentNullException.ThrowIfNull(manifest);
        var problems = new List<string>();
        var counts = manifest.Counts
            .Where(count => count.Language is not null && count.Step is not CorpusReport.ExaminationStep and not CorpusReport.SourceStep and not CorpusReport.TasksStep)
            .GroupBy(count => (Language: count.Language!, count.Step))
            .ToDictionary(group => group.Key, group => (IReadOnlyDictionary<string, Amount>)ByReason(group.Select(count => KeyValuePair.Create(count.Reason, Amount.Of(count)))));
        foreach (ManifestCount count in manifest.Counts)
        {
            if (Amount.Of(count).IsNegative) problems.Add($"the count '{count.Step}: {count.Reason}' of '{count.Language}' is negative");
            else if (count.Language is null && count.Step is not (CorpusReport.SourceStep or CorpusReport.TasksStep) && count.Reason != CorpusReport.Missing) problems.Add($"the count '{count.Step}: {count.Reason}' has no language");
        }
        string[] steps = [.. Steps(manifest, counts.Keys.Select(key => key.Step), problems)];
        List<LanguageAccount> languages = [.. counts.Keys.Select(key => key.Language).Distinct().Order(StringComparer.Ordinal).Select(language => Account(language, steps, counts, problems))];
        foreach (string step in steps) CheckPairs(step, languages, problems);
        return new CorpusFunnel(languages, manifest.Settings["tokenizer"] is not null || manifest.Counts.Any(count => count.Tokens > 0), problems);
    }

    /// <summary>The steps of the settings in their order, the question for languages where it is asked, and the split.</summary>
    private static List<string> Steps(Manifest manifest, IEnumerable<string> counted, List<string> problems)
    {
        List<string> steps = [.. (manifest.Settings["steps"] as JsonArray ?? []).OfType<JsonObject>().Select(step => step["step"]).OfType<JsonValue>().Select(name => name.ToString())];
        int identified = steps.LastIndexOf(new LanguageIdentification().Name);
        steps.Insert(identified + 1, CorpusReport.LanguagesStep);
        steps = [.. steps.Where((step, i) => steps.LastIndexOf(step) == i)];
        foreach (string step in counted.Except([.. steps, CorpusReport.ReadStep, CorpusReport.ErasureStep, CorpusReport.SplitStep]).Order(StringComparer.Ordinal))
        {
            problems.Add($"the step '{step}' is counted, but the settings do not name it");
            steps.Add(step);
        }
        if (counted.Contains(CorpusReport.ErasureStep)) steps.Add(CorpusReport.ErasureStep);
        return [.. steps, CorpusReport.SplitStep];
    }

    private static LanguageAccount Account(
        string language, string[] steps, Dictionary<(string Language, string Step), IReadOnlyDictionary<string, Amount>> counts, List<string> problems)
    {
        Amount Of(string step, string reason) => counts.GetValueOrDefault((language, step))?.GetValueOrDefault(reason) ?? default;

        foreach (string reason in counts.GetValueOrDefault((language, CorpusReport.ReadStep))?.Keys.Where(reason => reason != CorpusReport.ReadStep) ?? [])
            problems.Add($"language '{language}': the count 'read: {reason}' means nothing");
        Amount read = Of(CorpusReport.ReadStep, CorpusReport.ReadStep) with { Tokens = 0 };
        Amount train = Of(CorpusReport.SplitStep, CorpusReport.Train), heldOut = Of(CorpusReport.SplitStep, CorpusReport.HeldOut);
        var accounts = new List<StepAccount>();
        Amount here = read;
        foreach (string step in steps)
        {
            var dropped = new SortedDictionary<string, Amount>(StringComparer.Ordinal);
            foreach ((string reason, Amount amount) in counts.GetValueOrDefault((language, step)) ?? new Dictionary<string, Amount>())
                if (!Beside.Contains(reason) && !CorpusReport.IsBeside(reason) && !(step == CorpusReport.SplitStep && Outcomes.Contains(reason))) dropped[reason] = amount;
            Amount movedIn = Of(step, CorpusReport.MovedIn), movedOut = Of(step, CorpusReport.MovedOut);
            Amount changed = Of(step, CorpusReport.Changed), became = Of(step, CorpusReport.Became);
            Amount after = here - Amount.Sum(dropped.Values) + movedIn - movedOut;
            after = new Amount(after.Documents, after.Bytes - changed.Bytes + became.Bytes, 0);
            if (after.Documents < 0 || after.Bytes < 0)
                problems.Add(FormattableString.Invariant($"language '{language}', step '{step}': more ends or leaves than came ({here.Documents} documents and {here.Bytes} bytes came, {after.Documents} and {after.Bytes} are left)"));
            accounts.Add(new StepAccount(step, here, after, movedIn, movedOut, changed, became, dropped));
            here = after;
        }
        Amount kept = train + heldOut;
        if (here.Documents != kept.Documents || here.Bytes != kept.Bytes)
            problems.Add(FormattableString.Invariant($"language '{language}': {here.Documents} documents and {here.Bytes} bytes are left of all steps, but {kept.Documents} documents and {kept.Bytes} bytes are for training or held out"));
        long tokens = kept.Tokens;
        for (int i = accounts.Count - 1; i >= 0; i--)   // a document's tokens are known where it ends
        {
            long ended = accounts[i].Lost.Tokens;
            accounts[i] = accounts[i] with { In = accounts[i].In with { Tokens = tokens + ended }, Out = accounts[i].Out with { Tokens = tokens } };
            tokens += ended;
        }
        return new LanguageAccount(language, read with { Tokens = tokens }, accounts, train, heldOut, Of(CorpusReport.SplitStep, CorpusReport.Repeated));
    }

    /// <summary>What one count takes away another must give back.</summary>
    private static void CheckPairs(string step, List<LanguageAccount> languages, List<string> problems)
    {
        List<StepAccount> accounts = [.. languages.Select(language => language.Steps.First(account => account.Step == step))];
        Amount movedOut = Sum(accounts, account => account.MovedOut), movedIn = Sum(accounts, account => account.MovedIn);
        if (movedOut.Documents != movedIn.Documents || movedOut.Bytes != movedIn.Bytes)
            problems.Add(FormattableString.Invariant($"step '{step}': {movedOut.Documents} documents ({movedOut.Bytes} bytes) left their language, {movedIn.Documents} ({movedIn.Bytes} bytes) came to one"));
        long changed = Sum(accounts, account => account.Changed).Documents, became = Sum(accounts, account => account.Became).Documents;
        if (changed != became) problems.Add(FormattableString.Invariant($"step '{step}': {changed} documents were changed, and what became of them is counted for {became}"));
    }

    private static Amount Sum<T>(IEnumerable<T> items, Func<T, Amount> amount) => Amount.Sum(items.Select(amount));

    private static SortedDictionary<string, Amount> ByReason(IEnumerable<KeyValuePair<string, Amount>> amounts)
    {
        var sums = new SortedDictionary<string, Amount>(StringComparer.Ordinal);
        foreach ((string reason, Amount amount) in amounts) sums[reason] = sums.GetValueOrDefault(reason) + amount;
        return sums;
    }
}
