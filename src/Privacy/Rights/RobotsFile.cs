using System.Text;

namespace OpenEuroLLM.Privacy.Rights;

/// <summary>A robots.txt, or a file of the same form. Any bytes can be read: what is no rule is passed over.</summary>
/// <remarks>Source: RFC 9309; Content-Usage: draft-ietf-aipref-attach; License: RSL 1.0. Time and memory are linear in the file, of which at most <see cref="MaxBytes"/> are read.</remarks>
internal sealed class RobotsFile
{
    /// <summary>What is read of a file: twice what crawlers must read.</summary>
    public const int MaxBytes = 1 << 20;

    /// <summary>The agent of rules for everybody who is not named.</summary>
    public const string AnyAgent = "*";

    private const int MostLicenses = 16;
    private const int LongestKey = 32;

    private static readonly Encoding Utf8 = Encoding.UTF8;

    private readonly byte[] _text;
    private readonly bool _isAiText;
    private readonly List<RobotsGroup> _groups = [];
    private readonly Dictionary<string, List<int>> _groupsOf = new(StringComparer.OrdinalIgnoreCase);
    private RobotsGroup? _current;
    private bool _inAgents;
    private IReadOnlyList<(RobotsView View, IReadOnlyList<string> Agents)>? _training;

    private RobotsFile(byte[] text, bool truncated, bool isAiText) => (_text, IsTruncated, _isAiText) = (text, truncated, isAiText);

    /// <summary>Whether the file was longer than what is read.</summary>
    public bool IsTruncated { get; }

    /// <summary>Addresses of RSL licences.</summary>
    public List<string> Licenses { get; } = [];

    /// <summary>Content-Usage and Content-Signal lines that stand before any group, where they do not count.</summary>
    public List<string> Strays { get; } = [];

    /// <summary>Lines with a rule or an agent.</summary>
    public int RuleLines { get; private set; }

    /// <summary>Lines that are neither empty, nor a comment, nor known.</summary>
    public int OtherLines { get; private set; }

    /// <summary>Whether it is of the form of robots.txt at all: other files share the name ai.txt.</summary>
    public bool IsRobotsLike => RuleLines > OtherLines;

    /// <summary>Whether there are statements about use.</summary>
    public bool HasUsages { get; private set; }

    /// <summary>Reads a file.</summary>
    /// <param name="content">Its bytes.</param>
    /// <param name="isAiText">Whether <c>*.ext</c> means the ending of a name, and a path may lack its slash, as in ai.txt.</param>
    public static RobotsFile Parse(ReadOnlySpan<byte> content, bool isAiText = false)
    {
        bool truncated = content.Length > MaxBytes;
        if (truncated)
        {
            content = content[..MaxBytes];
            int lastEnd = content.LastIndexOfAny((byte)'\n', (byte)'\r');
            content = content[..(lastEnd + 1)];   // half a path would say something else
        }
        if (content.StartsWith("\uFEFF"u8)) content = content[3..];
        var file = new RobotsFile(content.ToArray(), truncated, isAiText);
        file.Read();
        return file;
    }

    /// <summary>The rules that an agent has to follow: those of all groups that name it, else of all for everybody.</summary>
    public RobotsView ViewOf(string agent) => new(this, GroupsOf(agent));

    /// <summary>The rules of the agents that collect training data, agents with the same rules together.</summary>
    public IReadOnlyList<(RobotsView View, IReadOnlyList<string> Agents)> TrainingViews()
    {
        if (_training is { } known) return known;
        var views = new List<(List<RobotsGroup> Groups, List<string> Agents)>();
        foreach (string agent in RightsData.TrainingAgents)
        {
            List<RobotsGroup> groups = GroupsOf(agent);
            string name = _groupsOf.ContainsKey(agent) ? agent : AnyAgent;
            int same = views.FindIndex(view => view.Groups.SequenceEqual(groups));
            if (same < 0) views.Add((groups, [name]));
            else if (!views[same].Agents.Contains(name)) views[same].Agents.Add(name);
        }
        return _training = [.. views.Select(view => (new RobotsView(this, view.Groups), (IReadOnlyList<string>)view.Agents))];
    }

    /// <summary>The line at a place, as written.</summary>
    public string Line(int start, int length) => Utf8.GetString(_text, start, length);

    private List<RobotsGroup> GroupsOf(string agent) =>
        _groupsOf.TryGetValue(agent, out List<int>? named) || _groupsOf.TryGetValue(AnyAgent, out named) ? [.. named.Select(index => _groups[index])] : [];

    private void Read()
    {
        int start = 0;
        while (start < _text.Length)
        {
            int length = _text.AsSpan(start).IndexOfAny((byte)'\n', (byte)'\r');
            if (length < 0) length = _text.Length - start;
            ReadLine(start, length);
            start += length + 1;
        }
        foreach (RobotsGroup group in _groups) group.Sort();
    }

