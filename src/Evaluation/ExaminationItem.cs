using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using OpenEuroLLM.Core;

namespace OpenEuroLLM.Evaluation;

/// <summary>How an item is examined.</summary>
internal enum ItemKind
{
    /// <summary>Multiple choice; the sentence stands in the training text.</summary>
    Seen,

    /// <summary>Multiple choice; the training text has the fact only in other wordings.</summary>
    Unseen,

    /// <summary>A question that is answered by generation.</summary>
    Generated,
}

/// <summary>A line of <c>examination.jsonl</c>, which a corpus folder brings along.</summary>
internal sealed record ExaminationItem(string Id, string Language, string Relation, ItemKind Kind)
{
    public const string FileName = "examination.jsonl";

    /// <summary>What the choices continue.</summary>
    public string Context { get; private init; } = "";

    /// <summary>The continuations, of which one is true.</summary>
    public IReadOnlyList<string> Choices { get; private init; } = [];

    /// <summary>Index of the true one.</summary>
    public int Answer { get; private init; }

    /// <summary>The user's message.</summary>
    public string Question { get; private init; } = "";

    /// <summary>The reply to be given.</summary>
    public string Expected { get; private init; } = "";

    /// <summary>The examination of a corpus folder; empty when it has none.</summary>
    /// <exception cref="UserErrorException">A line is malformed.</exception>
    public static IReadOnlyList<ExaminationItem> ReadAll(string corpusFolder)
    {
        string path = Path.Combine(corpusFolder, FileName);
        if (!File.Exists(path)) return [];
        var items = new List<ExaminationItem>();
        int line = 0;
        foreach (string text in File.ReadLines(path, new UTF8Encoding(false, throwOnInvalidBytes: true)))
            items.Add(Parse(text, $"{path}:{++line}"));
        return items;
    }

    /// <summary>Reads one line.</summary>
    public static ExaminationItem Parse(string line, string where)
    {
        try
        {
            var item = JsonNode.Parse(line, nodeOptions: null, new JsonDocumentOptions { AllowDuplicateProperties = false }) as JsonObject
                ?? throw new UserErrorException($"{where}: the line is not a JSON object; make the corpus again.");
            string kindName = Text(item, "kind", where);
            ItemKind kind = kindName switch
            {
                "seen" => ItemKind.Seen,
                "unseen" => ItemKind.Unseen,
                "generated" => ItemKind.Generated,
                _ => throw new UserErrorException($"{where}: kind is '{kindName}'; expected seen, unseen or generated."),
            };
            var common = new ExaminationItem(Text(item, "id", where), Text(item, "language", where), Text(item, "relation", where), kind);
            return kind == ItemKind.Generated
                ? common with { Question = Text(item, "question", where), Expected = Text(item, "expected", where) }
                : WithChoices(common, item, where);
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException or ArgumentException)
        {
            throw new UserErrorException($"{where}: the line is not valid JSON; make the corpus again.", exception);
        }
    }

    private static ExaminationItem WithChoices(ExaminationItem common, JsonObject item, string where)
    {
        var choices = item["choices"] is JsonArray list && list.All(IsText) ? list.Select(choice => (string)choice!).ToArray() : [];
        if (choices.Length < 2 || choices.Any(string.IsNullOrWhiteSpace) || choices.Distinct().Count() != choices.Length)
            throw new UserErrorException($"{where}: choices must be a list of at least two different texts.");
        if (item["answer"] is not JsonValue number || !number.TryGetValue(out int answer) || answer < 0 || answer >= choices.Length)
            throw new UserErrorException($"{where}: answer is {item["answer"]?.ToJsonString() ?? "missing"}; expected 0 to {choices.Length - 1}.");
        return common with { Context = Text(item, "context", where), Choices = choices, Answer = answer };
    }

    private static bool IsText(JsonNode? node) => node is JsonValue value && value.GetValueKind() == JsonValueKind.String;

    private static string Text(JsonObject item, string name, string where) => IsText(item[name])
        ? (string)item[name]!
        : throw new UserErrorException($"{where}: {name} is {item[name]?.ToJsonString() ?? "missing"}; expected a text.");
}
