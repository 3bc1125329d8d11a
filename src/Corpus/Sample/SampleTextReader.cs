using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using OpenEuroLLM.Core;

namespace OpenEuroLLM.Corpus.Sample;

/// <summary>Reads one language's sample file and holds it to every rule, so that a mistake in a file is found by name when it is
/// built in, never as an odd sentence in a model. All mistakes are reported together.</summary>
internal sealed partial class SampleTextReader
{
    private readonly List<string> _mistakes = [];

    [GeneratedRegex(@"^[a-z]+(\.[a-z]+)*$")]
    private static partial Regex FormName { get; }

    /// <summary>Reads a file.</summary>
    /// <param name="json">The file's bytes.</param>
    /// <param name="where">The file's name in errors.</param>
    /// <param name="language">The code the file must name.</param>
    /// <exception cref="UserErrorException">The file breaks a rule; the message names file and key of each.</exception>
    public static SampleText Read(ReadOnlyMemory<byte> json, string where, string language)
    {
        var reader = new SampleTextReader();
        SampleText? text = null;
        try
        {
            using JsonDocument document = JsonDocument.Parse(json);
            text = reader.ReadRoot(document.RootElement, language);
        }
        catch (JsonException error)
        {
            throw new UserErrorException($"{where} is not JSON: {error.Message}", error);
        }
        if (reader._mistakes.Count > 0 || text is null)
            throw new UserErrorException($"{where}: {string.Join("; ", reader._mistakes)}.");
        return text;
    }

    private SampleText? ReadRoot(JsonElement root, string language)
    {
        if (!IsObject(root, "the file")) return null;
        OnlyKeys(root, "", ["language", "relations", "neighbours", "colours", "everyday", "dialogues", "dates"]);
        string named = Text(root, "", "language");
        if (named != language) Mistake($"language is '{named}'; expected '{language}', the file's name");
        var relations = new List<SampleRelation>();
        if (Member(root, "", "relations") is { } table && IsObject(table, "relations"))
        {
            OnlyKeys(table, "relations", SampleKeys.Relations.Select(relation => relation.Relation));
            foreach ((string name, IReadOnlyList<string> keys) in SampleKeys.Relations)
                if (Member(table, "relations", name) is { } relation && ReadRelation(relation, name, keys) is { } read)
                    relations.Add(read);
        }
        (List<SampleTemplate> wordings, Dictionary<string, SampleFact> names) = ReadNeighbours(root);
        var text = new SampleText(
            language, relations, wordings, names,
            Sentences(root, "colours", 12), Sentences(root, "everyday", 40), Dialogues(root), Sentences(root, "dates", 10));
        if (_mistakes.Count == 0) CheckScripts(text);
        return text;
    }

    private SampleRelation? ReadRelation(JsonElement relation, string name, IReadOnlyList<string> keys)
    {
        string at = "relations." + name;
        if (!IsObject(relation, at)) return null;
        OnlyKeys(relation, at, ["wordings", "question", "facts"]);
        List<SampleFact> facts = Facts(relation, at, "facts", name, keys, ["subject", "object"]);
        List<SampleTemplate> wordings = Wordings(relation, at, 4);
        foreach ((SampleTemplate wording, int index) in wordings.Select((wording, index) => (wording, index)))
        {
            string place = $"{at}.wordings[{index}]";
            List<string> bases = [.. wording.Forms.Select(SampleTemplate.BaseOf)];
            if (bases.Count(form => form == "object") != 1) Mistake($"{place} has {bases.Count(form => form == "object")} object forms; expected exactly one");
            else if (!bases.TakeWhile(form => form != "object").Contains("subject")) Mistake($"{place} has no subject before its object");
            CheckForms(wording, place, facts, ["subject", "object"]);
            if (!EndsAsSentence(wording.Text)) Mistake($"{place} does not end as a sentence");
        }
        (SampleTemplate? question, SampleTemplate? answer) = ReadQuestion(relation, at, facts);
        if (_mistakes.Count > 0 || question is null || answer is null) return null;
        IEnumerable<string> objectForms = wordings.SelectMany(wording => wording.Forms).Concat(answer.Forms).Where(form => SampleTemplate.BaseOf(form) == "object");
        foreach (string form in objectForms.Distinct()) Distinct(facts, form, at);
        foreach (string form in question.Forms.Distinct()) Distinct(facts, form, at);
        return new SampleRelation(name, wordings, question, answer, facts);
    }

