using System.Collections.Frozen;
using System.Globalization;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using OpenEuroLLM.Languages;
using OpenEuroLLM.Privacy.Checks;
using OpenEuroLLM.Privacy.Scanning;

namespace OpenEuroLLM.Privacy.Rules;

/// <summary>All rules, made from the data files once.</summary>
internal sealed class RuleBook
{
    private static readonly Lazy<RuleBook> Instance = new(() => new RuleBook());

    private readonly List<string> _countries = [];

    private readonly List<NumberForm>[] _byLength = [.. Enumerable.Range(0, NumberWindow.Most + 1).Select(_ => new List<NumberForm>())];

    private RuleBook()
    {
        IdentifierFile identifiers = Load("identifiers.json", RuleFilesJson.Default.IdentifierFile);
        VatFile vat = Load("vat.json", RuleFilesJson.Default.VatFile);
        AccountFile accounts = Load("accounts.json", RuleFilesJson.Default.AccountFile);
        PhoneFile phones = Load("phones.json", RuleFilesJson.Default.PhoneFile);
        AddressFile addresses = Load("addresses.json", RuleFilesJson.Default.AddressFile);
        Version = $"identifiers {identifiers.Version}, vat {vat.Version}, accounts {accounts.Version}, phones {phones.Version}, addresses {addresses.Version}";
        Email = addresses.Email;
        Ip = addresses.Ip;
        Phones = phones;

        var concepts = new List<IReadOnlyList<string>>();
        foreach (IdentifierEntry entry in identifiers.Rules)
        {
            var name = new RuleName(entry.Name, entry.Version, entry.Type, entry.Countries.Count == 1 ? entry.Countries[0] : null, Bits(entry.Countries), Concept(entry.Context), !entry.Unchecked);
            foreach (FormEntry form in entry.Forms) Add(form, name, form.Tier ?? entry.Tier, prefix: "");
        }
        int vatConcept = Concept(vat.Context);
        foreach (VatEntry entry in vat.Rules)
        {
            var name = new RuleName(entry.Name, entry.Version, PersonalDataType.Vat, entry.Countries[0], Bits(entry.Countries), vatConcept, HasCheck: true);
            foreach (FormEntry form in entry.Forms)
            {
                if (!form.BareOnly) Add(form, name, PersonalDataTier.A, entry.Prefix);
                Add(form, name, PersonalDataTier.C, prefix: "");
            }
        }
        IbanLengths = accounts.Iban.Lengths.ToFrozenDictionary();
        IbanLetters = accounts.Iban.Letters.ToFrozenSet();
        Iban = new RuleName("iban", accounts.Iban.Version, PersonalDataType.Iban, null, 0, Concept(["IBAN*"]), HasCheck: true);
        Card = new RuleName("card", accounts.Card.Version, PersonalDataType.Card, null, 0, Concept(accounts.Card.Context), HasCheck: true);
        CardNetworks = [.. accounts.Card.Networks.SelectMany(network => network.Prefixes.Select(prefix => (Range.Parse(prefix), network)))];
        CardGroups = [.. accounts.Card.Groups.Select(Lengths)];
        PhoneContext = Concept(phones.Context);
        PhonePlans = [.. phones.Countries.Select(entry => new PhonePlan(
            new RuleName("phone", phones.Rule, PersonalDataType.Phone, entry.Country, Bits([entry.Country]), PhoneContext, HasCheck: false), entry))];
        OtherCodes = [.. phones.OtherCodes.Select(Range.Parse)];
        OtherPhone = new RuleName("phone", phones.Rule, PersonalDataType.Phone, null, 0, PhoneContext, HasCheck: false);
        IpAddress = new RuleName("ip-address", addresses.Ip.Version, PersonalDataType.IpAddress, null, 0, Concept(addresses.Ip.Context), HasCheck: false);
        EmailAddress = new RuleName("email", addresses.Email.Version, PersonalDataType.Email, null, 0, Concept([]), HasCheck: false);
        VersionWords = Concept(addresses.Ip.VersionWords);
        VersionWordsBehind = Concept(addresses.Ip.VersionWordsBehind);
        Labels = Concept(addresses.Codes.Labels);
        Blockers = Concept(addresses.Codes.Blockers);
        Context = new ContextLexicon(concepts);
        Languages = LanguageCatalog.Identified.ToFrozenDictionary(language => language.Code, language => Bits([.. language.Countries.Select(country => country == "GR" ? "EL" : country)]));

        int Concept(IReadOnlyList<string> words)
        {
            concepts.Add(words);
            return concepts.Count - 1;
        }
    }

    /// <summary>The rules of the data files that are built in.</summary>
    public static RuleBook BuiltIn => Instance.Value;

    /// <summary>The versions of all data files.</summary>
    public string Version { get; }

    public ContextLexicon Context { get; }

    public EmailEntry Email { get; }

    public IpEntry Ip { get; }

    public PhoneFile Phones { get; }

    public FrozenDictionary<string, int> IbanLengths { get; }

    public FrozenSet<string> IbanLetters { get; }

    public RuleName Iban { get; }

    public RuleName Card { get; }

    public RuleName IpAddress { get; }

    public RuleName EmailAddress { get; }

    public RuleName OtherPhone { get; }

