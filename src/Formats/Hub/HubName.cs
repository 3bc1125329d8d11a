using OpenEuroLLM.Core;

namespace OpenEuroLLM.Formats.Hub;

/// <summary>A repository of models and which state of it is meant.</summary>
/// <param name="Repository"><c>organisation/name</c>, or <c>name</c> alone for the oldest ones.</param>
/// <param name="Revision">A branch, a tag, or a commit of 40 hexadecimal digits.</param>
public sealed record HubName(string Repository, string Revision)
{
    /// <summary>The branch that is meant where none is named.</summary>
    public const string DefaultRevision = "main";

    private const int LongestName = 96;
    private const int LongestRevision = 200;

    /// <summary>The folder of the repository in the cache.</summary>
    public string Folder => "models--" + Repository.Replace("/", "--", StringComparison.Ordinal);

    /// <summary>Whether the revision is a commit, and so always means the same files.</summary>
    public bool IsCommit => HubHash.IsCommit(Revision);

    /// <summary>Reads <c>organisation/name</c> or <c>organisation/name@revision</c>; null when the text has another form.</summary>
    public static HubName? Find(string text)
    {
        int at = text.IndexOf('@', StringComparison.Ordinal);
        string repository = at < 0 ? text : text[..at], revision = at < 0 ? DefaultRevision : text[(at + 1)..];
        return IsRepository(repository) && IsRevision(revision) ? new HubName(repository, revision) : null;
    }

    /// <summary>Reads a name.</summary>
    /// <exception cref="UserErrorException">It is none.</exception>
    public static HubName Parse(string text) => Find(text)
        ?? throw new UserErrorException($"'{GgufText.Short(text)}' is no name of a repository; expected ORGANISATION/NAME or ORGANISATION/NAME@REVISION, of letters, digits, '-', '_' and '.'.");

    /// <inheritdoc/>
    public override string ToString() => Revision == DefaultRevision ? Repository : $"{Repository}@{Revision}";

    /// <summary>Whether a text can name a file of a repository: a relative path of plain names that stays inside.</summary>
    public static bool IsFile(string path) => path.Length is > 0 and <= 1024 && path.Split('/').All(IsFileName);

    private static bool IsFileName(string name) => name.Length is > 0 and <= 255 && name is not ("." or "..")
        && !name.Any(letter => char.IsControl(letter) || char.IsSurrogate(letter) || letter is '\\' or ':' or '\uFFFD');

    private static bool IsRepository(string text)
    {
        string[] parts = text.Split('/');
        return text.Length <= LongestName && parts.Length is 1 or 2 && parts.All(part => IsWord(part)
            && part[0] is not ('.' or '-') && part[^1] is not ('.' or '-') && !part.Contains("--", StringComparison.Ordinal) && !part.Contains("..", StringComparison.Ordinal));
    }

    private static bool IsRevision(string text) => text.Length <= LongestRevision
        && text.Split('/').All(part => IsWord(part) && part[0] is not ('.' or '-') && !part.Contains("..", StringComparison.Ordinal));

    private static bool IsWord(string part) => part.Length > 0 && part.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '-' or '_' or '.');
}
