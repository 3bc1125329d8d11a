using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using OpenEuroLLM.Core;
using OpenEuroLLM.Serving.Security;

namespace OpenEuroLLM.Cli;

/// <summary><c>oellm keys</c>: who may use a server.</summary>
internal static class KeysCommand
{
    /// <summary>Where keys are kept when nothing is said, in the current folder.</summary>
    public const string DefaultStore = "oellm-keys.json";

    private const string When = "yyyy-MM-dd HH:mm'Z'";

    public static Command Create() => new("keys", "Makes, lists, replaces and revokes the API keys of a server; the store holds their hashes only. A running server sees every change at its next request.\n" +
        "Example: oellm keys list")
    {
        Add(), List(), Rotate(), Revoke(),
    };

    private static Command Add()
    {
        var store = Store();
        var name = new Option<string>("--name") { Description = "Whose key it is.", HelpName = "TEXT", Required = true };
        var scopes = new Option<string>("--scopes") { Description = $"What it may be used for, with commas: {string.Join(", ", KeyScope.All)}.", HelpName = "LIST", DefaultValueFactory = _ => string.Join(',', KeyScope.Usual) };
        var days = new Option<int?>("--days") { Description = "Days until it expires; without this it does not.", HelpName = "N" };
        var requests = new Option<int?>("--requests-per-minute") { Description = "Most requests per minute; without this any number.", HelpName = "N" };
        var tokens = new Option<long?>("--tokens-per-day") { Description = "Most tokens of prompts and answers per day of UTC; without this any number.", HelpName = "N" };
        var streams = new Option<int?>("--streams") { Description = "Most requests at the same time; without this any number.", HelpName = "N" };
        var json = Json();
        var command = new Command("add", "Makes a key and shows it once.\nExample: oellm keys add --name registry --days 90 --requests-per-minute 60") { store, name, scopes, days, requests, tokens, streams, json };
        command.SetAction(parsed =>
        {
            DateTimeOffset now = SystemClock.Instance.UtcNow;
            if (parsed.GetValue(days) is int count and (< 1 or > 36_500)) throw new UserErrorException(FormattableString.Invariant($"--days is {count}; expected 1 to 36500."));
            var (key, text) = new KeyStore(parsed.GetValue(store)!).Add(new ApiKey("", parsed.GetValue(name)!, "",
                [.. parsed.GetValue(scopes)!.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).Distinct(StringComparer.Ordinal)],
                now, parsed.GetValue(days) is int life ? now.AddDays(life) : null, null, parsed.GetValue(requests), parsed.GetValue(tokens), parsed.GetValue(streams)));
            Show(parsed, parsed.GetValue(json), key, text);
        });
        return command;
    }

    private static Command List()
    {
        var store = Store();
        var json = Json();
        var command = new Command("list", "Lists the keys, never their secret parts.\nExample: oellm keys list --store oellm-keys.json") { store, json };
        command.SetAction(parsed =>
        {
            DateTimeOffset now = SystemClock.Instance.UtcNow;
            var keys = new KeyStore(parsed.GetValue(store)!).List();
            TextWriter output = parsed.InvocationConfiguration.Output;
            foreach (var key in keys)
            {
                output.WriteLine(parsed.GetValue(json) ? ToJson(key, now).ToJsonString(JsonOutput.Compact)
                    : FormattableString.Invariant($"{key.Id}  {StateOf(key, now),-28}  {string.Join(',', key.Scopes),-24}  {key.Name}"));
            }
            if (keys.Count == 0 && !parsed.GetValue(json)) output.WriteLine("There are no keys; 'oellm keys add' makes one.");
        });
        return command;
    }

    private static Command Rotate()
    {
        var store = Store();
        var id = Id();
        var overlap = new Option<int>("--overlap-hours") { Description = "Hours for which the old key stays valid.", HelpName = "N", DefaultValueFactory = _ => 24 };
        var json = Json();
        var command = new Command("rotate", "Makes a new key with the settings of an old one, which expires after the overlap.\nExample: oellm keys rotate 0123456789ab --overlap-hours 48") { id, store, overlap, json };
        command.SetAction(parsed =>
        {
            int hours = parsed.GetValue(overlap);
            if (hours is < 0 or > 8_784) throw new UserErrorException(FormattableString.Invariant($"--overlap-hours is {hours}; expected 0 to 8784."));
            var (key, text) = new KeyStore(parsed.GetValue(store)!).Rotate(parsed.GetValue(id)!, TimeSpan.FromHours(hours));
            Show(parsed, parsed.GetValue(json), key, text);
        });
        return command;
    }

    private static Command Revoke()
    {
        var store = Store();
        var id = Id();
        var command = new Command("revoke", "Makes a key worthless at once.\nExample: oellm keys revoke 0123456789ab") { id, store };
        command.SetAction(parsed =>
        {
            var key = new KeyStore(parsed.GetValue(store)!).Revoke(parsed.GetValue(id)!);
            parsed.InvocationConfiguration.Output.WriteLine($"Key {key.Id} ({key.Name}) is revoked.");
        });
        return command;
    }

    private static void Show(ParseResult parsed, bool json, ApiKey key, string text)
    {
        var (output, error) = (parsed.InvocationConfiguration.Output, parsed.InvocationConfiguration.Error);
        if (json)
        {
            JsonObject shown = ToJson(key, key.Created);
            shown["key"] = text;
            output.WriteLine(shown.ToJsonString(JsonOutput.Compact));
            return;
        }
        // The key alone goes to standard output, so that a script can take it.
        output.WriteLine(text);
        error.WriteLine($"Key {key.Id} of {key.Name}, {StateOf(key, key.Created)}, for {string.Join(", ", key.Scopes)}. It is not shown again.");
    }

    private static string StateOf(ApiKey key, DateTimeOffset now) => key switch
    {
        { Revoked: DateTimeOffset moment } => "revoked " + moment.ToString(When, CultureInfo.InvariantCulture),
        { Expires: DateTimeOffset moment } => (key.IsValid(now) ? "until " : "expired ") + moment.ToString(When, CultureInfo.InvariantCulture),
        _ => "valid",
    };

    private static JsonObject ToJson(ApiKey key, DateTimeOffset now) => new()
    {
        ["id"] = key.Id,
        ["name"] = key.Name,
        ["valid"] = key.IsValid(now),
        ["scopes"] = new JsonArray([.. key.Scopes.Select(scope => (JsonNode)scope)]),
        ["created"] = key.Created,
        ["expires"] = key.Expires,
        ["revoked"] = key.Revoked,
        ["requestsPerMinute"] = key.RequestsPerMinute,
        ["tokensPerDay"] = key.TokensPerDay,
        ["streams"] = key.Streams,
    };

    private static Option<string> Store() => new("--store") { Description = "The file that holds the keys' hashes.", HelpName = "FILE", DefaultValueFactory = _ => DefaultStore };

    private static Argument<string> Id() => new("ID") { Description = "The key's id: the 12 digits after 'oellm_'." };

    private static Option<bool> Json() => new("--json") { Description = "One JSON object per key on standard output." };
}
