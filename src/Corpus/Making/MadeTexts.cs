using System.Buffers;
using System.Globalization;
using System.Text;
using OpenEuroLLM.Core;

namespace OpenEuroLLM.Corpus.Making;

/// <summary>The documents of a made corpus by their numbers: each follows from the seed and its number alone, so that any part can be made without the rest.</summary>
/// <remarks>One object works on one document at a time.</remarks>
internal sealed class MadeTexts(IReadOnlyList<WordPool> pools, ulong seed, MutationShares shares, int mostPassages)
{
    private const int Sites = 40;

    /// <summary>Words between two that are changed, on average: texts that share a passage are still unlike.</summary>
    private const int WordsPerChange = 10;

    /// <summary>The same in near copies. Of sequences of five words a share of about 0.08 is hit, which leaves a similarity of about 0.85.</summary>
    private const int WordsPerNearChange = 60;

    /// <summary>Within so many words a near copy is changed at least once.</summary>
    private const int ShortestNear = 12;

    private const int LeastPassages = 3;

    private const int CopyReach = 20_000;

    private readonly IReadOnlyList<(MadeKind Kind, double End)> _ends = shares.Ends();
    private readonly CounterRandom _kinds = new CounterRandom(seed, 0).Substream("made: kinds");
    private readonly ulong _texts = new CounterRandom(seed, 0).Substream("made: texts").Stream;
    private readonly ulong _changes = new CounterRandom(seed, 0).Substream("made: changes").Stream;
    private readonly ulong _sites = new CounterRandom(seed, 0).Substream("made: sites").Stream;
    private readonly ArrayBufferWriter<byte> _text = new(1 << 16);
    private readonly ArrayBufferWriter<byte> _misread = new(1 << 16);

    public MadeKind Kind { get; private set; }

    /// <summary>The language that the document says it is in.</summary>
    public string Language { get; private set; } = "";

    public string Url { get; private set; } = "";

    public int Site { get; private set; }

    /// <summary>The text as UTF-8, passages on lines; valid until the next document is made.</summary>
    public ReadOnlySpan<byte> Text => (Kind == MadeKind.Mojibake ? _misread : _text).WrittenSpan;

    /// <summary>Makes a document.</summary>
    public void Make(long number)
    {
        Kind = KindOf(number);
        long original = Kind is MadeKind.ExactCopy or MadeKind.NearCopy or MadeKind.UrlCopy ? OriginalOf(number) : number;
        if (original < 0) (Kind, original) = (MadeKind.Good, number);
        _text.ResetWrittenCount();
        WordPool pool = PoolOf(Kind == MadeKind.UrlCopy ? number : original);
        Language = Kind == MadeKind.WrongLanguage && pools.Count > 1 ? pools[(IndexOfPool(number) + 1) % pools.Count].Language : pool.Language;
        Site = SiteOf(number);
        Url = AddressOf(number, pool);
        switch (Kind)
        {
            case MadeKind.Short: WriteShort(number, pool); break;
            case MadeKind.Junk: WriteJunk(number, pool); break;
            case MadeKind.UrlCopy:
                WriteGood(number, pool, near: false);
                Url = AddressOf(original, PoolOf(original)) + "?utm_source=made";
                break;
            default: WriteGood(original, pool, near: Kind == MadeKind.NearCopy, number); break;
        }
        if (Kind == MadeKind.Mojibake) Misread();
    }

    /// <summary>Writes lines that all pages of a site have.</summary>
    public void WriteBoilerplate(int site, WordPool pool, IBufferWriter<byte> target)
    {
        var draws = new Draws(new CounterRandom(seed, _sites + (ulong)site));
        for (int line = 0; line < 2; line++)
        {
            target.Write("\n"u8);
            (int start, int count) = pool.Passage(draws.Below(pool.Passages));
            for (int word = 0; word < Math.Min(count, 14); word++)
            {
                if (word > 0) target.Write(" "u8);
                target.Write(pool.Word(start + word));
            }
        }
    }

    public WordPool PoolOf(long number) => pools[IndexOfPool(number)];

    /// <summary>The kind, as drawn; a copy of nothing is a good text.</summary>
    private MadeKind KindOf(long number)
    {
        double drawn = _kinds.UniformAt((ulong)number);
        foreach ((MadeKind kind, double end) in _ends)
            if (drawn < end) return kind;
        return MadeKind.Good;
    }

