using System.Text;
using System.Text.Json;
using OpenEuroLLM.Core;
using OpenEuroLLM.Corpus.Archives;
using OpenEuroLLM.Corpus.Readers;

namespace OpenEuroLLM.Corpus.Contamination;

/// <summary>Reads the items of evaluation tasks: <c>.jsonl</c> files hold an item a line, <c>.txt</c> files a text a line, plain or with <c>.gz</c> or <c>.zst</c>
/// behind; of a corpus folder its <c>examination.jsonl</c> is read.</summary>
/// <param name="files">The file system.</param>
/// <param name="fields">The fields whose texts are an item's parts; null: the usual ones.</param>
/// <param name="taskField">The field with the name of the task; where it is absent, the file's name is the task's.</param>
/// <param name="idField">The field with the name of the item; where it is absent, the file and line are its name.</param>
internal sealed class TaskFiles(IFileSystem files, IReadOnlyList<string>? fields, string taskField, string idField)
{
    private const int MaxLineBytes = 16 << 20;
    private const int TaskCharacters = 60;

    /// <summary>The fields read where nothing else is said. Choices are not among them: the true one is, where a field <c>answer</c> has its number.</summary>
    public static readonly IReadOnlyList<string> UsualFields =
    [
        "text", "passage", "flores_passage", "context", "premise", "hypothesis", "sentence", "question", "prompt", "query", "instruction", "input", "problem",
        "expected", "answer", "target", "solution",
    ];