    private (SampleTemplate? Question, SampleTemplate? Answer) ReadQuestion(JsonElement relation, string at, List<SampleFact> facts)
    {
        string place = at + ".question";
        if (Member(relation, at, "question") is not { } pair || !IsObject(pair, place)) return default;
        OnlyKeys(pair, place, ["text", "answer"]);
        SampleTemplate? question = Template(Text(pair, place, "text"), place + ".text");
        SampleTemplate? answer = Template(Text(pair, place, "answer"), place + ".answer");
        if (question is not null)
        {
            CheckForms(question, place + ".text", facts, ["subject"]);
            if (!question.Forms.Any()) Mistake($"{place}.text has no subject");
        }
        if (answer is not null)
        {
            CheckForms(answer, place + ".answer", facts, ["object"]);
            if (answer.Forms.Count() != 1 || answer.Text != "{" + answer.Forms.First() + "}") Mistake($"{place}.answer is '{answer.Text}'; expected one object form and nothing else");
        }
        return (question, answer);
    }

    private (List<SampleTemplate> Wordings, Dictionary<string, SampleFact> Names) ReadNeighbours(JsonElement root)
    {
        if (Member(root, "", "neighbours") is not { } table || !IsObject(table, "neighbours")) return ([], []);
        OnlyKeys(table, "neighbours", ["wordings", "names"]);
        List<SampleTemplate> wordings = Wordings(table, "neighbours", 2);
        List<SampleFact> names = Facts(table, "neighbours", "names", "neighbours", SampleKeys.Neighbours, ["a", "b"]);
        for (int i = 0; i < wordings.Count; i++)
        {
            string place = $"neighbours.wordings[{i}]";
            string[] bases = [.. wordings[i].Forms.Select(SampleTemplate.BaseOf).Order(StringComparer.Ordinal)];
            if (bases is not ["a", "b"]) Mistake($"{place} must name one form of a and one of b");
            CheckForms(wordings[i], place, names, ["a", "b"]);
            if (!EndsAsSentence(wordings[i].Text)) Mistake($"{place} does not end as a sentence");
        }
        return (wordings, names.ToDictionary(name => name.Key));
    }

    private List<SampleTemplate> Wordings(JsonElement parent, string at, int least)
    {
        var templates = new List<SampleTemplate>();
        string place = at + ".wordings";
        foreach ((JsonElement element, int index) in Items(parent, at, "wordings"))
        {
            string itemPlace = $"{place}[{index}]";
            if (!IsObject(element, itemPlace)) continue;
            OnlyKeys(element, itemPlace, ["text"]);
            if (Template(Text(element, itemPlace, "text"), itemPlace) is not { } template) continue;
            if (templates.Contains(template)) Mistake($"{itemPlace} stands twice");
            templates.Add(template);
        }
        if (templates.Count < least) Mistake($"{place} has {templates.Count}; expected at least {least}");
        return templates;
    }

    private SampleTemplate? Template(string text, string place)
    {
        if (text.Length == 0) return null;
        SampleTemplate? template = SampleTemplate.TryParse(text);
        if (template is null) Mistake($"{place}: the braces do not pair");
        return template;
    }

    private void CheckForms(SampleTemplate template, string place, List<SampleFact> facts, string[] bases)
    {
        foreach (string form in template.Forms.Distinct())
        {
            if (!bases.Contains(SampleTemplate.BaseOf(form))) Mistake($"{place} names the form '{form}'; expected {string.Join(" or ", bases)}");
            else if (facts.Find(fact => !fact.Forms.ContainsKey(form)) is { } lacking) Mistake($"{place} names the form '{form}', which {lacking.Key} lacks");
        }
    }

    private List<SampleFact> Facts(JsonElement parent, string at, string name, string relation, IReadOnlyList<string> keys, string[] bases)
    {
        var facts = new List<SampleFact>();
        string place = $"{at}.{name}";
        if (Member(parent, at, name) is not { } table || !IsObject(table, place)) return facts;
        OnlyKeys(table, place, keys);
        foreach (string key in keys)
        {
            if (Member(table, place, key) is not { } fact || !IsObject(fact, $"{place}.{key}")) continue;
            var forms = new SortedDictionary<string, string>(StringComparer.Ordinal);
            foreach (JsonProperty form in fact.EnumerateObject())
            {
                if (!FormName.IsMatch(form.Name) || !bases.Contains(SampleTemplate.BaseOf(form.Name)))
                    Mistake($"{place}.{key}.{form.Name} is no form name; expected {string.Join(" or ", bases)}, with suffixes such as '.gen'");
                forms[form.Name] = Text(fact, $"{place}.{key}", form.Name);
            }
            foreach (string needed in bases)
                if (!forms.ContainsKey(needed)) Mistake($"{place}.{key}.{needed} is missing");
            facts.Add(new SampleFact(relation, key, forms));
        }
        return facts;
    }

    /// <summary>Two facts with one text would make a choice with two right answers.</summary>
    private void Distinct(List<SampleFact> facts, string form, string at)
    {
        foreach (IGrouping<string, SampleFact> same in facts.GroupBy(fact => fact.Form(form)).Where(group => group.Count() > 1))
            Mistake($"{at}.facts: {string.Join(" and ", same.Select(fact => fact.Key))} share the form {form} '{same.Key}'");
    }