    private void ReadLine(int start, int length)
    {
        ReadOnlySpan<byte> line = _text.AsSpan(start, length);
        int comment = line.IndexOf((byte)'#');
        if (comment >= 0) line = line[..comment];
        line = line.TrimEnd(" \t\v\f\0"u8);
        int blanks = line.Length - line.TrimStart(" \t\v\f\0"u8).Length;
        start += blanks;
        line = line[blanks..];
        if (line.IsEmpty) return;
        int colon = line.IndexOf((byte)':');
        RobotsKey key = colon < 0 ? RobotsKey.Unknown : KeyOf(line[..colon].TrimEnd(" \t"u8));
        ReadOnlySpan<byte> value = colon < 0 ? [] : line[(colon + 1)..].TrimStart(" \t"u8);
        switch (key)
        {
            case RobotsKey.Agent:
                RuleLines++;
                Agent(value);
                break;
            case RobotsKey.Allow or RobotsKey.Disallow:
                RuleLines++;
                Rule(key == RobotsKey.Allow, value, start, line.Length);
                break;
            case RobotsKey.Usage or RobotsKey.Signal:
                Usage(key == RobotsKey.Usage ? RightsProtocol.ContentUsage : RightsProtocol.ContentSignal, value, start, line.Length);
                break;
            case RobotsKey.License:
                if (Licenses.Count < MostLicenses && !value.IsEmpty) Licenses.Add(Utf8.GetString(value));
                break;
            case RobotsKey.Unknown:
                OtherLines++;
                break;
        }
    }

    private static RobotsKey KeyOf(ReadOnlySpan<byte> name)
    {
        Span<char> letters = stackalloc char[LongestKey];
        if (name.Length > LongestKey || !Ascii.IsValid(name)) return RobotsKey.Unknown;
        for (int at = 0; at < name.Length; at++) letters[at] = (char)name[at];
        return RightsData.RobotsKeys.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(letters[..name.Length], out RobotsKey key) ? key : RobotsKey.Unknown;
    }

    /// <summary>A name may be followed by a version or other words; it may also have a blank itself, so that both readings are kept.</summary>
    private void Agent(ReadOnlySpan<byte> value)
    {
        if (!_inAgents)
        {
            _current = new RobotsGroup();
            _groups.Add(_current);
        }
        _inAgents = true;
        int slash = value.IndexOf((byte)'/');
        string whole = Utf8.GetString((slash < 0 ? value : value[..slash]).Trim(" \t"u8));
        int end = 0;
        while (end < whole.Length && (char.IsAsciiLetterOrDigit(whole[end]) || whole[end] is '-' or '_' or '.')) end++;
        if (end == 0 && whole.StartsWith('*') && (whole.Length == 1 || whole[1] is ' ' or '\t')) whole = AnyAgent;
        Name(whole);
        if (end > 0 && end < whole.Length) Name(whole[..end]);
    }

    private void Name(string agent)
    {
        if (agent.Length == 0) return;
        if (!_groupsOf.TryGetValue(agent, out List<int>? groups)) _groupsOf[agent] = groups = [];
        int index = _groups.Count - 1;
        if (groups.Count > 0 && groups[^1] == index) return;
        groups.Add(index);
    }

    private void Rule(bool allow, ReadOnlySpan<byte> path, int start, int length)
    {
        _inAgents = false;
        if (_current is null || path.IsEmpty) return;   // an empty path restricts nothing
        if (_isAiText && path is [(byte)'*', (byte)'.', ..] && path[1..].IndexOfAny("*/$"u8) < 0) path = (byte[])[.. path, (byte)'$'];
        else if (_isAiText && path is not [(byte)'/' or (byte)'*', ..]) path = (byte[])[(byte)'/', .. path];
        var rule = new RobotsRule(allow, PathPattern.Parse(path), start, length);
        _current.Add(rule);
    }

    private void Usage(RightsProtocol protocol, ReadOnlySpan<byte> value, int start, int length)
    {
        _inAgents = false;
        if (_current is null)
        {
            if (Strays.Count < MostLicenses) Strays.Add(Line(start, length));
            return;
        }
        PathPattern? pattern = null;
        if (value is [(byte)'/', ..])
        {
            int blank = value.IndexOfAny((byte)' ', (byte)'\t');
            if (blank < 0) return;   // a path without a statement
            pattern = PathPattern.Parse(value[..blank]);
            value = value[blank..].TrimStart(" \t"u8);
        }
        string? problem = null;
        string text = Utf8.GetString(value);
        RightsRuling ruling = protocol == RightsProtocol.ContentUsage ? UsageStatements.ContentUsage(text, out problem) : UsageStatements.ContentSignal(text);
        HasUsages = true;
        _current.Usages.Add(new RobotsUsage(protocol, ruling, pattern, problem, start, length));
    }
}