    /// <summary>An earlier good text; -1 where there is none near.</summary>
    private long OriginalOf(long number)
    {
        const int steps = 200;
        if (number == 0) return -1;
        var draws = new Draws(new CounterRandom(seed, _changes + (ulong)number));
        long original = number - 1 - draws.Below((int)Math.Min(number, CopyReach));
        for (int step = 0; step < steps && original >= 0; step++, original--)
            if (KindOf(original) == MadeKind.Good) return original;
        return -1;
    }

    private int IndexOfPool(long number) => (int)_kinds.Below((ulong)number | 1UL << 63, (uint)pools.Count);

    private int SiteOf(long number) => (int)_kinds.Below((ulong)number | 1UL << 62, Sites);

    private string AddressOf(long number, WordPool pool) =>
        string.Create(CultureInfo.InvariantCulture, $"https://site{SiteOf(number)}.{pool.Language}.example/{number % 97}/{number}.html");

    private void WriteGood(long number, WordPool pool, bool near, long copy = 0)
    {
        var draws = new Draws(new CounterRandom(seed, _texts + (ulong)number));
        var others = new Draws(new CounterRandom(seed, _changes + (ulong)copy + (1UL << 62)));
        // Texts of one or two short sentences would often be the same by chance.
        int least = Math.Min(LeastPassages, mostPassages), passages = least + (int)(draws.Uniform() * draws.Uniform() * (mostPassages - least + 1));
        int change = draws.Below(2 * WordsPerChange), other = near ? others.Below(ShortestNear) : int.MaxValue;
        for (int passage = 0; passage < passages; passage++)
        {
            (int start, int count) = pool.Passage(draws.Below(pool.Passages));
            if (passage > 0) _text.Write("\n"u8);
            for (int word = 0; word < count; word++)
            {
                int place = start + word;
                if (--change < 0)
                {
                    change = draws.Below(2 * WordsPerChange);
                    // The last word of a passage keeps its full stop.
                    if (word + 1 < count) place = draws.Below(pool.Words);
                }
                if (--other < 0)
                {
                    other = others.Below(2 * WordsPerNearChange);
                    place = others.Below(pool.Words);
                }
                if (word > 0) _text.Write(" "u8);
                _text.Write(pool.Word(place));
            }
        }
        if (draws.Uniform() < shares.Boilerplate) WriteBoilerplate(SiteOf(number), pool, _text);
    }

    private void WriteShort(long number, WordPool pool)
    {
        var draws = new Draws(new CounterRandom(seed, _texts + (ulong)number));
        int words = 1 + draws.Below(8);
        for (int word = 0; word < words; word++)
        {
            if (word > 0) _text.Write(" "u8);
            _text.Write(pool.Word(draws.Below(pool.Words)));
        }
        Number(number);   // two short ones are not the same by chance
    }

    private void WriteJunk(long number, WordPool pool)
    {
        var draws = new Draws(new CounterRandom(seed, _texts + (ulong)number));
        int word = draws.Below(pool.Words), lines = 5 + draws.Below(60);
        bool numbers = draws.Below(2) == 0;
        for (int line = 0; line < lines; line++)
        {
            if (line > 0) _text.Write("\n"u8);
            if (numbers) Number(draws.Below(1_000_000));
            else _text.Write(pool.Word(word));
            _text.Write(" ### | "u8);
            _text.Write(pool.Word(word));
        }
        Number(number);
    }

    private void Number(long number)
    {
        _text.Write(" "u8);
        Span<byte> digits = _text.GetSpan(20);
        number.TryFormat(digits, out int written, provider: CultureInfo.InvariantCulture);
        _text.Advance(written);
    }

    /// <summary>Each byte of the text as a character of its own.</summary>
    private void Misread()
    {
        _misread.ResetWrittenCount();
        ReadOnlySpan<byte> text = _text.WrittenSpan;
        while (!text.IsEmpty)
        {
            int ascii = text.IndexOfAnyInRange((byte)0x80, (byte)0xFF);
            _misread.Write(ascii < 0 ? text : text[..ascii]);
            if (ascii < 0) break;
            _misread.Write(Windows1252[text[ascii] - 0x80]);
            text = text[(ascii + 1)..];
        }
    }

    private static readonly byte[][] Windows1252 = [.. Enumerable.Range(0x80, 0x80).Select(value => Encoding.UTF8.GetBytes(CodePagesEncodingProvider.Instance.GetEncoding(1252)!.GetString([(byte)value])))];
}