    private List<string> Sentences(JsonElement root, string name, int least)
    {
        var sentences = new List<string>();
        foreach ((JsonElement element, int index) in Items(root, "", name))
        {
            string sentence = Value(element, $"{name}[{index}]");
            if (sentence.Length > 0 && !EndsAsSentence(sentence)) Mistake($"{name}[{index}] does not end as a sentence");
            if (sentences.Contains(sentence)) Mistake($"{name}[{index}] stands twice");
            sentences.Add(sentence);
        }
        if (sentences.Count < least) Mistake($"{name} has {sentences.Count}; expected at least {least}");
        return sentences;
    }

    private List<SampleTurn> Dialogues(JsonElement root)
    {
        var turns = new List<SampleTurn>();
        foreach ((JsonElement element, int index) in Items(root, "", "dialogues"))
        {
            string place = $"dialogues[{index}]";
            if (element.ValueKind != JsonValueKind.Array || element.GetArrayLength() != 2)
            {
                Mistake($"{place} is not a pair");
                continue;
            }
            var turn = new SampleTurn(Value(element[0], place + "[0]"), Value(element[1], place + "[1]"));
            if (turns.Exists(other => other.User == turn.User)) Mistake($"{place} asks what another dialogue asks");
            turns.Add(turn);
        }
        if (turns.Count < 16) Mistake($"dialogues has {turns.Count}; expected at least 16");
        return turns;
    }

    /// <summary>A word is of one script: a Latin letter in a Cyrillic word looks right and is another word.</summary>
    private void CheckScripts(SampleText text)
    {
        foreach (string value in text.FreeSentences
            .Concat(text.Relations.SelectMany(relation => relation.Wordings.Append(relation.Question)).Concat(text.NeighbourWordings).Select(template => template.Text))
            .Concat(text.Relations.SelectMany(relation => relation.Facts).Concat(text.NeighbourNames.Values).SelectMany(fact => fact.Forms.Values)))
        {
            char script = '\0';
            foreach (char letter in value)
            {
                if (!char.IsLetter(letter)) script = '\0';
                else if (ScriptOf(letter) is var own && script == '\0') script = own;
                else if (ScriptOf(letter) != script) { Mistake($"'{value}' mixes two scripts in one word"); break; }
            }
        }
    }

    private static char ScriptOf(char letter) => letter switch
    {
        >= '\u0370' and <= '\u03FF' or >= '\u1F00' and <= '\u1FFF' => 'G',
        >= '\u0400' and <= '\u052F' => 'C',
        _ => 'L',
    };

    private static bool EndsAsSentence(string text) => text.TrimEnd('"', '»', '”', '“', '’', ')') is [.., '.' or '!' or '?' or '…' or ';'];

    private JsonElement? Member(JsonElement parent, string at, string name)
    {
        if (parent.TryGetProperty(name, out JsonElement value)) return value;
        Mistake($"{Path(at, name)} is missing");
        return null;
    }

    private string Text(JsonElement parent, string at, string name) =>
        Member(parent, at, name) is { } value ? Value(value, Path(at, name)) : "";

    private IEnumerable<(JsonElement Item, int Index)> Items(JsonElement parent, string at, string name)
    {
        if (Member(parent, at, name) is not { } list) return [];
        if (list.ValueKind == JsonValueKind.Array) return list.EnumerateArray().Select((item, index) => (item, index));
        Mistake($"{Path(at, name)} is not a list");
        return [];
    }

    private string Value(JsonElement element, string place)
    {
        if (element.ValueKind != JsonValueKind.String)
        {
            Mistake($"{place} is not a text");
            return "";
        }
        string text = element.GetString()!;
        if (text.Length == 0) Mistake($"{place} is empty");
        else if (text.Trim() != text || text.Contains("  ", StringComparison.Ordinal)) Mistake($"{place} has needless spaces: '{text}'");
        else if (!text.IsNormalized(NormalizationForm.FormC)) Mistake($"{place} is not in Unicode's composed form: '{text}'");
        else if (text.Any(letter => char.GetUnicodeCategory(letter) is UnicodeCategory.Control or UnicodeCategory.Format)) Mistake($"{place} holds an invisible character");
        return text;
    }

    private bool IsObject(JsonElement element, string place)
    {
        if (element.ValueKind == JsonValueKind.Object) return true;
        Mistake($"{place} is not an object");
        return false;
    }

    private void OnlyKeys(JsonElement element, string at, IEnumerable<string> known)
    {
        var seen = new HashSet<string>();
        foreach (JsonProperty property in element.EnumerateObject())
        {
            if (!seen.Add(property.Name)) Mistake($"{Path(at, property.Name)} stands twice");
            if (!known.Contains(property.Name)) Mistake($"{Path(at, property.Name)} is unknown; expected {string.Join(", ", known)}");
        }
    }

    private static string Path(string at, string name) => at.Length == 0 ? name : $"{at}.{name}";

    private void Mistake(string mistake) => _mistakes.Add(mistake);
}