    public IReadOnlyList<(Range Prefix, CardNetwork Network)> CardNetworks { get; }

    public IReadOnlyList<byte[]> CardGroups { get; }

    public IReadOnlyList<PhonePlan> PhonePlans { get; }

    public IReadOnlyList<Range> OtherCodes { get; }

    public int PhoneContext { get; }

    public int VersionWords { get; }

    public int VersionWordsBehind { get; }

    public int Labels { get; }

    public int Blockers { get; }

    /// <summary>The bits of the countries where a language has standing.</summary>
    public FrozenDictionary<string, ulong> Languages { get; }

    /// <summary>All forms of numbers.</summary>
    public IEnumerable<NumberForm> Forms => _byLength.SelectMany(forms => forms);

    /// <summary>The forms that have so many symbols.</summary>
    public List<NumberForm> OfLength(int symbols) => _byLength[symbols];

    /// <summary>The bits of the countries of a document: those of its language, or of one that the tag names ("de-AT").</summary>
    public ulong CountriesOf(string? language)
    {
        if (language is null) return 0;
        string[] parts = language.Split('-', '_');
        foreach (string part in parts.Skip(1))
            if (part.Length == 2) return Bits([part.ToUpperInvariant() is "GR" ? "EL" : part.ToUpperInvariant()]);
        return Languages.GetValueOrDefault(parts[0], 0UL);
    }

    /// <summary>The lengths that the data files write with blanks between.</summary>
    public static byte[] Lengths(string groups) => [.. groups.Split(' ').Select(group => byte.Parse(group, CultureInfo.InvariantCulture))];

    private void Add(FormEntry form, RuleName name, PersonalDataTier tier, string prefix)
    {
        IReadOnlyList<Pattern> patterns = Pattern.Parse(form.Pattern);
        IReadOnlyList<Pattern> surrogates = form.Surrogate is { } surrogate ? Pattern.Parse(surrogate) : [];
        List<byte[]> groups = [.. form.Groups.Select(Lengths)];
        for (int i = 0; i < patterns.Count; i++)
        {
            // "DE 136 695 976", "DE136 695 976" and "DE 136695976" are all usual.
            List<byte[]> all = prefix.Length == 0 ? groups : [
                .. groups.Select(group => (byte[])[(byte)prefix.Length, .. group]), .. groups.Select(group => (byte[])[(byte)(prefix.Length + group[0]), .. group[1..]]),
                [(byte)prefix.Length, (byte)patterns[i].Length]];
            Pattern pattern = patterns[i].After(prefix);
            _byLength[pattern.Length].Add(new NumberForm(name, tier, pattern, prefix.Length, all, form.Sign, form.Checks, surrogates.Count > 0 ? surrogates[i].After(prefix) : null));
        }
    }

    private ulong Bits(IReadOnlyList<string> countries)
    {
        ulong bits = 0;
        foreach (string country in countries)
        {
            int index = _countries.IndexOf(country);
            if (index < 0)
            {
                lock (_countries)
                {
                    if (_countries.Count == 64) continue;   // countries beyond those of the rules have no rules
                    _countries.Add(country);
                    index = _countries.Count - 1;
                }
            }
            bits |= 1UL << index;
        }
        return bits;
    }

    private static T Load<T>(string file, JsonTypeInfo<T> type)
    {
        using Stream stream = Assembly.GetExecutingAssembly().GetManifestResourceStream("privacy/" + file) ?? throw new InvalidDataException($"{file} is not built in.");
        return JsonSerializer.Deserialize(stream, type) ?? throw new InvalidDataException($"{file} is empty.");
    }
}

/// <summary>The numbers that begin with a prefix or one of a range of prefixes of the same length.</summary>
internal readonly record struct Range(int Digits, long First, long Last)
{
    public static Range Parse(string text)
    {
        string[] ends = text.Split('-');
        return new Range(ends[0].Length, CheckDigits.Number(ends[0]), CheckDigits.Number(ends[^1]));
    }

    public bool Begins(ReadOnlySpan<char> digits)
    {
        if (digits.Length < Digits) return false;
        long number = CheckDigits.Number(digits[..Digits]);
        return number >= First && number <= Last;
    }
}

/// <summary>A country's telephone numbers, ready to compare.</summary>
internal sealed class PhonePlan(RuleName rule, PhoneEntry entry)
{
    private readonly (Range Prefix, int Least, int Most)[] _mobile = [.. entry.Mobile.Select(Parse)];

    public RuleName Rule { get; } = rule;

    public PhoneEntry Entry { get; } = entry;

    public string Trunk { get; } = entry.Trunk ?? "";

    public bool IsMobile(ReadOnlySpan<char> national)
    {
        foreach ((Range prefix, int least, int most) in _mobile)
            if (national.Length >= least && national.Length <= most && prefix.Begins(national)) return true;
        return false;
    }

    public bool IsNational(ReadOnlySpan<char> national) => IsMobile(national) || (national.Length >= Entry.Least && national.Length <= Entry.Most);

    private static (Range, int, int) Parse(string text)
    {
        string[] parts = text.Split(':'), lengths = parts[1].Split('-');
        return (Range.Parse(parts[0]), int.Parse(lengths[0], CultureInfo.InvariantCulture), int.Parse(lengths[^1], CultureInfo.InvariantCulture));
    }
}