    private static readonly string[] Endings = [".jsonl", ".ndjson", ".txt"];
    private static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false };
    private static readonly UTF8Encoding StrictText = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private readonly HashSet<(string Task, string Id)> _ids = [];

    /// <summary>The files that are meant, in ordinal order below each path.</summary>
    /// <exception cref="UserErrorException">A path is not there or holds no tasks.</exception>
    public static IReadOnlyList<string> Find(IFileSystem files, IReadOnlyList<string>? paths)
    {
        if (paths is not { Count: > 0 }) throw new UserErrorException("step 'decontamination' has no tasks; expected in 'tasks' files or folders of evaluation items.");
        var found = new List<string>();
        foreach (string path in paths)
        {
            if (files.DirectoryExists(path))
            {
                string examination = Path.Combine(path, CorpusStage.ExaminationFile);
                int before = found.Count;
                if (files.FileExists(examination)) found.Add(examination);
                else found.AddRange(files.EnumerateFiles(path, recursive: true).Where(file => Inner(file) is not null));
                if (found.Count == before) throw new UserErrorException($"{path}: holds no evaluation tasks; expected files named {string.Join(", ", Endings)}, plain or with .gz or .zst behind, or the {CorpusStage.ExaminationFile} of a corpus.");
            }
            else if (!files.FileExists(path)) throw new UserErrorException($"{path}: not found; expected a file or folder of evaluation items, seen from the current folder.");
            else if (Inner(path) is null) throw new UserErrorException($"{path}: is no file of evaluation items; expected one named {string.Join(", ", Endings)}, plain or with .gz or .zst behind.");
            else found.Add(path);
        }
        return [.. found.Distinct(StringComparer.Ordinal)];
    }

    /// <summary>A name that can stand in counts: letters, digits, dots and underlines in lower case, hyphens for the rest.</summary>
    public static string Name(string task)
    {
        var name = new StringBuilder();
        foreach (char letter in task)
        {
            if (char.IsAsciiLetterOrDigit(letter) || letter is '.' or '_') name.Append(char.ToLowerInvariant(letter));
            else if (name.Length > 0 && name[^1] != '-') name.Append('-');
            if (name.Length == TaskCharacters) break;
        }
        return name.ToString().Trim('-', '.') is { Length: > 0 } usable ? usable : "task";
    }

    /// <summary>The items of a file.</summary>
    /// <exception cref="UserErrorException">A line is no item; the message has its place.</exception>
    public IEnumerable<TaskItem> Read(string path)
    {
        (string inner, Packing packing) = Inner(path)!.Value;
        var file = new SourceFile(path, Path.GetFileName(path), Guard(() => files.FileLength(path), path), packing, null);
        string task = Name(Path.GetFileNameWithoutExtension(inner));
        bool isText = inner.EndsWith(".txt", StringComparison.OrdinalIgnoreCase);
        using Stream content = Guard(() => file.OpenUnpacked(files, _ => { }), path);
        var lines = new LineReader(content, MaxLineBytes);
        while (Guard(() => Next(lines, path, task, isText), path) is { } item) yield return item;
    }

    private TaskItem? Next(LineReader lines, string path, string task, bool isText)
    {
        string where = "";
        try
        {
            while (true)
            {
                where = FormattableString.Invariant($"{path}:{lines.Line + 1}");
                if (!lines.TryRead(out ReadOnlyMemory<byte> line)) return null;
                if (line.Span.Trim(" \t"u8).IsEmpty) continue;
                string name = FormattableString.Invariant($"{Path.GetFileName(path)}:{lines.Line}");
                return isText ? Item(task, null, name, [StrictText.GetString(line.Span)], where) : Parse(line, task, name, where);
            }
        }
        catch (DamagedDataException error)
        {
            throw new UserErrorException($"{where}: the file is damaged or cut short ({error.Message.TrimEnd('.')}); fetch it again.", error);
        }
        catch (InvalidDataException error)
        {
            throw new UserErrorException($"{where}: {error.Message}; expected an item of an evaluation.", error);
        }
        catch (JsonException error)
        {
            throw new UserErrorException($"{where}: the line is not valid JSON ({error.Message.TrimEnd('.')}); mend or remove the line.", error);
        }
        catch (DecoderFallbackException error)
        {
            throw new UserErrorException($"{where}: byte {error.Index} of the line is not UTF-8; convert the file.", error);
        }
        catch (InvalidOperationException error)   // half of a surrogate pair
        {
            throw new UserErrorException($"{where}: a text is not valid Unicode; mend or remove the line.", error);
        }
    }

    private TaskItem Parse(ReadOnlyMemory<byte> line, string task, string name, string where)
    {
        using JsonDocument document = JsonDocument.Parse(line, Strict);
        JsonElement root = document.RootElement;
        if (root.ValueKind != JsonValueKind.Object) throw new UserErrorException($"{where}: the line is not a JSON object; mend or remove the line.");
        if (root.TryGetProperty(taskField, out JsonElement named))
            task = named.ValueKind == JsonValueKind.String ? Name(named.GetString()!) : throw new UserErrorException($"{where}: field '{taskField}' is not a string; expected the name of the task.");
        string? id = !root.TryGetProperty(idField, out JsonElement given) ? null
            : given.ValueKind == JsonValueKind.String ? given.GetString() : given.ValueKind == JsonValueKind.Number ? given.GetRawText() : null;
        var parts = new List<string>();
        if (fields is null && Continued(root, where) is { } sentence)
        {
            parts.Add(sentence);   // the context is the beginning of it
            Add(root, UsualFields.Where(field => field is not ("context" or "answer")), parts);
        }
        else Add(root, fields ?? UsualFields, parts);
        if (parts.Count == 0)
            throw new UserErrorException($"{where}: no field has a text; expected one of {string.Join(", ", fields ?? UsualFields)}{(fields is null ? ", or name the fields of your tasks in 'fields'" : "")}.");
        return Item(task, id, name, parts, where);
    }

    private static void Add(JsonElement root, IEnumerable<string> names, List<string> parts)
    {
        foreach (string field in names)
        {
            if (!root.TryGetProperty(field, out JsonElement value)) continue;
            if (value.ValueKind == JsonValueKind.String) parts.Add(value.GetString()!);
            else if (value.ValueKind == JsonValueKind.Array)
                foreach (JsonElement text in value.EnumerateArray())
                    if (text.ValueKind == JsonValueKind.String) parts.Add(text.GetString()!);
        }
    }

    /// <summary>A context with the true one of its continuations, as the built-in examination has them; null when the item is of another form.</summary>
    private static string? Continued(JsonElement root, string where)
    {
        if (!root.TryGetProperty("context", out JsonElement context) || context.ValueKind != JsonValueKind.String
            || !root.TryGetProperty("choices", out JsonElement choices) || choices.ValueKind != JsonValueKind.Array
            || !root.TryGetProperty("answer", out JsonElement answer) || answer.ValueKind != JsonValueKind.Number) return null;
        if (!answer.TryGetInt32(out int index) || index < 0 || index >= choices.GetArrayLength() || choices[index].ValueKind != JsonValueKind.String)
            throw new UserErrorException($"{where}: field 'answer' is {answer.GetRawText()}; expected the number of one of the {choices.GetArrayLength()} choices, from 0.");
        return context.GetString() + choices[index].GetString();
    }

    private TaskItem Item(string task, string? id, string name, List<string> parts, string where)
    {
        for (int i = 0; i < parts.Count; i++)
            parts[i] = UnicodeNormalization.Normalize(parts[i]) ?? throw new UserErrorException($"{where}: a text is not valid Unicode; mend or remove the line.");
        id ??= name;
        return _ids.Add((task, id)) ? new TaskItem(task, id, parts) : new TaskItem(task, $"{id} ({name})", parts);
    }

    /// <summary>The name without what says how the file is packed; null when it is none of tasks.</summary>
    private static (string Name, Packing Packing)? Inner(string path)
    {
        Packing packing = Has(path, ".gz") ? Packing.Gzip : Has(path, ".zst") ? Packing.Zstandard : Packing.None;
        string inner = Path.GetFileName(packing == Packing.None ? path : Path.ChangeExtension(path, null)!);
        return Endings.Any(ending => Has(inner, ending)) ? (inner, packing) : null;
    }

    private static bool Has(string name, string ending) => name.EndsWith(ending, StringComparison.OrdinalIgnoreCase);

    private static T Guard<T>(Func<T> read, string path)
    {
        try
        {
            return read();
        }
        catch (Exception error) when (StorageFailure.Is(error))
        {
            throw StorageFailure.Explain(error, path);
        }
    }
}
